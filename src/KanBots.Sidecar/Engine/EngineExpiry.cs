using System.Globalization;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Engine;

/// <summary>What was discarded, and what was kept of worktrees, in the end: with the daily round, and said beforehand.</summary>
internal sealed partial class BoardEngine
{
    /// <summary>How long before it is deleted a card says so.</summary>
    private static readonly TimeSpan TrashSaid = TimeSpan.FromDays(3);

    private const string TrashEnds = "trashEnds";

    private async Task KeepTrashAsync(DateTimeOffset now)
    {
        foreach (var id in await DiscardedAsync())
        {
            if (await RunAsync(id) is not { Discarded: { FreedAt: null } discarded } run)
            {
                continue;
            }

            if (discarded.Until <= now)
            {
                _log.Info($"run {id}: what was discarded on {discarded.At:yyyy-MM-dd} is deleted for good");
                Post(() => _ = Apply(new Input.Free(FormattableString.Invariant($"expired-{id}-{run.Moves}"), id), null));
            }
            else if (discarded.Until - now <= TrashSaid)
            {
                Post(() => Report(new Input.Noticed(id, new Reason(TrashEnds, $"What was discarded is deleted for good on {discarded.Until:yyyy-MM-dd}. Restore it before, if it is still wanted.", discarded.Until))));
            }
        }
    }

    /// <summary>Also those that have left the memory: their worktrees lie in the trash by their ids.</summary>
    private Task<List<long>> DiscardedAsync() => OnLoopAsync(() =>
    {
        var lying = Directory.Exists(_paths.TrashFolder) ? Directory.EnumerateDirectories(_paths.TrashFolder).Select(RunIds.Of).Where(id => id > 0 && _state.IsPast(id)) : [];
        return _state.Runs.Values.Where(run => run.Discarded is { FreedAt: null }).Select(run => run.Id).Concat(lying).Distinct().ToList();
    });

    /// <summary>Checkpoints from before that time. Of a run whose worktree is there, or can be restored, the last one stays, and of a live run all do.</summary>
    private async Task KeepCheckpointsAsync(DateTimeOffset oldest)
    {
        var folder = _paths.Repository.IsBare ? _paths.Repository.CommonFolder : _paths.Repository.Root;
        foreach (var marks in (await CheckpointRefs.ListAsync(_git, _paths.Repository, _closing.Token)).GroupBy(mark => (mark.Card, mark.Run)))
        {
            var all = marks.OrderBy(mark => CheckpointRefs.TimeOf(mark.Id)).Select(mark => mark.Id).ToList();
            if (CheckpointRefs.TimeOf(all[0]) >= oldest)
            {
                continue;
            }

            var run = await RunAsync(marks.Key.Run);
            var dropped = run is { IsOver: false } ? [] : all.SkipLast(run is { HoldsWork: true } ? 1 : 0).TakeWhile(mark => CheckpointRefs.TimeOf(mark) < oldest).ToList();
            if (dropped.Count > 0)
            {
                await CheckpointRefs.PruneAsync(_git, folder, marks.Key.Card, marks.Key.Run, dropped, [.. all.Skip(dropped.Count)], _closing.Token);
                _log.Info(string.Create(CultureInfo.InvariantCulture, $"run {marks.Key.Run}: {dropped.Count} checkpoints of before {oldest:yyyy-MM-dd} are no longer kept"));
                Post(() =>
                {
                    _radarCommits.Remove(marks.Key.Run); // it is another one now
                    if (_state.Runs.ContainsKey(marks.Key.Run))
                    {
                        Report(new Input.CheckpointsPruned(marks.Key.Run, [.. dropped]));
                    }
                });
            }
        }
    }
}
