using System.Collections.Immutable;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Journal;
using Microsoft.Data.Sqlite;

namespace KanBots.Sidecar.Engine;

/// <summary>A board that cannot be written for a while, since the disk is full or its folder read-only. What people ask for is refused,
/// with nothing half done; what the world reports comes only once and is held until it can be written.</summary>
internal sealed partial class BoardEngine
{
    /// <summary>Number of reports. What does not fit is found again by the recovery of the next serve.</summary>
    private const int HeldMax = 10_000;

    private const string StorageFailed = "storageFailed";

    private readonly Queue<Input> _held = [];

    private void Post(Input input) => Post(() => Report(input));

    private void Report(Input input)
    {
        // Behind what is held already, so that the order stays.
        if (_held.Count == 0 && TryApply(input))
        {
            return;
        }

        if (_held.Count < HeldMax)
        {
            _held.Enqueue(input);
        }
    }

    private void ReleaseHeld()
    {
        while (_held.TryPeek(out var input) && TryApply(input))
        {
            _held.Dequeue();
        }
    }

    private bool TryApply(Input input)
    {
        try
        {
            _ = Apply(input, null);
            return true;
        }
        catch (SqliteException failure) when (!Rescue.IsDamage(failure))
        {
            SayUnwritten(failure);
            return false;
        }
    }

    private void SayUnwritten(SqliteException failure)
    {
        if (!_view.Notices.Any(notice => notice.Kind == StorageFailed))
        {
            _log.Error("storage", failure);
            Say([.. _view.Notices, new Notice(StorageFailed, $"The board cannot be written: {failure.Message} Free some disk space. What agents do meanwhile is kept and shown then.")]);
        }
    }

    /// <summary>Something was written.</summary>
    private void SayWritten()
    {
        if (_view.Notices.Any(notice => notice.Kind == StorageFailed))
        {
            _log.Info("the board can be written again");
            Say([.. _view.Notices.Where(notice => notice.Kind != StorageFailed)]);
        }
    }

    private void Say(ImmutableArray<Notice> notices)
    {
        Volatile.Write(ref _view, _view with { Notices = notices, Revision = _view.Revision + 1 });
        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    private static BoardUnavailableException Unwritten(SqliteException failure) =>
        new(StorageFailed, $"Nothing was changed, since the board cannot be written: {failure.Message} Free some disk space, then try again.");
}
