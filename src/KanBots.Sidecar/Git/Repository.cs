namespace KanBots.Sidecar.Git;

/// <summary>Where a repository is, whichever of its worktrees somebody has open.</summary>
/// <param name="CommonFolder">The git common dir, absolute and with links resolved: it is the repository's identity.</param>
/// <param name="Root">The main working tree, or the folder that holds a bare repository.</param>
/// <param name="IsBare">There is no main working tree, or none that git can name.</param>
internal sealed record Repository(string CommonFolder, string Root, bool IsBare)
{
    /// <summary>As many as Linux follows before it calls a path a loop.</summary>
    private const int LinksMax = 40;

    internal string StateFolder => Path.Combine(CommonFolder, "kanbots");

    /// <exception cref="GitFailure">There is no repository, no git, or it belongs to somebody else.</exception>
    internal static async Task<Repository> FindAsync(GitRunner git, string folder, CancellationToken cancellation)
    {
        if (!Directory.Exists(folder))
        {
            throw GitFailure.Named("folderMissing", $"The folder {folder} does not exist.");
        }

        var common = Line((await git.RunAsync(new GitCommand("rev-parse", folder, ["rev-parse", "--path-format=absolute", "--git-common-dir"]), cancellation)).Text);
        var resolved = Resolve(common);
        var bare = Line((await git.RunAsync(new GitCommand("rev-parse", resolved, ["--git-dir", resolved, "config", "--bool", "--get", "core.bare"], ExitCodes: [1]), cancellation)).Text) == "true";
        if (bare)
        {
            return new Repository(resolved, Path.GetDirectoryName(resolved) ?? resolved, true);
        }

        if (await MainTreeAsync(git, folder, resolved, cancellation) is { } tree)
        {
            return new Repository(resolved, Resolve(tree), false);
        }

        // The git folder lies apart and only a linked worktree is known: nothing says where the main tree is, so nothing relies on one.
        return new Repository(resolved, Path.GetDirectoryName(resolved) ?? resolved, true);
    }

    /// <summary>The first entry of git's list; but where the git folder lies apart, in a submodule or after --separate-git-dir, git lists
    /// that folder instead of the tree.</summary>
    private static async Task<string?> MainTreeAsync(GitRunner git, string folder, string common, CancellationToken cancellation)
    {
        var listed = (await Worktrees.ListAsync(git, folder, cancellation)).FirstOrDefault()?.Path;
        if (listed is null || listed != common)
        {
            return listed ?? Path.GetDirectoryName(common);
        }

        var configured = Line((await git.RunAsync(new GitCommand("config", common, ["--git-dir", common, "config", "--type=path", "--get", "core.worktree"], ExitCodes: [1]), cancellation)).Text);
        if (configured.Length > 0)
        {
            return Path.GetFullPath(configured, common);
        }

        var own = Line((await git.RunAsync(new GitCommand("rev-parse", folder, ["rev-parse", "--path-format=absolute", "--git-dir"]), cancellation)).Text);
        return Resolve(own) == common ? Line((await git.RunAsync(new GitCommand("rev-parse", folder, ["rev-parse", "--path-format=absolute", "--show-toplevel"]), cancellation)).Text) : null;
    }

    /// <summary>git ends its answer with one newline; a path may end in others.</summary>
    private static string Line(string text) => text.EndsWith('\n') ? text[..^1] : text;

    /// <summary>The path without links. What does not exist yet is no link.</summary>
    internal static string Resolve(string path)
    {
        var full = Path.GetFullPath(path);
        var built = Path.GetPathRoot(full)!;
        var left = new Stack<string>(Parts(full[built.Length..]));
        for (var links = 0; left.TryPop(out var part);)
        {
            var next = Path.Combine(built, part);
            if (links < LinksMax && new DirectoryInfo(next).LinkTarget is { } target)
            {
                links++;
                var inner = Path.GetFullPath(target, built);
                built = Path.GetPathRoot(inner)!;
                foreach (var name in Parts(inner[built.Length..]))
                {
                    left.Push(name);
                }
            }
            else
            {
                built = next;
            }
        }

        return built;
    }

    private static IEnumerable<string> Parts(string path) => path.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse();
}
