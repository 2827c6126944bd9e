using KanBots.Sidecar.Board;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Engine;

/// <summary>Keeps what lies in worktrees, off the loop: at every end of a turn, and before a step of ours changes one.</summary>
internal sealed partial class BoardEngine
{
    /// <summary>Runs whose worktrees are looked through at once.</summary>
    private const int LooksMax = 8;

    /// <summary>Of one run one look is taken at a time: two would go through the same files.</summary>
    private readonly SemaphoreSlim[] _looking = [.. Enumerable.Range(0, LooksMax).Select(_ => new SemaphoreSlim(1, 1))];

    private async Task TakeAsync(Run run, string why)
    {
        try
        {
            await CheckpointAsync(run, why);
        }
        catch (OperationCanceledException)
        {
            // serve leaves: the end of the launch is dealt with by the next one, and takes another
        }
        catch (Exception failure)
        {
            SayNotTaken(run, failure);
        }
    }

    /// <summary>The loop is told when there is something new.</summary>
    /// <exception cref="GitFailure">The worktree is not there or not its own, or git could not keep its files.</exception>
    private Task<Checkpoint> CheckpointAsync(Run run, string why) => LookingAsync(run, async () =>
        {
            Worktrees.RequireOwn(_paths.Repository, run.WorktreePath);
            var taking = WriteTreeAsync(run, _closing.Token);
            var parents = CheckpointRefs.ParentsAsync(_git, run.WorktreePath, run.CardNumber, run.Id, _closing.Token); // while the files are taken in
            await using var keeping = new CheckpointKeeping(_git, run.WorktreePath, _time, _closing.Token);
            var taken = await taking;
            if (taken.Tree != (View.State.Runs.GetValueOrDefault(run.Id) ?? run).Checkpoints.LastOrDefault()?.Tree)
            {
                var at = _time.GetUtcNow();
                var mark = new CheckpointMark(FormattableString.Invariant($"{at.ToUnixTimeMilliseconds()}-{taken.Tree[..8]}"), taken.Tree, at, why, taken.Left.Count);
                var commit = await keeping.KeepAsync(run.CardNumber, run.Id, mark.Id, mark.Tree, await parents);
                Post(() =>
                {
                    Report(new Input.CheckpointTaken(run.Id, mark));
                    _radarCommits[run.Id] = commit;
                    LookAhead();
                });
            }

            if (why == "turn")
            {
                await LookThroughAsync(run.WorktreePath); // there will be others
            }

            return taken;
        });

    /// <summary>For the next one, which is slower without.</summary>
    private async Task LookThroughAsync(string worktree)
    {
        try
        {
            await _fresh.LookThroughAsync(worktree, _closing.Token);
        }
        catch (Exception failure) when (failure is GitFailure or IOException or UnauthorizedAccessException)
        {
            _log.Info($"{worktree}: its index was not looked through: {failure.Message}");
        }
    }

    /// <summary>The commit on which a forked run begins: where the other's agent stood then, unless it had left what it began on.</summary>
    /// <exception cref="GitFailure">The checkpoint is not kept any more.</exception>
    private async Task<string> ForkedAtAsync(Run run)
    {
        var fork = run.Fork!;
        if ((await GitAsync("cat-file", ["cat-file", "-e", fork.Tree], [1, 128])).ExitCode != 0)
        {
            throw GitFailure.Named("checkpointUnknown", $"The files of checkpoint {fork.Checkpoint} are not kept any more. Fork from a later one, or dispatch the card again.");
        }

        var folder = _paths.Repository.IsBare ? _paths.Repository.CommonFolder : _paths.Repository.Root;
        var head = await CheckpointRefs.HeadOfAsync(_git, folder, run.CardNumber, fork.RunId, fork.Checkpoint, _closing.Token);
        return head is not null && (await GitAsync("merge-base", ["merge-base", "--is-ancestor", fork.BaseCommit, head], [1, 128])).ExitCode == 0 ? head : fork.BaseCommit;
    }

    private async Task<T> LookingAsync<T>(Run run, Func<Task<T>> look)
    {
        var turn = _looking[run.Id % LooksMax];
        await turn.WaitAsync(_closing.Token);
        try
        {
            return await look();
        }
        finally
        {
            turn.Release();
        }
    }

    private Task<Checkpoint> WriteTreeAsync(Run run, CancellationToken cancellation)
    {
        Worktrees.RequireOwn(_paths.Repository, run.WorktreePath);
        return Checkpoint.WriteAsync(_git, run.WorktreePath, PlacedOf(run), _paths.Scratch, cancellation, _fresh);
    }

    private List<string> PlacedOf(Run run) => View.Needs.GetValueOrDefault(run.Id)?.Placed.Select(one => one.Path).ToList() ?? [];

    private void SayNotTaken(Run run, Exception failure)
    {
        if (failure is not (GitFailure or IOException or UnauthorizedAccessException))
        {
            _log.Error($"checkpoint of run {run.Id}", failure);
        }

        Post(new Input.Noticed(run.Id, new Reason("checkpointFailed", $"What lies in the worktree could not be kept in git at this moment; the files themselves are untouched. {failure.Message}")));
    }

    /// <summary>How much the worktree of a run differs from its base, with a checkpoint of it where one can be taken.</summary>
    private async Task<Changes> CountAsync(Run run, string worktree)
    {
        try
        {
            var taken = await CheckpointAsync(run with { WorktreePath = worktree }, "end");
            var files = await TreeChanges.BetweenAsync(_git, worktree, run.BaseCommit, taken.Tree, _closing.Token);
            return new Changes(files.Count, files.Sum(file => file.Insertions), files.Sum(file => file.Deletions));
        }
        catch (Exception failure) when (failure is GitFailure or IOException or UnauthorizedAccessException)
        {
            SayNotTaken(run, failure);
            return await Changes.CountAsync(_git, worktree, run.BaseCommit, _paths.Scratch, _closing.Token);
        }
    }
}
