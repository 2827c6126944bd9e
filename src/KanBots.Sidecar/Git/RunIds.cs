using System.Globalization;
using System.Text.RegularExpressions;

namespace KanBots.Sidecar.Git;

/// <summary>The run ids that git remembers, in branches and worktrees: a rebuilt database must not use one of them again.</summary>
internal static partial class RunIds
{
    internal static async Task<long> HighestAsync(GitRunner git, Repository repository, CancellationToken cancellation)
    {
        var folder = repository.IsBare ? repository.CommonFolder : repository.Root;
        var refs = await git.RunAsync(new GitCommand("for-each-ref", folder, ["for-each-ref", "--format=%(refname)", "refs/heads/kanbots", "refs/kanbots"]), cancellation);
        var trees = await Worktrees.ListAsync(git, folder, cancellation);
        return refs.Text.Split('\n').Concat(trees.Select(tree => tree.Path)).Select(Of).DefaultIfEmpty(0).Max();
    }

    /// <summary>The run id at the end of "issue-88-7", 0 when there is none.</summary>
    internal static long Of(string name) => Name().Match(name) is { Success: true } match && long.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0;

    [GeneratedRegex(@"issue-\d+-(\d+)/?$")]
    private static partial Regex Name();
}
