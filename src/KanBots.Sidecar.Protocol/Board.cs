using System.Text.Json.Serialization;

namespace KanBots.Sidecar.Protocol;

[JsonConverter(typeof(CamelCaseEnumConverter<Column>))]
public enum Column { Backlog, Todo, InProgress, Review, Done }

[JsonConverter(typeof(CamelCaseEnumConverter<Dot>))]
public enum Dot { None, Queued, Running, AwaitingDecision, InReview, Failed, Interrupted }

[JsonConverter(typeof(CamelCaseEnumConverter<SourceKind>))]
public enum SourceKind { Local, Github }

/// <summary>Where a card's issue lives. For a local card only <see cref="Kind"/> is set.</summary>
public sealed record CardSource(SourceKind Kind, string? Repository = null, int? Number = null, string? Url = null);

/// <summary>One issue on the board.</summary>
/// <param name="Number">The issue number, unique on the board; worktrees and branches are named by it.</param>
/// <param name="Position">Order within the column, ascending.</param>
/// <param name="CostMicroUsd">Of all its runs, in micro-dollars.</param>
/// <param name="RunIds">The newest 1,000. One that is not on the board is an old one: its thread can be read and it can be resumed by its id.</param>
public sealed record Card(
    long Id,
    int Number,
    CardSource Source,
    string Title,
    string Body,
    Column Column,
    double Position,
    IReadOnlyList<string> Labels,
    Dot Dot,
    long CostMicroUsd,
    IReadOnlyList<long> RunIds,
    int? ParentNumber = null,
    long? ActiveRunId = null,
    bool? Archived = null);

/// <summary>Money spent through this board, in micro-dollars. A day is a UTC day.</summary>
/// <param name="ReservedMicroUsd">What live runs may still spend by their own budgets; it counts against the day's until they end.</param>
/// <param name="Warning">Today's budget is nearly spent.</param>
public sealed record Spend(long TodayMicroUsd, long TotalMicroUsd, long? DayBudgetMicroUsd = null, long? ReservedMicroUsd = null, BudgetWarning? Warning = null);

/// <summary>The whole board at one revision of one epoch: every open card, their runs, and the last ended ones.</summary>
/// <param name="ThreadEpoch">Names the database. While it stays the same, cursors of threads hold, over a new serve (another epoch) too.</param>
public sealed record BoardSnapshot(
    string Epoch,
    long Revision,
    IReadOnlyList<Column> Columns,
    IReadOnlyList<Card> Cards,
    IReadOnlyList<Run> Runs,
    IReadOnlyList<Decision> Decisions,
    Spend Spend,
    IReadOnlyList<BoardNotice>? Notices = null,
    string? ThreadEpoch = null);

/// <summary>Something about the board as a whole that a person should know: a kind to branch on and a sentence with the next step.</summary>
public sealed record BoardNotice(string Kind, string Message);

public sealed record Removed(IReadOnlyList<long> CardIds, IReadOnlyList<long> RunIds, IReadOnlyList<string> DecisionIds);

/// <summary>What changed from <see cref="PreviousRevision"/> to <see cref="Revision"/>. A client that has another revision or
/// epoch starts over from <c>board/get</c>.</summary>
/// <param name="Notices">All of them, when they changed.</param>
public sealed record BoardDidChangeParams(
    string Epoch,
    long Revision,
    long PreviousRevision,
    IReadOnlyList<Card> Cards,
    IReadOnlyList<Run> Runs,
    IReadOnlyList<Decision> Decisions,
    Removed Removed,
    Spend? Spend = null,
    IReadOnlyList<BoardNotice>? Notices = null);

public sealed record CardCreateParams(string RequestId, string Title, string? Body = null, int? Number = null, Column? Column = null, IReadOnlyList<string>? Labels = null, int? ParentNumber = null);

public sealed record CardUpdateParams(string RequestId, long CardId, string? Title = null, string? Body = null, IReadOnlyList<string>? Labels = null);

/// <summary>Moves a card. <see cref="Position"/> is the index in the column that the card shall have, from 0; absent means the end.</summary>
public sealed record CardMoveParams(string RequestId, long CardId, Column Column, int? Position = null);

public sealed record CardArchiveParams(string RequestId, long CardId, bool Archived = true);

public sealed record CardDeleteParams(string RequestId, long CardId);

public sealed record CardResult(Card Card);
