using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace KanBots.Sidecar.Git;

/// <summary>What keeps checkpoints from git's housekeeping. A tree's ref is shown by no log and pushed by nobody; one commit for each run
/// holds what the agent has committed, also when it rewrites its history or loses its branch.</summary>
internal static partial class CheckpointRefs
{
    internal const string Trees = "refs/kanbots/trees";
    internal const string Runs = "refs/kanbots/runs";

    /// <summary>It is our commit, whoever the user is, and signed by nobody.</summary>
    private static readonly string[] Ours = ["-c", "user.name=KanBots", "-c", "user.email=kanbots@localhost", "-c", "author.name=KanBots", "-c", "author.email=kanbots@localhost", "-c", "committer.name=KanBots", "-c", "committer.email=kanbots@localhost"];

    internal static string TreeOf(int cardNumber, long runId, string checkpoint) => FormattableString.Invariant($"{Trees}/issue-{cardNumber}-{runId}/{checkpoint}");

    internal static string RunOf(int cardNumber, long runId) => FormattableString.Invariant($"{Runs}/issue-{cardNumber}-{runId}");

    /// <returns>Each checkpoint that git keeps: of which run, its id and its tree.</returns>
    internal static async Task<IReadOnlyList<(int Card, long Run, string Id, string Tree)>> ListAsync(GitRunner git, Repository repository, CancellationToken cancellation)
    {
        var folder = repository.IsBare ? repository.CommonFolder : repository.Root;
        var refs = await git.RunAsync(new GitCommand("for-each-ref", folder, ["for-each-ref", "--format=%(refname) %(objectname)", Trees]), cancellation);
        return [.. from line in refs.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                   let match = OurTree().Match(line)
                   where match.Success
                   select (int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), long.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture), match.Groups[3].Value, match.Groups[4].Value)];
    }

    /// <summary>When it was taken, as its id says.</summary>
    internal static DateTimeOffset TimeOf(string checkpoint) => DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(checkpoint.Split('-')[0], CultureInfo.InvariantCulture));

    [GeneratedRegex(@"\Arefs/kanbots/trees/issue-([0-9]{1,9})-([0-9]{1,15})/([0-9]{1,13}-[0-9a-f]{8}) ([0-9a-f]{40}|[0-9a-f]{64})\z")]
    private static partial Regex OurTree();

    /// <summary>The commit has the tree, and as parents the worktree's HEAD and the commit before it: nothing that was ever kept goes
    /// because something newer is.</summary>
    internal static async Task KeepAsync(GitRunner git, string worktree, int cardNumber, long runId, string checkpoint, string tree, CancellationToken cancellation)
    {
        var (run, kept) = (RunOf(cardNumber, runId), TreeOf(cardNumber, runId, checkpoint));
        var parents = (await git.RunAsync(new GitCommand("rev-parse", worktree, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], ExitCodes: [1, 128]), cancellation)).Text
            + (await git.RunAsync(new GitCommand("rev-parse", worktree, ["rev-parse", "--verify", "--quiet", run], ExitCodes: [1, 128]), cancellation)).Text;
        string[] options = [.. parents.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().SelectMany(parent => new[] { "-p", parent })];
        var commit = (await git.RunAsync(new GitCommand("commit-tree", worktree, [.. Ours, "commit-tree", "--no-gpg-sign", .. options, "-m", $"checkpoint {checkpoint}", tree]), cancellation)).Text.Trim();
        await git.RunAsync(new GitCommand("update-ref", worktree, ["update-ref", "-z", "--stdin"], Writes: true, Input: Encoding.UTF8.GetBytes($"update {kept}\0{tree}\0\0update {run}\0{commit}\0\0")), cancellation);
    }
}
