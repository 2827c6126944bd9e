namespace KanBots.Sidecar.Git;

/// <summary>Where a repository is, whichever of its worktrees somebody has open.</summary>
/// <param name="CommonFolder">The git common dir, absolute and with links resolved: it is the repository's identity.</param>
/// <param name="Root">The main working tree, or the folder that holds a bare repository.</param>
internal sealed record Repository(string CommonFolder, string Root, bool IsBare)
{
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

        // The first entry of the list is the main working tree, also for a submodule, whose common dir lies far from it.
        var list = await Worktrees.ListAsync(git, folder, cancellation);
        return new Repository(resolved, list.Count > 0 ? Resolve(MainTree(list[0].Path, resolved)) : Path.GetDirectoryName(resolved)!, false);
    }

    /// <summary>For a submodule git lists its git dir as the main tree; its real one is named by core.worktree.</summary>
    private static string MainTree(string listed, string common)
    {
        var config = Path.Combine(common, "config");
        if (listed != common || !File.Exists(config))
        {
            return listed;
        }

        var line = File.ReadLines(config).Select(text => text.Trim()).FirstOrDefault(text => text.StartsWith("worktree = ", StringComparison.Ordinal));
        return line is null ? listed : Path.GetFullPath(line["worktree = ".Length..], common);
    }

    /// <summary>git ends its answer with one newline; a path may end in others.</summary>
    private static string Line(string text) => text.EndsWith('\n') ? text[..^1] : text;

    private static string Resolve(string path)
    {
        var resolved = Path.GetFullPath(path);
        var built = Path.GetPathRoot(resolved)!;
        foreach (var part in resolved[built.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            built = Path.Combine(built, part);
            if (new DirectoryInfo(built).ResolveLinkTarget(returnFinalTarget: true) is { } target)
            {
                built = target.FullName;
            }
        }

        return built;
    }
}
