using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Protocol;
using Core = KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Rpc;

/// <summary>Reading a run's thread: its pages from either end, and the lines behind them.</summary>
internal sealed partial class ClientSession
{
    internal const int ItemsPerPage = 100;

    /// <summary>Bytes of a line that one answer has unless more are asked for.</summary>
    internal const int LineBytes = 64 * 1024;

    private async Task<RunEventsResult> EventsAsync(RunEventsParams p, CancellationToken cancellation)
    {
        RequireInitialized();
        await SettledAsync(cancellation);
        await RequireRunAsync(p.RunId);
        var fromEnd = p.FromEnd is true;
        if ((p.After is null ? 0 : 1) + (p.Before is null ? 0 : 1) + (fromEnd ? 1 : 0) > 1)
        {
            throw new RpcException(ErrorCode.InvalidArgument, "A page begins after a cursor, or ends before one, or ends where the thread does. Name one of after, before and fromEnd.", new ErrorData("invalidArgument", RunId: p.RunId));
        }

        var limit = p.Limit ?? ItemsPerPage;
        if (!fromEnd && p.Before is null)
        {
            var (items, atEnd) = await _threads.ReadAsync(p.RunId, ThreadItems.Seq(p.After), limit);
            return new RunEventsResult([.. items.Select(ThreadItems.Of)], atEnd, items.Count > 0 ? ThreadItems.Cursor(items[^1].Seq) : p.After);
        }

        var page = await _threads.ReadBackAsync(p.RunId, fromEnd ? null : ThreadItems.Seq(p.Before), limit);
        return new RunEventsResult(
            [.. page.Items.Select(ThreadItems.Of)],
            page.AtEnd,
            page.Items.Count > 0 ? ThreadItems.Cursor(page.Items[^1].Seq) : null,
            page.AtStart ? null : ThreadItems.Cursor(page.Items[0].Seq));
    }

    private async Task<RunLineResult> LineAsync(RunLineParams p, CancellationToken cancellation)
    {
        RequireInitialized();
        await SettledAsync(cancellation);
        var run = await RequireRunAsync(p.RunId);
        var (offset, limit) = (p.Offset ?? 0, p.Limit ?? LineBytes);
        Require(p.Launch >= 1 && p.Launch <= run.Launch, $"Run {p.RunId} has {run.Launch} launches; {p.Launch} is none of them.");
        Require(p.From >= 0 && p.From < p.To, "from and to are the bytes of an item's line: from is 0 or more, and to is more than from.");
        Require(offset >= 0 && offset < p.To - p.From, $"offset is between 0 and {p.To - p.From - 1}, within the range.");
        Require(limit is >= StreamPiece.BytesMin and <= StreamPiece.BytesMax, $"limit is between {StreamPiece.BytesMin} and {StreamPiece.BytesMax} bytes.");
        try
        {
            var piece = await Task.Run(() => _threads.Piece(run, p.Launch, p.From + offset, p.To, limit), cancellation);
            return new RunLineResult(piece.Text, p.To - p.From, piece.Next < p.To ? piece.Next - p.From : null);
        }
        catch (EndOfStreamException beyond)
        {
            throw new RpcException(ErrorCode.InvalidArgument, beyond.Message, new ErrorData("invalidArgument", RunId: p.RunId));
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new RpcException(ErrorCode.NotKept, "What the agent said there is no longer kept. Set runs.keepDays or runs.keepBytes higher to keep it longer.", new ErrorData("notKept", RunId: p.RunId));
        }

        void Require(bool holds, string otherwise)
        {
            if (!holds)
            {
                throw new RpcException(ErrorCode.InvalidArgument, otherwise, new ErrorData("invalidArgument", RunId: p.RunId));
            }
        }
    }

    private async Task<Core.Run> RequireRunAsync(long runId) => await _engine.RunAsync(runId) ?? throw NoRun(runId);
}
