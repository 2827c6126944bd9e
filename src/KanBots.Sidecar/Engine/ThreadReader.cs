using System.Collections.Immutable;
using KanBots.Sidecar.Agents;
using KanBots.Sidecar.Agents.Claude;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Journal;

namespace KanBots.Sidecar.Engine;

/// <summary>One item of a run's thread with its place: the number within the run, and the bytes of its line in the launch's stream.</summary>
internal sealed record PlacedItem(long RunId, long Seq, DateTimeOffset At, int Launch, long From, long To, AgentItem Item);

/// <summary>Makes pages of a run's thread: the index says where the lines are, the lines are read from the stream itself and decoded
/// again. So the database holds no second copy of what the agent said. What came last of a run that is watched is in memory.</summary>
internal sealed class ThreadReader(BoardEngine engine, Paths paths)
{
    /// <summary>Items of one page.</summary>
    internal const int PageMax = 500;

    /// <summary>Bytes of lines read for one page; at least one line is always read.</summary>
    internal const long PageBytesMax = 8L << 20;

    /// <param name="after">Sequence number of the last item that the reader has; 0 for the beginning.</param>
    /// <returns>Items in order, and whether there are none after them.</returns>
    internal async Task<(IReadOnlyList<PlacedItem> Items, bool AtEnd)> ReadAsync(long runId, long after, int limit)
    {
        var count = Math.Clamp(limit, 1, PageMax);
        if (engine.Recent.After(runId, after, count) is { } recent)
        {
            return recent;
        }

        var lines = await engine.LinesAsync(runId, after, count);
        var items = new List<PlacedItem>();
        if (await engine.RunAsync(runId) is not { } run)
        {
            return (items, true);
        }

        long bytes = 0;
        var used = 0;
        using var streams = StreamsOf(run);
        while (used < lines.Count && items.Count < count && bytes < PageBytesMax)
        {
            var line = lines[used++];
            bytes += Read(line);
            items.AddRange(Items(streams, runId, line).Where(item => item.Seq > after));
        }

        if (items.Count > count)
        {
            items.RemoveRange(count, items.Count - count); // the rest of the last line is the next page's
            return (items, false);
        }

        return (items, used == lines.Count && lines.Count < count);
    }

    /// <param name="before">Sequence number of the item after the page; null for the page with which the thread ends now.</param>
    /// <returns>Items in order, whether there are none after them, and whether there are none before them.</returns>
    internal async Task<(IReadOnlyList<PlacedItem> Items, bool AtEnd, bool AtStart)> ReadBackAsync(long runId, long? before, int limit)
    {
        var count = Math.Clamp(limit, 1, PageMax);
        var (lines, atEnd) = await engine.LinesBackAsync(runId, before, count + 1);
        if (await engine.RunAsync(runId) is not { } run)
        {
            return ([], true, true);
        }

        // Which lines make the page is known from the index, so that they are read in the order in which they lie.
        long bytes = 0;
        var (used, found) = (0, 0L);
        for (; used < lines.Count && found < count && bytes < PageBytesMax; used++)
        {
            bytes += Read(lines[used]);
            found += Math.Min(lines[used].Items, (before ?? long.MaxValue) - lines[used].FirstSeq);
        }

        using var streams = StreamsOf(run);
        var items = lines.Take(used).Reverse().SelectMany(line => Items(streams, runId, line)).Where(item => item.Seq < (before ?? long.MaxValue)).ToList();
        var tooMany = Math.Max(0, items.Count - count);
        items.RemoveRange(0, tooMany);
        return (items, atEnd, tooMany == 0 && used == lines.Count);
    }

    /// <summary>A piece of a launch's stream.</summary>
    internal StreamPiece Piece(Run run, int launch, long from, long to, int limit) => StreamPiece.Read(paths.Launch(run.CardNumber, run.Id, launch).Stdout, from, to, limit);

    private Streams StreamsOf(Run run) => new(launch => paths.Launch(run.CardNumber, run.Id, launch).Stdout);

    /// <summary>Bytes that the line costs a page: what is too long is not read.</summary>
    private static long Read(IndexedLine line) => line.To - line.From is var length && length > ClaudeDecoder.LineBytesMax ? 0 : length;

    private static IEnumerable<PlacedItem> Items(Streams streams, long runId, IndexedLine line)
    {
        ImmutableArray<AgentItem> decoded = line.To == 0
            ? [new AgentItem(ItemKind.Notice, "What the agent said here is no longer kept (runs.keepDays, runs.keepBytes). Its cost is.", "notKept")]
            : Decode(streams, line);
        for (var i = 0; i < line.Items; i++)
        {
            // Another build may have read this line into more items than this one: the numbering must not shift.
            var item = i < decoded.Length ? decoded[i] : new AgentItem(ItemKind.Notice, "This item was written by another version.", "notUnderstood");
            // What a result adds and why it failed depends on the lines before it, so it was kept when the line was first read.
            yield return new PlacedItem(runId, line.FirstSeq + i, line.At, line.Launch, line.From, line.To, item.Kind == ItemKind.Result ? item with { MicroUsd = line.MicroUsd, Name = line.Failure ?? item.Name } : item);
        }
    }

    private static ImmutableArray<AgentItem> Decode(Streams streams, IndexedLine line)
    {
        var length = line.To - line.From;
        if (length > ClaudeDecoder.LineBytesMax)
        {
            return [ClaudeDecoder.TooLong(length)];
        }

        try
        {
            return ClaudeDecoder.Decode(streams.Read(line.Launch, line.From, (int)length).TrimEnd((byte)'\n'), ClaudeState.Start(false)).Line.Items;
        }
        catch (IOException gone)
        {
            return [new AgentItem(ItemKind.Raw, $"The stream cannot be read: {gone.Message}", "missing")];
        }
    }

    /// <summary>The stream that a page is read from, open as long as the lines are of the same launch, and in pieces of many lines.</summary>
    private sealed class Streams(Func<int, string> pathOf) : IDisposable
    {
        /// <summary>Below what the collector takes for a large object. Not used twice: the items of a page lie in it.</summary>
        private const int PieceBytes = 64 * 1024;

        private FileStream? _file;
        private int _launch;
        private Memory<byte> _piece;
        private long _start;

        internal ReadOnlyMemory<byte> Read(int launch, long from, int length)
        {
            if (_file is null || _launch != launch)
            {
                Dispose();
                _file = new FileStream(pathOf(launch), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
                (_launch, _piece) = (launch, default);
            }

            if (from < _start || from + length > _start + _piece.Length)
            {
                _file.Position = _start = from;
                var bytes = GC.AllocateUninitializedArray<byte>(Math.Max(length, PieceBytes));
                _piece = bytes.AsMemory(0, _file.ReadAtLeast(bytes, length));
            }

            return _piece.Slice((int)(from - _start), length);
        }

        public void Dispose()
        {
            _file?.Dispose();
            _file = null;
        }
    }
}
