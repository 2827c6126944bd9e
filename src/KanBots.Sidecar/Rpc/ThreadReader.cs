using System.Globalization;
using System.Text.Json;
using KanBots.Sidecar.Agents;
using KanBots.Sidecar.Agents.Claude;
using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Journal;
using KanBots.Sidecar.Protocol;

namespace KanBots.Sidecar.Rpc;

/// <summary>Makes pages of a run's thread: the index says where the lines are, the lines are read from the stream itself and decoded
/// again. So the database holds no second copy of what the agent said.</summary>
internal sealed class ThreadReader(BoardEngine engine, Paths paths)
{
    internal const int PageMax = 500;
    internal const int TextLengthMax = 64 * 1024;

    /// <param name="after">Sequence number of the last item that the reader has; 0 for the beginning.</param>
    /// <returns>Items in order, and whether more are there.</returns>
    internal async Task<(IReadOnlyList<ThreadItem> Items, bool AtEnd)> ReadAsync(long runId, long after, int limit)
    {
        var count = Math.Clamp(limit, 1, PageMax);
        var lines = await engine.LinesAsync(runId, after, count);
        var items = new List<ThreadItem>();
        if (engine.View.State.Runs.TryGetValue(runId, out var run))
        {
            foreach (var line in lines)
            {
                items.AddRange(Items(run.CardNumber, runId, line).Where(item => item.Seq > after));
                if (items.Count >= count)
                {
                    break;
                }
            }
        }

        return (items, lines.Count < count && items.Count < count);
    }

    internal static string Cursor(long seq) => seq.ToString(CultureInfo.InvariantCulture);

    /// <exception cref="RpcException">The cursor is not one of ours.</exception>
    internal static long Seq(string? cursor) => cursor is null ? 0 : long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
        ? seq
        : throw new RpcException(ErrorCode.InvalidArgument, "The cursor is not one that this run gave. Start from the beginning.", new ErrorData("invalidArgument"));

    private IEnumerable<ThreadItem> Items(int cardNumber, long runId, IndexedLine line)
    {
        var decoded = Decode(paths.Launch(cardNumber, runId, line.Launch).Stdout, line);
        var seq = line.FirstSeq;
        foreach (var item in decoded.Items.Take(line.Items))
        {
            yield return ToItem(item, seq++, line);
        }

        for (; seq < line.FirstSeq + line.Items; seq++)
        {
            // Another build read this line into more items than this one: the numbering must not shift.
            yield return new NoticeItem(Cursor(seq), seq, line.At, Range(line), "notUnderstood", "This item was written by another version.");
        }
    }

    private static ByteRange Range(IndexedLine line) => new(line.Launch, line.From, line.To);

    private static AgentLine Decode(string path, IndexedLine line)
    {
        var length = line.To - line.From;
        if (length > ClaudeDecoder.LineBytesMax)
        {
            return new AgentLine([], [new AgentItem(ItemKind.Raw, $"A line of {length} bytes.", "tooLong")]);
        }

        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
            file.Position = line.From;
            var bytes = new byte[length];
            file.ReadExactly(bytes);
            return ClaudeDecoder.Decode(bytes.AsMemory().TrimEnd((byte)'\n'), ClaudeState.Start(false)).Line;
        }
        catch (IOException gone)
        {
            return new AgentLine([], [new AgentItem(ItemKind.Raw, $"The stream cannot be read: {gone.Message}", "missing")]);
        }
    }

    private static CutText Cut(string text) => text.Length <= TextLengthMax ? new CutText(text) : new CutText(text[..TextLengthMax], text.Length);

    private static ThreadItem ToItem(AgentItem item, long seq, IndexedLine line)
    {
        var (cursor, at, range) = (Cursor(seq), line.At, Range(line));
        ThreadItem made = item.Kind switch
        {
            ItemKind.System => new SystemItem(cursor, seq, at, range, item.Name ?? "", item.Text, item.Id, item.Json),
            ItemKind.Text => new TextItem(cursor, seq, at, range, Cut(item.Text)),
            ItemKind.Thinking => new ThinkingItem(cursor, seq, at, range, Cut(item.Text)),
            ItemKind.ToolUse => new ToolUseItem(cursor, seq, at, range, item.Id ?? "", item.Name ?? "", item.Text, Input(item.Json)),
            ItemKind.ToolResult => new ToolResultItem(cursor, seq, at, range, item.Id ?? "", Cut(item.Text), item.IsError),
            ItemKind.Question => new QuestionItem(cursor, seq, at, range, item.Id ?? "", item.Text),
            ItemKind.UserMessage => new UserMessageItem(cursor, seq, at, range, Cut(item.Text), item.Id is not null, item.Id),
            ItemKind.Result => new ResultItem(cursor, seq, at, range, item.IsError, item.Name ?? "", Cut(item.Text), item.MicroUsd, item.Turns, item.DurationMs),
            ItemKind.Notice => new NoticeItem(cursor, seq, at, range, item.Name ?? "", item.Text),
            _ => new RawItem(cursor, seq, at, range, Cut(item.Text), item.Name),
        };
        return item.Parent is null ? made : made with { ParentToolUseId = item.Parent };
    }

    private static JsonElement? Input(string? json)
    {
        if (json is null || json.Length > TextLengthMax)
        {
            return null;
        }

        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
