using KanBots.Sidecar.Board;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Engine;

/// <summary>Discards, restores and takes back, off the loop. Only what was discarded is ever deleted, by a step of its own.</summary>
internal sealed partial class BoardEngine
{
    private Task DiscardAsync(Run run) => MoveAsync(run, async () =>
    {
        if (await Task.Run(() => EndLeftovers(run)) is var left && left > 0)
        {
            throw GitFailure.Named("processesLeft", $"{left} processes that the run left could not be ended, and might still write into its worktree. End them, then discard it again.");
        }

        if (Worktrees.IsThere(run.WorktreePath))
        {
            await TakeAsync(run, "discard");
        }

        return new Input.WorktreeDiscarded(run.Id, run.Moves, await Trash.PutAsync(_git, _paths.Repository, run.WorktreePath, run.Branch, _paths.Trash(run.CardNumber, run.Id), Trash.RefOf(run.CardNumber, run.Id), _closing.Token));
    });

    private Task RestoreAsync(Run run) => MoveAsync(run, async () =>
    {
        await Trash.RestoreAsync(_git, _paths.Repository, run.WorktreePath, run.Branch, run.Discarded?.TrashPath ?? "", Trash.RefOf(run.CardNumber, run.Id), _closing.Token);
        return new Input.WorktreeRestored(run.Id, run.Moves);
    });

    private Task FreeAsync(Run run) => MoveAsync(run, async () =>
    {
        await Trash.FreeAsync(_git, _paths.Repository, run.Discarded?.TrashPath ?? "", Trash.RefOf(run.CardNumber, run.Id), _closing.Token);
        return new Input.WorktreeFreed(run.Id, run.Moves);
    });

    /// <summary>What lies there now is kept first, so that going back can be taken back.</summary>
    private Task RewindAsync(Run run) => MoveAsync(run, async () =>
    {
        var to = run.Checkpoints.First(mark => mark.Id == run.RewindingTo).Tree;
        await CheckpointAsync(run, "rewind");
        var files = await LookingAsync(run, async () =>
        {
            var now = await WriteTreeAsync(run, _closing.Token);
            await Rewind.ToAsync(_git, run.WorktreePath, now.Tree, to, _paths.Scratch, _closing.Token);
            return await TreeChanges.BetweenAsync(_git, run.WorktreePath, run.BaseCommit, to, _closing.Token);
        });
        return new Input.WorktreeRewound(run.Id, run.Moves, new DiffStat(files.Count, files.Sum(file => file.Insertions), files.Sum(file => file.Deletions)));
    });

    /// <summary>A step that was ordered: it says what became of it, whatever that is.</summary>
    private async Task MoveAsync(Run run, Func<Task<Input.MoveReport>> step)
    {
        try
        {
            Post(await step());
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
