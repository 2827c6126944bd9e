using KanBots.Sidecar.Board;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Engine;

/// <summary>Where worktrees are that somebody may have moved, removed or pruned by hand. git is asked at the start, at the end of a
/// launch and before the next one, and never by a timer.</summary>
internal sealed partial class BoardEngine
{
    private Task<IReadOnlyList<Worktree>> WorktreesAsync() =>
        Worktrees.ListAsync(_git, _paths.Repository.IsBare ? _paths.Repository.CommonFolder : _paths.Repository.Root, _closing.Token);

    private async Task SeeWorktreesAsync()
    {
        var runs = _view.State.Runs.Values.Where(run => run is { IsOver: true, HoldsWorktree: true }).ToList();
        if (runs.Count == 0)
        {
            return;
        }

        try
        {
            var trees = await WorktreesAsync();
            var seen = runs.Select(run => Whereabouts(run, trees)).ToList();
            await OnLoopAsync(() =>
            {
                seen.ForEach(Report);
                return true;
            });
        }
        catch (GitFailure failure)
        {
            _log.Error("worktrees", failure); // the board is shown as it was; a resume looks again
        }
    }

    private static Input.WorktreeSeen Whereabouts(Run run, IReadOnlyList<Worktree> trees)
    {
        var there = Worktrees.At(trees, run.WorktreePath);
        if (trees.FirstOrDefault(tree => tree.Branch == run.Branch && Worktrees.IsThere(tree.Path) && !Trash.IsIn(tree.Path)) is { } known)
        {
            return new Input.WorktreeSeen(run.Id, known == there ? run.WorktreePath : known.Path, null);
        }

        // Another branch may be checked out in it, or none: it is the run's all the same.
        if (Worktrees.IsThere(run.WorktreePath) && there is not null)
        {
            return new Input.WorktreeSeen(run.Id, run.WorktreePath, null);
        }

        return new Input.WorktreeSeen(run.Id, null, there is not null
            ? $"Its worktree {run.WorktreePath} is gone from there. If you moved it, run `git worktree repair <its new folder>`; if you deleted it, `mkdir -p '{Path.GetDirectoryName(run.WorktreePath)}' && git worktree add -f '{run.WorktreePath}' {run.Branch}` makes it anew from its branch, which is kept. Then resume the run."
            : $"Its worktree {run.WorktreePath} was removed. `git worktree add '{run.WorktreePath}' {run.Branch}` makes it anew if its branch is still there; then resume the run. Else dispatch the card again.");
    }

    /// <summary>The agent needs a folder to work in: where git has it now, or none.</summary>
    private async Task FindThenLaunchAsync(Effect.StartLaunch start, Run run)
    {
        Input.WorktreeSeen seen;
        try
        {
            seen = Whereabouts(run, await WorktreesAsync());
        }
        catch (OperationCanceledException)
        {
            return; // serve leaves: the next one orders it again
        }
        catch (GitFailure failure)
        {
            seen = new Input.WorktreeSeen(run.Id, null, failure.Message);
        }

        Post(() =>
        {
            if (seen.Path is null)
            {
                Report(new Input.LaunchFailed(run.Id, start.Launch, new Reason(Decider.WorktreeMissing, seen.Why!)));
                return;
            }

            Report(seen);
            if (_state.Runs.TryGetValue(run.Id, out var now) && now.LaunchLive && now.Launch == start.Launch)
            {
                StartLaunch(start);
            }
        });
    }
}
