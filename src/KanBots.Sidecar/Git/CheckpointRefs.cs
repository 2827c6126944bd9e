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

    /// <returns>The commit on which the worktree stands, and that of the checkpoint before, as far as there are any.</returns>
    internal static async Task<IReadOnlyList<string>> ParentsAsync(GitRunner git, string worktree, int cardNumber, long runId, CancellationToken cancellation)
    {
        // Of what is not there git says so, and goes on.
        var input = Encoding.UTF8.GetBytes($"HEAD^{{commit}}\n{RunOf(cardNumber, runId)}\n");
        var answers = await git.RunAsync(new GitCommand("cat-file", worktree, ["cat-file", "--batch-check=%(objectname)"], Input: input), cancellation);
        return [.. answers.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.All(char.IsAsciiHexDigit)).Distinct()];
    }

    /// <returns>The commit on which the worktree stood then; null when it stood on none, or that is not known any more.</returns>
    internal static async Task<string?> HeadOfAsync(GitRunner git, string folder, int cardNumber, long runId, string checkpoint, CancellationToken cancellation)
    {
        var commits = await CommitsAsync(git, folder, RunOf(cardNumber, runId), cancellation);
        return commits.FirstOrDefault(commit => commit.Checkpoint == checkpoint)?.Parents.FirstOrDefault(parent => commits.All(ours => ours.Id != parent));
    }

    /// <summary>Lets go of checkpoints. What the others hold stays, and so does the history that the agent had at each of them.</summary>
    /// <param name="kept">The others, from the oldest.</param>
    internal static async Task PruneAsync(GitRunner git, string folder, int cardNumber, long runId, IReadOnlyCollection<string> dropped, IReadOnlyList<string> kept, CancellationToken cancellation)
    {
        var run = RunOf(cardNumber, runId);
        var commits = await CommitsAsync(git, folder, run, cancellation);
        var ours = commits.Select(commit => commit.Id).ToHashSet(StringComparer.Ordinal);
        string? tip = null;
        foreach (var commit in kept.Select(checkpoint => commits.FirstOrDefault(commit => commit.Checkpoint == checkpoint)).OfType<Kept>())
        {
            var parents = commit.Parents.Where(parent => !ours.Contains(parent)).Concat(tip is null ? [] : [tip]).SelectMany(parent => new[] { "-p", parent });
            tip = (await git.RunAsync(new GitCommand("commit-tree", folder, [.. Ours, "commit-tree", "--no-gpg-sign", .. parents, "-m", $"{Subject}{commit.Checkpoint}", commit.Tree]), cancellation)).Text.Trim();
        }

        // Only what was looked at is replaced: a checkpoint that is taken meanwhile makes this fail, and tomorrow is another day.
        var chain = commits.Count == 0 ? "" : tip is null ? $"delete {run}\0{commits[0].Id}\0" : $"update {run}\0{tip}\0{commits[0].Id}\0";
        var lines = dropped.Select(checkpoint => $"delete {TreeOf(cardNumber, runId, checkpoint)}\0\0").Append(chain);
        await git.RunAsync(new GitCommand("update-ref", folder, ["update-ref", "-z", "--stdin"], Writes: true, Input: Encoding.UTF8.GetBytes(string.Concat(lines))), cancellation);
    }

    internal const string Subject = "checkpoint ";

    /// <param name="Parents">The worktree's HEAD, where it had one, and the commit of the checkpoint before.</param>
    private sealed record Kept(string Id, string Tree, IReadOnlyList<string> Parents, string Checkpoint);

    /// <returns>Our commits of a run, from the newest; none when there is no such ref.</returns>
    private static async Task<IReadOnlyList<Kept>> CommitsAsync(GitRunner git, string folder, string run, CancellationToken cancellation)
    {
        var log = await git.RunAsync(new GitCommand("log", folder, ["log", "--topo-order", "--author=<kanbots@localhost>", "--format=%H %T %s|%P", run, "--"], ExitCodes: [128]), cancellation);
        return log.ExitCode != 0 ? [] : [.. from line in log.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                                          let match = OurCommit().Match(line)
                                          where match.Success
                                          select new Kept(match.Groups[1].Value, match.Groups[2].Value, match.Groups[4].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries), match.Groups[3].Value)];
    }

    [GeneratedRegex(@"\A([0-9a-f]+) ([0-9a-f]+) checkpoint ([0-9]{1,13}-[0-9a-f]{8})\|([0-9a-f ]*)\z")]
    private static partial Regex OurCommit();

    /// <summary>When it was taken, as its id says.</summary>
    internal static DateTimeOffset TimeOf(string checkpoint) => DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(checkpoint.Split('-')[0], CultureInfo.InvariantCulture));

    [GeneratedRegex(@"\Arefs/kanbots/trees/issue-([0-9]{1,9})-([0-9]{1,15})/([0-9]{1,13}-[0-9a-f]{8}) ([0-9a-f]{40}|[0-9a-f]{64})\z")]
    private static partial Regex OurTree();
}
