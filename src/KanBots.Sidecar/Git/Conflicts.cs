namespace KanBots.Sidecar.Git;

/// <summary>Whether two commits would go together, by git's own merge, and nothing is written but objects.</summary>
internal static class Conflicts
{
    /// <param name="folder">A working tree whose attributes decide how files are merged.</param>
    /// <returns>The files that would conflict, from the top, with slashes; none when they go together.</returns>
    internal static async Task<IReadOnlyList<string>> BetweenAsync(GitRunner git, string folder, string one, string other, CancellationToken cancellation)
    {
        var result = await git.RunAsync(new GitCommand("merge-tree", folder, ["merge-tree", "--write-tree", "--name-only", "--no-messages", "--allow-unrelated-histories", "-z", one, other], ExitCodes: [1]), cancellation);
        var fields = result.Text.Split('\0', StringSplitOptions.RemoveEmptyEntries);
        return result.ExitCode == 0 ? []
            : fields is [{ Length: >= 40 }, .. var names] && names.Length > 0 ? [.. names.Distinct()]
            : throw GitFailure.Named("gitFailed", $"git merge-tree failed: {result.StandardError.Trim()}");
    }
}
