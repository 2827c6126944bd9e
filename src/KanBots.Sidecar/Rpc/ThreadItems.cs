using System.Globalization;
using System.Text.Json;
using KanBots.Sidecar.Agents;
using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Protocol;

namespace KanBots.Sidecar.Rpc;

/// <summary>From the agent's items to the wire's.</summary>
internal static class ThreadItems
{
    /// <summary>Longest text that travels, in UTF-16 code units; the rest is fetched by its byte range.</summary>
    internal const int TextLengthMax = 64 * 1024;

    internal static string Cursor(long seq) => seq.ToString(CultureInfo.InvariantCulture);

    /// <exception cref="RpcException">The cursor is not one of ours.</exception>
    internal static long Seq(string? cursor) => cursor is null ? 0 : long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
        ? seq
        : throw new RpcException(ErrorCode.InvalidArgument, "The cursor is not one that this run gave. Start from the beginning.", new ErrorData("invalidArgument"));

    internal static ThreadItem Of(PlacedItem placed)
    {
        var item = placed.Item;
        var (cursor, seq, at, range) = (Cursor(placed.Seq), placed.Seq, placed.At, new ByteRange(placed.Launch, placed.From, placed.To));
        ThreadItem made = item.Kind switch
        {
            ItemKind.System => new SystemItem(cursor, seq, at, range, item.Name ?? "", item.Text, item.Id, item.Model),
            ItemKind.Text => new TextItem(cursor, seq, at, range, Cut(item.Said)),
            ItemKind.Thinking => new ThinkingItem(cursor, seq, at, range, Cut(item.Said)),
            ItemKind.ToolUse => new ToolUseItem(cursor, seq, at, range, item.Id ?? "", item.Name ?? "", item.Text, Input(item.Input)),
            ItemKind.ToolResult => new ToolResultItem(cursor, seq, at, range, item.Id ?? "", Cut(item.Said), item.IsError),
            ItemKind.Question => new QuestionItem(cursor, seq, at, range, FormattableString.Invariant($"{placed.RunId}-{placed.Launch}-{item.Id}"), item.Text, item.Name),
            ItemKind.Answer => new AnswerItem(cursor, seq, at, range, item.Id ?? "", item.Text),
            ItemKind.UserMessage => new UserMessageItem(cursor, seq, at, range, Cut(item.Said), item.Id is not null, item.Id),
            ItemKind.Result => new ResultItem(cursor, seq, at, range, item.IsError, item.Name ?? "", Cut(item.Said), item.MicroUsd, item.Turns, item.DurationMs),
            ItemKind.Notice => new NoticeItem(cursor, seq, at, range, item.Name ?? "", item.Text),
            _ => new RawItem(cursor, seq, at, range, Cut(item.Said), item.Name),
        };
        return item.Parent is null ? made : made with { ParentToolUseId = item.Parent };
    }

    /// <summary>As JSON a text is at least as long as it is, so that one which is short enough there need not be read.</summary>
    private static CutText Cut(AgentText said) => said.Json.Length is > 0 and <= TextLengthMax ? new CutText(JsonText.OfJson(said.Json)) : Cut(said.ToString());

    internal static CutText Cut(string text) => text.Length <= TextLengthMax ? new CutText(text) : new CutText(text[..CutAt(text)], text.Length);

    /// <summary>Never between the two halves of a character beyond the basic plane.</summary>
    private static int CutAt(string text) => char.IsHighSurrogate(text[TextLengthMax - 1]) ? TextLengthMax - 1 : TextLengthMax;

    private static JsonElement? Input(ReadOnlyMemory<byte> json)
    {
        if (json.Length is 0 or > TextLengthMax)
        {
            return null;
        }

        var reader = new Utf8JsonReader(json.Span);
        return JsonElement.ParseValue(ref reader);
    }
}
