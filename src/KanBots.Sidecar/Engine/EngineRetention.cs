using KanBots.Sidecar.Board;
using KanBots.Sidecar.Processes;
using KanBots.Sidecar.RunHost;

namespace KanBots.Sidecar.Engine;

/// <summary>Removes what agents said long ago, once at start and once a day. Of run folders only streams: costs are in the journal, work is in git,
/// and what a launch was told stays, since a lost board is made again from it.</summary>
internal sealed partial class BoardEngine
{
    private static readonly TimeSpan HouseEvery = TimeSpan.FromDays(1);

    private DateTimeOffset _houseAt = DateTimeOffset.MinValue;

    /// <param name="Bytes">Of the files that may go.</param>
    /// <param name="EndedAt">Of the run; for a run that no board knows, of its last word.</param>
    /// <param name="IsLast">The last launch of a run that can still be resumed or restored: it goes by age alone.</param>
    private sealed record OldStream(long Run, int Launch, RunFolder Folder, long Bytes, DateTimeOffset EndedAt, bool IsLast);

    private void KeepHouse()
    {
        if (!IsSettled || _time.GetUtcNow() - _houseAt < HouseEvery)
        {
            return;
        }

        _houseAt = _time.GetUtcNow();
        var (state, settings) = (_state, Settings);
        _ = Task.Run(async () =>
        {
            try
            {
                foreach (var old in TooOld(Streams(state), settings, _houseAt))
                {
                    await RemoveAsync(old);
                }

                await KeepTrashAsync(_houseAt);
                await ForgetHeldAsync();
                await KeepCheckpointsAsync(_houseAt - TimeSpan.FromDays(settings.CheckpointsKeepDays ?? FileSettings.KeepDays));
            }
            catch (Exception failure)
            {
                _log.Error("retention", failure); // tomorrow again
            }
        });
    }

    private List<OldStream> Streams(BoardState state)
    {
        var streams = new List<OldStream>();
        foreach (var (card, id, folder) in _paths.Launches())
        {
            var known = state.Runs.GetValueOrDefault(id) is { } run && run.CardNumber == card ? run : null;
            if (!int.TryParse(Path.GetFileName(folder.Path), out var launch) || known is { IsOver: false } || !File.Exists(folder.Exit) || !File.Exists(folder.Stdout))
            {
                continue; // without exit.json its host may live
            }

            var bytes = Files(folder).Sum(file => new FileInfo(file) is { Exists: true } facts ? facts.Length : 0);
            streams.Add(new OldStream(id, launch, folder, bytes, known?.EndedAt ?? File.GetLastWriteTimeUtc(folder.Exit), IsLastOf(state, known, card, id, launch)));
        }

        return streams;
    }

    private bool IsLastOf(BoardState state, Run? known, int card, long id, int launch) => known is not null
        ? known.State is not (RunState.Discarded or RunState.Promoted) && launch == known.Launch
        : state.IsPast(id) && !Directory.Exists(_paths.Launch(card, id, launch + 1).Path);

    private static string[] Files(RunFolder folder) => [folder.Stdout, folder.Stderr, folder.HostLog, folder.SetupLog];

    private static IEnumerable<OldStream> TooOld(List<OldStream> streams, FileSettings settings, DateTimeOffset now)
    {
        var oldest = now - TimeSpan.FromDays(settings.RunsKeepDays ?? FileSettings.KeepDays);
        var total = streams.Sum(stream => stream.Bytes);
        foreach (var stream in streams.OrderBy(stream => stream.EndedAt).ThenBy(stream => stream.Run).ThenBy(stream => stream.Launch))
        {
            if (stream.EndedAt < oldest || (total > (settings.RunsKeepBytes ?? FileSettings.KeepBytes) && !stream.IsLast))
            {
                total -= stream.Bytes;
                yield return stream;
            }
        }
    }

    /// <summary>First the index and then the file: a crash in between leaves a file that the next day removes.</summary>
    private async Task RemoveAsync(OldStream old)
    {
        var isOver = await OnLoopAsync(() =>
        {
            // It may have been resumed since it was looked at.
            if (_state.Runs.TryGetValue(old.Run, out var run) && !run.IsOver)
            {
                return false;
            }

            _database.ForgetLines(old.Run, old.Launch);
            return true;
        });
        if (isOver)
        {
            foreach (var file in Files(old.Folder))
            {
                File.Delete(file);
            }

            _log.Info($"run {old.Run}, launch {old.Launch}: its stream of {old.Bytes} bytes is no longer kept");
        }
    }
}
