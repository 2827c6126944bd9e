using System.Globalization;

namespace KanBots.Sidecar.Git;

/// <summary>How much a worktree differs from its base: committed, uncommitted and untracked, ignored files left out.</summary>
internal sealed record Changes(int Files, int Insertions, int Deletions)
{
    internal bool IsEmpty => Files == 0;

    /// <summary>Works on a copy of the agent's index, so that neither its index nor its files are touched. The copy lies in
    /// <paramref name="scratch"/> and is removed.</summary>
    internal static async Task<Changes> CountAsync(GitRunner git, string worktree, string baseCommit, string scratch, CancellationToken cancellation)
    {
        var index = Path.Combine(scratch, $"index-{Guid.NewGuid():N}");
        var own = (await git.RunAsync(new GitCommand("rev-parse", worktree, ["rev-parse", "--path-format=absolute", "--git-path", "index"]), cancellation)).Text.TrimEnd('\n');
        try
        {
            if (File.Exists(own))
            {
                File.Copy(own, index, overwrite: true);
            }

            // Intent to add shows untracked files in the diff without storing what is in them: the only object that git may write is
            // the empty blob. One bad path, such as a nested
            // repository without a commit, must not hide the others: --ignore-errors, and exit code 1 is a result.
            await git.RunAsync(new GitCommand("add", worktree, ["add", "--intent-to-add", "--ignore-errors", "--all", "."], ExitCodes: [1, 128], IndexFile: index), cancellation);
            var result = await git.RunAsync(new GitCommand("diff", worktree, ["diff", "--numstat", "-z", "--no-ext-diff", "--no-renames", baseCommit, "--"], IndexFile: index), cancellation);
            return Parse(result.Text);
        }
        finally
        {
            File.Delete(index);
        }
    }

    internal static Changes Parse(string numstat)
    {
        var total = new Changes(0, 0, 0);
        foreach (var fields in numstat.Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t', 3)).Where(fields => fields.Length == 3))
        {
            // A binary file has "-" for both counts.
            _ = int.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out var insertions);
            _ = int.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out var deletions);
            total = new Changes(total.Files + 1, total.Insertions + insertions, total.Deletions + deletions);
        }

        return total;
    }
}
