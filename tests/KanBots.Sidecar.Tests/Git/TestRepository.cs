using System.Diagnostics;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>A real repository in a temp folder, and plain git as the independent witness. No configuration of the machine has a say.</summary>
internal sealed class TestRepository : IDisposable
{
    static TestRepository()
    {
        Environment.SetEnvironmentVariable("GIT_CONFIG_GLOBAL", "/dev/null");
        Environment.SetEnvironmentVariable("GIT_CONFIG_NOSYSTEM", "1");
    }

    internal TestRepository(string name = "Übung eins", bool empty = false)
    {
        Root = Directory.CreateTempSubdirectory("kb-git-").FullName;
        Folder = Path.Combine(Root, name);
        PlainGit(Root, "init", "-q", "-b", "main", "--", Folder);
        if (!empty)
        {
            Write("readme.txt", "one\ntwo\n");
            Commit("first");
        }
    }

    /// <summary>Everything lies in here; removed at the end.</summary>
    internal string Root { get; }

    internal string Folder { get; }

    internal GitRunner Runner { get; } = new(TimeProvider.System);

    internal string Head => Git("rev-parse", "HEAD").Trim();

    internal string Status => Git("status", "--porcelain");

    internal string Git(params string[] arguments) => PlainGit(Folder, arguments);

    internal async Task KeepAsync(string worktree, int cardNumber, long runId, string checkpoint, string tree)
    {
        await using var keeping = new CheckpointKeeping(Runner, worktree, TimeProvider.System, CancellationToken.None);
        await keeping.KeepAsync(cardNumber, runId, checkpoint, tree, await CheckpointRefs.ParentsAsync(Runner, worktree, cardNumber, runId, CancellationToken.None));
    }

    internal static string PlainGit(string folder, params string[] arguments)
    {
        var (code, output, error) = TryGit(folder, arguments);
        Assert.True(code == 0, $"git {string.Join(' ', arguments)}: {error}");
        return output;
    }

    internal static (int Code, string Output, string Error) TryGit(string folder, params string[] arguments)
    {
        using var git = Start(folder, "git", arguments);
        var error = git.StandardError.ReadToEndAsync();
        var output = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        return (git.ExitCode, output, error.Result);
    }

    internal static Process Start(string folder, string file, params string[] arguments)
    {
        var start = new ProcessStartInfo(file, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var who in new[] { "AUTHOR", "COMMITTER" })
        {
            start.Environment[$"GIT_{who}_NAME"] = "Tess Ter";
            start.Environment[$"GIT_{who}_EMAIL"] = "tess@example.com";
            start.Environment[$"GIT_{who}_DATE"] = "2026-01-02T03:04:05Z";
        }

        return Process.Start(start)!;
    }

    internal static void Chmod(string mode, string path)
    {
        using var chmod = Start("/", "chmod", mode, path);
        chmod.WaitForExit();
        Assert.Equal(0, chmod.ExitCode);
    }

    internal void Write(string path, string text)
    {
        var full = Path.Combine(Folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }

    /// <summary>Of all that lies in the folder.</summary>
    internal string Commit(string message)
    {
        Git("add", "-A");
        Git("commit", "-q", "--allow-empty", "-m", message);
        return Head;
    }

    /// <summary>A bare clone beside it becomes its remote, origin/HEAD and all.</summary>
    internal void AddOrigin()
    {
        var bare = Path.Combine(Root, "origin.git");
        PlainGit(Root, "clone", "-q", "--bare", Folder, bare);
        Git("remote", "add", "origin", bare);
        Git("fetch", "-q", "origin");
        Git("remote", "set-head", "origin", "--auto");
    }

    internal Task<Repository> FindAsync(string? folder = null) => Repository.FindAsync(Runner, folder ?? Folder, CancellationToken.None);

    internal async Task<Base> BaseAsync(string? wanted = null, string? configured = null) =>
        await Base.ChooseAsync(Runner, await FindAsync(), wanted, configured, CancellationToken.None);

    internal async Task<string> PathOfAsync(int card, long run) => Worktrees.PathOf(await FindAsync(), null, card, run);

    /// <summary>Makes the worktree of a run from HEAD or another commit, and returns its folder.</summary>
    internal async Task<string> AddAsync(int card, long run, string? root = null, string? commit = null, GitRunner? runner = null, CancellationToken cancellation = default)
    {
        var repository = await FindAsync();
        var path = Worktrees.PathOf(repository, root, card, run);
        await Worktrees.AddAsync(runner ?? Runner, repository, path, $"kanbots/issue-{card}-{run}", commit ?? Head, cancellation);
        return path;
    }

    internal async Task<GitFailure> AddFailsAsync(int card, long run, GitRunner? runner = null) =>
        await Assert.ThrowsAsync<GitFailure>(() => AddAsync(card, run, runner: runner));

    /// <summary>The worktree is registered once, on its branch, at the commit, and as git left it.</summary>
    internal void AssertMade(string path, int card, long run, string? commit = null)
    {
        Assert.Equal($"kanbots/issue-{card}-{run}", PlainGit(path, "branch", "--show-current").Trim());
        Assert.Equal(commit ?? Head, PlainGit(path, "rev-parse", "HEAD").Trim());
        Assert.Equal("", PlainGit(path, "status", "--porcelain", "--untracked-files=all"));
        var record = Assert.Single(Git("worktree", "list", "--porcelain").Split("\n\n"), text => text.Split('\n').Contains($"branch refs/heads/kanbots/issue-{card}-{run}"));
        Assert.DoesNotContain("locked", record, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}

/// <summary>A clock whose every timer is due at once; it remembers how long it was asked to wait.</summary>
internal sealed class HurriedTime : TimeProvider
{
    private readonly List<TimeSpan> _waits = [];

    internal IReadOnlyList<TimeSpan> Waits
    {
        get
        {
            lock (_waits)
            {
                return [.. _waits];
            }
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime == Timeout.InfiniteTimeSpan)
        {
            return base.CreateTimer(callback, state, dueTime, period);
        }

        lock (_waits)
        {
            _waits.Add(dueTime);
        }

        return base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
