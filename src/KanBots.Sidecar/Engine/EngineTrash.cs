using KanBots.Sidecar.Board;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Engine;

/// <summary>Discards, restores and takes back, off the loop. Only what was discarded is ever deleted, by a step of its own.</summary>
internal sealed partial class BoardEngine
{
    private async Task DiscardAsync(Run run)
    {
        try
        {
            if (await Task.Run(() => EndLeftovers(run)) is var left && left > 0)
            {
                throw GitFailure.Named("processesLeft", $"{left} processes that the run left could not be ended, and might still write into its worktree. End them, then discard it again.");
            }

            if (Worktrees.IsThere(run.WorktreePath))
            {
                await TakeAsync(run, "discard");
            }

            var place = await Trash.PutAsync(_git, _paths.Repository, run.WorktreePath, run.Branch, _paths.Trash(run.CardNumber, run.Id), Trash.RefOf(run.CardNumber, run.Id), _closing.Token);
            Post(new Input.WorktreeDiscarded(run.Id, run.Moves, place));
        }
        catch (OperationCanceledException)
        {
            // serve leaves: the next one goes on
        }
        catch (Exception failure)
        {
            SayNotMoved(run, failure);
        }
    }

    private async Task RestoreAsync(Run run)
    {
        try
        {
            await Trash.RestoreAsync(_git, _paths.Repository, run.WorktreePath, run.Branch, run.Discarded?.TrashPath ?? "", Trash.RefOf(run.CardNumber, run.Id), _closing.Token);
            Post(new Input.WorktreeRestored(run.Id, run.Moves));
        }
        catch (OperationCanceledException)
        {
            // serve leaves: the next one goes on
        }
        catch (Exception failure)
        {
            SayNotMoved(run, failure);
        }
    }

    private async Task FreeAsync(Run run)
    {
        try
        {
            await Trash.FreeAsync(_git, _paths.Repository, run.Discarded?.TrashPath ?? "", Trash.RefOf(run.CardNumber, run.Id), _closing.Token);
            Post(new Input.WorktreeFreed(run.Id, run.Moves));
        }
        catch (OperationCanceledException)
        {
            // serve leaves: the next one goes on
        }
        catch (Exception failure)
        {
            SayNotMoved(run, failure);
        }
    }

    /// <summary>What lies there now is kept first, so that going back can be taken back.</summary>
    private async Task RewindAsync(Run run)
    {
        try
        {
            var to = run.Checkpoints.First(mark => mark.Id == run.RewindingTo).Tree;
            await CheckpointAsync(run, "rewind");
            var files = await LookingAsync(run, async () =>
            {
                var now = await WriteTreeAsync(run, _closing.Token);
                await Rewind.ToAsync(_git, run.WorktreePath, now.Tree, to, _paths.Scratch, _closing.Token);
                return await TreeChanges.BetweenAsync(_git, run.WorktreePath, run.BaseCommit, to, _closing.Token);
            });
            Post(new Input.WorktreeRewound(run.Id, run.Moves, new DiffStat(files.Count, files.Sum(file => file.Insertions), files.Sum(file => file.Deletions))));
        }
        catch (OperationCanceledException)
        {
            // serve leaves: the next one goes on
        }
        catch (Exception failure)
        {
            SayNotMoved(run, failure);
        }
    }

    private void SayNotMoved(Run run, Exception failure)
    {
        var reference = failure is GitFailure or IOException or UnauthorizedAccessException ? null : _log.Error($"worktree of run {run.Id}", failure);
        Post(new Input.WorktreeMoveFailed(run.Id, run.Moves, new Reason((failure as GitFailure)?.Kind ?? "gitFailed", reference is null ? failure.Message : $"{failure.Message} (log {reference})"), []));
    }
}
