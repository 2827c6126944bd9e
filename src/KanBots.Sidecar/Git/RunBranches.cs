using System.Globalization;
using System.Text.RegularExpressions;

namespace KanBots.Sidecar.Git;

/// <summary>A branch of ours: what git remembers of a run when nothing else does.</summary>
internal sealed partial record RunBranch(int Card, long Run, string Name, string Commit)
{
    internal static async Task<IReadOnlyList<RunBranch>> ListAsync(GitRunner git, Repository repository, CancellationToken cancellation)
    {
        var folder = repository.IsBare ? repository.CommonFolder : repository.Root;
        var refs = await git.RunAsync(new GitCommand("for-each-ref", folder, ["for-each-ref", "--format=%(refname)%00%(objectname)", "refs/heads/kanbots"]), cancellation);
        return [.. from line in refs.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                   let parts = line.Split('\0')
                   let match = OurRef().Match(parts[0])
                   where match.Success && parts.Length == 2 && RunIds.Of(parts[0]) > 0
                   select new RunBranch(int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture), RunIds.Of(parts[0]), match.Groups[1].Value, parts[1])];
    }

    /// <summary>Where the branch left the base; null when they have nothing in common.</summary>
    internal static async Task<string?> ForkAsync(GitRunner git, Repository repository, string baseCommit, string branch, CancellationToken cancellation)
    {
        var result = await git.RunAsync(new GitCommand("merge-base", repository.Root, [.. Base.At(repository), "merge-base", baseCommit, $"refs/heads/{branch}"], ExitCodes: [1, 128]), cancellation);
        return result.ExitCode == 0 && result.Text.Trim() is { Length: > 0 } commit ? commit : null;
    }

    [GeneratedRegex(@"\Arefs/heads/(kanbots/issue-([0-9]{1,9})-[0-9]{1,16})\z")]
    private static partial Regex OurRef();
}
