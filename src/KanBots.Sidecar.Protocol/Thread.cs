using System.Text.Json;
using System.Text.Json.Serialization;

namespace KanBots.Sidecar.Protocol;

/// <summary>Where an item's line lies in the agent's stream: bytes from <see cref="From"/> up to, not including, <see cref="To"/>.</summary>
public sealed record ByteRange(int Launch, long From, long To);

/// <summary>Text of which at most 64 KiB travel; <see cref="FullLength"/> (characters) is present when it was cut.</summary>
public sealed record CutText(JsonText Text, long? FullLength = null);

/// <summary>One item of a run's thread. Items of sub-agents carry the tool use that started them.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(SystemItem), "system")]
[JsonDerivedType(typeof(TextItem), "text")]
[JsonDerivedType(typeof(ThinkingItem), "thinking")]
[JsonDerivedType(typeof(ToolUseItem), "toolUse")]
[JsonDerivedType(typeof(ToolResultItem), "toolResult")]
[JsonDerivedType(typeof(QuestionItem), "question")]
[JsonDerivedType(typeof(AnswerItem), "answer")]
[JsonDerivedType(typeof(UserMessageItem), "userMessage")]
[JsonDerivedType(typeof(CheckpointItem), "checkpoint")]
[JsonDerivedType(typeof(ResultItem), "result")]
[JsonDerivedType(typeof(NoticeItem), "notice")]
[JsonDerivedType(typeof(RawItem), "raw")]
public abstract record ThreadItem(string Cursor, long Seq, DateTimeOffset At, ByteRange Bytes)
{
    public string? ParentToolUseId { get; init; }
}

public sealed record SystemItem(string Cursor, long Seq, DateTimeOffset At, ByteRange Bytes, string Subtype, string Summary, string? SessionId = null, string? Model = null) : ThreadItem(Cursor, Seq, At, Bytes);

public sealed record TextItem(string Cursor, long Seq, DateTimeOffset At, ByteRange Bytes, CutText Body) : ThreadItem(Cursor, Seq, At, Bytes);

public sealed record ThinkingItem(string Cursor, long Seq, DateTimeOffset At, ByteRange Bytes, CutText Body) : ThreadItem(Cursor, Seq, At, Bytes);

/// <param name="Summary">One line: the command, the path, the pattern.</param>
/// <param name="Input">The tool's input as the agent gave it, absent when it is too long to travel (fetch it by the byte range).</param>
public sealed record ToolUseItem(string Cursor, long Seq, DateTimeOffset At, ByteRange Bytes, string ToolUseId, string Name, string Summary, JsonElement? Input = null) : ThreadItem(Cursor, Seq, At, Bytes);

public sealed record ToolResultItem(string Cursor, long Seq, DateTimeOffset At, ByteRange Bytes, string ToolUseId, CutText Body, bool IsError) : ThreadItem(Cursor, Seq, At, Bytes);

/// <param name="ToolUseId">The agent's own tool use, which the answer names again.</param>
public sealed record QuestionItem(string Cursor, long Seq, DateTimeOffset At, ByteRange Bytes, string DecisionId, string Summary, string? ToolUseId = null) : ThreadItem(Cursor, Seq, At, Bytes);

/// <param name="ToolUseId">The tool use that asked.</param>
/// <param name="Summary">One line per question: the question, then the answer.</param>
public sealed record AnswerItem(string Cursor, long Seq, DateTimeOffset At, ByteRange Bytes, string ToolUseId, string Summary) : ThreadItem(Cursor, Seq, At, Bytes);

/// <param name="Delivered">False while the agent has not acknowledged it.</param>
public sealed record UserMessageItem(string Cursor, long Seq, DateTimeOffset At, ByteRange Bytes, CutText Body, bool Delivered, string? MessageId = null) : ThreadItem(Cursor, Seq, At, Bytes);

public sealed record CheckpointItem(string Cursor, long Seq, DateTimeOffset At, ByteRange Bytes, string CheckpointId, string Summary) : ThreadItem(Cursor, Seq, At, Bytes);

/// <param name="CostMicroUsd">What this turn added, in micro-dollars.</param>
public sealed record ResultItem(string Cursor, long Seq, DateTimeOffset At, ByteRange Bytes, bool IsError, string Outcome, CutText Body, long CostMicroUsd, int Turns, long DurationMs) : ThreadItem(Cursor, Seq, At, Bytes);

public sealed record NoticeItem(string Cursor, long Seq, DateTimeOffset At, ByteRange Bytes, string Topic, string Message) : ThreadItem(Cursor, Seq, At, Bytes);

/// <summary>A line that was not understood, as it was.</summary>
public sealed record RawItem(string Cursor, long Seq, DateTimeOffset At, ByteRange Bytes, CutText Body, string? Why = null) : ThreadItem(Cursor, Seq, At, Bytes);
