using System.Text;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <param name="Branch">Short name, null when detached.</param>
/// <param name="IsMissing">It is registered, its folder is gone.</param>
/// <param name="IsHalfMade">git keeps it locked while it makes it: it is at work there, or was cut off.</param>
/// <param name="IsLocked">Somebody has locked it.</param>
internal sealed record Worktree(string Path, string? Commit, string? Branch, bool IsMissing, bool IsHalfMade, bool IsLocked = false);

/// <summary><c>git worktree</c>.</summary>
internal static class Worktrees
{
    internal const string FolderName = ".kanbots";

    /// <summary>The kind of "something else stands where the worktree was".</summary>
    internal const string Foreign = "worktreeForeign";

    internal static Task<IReadOnlyList<Worktree>> ListAsync(GitRunner git, string folder, CancellationToken cancellation) => ListAsync(git, folder, null, cancellation);

    /// <summary>Those at the path or on the branch. A repository may have thousands of others, of which nothing is made.</summary>
    private static Task<IReadOnlyList<Worktree>> ListAsync(GitRunner git, string folder, string path, string branch, CancellationToken cancellation) =>
        ListAsync(git, folder, [.. new[] { $"worktree {path}", $"worktree {Repository.Resolve(path)}", $"branch {Heads}{branch}" }.Select(Encoding.UTF8.GetBytes)], cancellation);

    private static async Task<IReadOnlyList<Worktree>> ListAsync(GitRunner git, string folder, IReadOnlyList<byte[]>? wanted, CancellationToken cancellation)
    {
        var said = await git.RunAsync(new GitCommand("worktree list", folder, ["worktree", "list", "--porcelain", "-z"]), cancellation);
        var trees = Parse(said.StandardOutput.Span, wanted);
        said.Release();
        return trees;
    }

    private const string Heads = "refs/heads/";

    /// <param name="porcelain">Fields that end with a zero byte; a record ends with one more.</param>
    /// <param name="wanted">Only records that have one of these fields; null for all.</param>
    internal static IReadOnlyList<Worktree> Parse(ReadOnlySpan<byte> porcelain, IReadOnlyList<byte[]>? wanted)
    {
        var list = new List<Worktree>();
        while (porcelain.Length > 0)
        {
            var end = porcelain.IndexOf("\0\0"u8);
            var record = porcelain[..(end < 0 ? porcelain.Length : end)];
            porcelain = end < 0 ? [] : porcelain[(end + 2)..];
            if (wanted is null || HasOne(record, wanted))
            {
                Read(Encoding.UTF8.GetString(record), list);
            }
        }

        return list;
    }

    private static bool HasOne(ReadOnlySpan<byte> record, IReadOnlyList<byte[]> wanted)
    {
        foreach (var range in record.Split((byte)0))
        {
            foreach (var field in wanted)
            {
                if (record[range].SequenceEqual(field))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static void Read(string record, List<Worktree> list)
    {
        var fields = record.Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ', 2)).ToLookup(parts => parts[0], parts => parts.Length > 1 ? parts[1] : "");
        if (fields["worktree"].FirstOrDefault() is { } path)
        {
            var branch = fields["branch"].FirstOrDefault();
            list.Add(new Worktree(path, fields["HEAD"].FirstOrDefault(), branch?.StartsWith(Heads, StringComparison.Ordinal) == true ? branch[Heads.Length..] : branch, fields.Contains("prunable"), fields["locked"].FirstOrDefault() == "initializing", fields.Contains("locked")));
        }
    }

    internal static string PathOf(Repository repository, string? configuredRoot, int cardNumber, long runId)
    {
        var root = configuredRoot is null ? System.IO.Path.Combine(repository.Root, FolderName, "worktrees") : System.IO.Path.GetFullPath(configuredRoot, repository.Root);
        return System.IO.Path.Combine(root, FormattableString.Invariant($"issue-{cardNumber}-{runId}"));
    }

    /// <summary>Makes the worktree on a new branch at the commit, or finds that an earlier attempt has made exactly that: asked again
    /// after a crash it does nothing twice. Without upstream: git would write the shared config, and 12 of 32 at once fail on its lock.</summary>
    internal static async Task AddAsync(GitRunner git, Repository repository, string path, string branch, string commit, CancellationToken cancellation)
    {
        if (path.StartsWith(System.IO.Path.Combine(repository.Root, FolderName) + System.IO.Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            await RefuseForeignFolderAsync(git, repository, cancellation);
            if (!repository.IsBare)
            {
                Exclude(repository);
            }
        }

        var trees = await SettledAsync(git, repository, path, branch, cancellation);
        var there = At(trees, path);
        if (there is { IsHalfMade: false, IsMissing: false } && there.Branch == branch && Directory.Exists(path))
        {
            return;
        }

        if (trees.FirstOrDefault(tree => tree.Branch == branch && tree != there) is { } other)
        {
            throw GitFailure.Named("branchExists", $"The branch {branch} is checked out in {other.Path} already. Switch that worktree to another branch.");
        }

        if (there is null or { IsMissing: true } && IsTaken(path))
        {
            throw GitFailure.Named("folderExists", $"{path} exists already and is no worktree of this repository. Move it away.");
        }

        var known = await BranchCommitAsync(git, repository, branch, cancellation);
        if (known is null && await BranchCommitAsync(git, repository, "kanbots", cancellation) is not null)
        {
            throw GitFailure.Named("branchNamespaceTaken", "A branch named `kanbots` is in the way of every `kanbots/…` branch. Rename it: `git branch -m kanbots <other>`.");
        }

        if (known is not null && known != commit)
        {
            throw GitFailure.Named("branchExists", $"The branch {branch} exists already with other commits. Rename or delete it.");
        }

        if (there is { IsHalfMade: true } && File.Exists(System.IO.Path.Combine(path, ".git")))
        {
            await WriteAsync(git, repository, ["worktree", "remove", "--force", "--force", path], cancellation);
        }

        // Two commands: each fails whole, so that another git's lock in between leaves nothing on which the next try would stumble.
        if (known is null)
        {
            await WriteAsync(git, repository, ["branch", "--no-track", branch, commit], cancellation);
        }

        // One --force takes the place of a worktree whose folder is gone, two that of one which git had locked to make it.
        string[] force = there switch { null => [], { IsHalfMade: true } => ["--force", "--force"], _ => ["--force"] };
        try
        {
            await WriteAsync(git, repository, ["worktree", "add", "--quiet", .. force, path, branch], cancellation);
        }
        catch (GitFailure failure) when (failure.Kind is "filterFailed" or "gitFailed" && !IsTaken(path))
        {
            // Better with pointers than not at all; whoever made this worktree is told which files have none of their content. A filter that
            // cannot be started is not always named by git ("the remote end hung up"); whatever else it was fails again. A hook that
            // failed leaves the worktree whole.
            await git.RunAsync(new GitCommand("worktree add", repository.Root, [.. Base.At(repository), .. LargeFiles.Untouched, "worktree", "add", "--quiet", .. force, path, branch], Writes: true), cancellation);
        }
    }

    /// <summary>How long a git that outlived the serve which started it may take to make its worktree; 80,000 files took 25 s. After that
    /// it is held to be dead.</summary>
    internal static TimeSpan HalfMadeMax { get; } = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan HalfMadeStep = TimeSpan.FromMilliseconds(500);

    /// <summary>What is at the path or on the branch, after another git that is making the same worktree has been waited for. Nobody but git has been in there yet.</summary>
    private static async Task<IReadOnlyList<Worktree>> SettledAsync(GitRunner git, Repository repository, string path, string branch, CancellationToken cancellation)
    {
        for (var waited = TimeSpan.Zero; ; waited += HalfMadeStep)
        {
            var trees = await ListAsync(git, repository.IsBare ? repository.CommonFolder : repository.Root, path, branch, cancellation);
            if (waited >= HalfMadeMax || At(trees, path) is not { IsHalfMade: true })
            {
                return trees;
            }

            await git.PauseAsync(HalfMadeStep, cancellation);
        }
    }

    /// <summary>Forgets a worktree whose folder is gone, unless something was staged in it that no commit has: git's own record of it is
    /// then the last place that knows. Its branch stays. `git worktree prune` would forget the user's own ones too.</summary>
    internal static async Task ForgetMissingAsync(GitRunner git, Repository repository, Worktree tree, CancellationToken cancellation)
    {
        var record = RecordOf(repository, tree.Path) ?? throw GitFailure.Named("worktreeMissing", $"git's record of {tree.Path} was not found below {repository.CommonFolder}. Run `git worktree prune`.");
        var staged = await git.RunAsync(new GitCommand("diff", record, ["--git-dir", record, "--work-tree", record, "diff", "--cached", "--quiet", "HEAD", "--"], ExitCodes: [1]), cancellation);
        if (staged.ExitCode == 1)
        {
            throw GitFailure.Named("worktreeDirty", $"Changes were staged in {tree.Path}, and only git's record of it has them: it is kept. `git worktree add -f '{tree.Path}' {tree.Branch}` makes the folder anew.");
        }

        await WriteAsync(git, repository, ["worktree", "remove", "--force", tree.Path], cancellation);
    }

    /// <returns>git's own folder for the worktree; null when it has none.</returns>
    internal static string? RecordOf(Repository repository, string path)
    {
        var records = System.IO.Path.Combine(repository.CommonFolder, "worktrees");
        return Directory.Exists(records)
            ? Directory.EnumerateDirectories(records).FirstOrDefault(record => System.IO.Path.Combine(record, "gitdir") is var file && File.Exists(file) && File.ReadAllText(file).TrimEnd('\n') == System.IO.Path.Combine(path, ".git"))
            : null;
    }

    /// <summary>A linked worktree, as far as can be told without asking git.</summary>
    internal static bool IsThere(string path) => path.Length > 0 && File.Exists(System.IO.Path.Combine(path, ".git"));

    /// <returns>The folder with the worktree's own index and HEAD, as its `.git` says.</returns>
    /// <exception cref="IOException">It says nothing.</exception>
    internal static string RecordIn(string path)
    {
        var link = System.IO.Path.Combine(path, ".git");
        return Directory.Exists(link) ? link : System.IO.Path.GetFullPath(File.ReadAllText(link).TrimEnd('\n').Replace("gitdir: ", "", StringComparison.Ordinal), path);
    }

    /// <summary>git's record of the worktree and its own `.git` file name each other. An agent can put another `.git` file or a link in their place,
    /// and what we then asked git there it would do elsewhere.</summary>
    internal static bool IsOwn(Repository repository, string path)
    {
        const string prefix = "gitdir: ";
        try
        {
            var (full, folder) = (System.IO.Path.GetFullPath(path), Repository.Resolve(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!));
            if (File.ReadAllText(System.IO.Path.Combine(full, ".git")).TrimEnd('\n') is not { } said || !said.StartsWith(prefix, StringComparison.Ordinal))
            {
                return false;
            }

            var record = Repository.Resolve(System.IO.Path.GetFullPath(said[prefix.Length..], full));
            var back = System.IO.Path.GetFullPath(File.ReadAllText(System.IO.Path.Combine(record, "gitdir")).TrimEnd('\n'), record);
            return System.IO.Path.GetDirectoryName(record) == System.IO.Path.Combine(repository.CommonFolder, "worktrees")
                && (back == System.IO.Path.Combine(full, ".git") || back == System.IO.Path.Combine(folder, System.IO.Path.GetFileName(full), ".git"));
        }
        catch (Exception unread) when (unread is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return false;
        }
    }

    /// <exception cref="GitFailure">Something else stands in its place.</exception>
    internal static void RequireOwn(Repository repository, string path)
    {
        if (!IsOwn(repository, path))
        {
            throw GitFailure.Named(Foreign, $"{path} is not the worktree of this run any more: its .git, or a link in its place, names something else, so git is not asked there. Look what is there, put back what `git worktree list` says, or dispatch the card again.");
        }
    }

    /// <summary>git lists a path without links.</summary>
    internal static Worktree? At(IReadOnlyList<Worktree> trees, string path)
    {
        var resolved = Repository.Resolve(path); // once: it asks the disk, and there may be thousands
        return trees.FirstOrDefault(tree => tree.Path == path || tree.Path == resolved);
    }

    private static bool IsTaken(string path) => File.Exists(path) || (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any());

    private static Task<CommandResult> WriteAsync(GitRunner git, Repository repository, string[] arguments, CancellationToken cancellation) =>
        git.RunAsync(new GitCommand(arguments[0] == "branch" ? "branch" : $"{arguments[0]} {arguments[1]}", repository.Root, [.. Base.At(repository), .. arguments], Writes: true), cancellation);

    private static async Task<string?> BranchCommitAsync(GitRunner git, Repository repository, string branch, CancellationToken cancellation)
    {
        var result = await git.RunAsync(new GitCommand("rev-parse", repository.Root, [.. Base.At(repository), "rev-parse", "--verify", "--quiet", $"refs/heads/{branch}"], ExitCodes: [1, 128]), cancellation);
        return result.ExitCode == 0 ? result.Text.Trim() : null;
    }

    /// <summary>A clone can bring a `.kanbots` of its own: a link out of the repository, or tracked files. Neither is written into.</summary>
    private static async Task RefuseForeignFolderAsync(GitRunner git, Repository repository, CancellationToken cancellation)
    {
        var folder = System.IO.Path.Combine(repository.Root, FolderName);
        if (PrivateFiles.Look(folder) is { IsFolder: false })
        {
            throw GitFailure.Named("kanbotsFolderForeign", $"{folder} is a link or a file. Remove it, or set worktree.root.");
        }

        if (!repository.IsBare && (await git.RunAsync(new GitCommand("ls-files", repository.Root, ["ls-files", "-z", "--", FolderName]), cancellation)).StandardOutput.Length > 0)
        {
            throw GitFailure.Named("kanbotsFolderTracked", $"{FolderName} contains tracked files. Untrack them, or set worktree.root.");
        }
    }

    private const string ExcludeLine = $"/{FolderName}/";

    private static string ExcludeFile(Repository repository) => System.IO.Path.Combine(repository.CommonFolder, "info", "exclude");

    internal static bool IsExcluded(Repository repository) =>
        File.Exists(ExcludeFile(repository)) && File.ReadLines(ExcludeFile(repository)).Any(line => line.Trim() == ExcludeLine);

    private static readonly Lock Excluding = new();

    /// <summary>One line in the repository's own exclude file, which is never committed, unless it is there. Many worktrees may be asked
    /// for at once.</summary>
    internal static void Exclude(Repository repository)
    {
        lock (Excluding)
        {
            if (!IsExcluded(repository))
            {
                var path = ExcludeFile(repository);
                byte[] before = File.Exists(path) ? File.ReadAllBytes(path) : [];
                Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
                File.AppendAllText(path, (before is [] or [.., (byte)'\n'] ? "" : "\n") + ExcludeLine + "\n", new UTF8Encoding(false));
            }
        }
    }

    /// <summary>Takes our line out again, and the folder when it is empty. Every other byte of the file stays: its encoding is not known.</summary>
    internal static void Forget(Repository repository)
    {
        if (IsExcluded(repository))
        {
            var path = ExcludeFile(repository);
            var kept = Encoding.Latin1.GetString(File.ReadAllBytes(path)).Split('\n').Where(line => line.Trim() != ExcludeLine);
            File.WriteAllBytes(path, Encoding.Latin1.GetBytes(string.Join('\n', kept)));
        }

        var folder = System.IO.Path.Combine(repository.Root, FolderName);
        foreach (var path in new[] { System.IO.Path.Combine(folder, "worktrees"), folder }.Where(path => PrivateFiles.Look(folder) is { IsFolder: true } && PrivateFiles.Look(path) is { IsFolder: true } && Directory.Exists(path) && !Directory.EnumerateFileSystemEntries(path).Any()))
        {
            Directory.Delete(path);
        }
    }
}
