using System.Collections.Immutable;

namespace KanBots.Sidecar.Agents;

/// <summary>What one line of an agent's stream means for the run. The closed list that every agent protocol is read into.</summary>
internal abstract record AgentSignal
{
    internal sealed record TurnStarted(string? SessionId, string? Model, string? Version) : AgentSignal;

    /// <param name="Kind">Null when the turn went well; else a word to branch on, with a sentence for a person.</param>
    internal sealed record TurnEnded(bool IsError, bool Interrupted, string? Kind, string? Message, int NumTurns) : AgentSignal;

    /// <summary>Exact cost on top of what was said before, micro-dollars.</summary>
    internal sealed record CostAdded(long MicroUsd) : AgentSignal;

    /// <summary>What the turn has used of each model, on top of what was said before.</summary>
    /// <param name="UnpricedTurns">The turn's model calls, when the agent names no price for some of it; else 0.</param>
    internal sealed record Used(ImmutableArray<AgentUsage> Models, int UnpricedTurns) : AgentSignal;

    /// <summary>The provider refuses for a limit of its own.</summary>
    /// <param name="Until">When the limit is over; null when it does not say.</param>
    internal sealed record RateLimited(string? Limit, DateTimeOffset? Until) : AgentSignal;

    /// <summary>The provider serves, also where it warns that it soon will not.</summary>
    internal sealed record RateAllowed(string? Limit) : AgentSignal;

    /// <summary>The agent's live figure for what is not in the exact cost yet, micro-dollars.</summary>
    internal sealed record CostEstimated(long MicroUsd) : AgentSignal;

    internal sealed record Asked(string RequestId, AskKind Kind, string? ToolUseId, string ToolName, string ToolInput, string? Description, ImmutableArray<AgentQuestion> Questions) : AgentSignal;

    internal sealed record Withdrawn(string RequestId) : AgentSignal;

    /// <summary>The agent asks for something that we do not serve. It must be told so, since it waits for the answer.</summary>
    internal sealed record Unserved(string RequestId, string What) : AgentSignal;

    /// <summary>A message was taken up by the agent: its delivery is certain.</summary>
    internal sealed record Echoed(string MessageId) : AgentSignal;

    internal sealed record BackgroundTasks(int Count) : AgentSignal;

    /// <summary>The tool that runs now, in one line; null when none does.</summary>
    internal sealed record Tool(string? Summary) : AgentSignal;

    /// <summary>A model call or a tool has ended: money may have been spent.</summary>
    internal sealed record Spent : AgentSignal;
}

/// <param name="MicroUsd">Null where the agent names no price.</param>
internal sealed record AgentUsage(string Model, long? MicroUsd, long InputTokens, long OutputTokens, long CacheReadTokens, long CacheWriteTokens);

internal enum AskKind { Question, Permission, Plan }

internal sealed record AgentQuestion(string Text, string? Header, ImmutableArray<AgentOption> Options, bool MultiSelect);

internal sealed record AgentOption(string Label, string? Description);

internal enum ItemKind { System, Text, Thinking, ToolUse, ToolResult, Question, Answer, UserMessage, Result, Notice, Raw }

/// <summary>One item of the thread that a line holds. Every line holds at least one: what is not understood is <c>Raw</c>.</summary>
/// <param name="Name">Tool, topic, subtype or outcome, by kind; of a question its tool use.</param>
/// <param name="Id">Tool use, request or message id, by kind.</param>
/// <param name="Input">The tool's, as JSON in UTF-8; empty when there is none to be passed on.</param>
internal sealed record AgentItem(ItemKind Kind, AgentText Said, string? Name = null, string? Id = null, string? Parent = null, string? Model = null, ReadOnlyMemory<byte> Input = default, bool IsError = false, long MicroUsd = 0, int Turns = 0, long DurationMs = 0)
{
    internal string Text => Said.ToString();
}

internal sealed record AgentLine(ImmutableArray<AgentSignal> Signals, ImmutableArray<AgentItem> Items);
