using System.Text.RegularExpressions;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Engine;

/// <summary>What a person looks at before landing it.</summary>
/// <param name="From">Object id of a commit or a tree.</param>
/// <param name="Head">The commit on which the worktree stands; null when none.</param>
/// <param name="Tree">Object id of what is shown.</param>
/// <param name="Left">Paths that git could not take in.</param>
internal sealed record Review(string From, string? Head, string Tree, IReadOnlyList<FileChange> Files, IReadOnlyList<string> Left);

/// <summary>Reviews, off the loop.</summary>
internal sealed partial class BoardEngine
{
    /// <summary>Lists of changes that are kept, so that the pages of one are pages of one.</summary>
    private const int ReviewsMax = 8;

    private readonly LinkedList<(string From, string Tree, IReadOnlyList<FileChange> Files)> _reviews = new(); // from the newest

    /// <param name="from">A checkpoint's id, or the id of a tree that was shown before; null for the commit on which the run began.</param>
    /// <param name="to">The same; null for the worktree as it is now.</param>
    /// <exception cref="GitFailure">The worktree is not there or not its own, or something named is not known.</exception>
    internal async Task<Review> ReviewAsync(Run run, string? from, string? to, CancellationToken cancellation)
    {
        Worktrees.RequireOwn(_paths.Repository, run.WorktreePath);
        var (first, second) = (TreeOf(run, from) ?? run.BaseCommit, TreeOf(run, to));
        var (shown, files, head) = second is not null
            ? (new Checkpoint(second, []), null, await WorktreeLook.HeadOfAsync(_git, run.WorktreePath, cancellation))
            : await LookingAsync(run, async () =>
            {
                var look = LookAtWorktree(run);
                var asked = look.HeadAsync(cancellation);
                var (taken, differing) = await look.ReadAsync(PlacedOf(run), first, cancellation);
                KeepSizes(look.Sizes);
                return (taken, differing, await asked);
            });
        return new Review(first, head, shown.Tree, await FilesAsync(run, first, shown.Tree, files, cancellation), shown.Left);
    }

    /// <summary>A file on one side of a review.</summary>
    /// <returns>Null when there is none on that side.</returns>
    /// <exception cref="GitFailure">As for the review.</exception>
    internal async Task<TreeFile?> FileAsync(Run run, string? from, string? to, bool isBase, string path, long bytesMax, CancellationToken cancellation)
    {
        var side = isBase ? TreeOf(run, from) ?? run.BaseCommit : TreeOf(run, to) ?? (await LookingAsync(run, () => LookAtWorktree(run).ReadAsync(PlacedOf(run), cancellation))).Tree;
        return await TreeFile.ReadAsync(_git, run.WorktreePath, side, path, bytesMax, cancellation);
    }

    /// <param name="asked">The answer, where it is known already.</param>
    private async Task<IReadOnlyList<FileChange>> FilesAsync(Run run, string from, string tree, IReadOnlyList<FileChange>? asked, CancellationToken cancellation)
    {
        lock (_reviews)
        {
            if (_reviews.FirstOrDefault(known => known.From == from && known.Tree == tree).Files is { } known)
            {
                return known;
            }
        }

        var files = asked ?? await TreeChanges.BetweenAsync(_git, run.WorktreePath, from, tree, cancellation);
        lock (_reviews)
        {
            _reviews.AddFirst((from, tree, files));
            while (_reviews.Count > ReviewsMax)
            {
                _reviews.RemoveLast();
            }
        }

        return files;
    }

    /// <summary>Only ids: a name could be that of any ref.</summary>
    private static string? TreeOf(Run run, string? name) => name is null ? null
        : run.Checkpoints.FirstOrDefault(mark => mark.Id == name)?.Tree
        ?? (ObjectId().IsMatch(name) ? $"{name}" : throw GitFailure.Named("checkpointUnknown", $"Run {run.Id} has no checkpoint '{name}'. Its checkpoints are listed with the run."));

    [GeneratedRegex(@"\A(?:[0-9a-f]{40}|[0-9a-f]{64})\z")]
    private static partial Regex ObjectId();
}
