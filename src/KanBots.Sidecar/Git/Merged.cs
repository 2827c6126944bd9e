namespace KanBots.Sidecar.Git;

/// <summary>Whether a branch has a run's work already, whoever brought it there and in how many commits.</summary>
internal static class Merged
{
    /// <summary>Commits of the branch that are looked through for the same change.</summary>
    private const int CommitsMax = 1_000;

    /// <param name="from">The commit on which the work began.</param>
    /// <param name="head">The commit on which its worktree stands; null when none.</param>
    /// <param name="tree">What lies there.</param>
    internal static async Task<bool> IsInAsync(GitRunner git, string folder, string target, string from, string? head, string tree, CancellationToken cancellation)
    {
        async Task<string> AskAsync(string[] arguments, ReadOnlyMemory<byte> input = default) => (await git.RunAsync(new GitCommand(arguments[0], folder, arguments, ExitCodes: [1], Input: input), cancellation)).Text;

        // By what the files are: merged into the branch, the work would change nothing of it.
        string[] own = ["-c", "user.name=KanBots", "-c", "user.email=kanbots@localhost", "commit-tree", "--no-gpg-sign", "-p", from, "-m", "work", tree];
        var work = (await git.RunAsync(new GitCommand("commit-tree", folder, own), cancellation)).Text.Trim();
        var merged = (await AskAsync(["merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", target, work])).Split('\0')[0].Trim();
        if (merged == (await AskAsync(["rev-parse", "--verify", $"{target}^{{tree}}"])).Trim())
        {
            return true;
        }

        // By the change, where the branch has gone on in the same lines since: as one commit, or commit by commit.
        var change = await git.RunAsync(new GitCommand("diff-tree", folder, ["diff-tree", "-p", "--no-ext-diff", "--no-textconv", "--full-index", from, tree]), cancellation);
        var id = Ids(await AskAsync(["patch-id", "--stable"], change.StandardOutput)).FirstOrDefault();
        var log = await git.RunAsync(new GitCommand("log", folder, ["log", "-p", "--no-ext-diff", "--no-textconv", "--full-index", "--no-merges", "--no-color", $"--max-count={CommitsMax}", $"{from}..{target}"]), cancellation);
        if (id is not null && Ids(await AskAsync(["patch-id", "--stable"], log.StandardOutput)).Contains(id))
        {
            return true;
        }

        return head is not null
            && (await AskAsync(["rev-parse", "--verify", $"{head}^{{tree}}"])).Trim() == tree
            && (await AskAsync(["cherry", target, head, from])).Split('\n', StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } commits
            && commits.All(commit => commit.StartsWith('-'));
    }

    private static IEnumerable<string> Ids(string said) => said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[0]);
}
