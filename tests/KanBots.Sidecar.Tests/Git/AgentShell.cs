using System.Diagnostics;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>A worktree of run 1 with its guard, and a shell in it with the environment that an agent gets. The origin, a bare repository
/// that plain git looks into, is the witness that nothing was pushed.</summary>
internal sealed class AgentShell : IDisposable
{
    private readonly Dictionary<string, string> _user;

    internal AgentShell(Action<TestRepository>? setUp = null, Dictionary<string, string>? user = null, string name = "Übung eins")
    {
        _user = user ?? [];
        Repository = new TestRepository(name);
        Repository.AddOrigin();
        setUp?.Invoke(Repository);
        Worktree = Repository.AddAsync(1, 1).GetAwaiter().GetResult();
        var found = Repository.FindAsync().GetAwaiter().GetResult();
        var folder = Path.Combine(Repository.Root, "launch", "guard");
        var environment = KanBots.Sidecar.Processes.Spawn.OwnEnvironment().Where(line => !_user.ContainsKey(line.Split('=')[0])).Concat(_user.Select(entry => $"{entry.Key}={entry.Value}")).ToList();
        Guard = Guard.ReadAsync(Repository.Runner, found, Worktree, "kanbots/issue-1-1", folder, environment, CancellationToken.None).GetAwaiter().GetResult();
        Guard.Write();
        Environment = Guard.Into(environment, folder, found.CommonFolder);
        OriginBefore = Origin;
    }

    internal TestRepository Repository { get; }

    internal Guard Guard { get; }

    internal string Worktree { get; }

    internal IReadOnlyList<string> Environment { get; }

    internal string OriginFolder => Path.Combine(Repository.Root, "origin.git");

    internal string OriginBefore { get; }

    internal string Origin => TestRepository.PlainGit(OriginFolder, "for-each-ref");

    /// <summary>Every ref that all worktrees share, but those that are the run's own to move.</summary>
    internal string Shared => string.Join('\n', Repository.Git("for-each-ref").Split('\n').Where(line => !line.EndsWith("refs/heads/kanbots/issue-1-1", StringComparison.Ordinal) && !line.Contains("refs/remotes/", StringComparison.Ordinal)));

    internal (int Code, string Text) Run(string script, string? folder = null)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", script]) { WorkingDirectory = folder ?? Worktree, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment.Clear();
        foreach (var line in Environment)
        {
            var parts = line.Split('=', 2);
            start.Environment[parts[0]] = parts[1];
        }

        foreach (var who in new[] { "AUTHOR", "COMMITTER" })
        {
            start.Environment[$"GIT_{who}_NAME"] = "An Agent";
            start.Environment[$"GIT_{who}_EMAIL"] = "agent@example.com";
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.GetAwaiter().GetResult());
    }

    internal string Ok(string script)
    {
        var (code, text) = Run(script);
        Assert.True(code == 0, $"{script}: {code}\n{text}");
        return text;
    }

    internal string Refused(string script, string? folder = null)
    {
        var before = Shared;
        var (code, text) = Run(script, folder);
        Assert.True(code != 0, $"{script} went through:\n{text}");
        Assert.Equal(OriginBefore, Origin);
        Assert.Equal(before, Shared);
        return text;
    }

    public void Dispose()
    {
        KanBots.Sidecar.Processes.PrivateFiles.DeleteFolder(Guard.Folder);
        Repository.Dispose();
    }
}
