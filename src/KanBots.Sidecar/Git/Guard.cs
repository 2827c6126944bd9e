using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <summary>What keeps an agent's git from pushing and from moving what is not its run's own. It is made once per launch, in a folder
/// of that launch, and reaches git by the agent's environment alone: nothing of the repository or of the user's configuration changes.
/// A process that sheds its environment is not held; the README says so.</summary>
/// <param name="Folder">Absolute; the guard's files lie in it and nothing else.</param>
/// <param name="GitFolder">The git folder of the run's worktree, below the common folder.</param>
/// <param name="UserHooks">Where the user's own hooks lie, as git would look them up: absolute, or relative to the worktree.</param>
/// <param name="Hooks">Names of the user's hooks that are chained.</param>
/// <param name="Remotes">Names of the remotes, whose new tags are not fetched along: tags are shared by all worktrees.</param>
/// <param name="PushUrls">URLs that a remote names for pushing only. git does not rewrite those as it does the others.</param>
internal sealed record Guard(string Folder, string CommonFolder, string GitFolder, string Branch, string UserHooks, IReadOnlyList<string> Hooks, IReadOnlyList<string> Remotes, IReadOnlyList<string> PushUrls)
{
    /// <summary>Hooks that git runs where an agent works. Ours are pre-push and reference-transaction.</summary>
    internal static IReadOnlyList<string> ClientHooks { get; } =
    [
        "applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg", "post-commit",
        "pre-rebase", "post-checkout", "post-merge", "post-rewrite", "pre-auto-gc", "post-index-change", "sendemail-validate",
    ];

    internal static string FolderOf(string launchFolder) => Path.Combine(launchFolder, "guard");

    /// <summary>Asks git, in the agent's environment, what the user has set up.</summary>
    internal static async Task<Guard> ReadAsync(GitRunner git, Repository repository, string worktree, string branch, string folder, IReadOnlyList<string> environment, CancellationToken cancellation)
    {
        Task<CommandResult> Ask(params string[] arguments) =>
            git.RunAsync(new GitCommand(arguments[0], worktree, arguments, ExitCodes: [1], Environment: environment), cancellation);
        var gitFolder = Line((await Ask("rev-parse", "--absolute-git-dir")).Text);
        var configured = Line((await Ask("config", "--type=path", "--get", "core.hooksPath")).Text);
        var hooks = configured.Length > 0 ? configured : Path.Combine(repository.CommonFolder, "hooks");
        var urls = from entry in (await Ask("config", "--null", "--get-regexp", @"^remote\..*\.(url|pushurl)$")).Text.Split('\0', StringSplitOptions.RemoveEmptyEntries)
                   let parts = entry.Split('\n', 2)
                   where parts.Length == 2
                   let dot = parts[0].LastIndexOf('.')
                   select (Remote: parts[0]["remote.".Length..dot], Key: parts[0][(dot + 1)..], Url: parts[1]);
        var known = urls.ToList();
        var fetched = known.Where(url => url.Key == "url").Select(url => url.Url).ToList();
        return new Guard(
            folder,
            repository.CommonFolder,
            gitFolder,
            branch,
            hooks,
            configured.Length > 0 ? ClientHooks : [.. ClientHooks.Where(name => File.Exists(Path.Combine(hooks, name)))],
            [.. known.Select(url => url.Remote).Distinct()],
            [.. known.Where(url => url.Key == "pushurl" && !fetched.Exists(fetch => fetch.StartsWith(url.Url, StringComparison.Ordinal))).Select(url => url.Url).Distinct()]);
    }

    /// <summary>Writes the folder and closes it for writing. What is there already is left: a launch is started again after a crash.</summary>
    internal void Write()
    {
        if (PrivateFiles.Look(Folder) is not null)
        {
            PrivateFiles.DeleteFolder(Folder);
        }

        var hooks = Path.Combine(Folder, "hooks");
        var bin = Path.Combine(Folder, "bin");
        PrivateFiles.MakeFolder(hooks);
        PrivateFiles.MakeFolder(bin);
        PrivateFiles.Replace(Path.Combine(Folder, "config"), GuardText.Bytes(GuardText.Config(this)));
        PrivateFiles.Replace(Path.Combine(hooks, "pre-push"), GuardText.Bytes(GuardText.PrePush));
        PrivateFiles.Replace(Path.Combine(hooks, "reference-transaction"), GuardText.Bytes(GuardText.ReferenceTransaction(this)));
        PrivateFiles.Replace(Path.Combine(bin, "git-remote-kanbots-blocked"), GuardText.Bytes(GuardText.PrePush));
        foreach (var name in Hooks)
        {
            PrivateFiles.Replace(Path.Combine(hooks, name), GuardText.Bytes(GuardText.Chained(UserHooks, name)));
        }

        PrivateFiles.Seal(Folder);
    }

    /// <summary>The environment with the guard in it: entries after the user's own, and the sentence about pushing on PATH.</summary>
    internal static IReadOnlyList<string> Into(IReadOnlyList<string> environment, string folder, string commonFolder)
    {
        var lines = new List<string>(environment);
        var countAt = lines.FindIndex(line => line.StartsWith("GIT_CONFIG_COUNT=", StringComparison.Ordinal));
        var count = countAt >= 0 && int.TryParse(lines[countAt]["GIT_CONFIG_COUNT=".Length..], out var own) && own > 0 ? own : 0;
        lines.RemoveAll(line => line.StartsWith("GIT_CONFIG_COUNT=", StringComparison.Ordinal));

        // A pattern that ends in a slash is about what lies below; the main working tree's git folder is the common folder itself.
        var pattern = GuardText.Pattern(commonFolder);
        var config = GuardText.Slashes(Path.Combine(folder, "config"));
        foreach (var condition in new[] { pattern, pattern + "/" })
        {
            lines.Add(FormattableString.Invariant($"GIT_CONFIG_KEY_{count}=includeIf.gitdir:{condition}.path"));
            lines.Add(FormattableString.Invariant($"GIT_CONFIG_VALUE_{count}={config}"));
            count++;
        }

        lines.Add(FormattableString.Invariant($"GIT_CONFIG_COUNT={count}"));
        var path = lines.FindIndex(line => line.StartsWith("PATH=", StringComparison.Ordinal));
        var bin = Path.Combine(folder, "bin");
        if (path >= 0)
        {
            lines[path] = $"PATH={bin}{Path.PathSeparator}{lines[path]["PATH=".Length..]}";
        }

        return lines;
    }

    private static string Line(string text) => text.EndsWith('\n') ? text[..^1] : text;
}
