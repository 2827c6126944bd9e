using System.Globalization;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Engine;

internal enum WorktreeClass { Main, Live, InReview, Merged, Dirty, Clean, Trash, Missing, Locked, Foreign }

internal enum WorktreeRemoval { Nothing, Discard, Free, Forget, Remove }

/// <summary>A worktree of the repository, and what removing it would mean.</summary>
/// <param name="Loses">What would be gone for good: sentences.</param>
/// <param name="MergedInto">Of a run whose target has all of it.</param>
/// <param name="Why">Why it is not removed.</param>
internal sealed record WorktreeEntry(Worktree Tree, WorktreeClass Class, WorktreeRemoval Removal, Run? Run, long Bytes, IReadOnlyList<string> Loses, string? MergedInto = null, string? Why = null);

/// <summary>Looks through all worktrees, ours and those of others, when somebody asks. It removes nothing itself but what is nobody's work.</summary>
internal sealed partial class BoardEngine
{
    /// <summary>Worktrees that are looked through at once.</summary>
    private const int SurveysMax = 2;

    /// <param name="only">Paths; null for all.</param>
    /// <param name="progress">How many of how many are done.</param>
    /// <exception cref="GitFailure">git cannot list them.</exception>
    internal async Task<IReadOnlyList<WorktreeEntry>> SurveyAsync(IReadOnlyCollection<string>? only, Action<int, int> progress, CancellationToken cancellation)
    {
        var trees = (await WorktreesAsync()).Select((tree, at) => (tree, isMain: at == 0 && !_paths.Repository.IsBare)).Where(one => only is null || only.Contains(one.tree.Path)).ToList();
        using var turn = new SemaphoreSlim(SurveysMax);
        var done = 0;
        return await Task.WhenAll(trees.Select(async one =>
        {
            await turn.WaitAsync(cancellation);
            try
            {
                return await Task.Run(() => SurveyAsync(one.tree, one.isMain, cancellation), cancellation);
            }
            finally
            {
                turn.Release();
                progress(Interlocked.Increment(ref done), trees.Count);
            }
        }));
    }

    private async Task<WorktreeEntry> SurveyAsync(Worktree tree, bool isMain, CancellationToken cancellation)
    {
        var run = RunIds.Of(tree.Path) is > 0 and var id && await RunAsync(id) is { } known && (known.Discarded?.TrashPath == tree.Path || Worktrees.At([tree], known.WorktreePath.Length > 0 ? known.WorktreePath : tree.Path) is not null) ? known : null;
        WorktreeEntry Kept(WorktreeClass kind, string why, long bytes = 0) => new(tree, kind, WorktreeRemoval.Nothing, run, bytes, [], Why: why);
        if (isMain)
        {
            return Kept(WorktreeClass.Main, "It is the main working tree.");
        }

        if (run is { IsOver: false })
        {
            return Kept(WorktreeClass.Live, $"Run {run.Id} has not ended. Stop it first.", WorktreeContent.SizeOf(tree.Path, cancellation));
        }

        if (tree.IsMissing || !Directory.Exists(tree.Path))
        {
            return new WorktreeEntry(tree, WorktreeClass.Missing, WorktreeRemoval.Forget, run, 0, []);
        }

        if (tree.IsLocked)
        {
            return Kept(WorktreeClass.Locked, $"It is locked. `git worktree unlock '{tree.Path}'` frees it.");
        }

        var bytes = WorktreeContent.SizeOf(tree.Path, cancellation);
        try
        {
            return run?.Discarded is not null ? await InTrashAsync(tree, run, bytes, cancellation)
                : run is not null && Worktrees.IsOwn(_paths.Repository, tree.Path) ? await OfRunAsync(tree, run, bytes, cancellation)
                : await ForeignAsync(tree, bytes, cancellation);
        }
        catch (GitFailure failure)
        {
            return Kept(run is null ? WorktreeClass.Foreign : WorktreeClass.Dirty, $"git could not look into it: {failure.Message}", bytes);
        }
    }

    private async Task<WorktreeEntry> InTrashAsync(Worktree tree, Run run, long bytes, CancellationToken cancellation)
    {
        var commits = await WorktreeContent.CommitsAsync(_git, _paths.Repository.CommonFolder, Trash.RefOf(run.CardNumber, run.Id), cancellation);
        List<string> loses = [$"everything that run {run.Id} left, discarded on {run.Discarded!.At:yyyy-MM-dd}"];
        if (commits > 0)
        {
            loses.Add($"{Count(commits, "commit")} of {run.Branch} that no other branch has");
        }

        return new WorktreeEntry(tree, WorktreeClass.Trash, WorktreeRemoval.Free, run, bytes, loses);
    }

    /// <summary>It is put aside, so that nothing is lost by it.</summary>
    private async Task<WorktreeEntry> OfRunAsync(Worktree tree, Run run, long bytes, CancellationToken cancellation)
    {
        var lies = await LookingAsync(run, () => WriteTreeAsync(run, cancellation));
        var files = await TreeChanges.BetweenAsync(_git, tree.Path, run.BaseCommit, lies.Tree, cancellation);
        var target = run.Promoted?.Branch ?? run.BaseRef;
        var kind = files.Count == 0 ? WorktreeClass.Clean : run.State == RunState.InReview ? WorktreeClass.InReview : WorktreeClass.Dirty;
        if (files.Count > 0 && await GitAsync("rev-parse", ["rev-parse", "--verify", "--quiet", "--end-of-options", $"{target}^{{commit}}"], [1, 128]) is { ExitCode: 0 } found
            && await Merged.IsInAsync(_git, tree.Path, found.Text.Trim(), run.BaseCommit, tree.Commit, lies.Tree, cancellation))
        {
            return new WorktreeEntry(tree, WorktreeClass.Merged, WorktreeRemoval.Discard, run, bytes, [], target);
        }

        return new WorktreeEntry(tree, kind, WorktreeRemoval.Discard, run, bytes, []);
    }

    private async Task<WorktreeEntry> ForeignAsync(Worktree tree, long bytes, CancellationToken cancellation)
    {
        var content = await WorktreeContent.ReadAsync(_git, tree.Path, tree.Branch is not null, cancellation);
        var loses = new[] { (content.Ignored, "ignored file or folder"), (content.Commits, "commit that nothing else has") }.Where(what => what.Item1 > 0).Select(what => Count(what.Item1, what.Item2)).ToList();
        return content is { Changed: 0, Untracked: 0 }
            ? new WorktreeEntry(tree, WorktreeClass.Foreign, content.Commits > 0 ? WorktreeRemoval.Nothing : WorktreeRemoval.Remove, null, bytes, loses, Why: content.Commits > 0 ? "It has commits that nothing else has. Give them a branch first." : null)
            : new WorktreeEntry(tree, WorktreeClass.Foreign, WorktreeRemoval.Nothing, null, bytes, loses, Why: $"It has {Count(content.Changed, "changed file")} and {Count(content.Untracked, "untracked file or folder")}. Commit or move them first.");
    }

    private static string Count(int number, string what) => number == 1 ? $"1 {what}" : string.Create(CultureInfo.InvariantCulture, $"{number} {Plural(what)}");

    private static string Plural(string what) => what.StartsWith("commit", StringComparison.Ordinal) ? $"commits{what["commit".Length..]}" : what.Replace("file", "files", StringComparison.Ordinal).Replace("folder", "folders", StringComparison.Ordinal);

    /// <summary>git's record of a folder that is gone, or the folder of a clean worktree; git itself looks once more, and says no.</summary>
    /// <exception cref="GitFailure">It is not so any more.</exception>
    internal Task RemoveAsync(WorktreeEntry entry) => entry.Removal == WorktreeRemoval.Forget
        ? Worktrees.ForgetMissingAsync(_git, _paths.Repository, entry.Tree, _closing.Token)
        : GitAsync("worktree remove", ["worktree", "remove", entry.Tree.Path], writes: true);
}
