using System.Globalization;
using System.Text.RegularExpressions;

namespace KanBots.Sidecar.Git;

/// <summary>The run ids that git remembers, in branches and worktrees: a rebuilt database must not use one of them again.</summary>
internal static partial class RunIds
{
    /// <summary>A larger one is not ours: a number of the wire is exact up to 2^53, and there must be room to count on.</summary>
    internal const long IdMax = 1L << 52;

    internal static async Task<long> HighestAsync(GitRunner git, Repository repository, CancellationToken cancellation)
    {
        var folder = repository.IsBare ? repository.CommonFolder : repository.Root;
        var refs = await git.RunAsync(new GitCommand("for-each-ref", folder, ["for-each-ref", "--format=%(refname)", "refs/heads/kanbots", "refs/kanbots"]), cancellation);
        var trees = await Worktrees.ListAsync(git, folder, cancellation);
        return refs.Text.Split('\n').Concat(trees.Select(tree => tree.Path)).Select(Of).DefaultIfEmpty(0).Max();
    }

    /// <summary>The run id of "issue-88-7", alone or as the last part of a path or ref; 0 when the name is none of ours.</summary>
    internal static long Of(string name) => Name().Match(name) is { Success: true } match && long.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id <= IdMax ? id : 0;

    [GeneratedRegex(@"(?:^|[/\\])issue-[0-9]{1,10}-([0-9]{1,16})/?\z")]
    private static partial Regex Name();
}
