using System.Collections.Immutable;

namespace KanBots.Sidecar.Board;

/// <summary>What was decided. The journal holds these, and the state is their fold.</summary>
public abstract record Event
{
    public sealed record CardCreated(Card Card) : Event;

    public sealed record CardChanged(Card Card) : Event;

    public sealed record CardDeleted(long CardId) : Event;

    public sealed record SettingsChanged(Settings Settings) : Event;

    public sealed record RequestServed(string RequestId, Outcome Outcome, DateTimeOffset At) : Event;

    public sealed record RunIdsSeen(long Highest) : Event;

    public sealed record RunQueued(Run Run) : Event;

    public sealed record PreparingStarted(long RunId) : Event;

    /// <summary>From what its worktree is to be made: known before anything is made, so that who goes on after a crash makes the same.</summary>
    public sealed record BaseChosen(long RunId, string BaseRef, string BaseCommit) : Event;

    public sealed record WorktreePrepared(long RunId, string WorktreePath, string BaseRef, string BaseCommit) : Event;

    public sealed record LaunchOrdered(long RunId, int Launch, DateTimeOffset At) : Event;

    public sealed record TurnBegan(long RunId, string? SessionId, string? Model) : Event;

    public sealed record TurnFinished(long RunId, TurnOutcome Outcome, int NumTurns, string? Day = null) : Event;

    public sealed record CostAdded(long RunId, long MicroUsd, string Day) : Event;

    /// <param name="UnpricedTurns">Turns for which the agent named no price.</param>
    public sealed record ModelsUsed(long RunId, ImmutableArray<ModelUse> Models, int UnpricedTurns, string Day) : Event;

    public sealed record CostEstimated(long RunId, long MicroUsd) : Event;

    public sealed record BudgetRaised(long RunId, Budget Budget) : Event;

    /// <summary>Something of a run's budget is nearly used up; said once, until there is more of it.</summary>
    public sealed record BudgetWarned(long RunId, Reason Warning) : Event;

    public sealed record DayWarned(string Day, Reason Warning) : Event;

    public sealed record HoldSet(Hold Hold) : Event;

    public sealed record HoldLifted(string Agent) : Event;

    public sealed record DecisionOpened(Decision Decision) : Event;

    public sealed record DecisionClosed(string DecisionId, DecisionState State, DateTimeOffset At, string? By, Verdict? Verdict) : Event;

    public sealed record MessageAdded(long RunId, Message Message) : Event;

    public sealed record MessageTold(long RunId, string MessageId, int Launch) : Event;

    /// <summary>A lost message that was said again in other words.</summary>
    public sealed record MessageDropped(long RunId, string MessageId) : Event;

    public sealed record MessageDelivered(long RunId, string MessageId) : Event;

    public sealed record BackgroundTasksCounted(long RunId, int Count) : Event;

    public sealed record InputCloseOrdered(long RunId) : Event;

    /// <summary>A turn began after the close was ordered: the input is open again, if it still can be.</summary>
    public sealed record InputKept(long RunId) : Event;

    /// <summary>The agent does not know its conversation any more: it begins a new one and is told everything again.</summary>
    public sealed record SessionLost(long RunId, string NewSessionId) : Event;

    public sealed record StopOrdered(long RunId, string By) : Event;

    public sealed record LeftoversCounted(long RunId, int Count) : Event;

    public sealed record WorktreeMoveOrdered(long RunId, WorktreeMove Move) : Event;

    public sealed record WorktreeMoveFailed(long RunId, MoveFailure Failure) : Event;

    public sealed record CommentKept(long RunId, ReviewComment Comment) : Event;

    public sealed record CommentDropped(long RunId, string CommentId) : Event;

    /// <summary>All drafts stand in a message.</summary>
    public sealed record CommentsSent(long RunId) : Event;

    public sealed record RewindOrdered(long RunId, string Checkpoint) : Event;

    public sealed record RunRewound(long RunId, DiffStat DiffStat) : Event;

    public sealed record PromoteOrdered(long RunId, PromoteOrder Order) : Event;

    public sealed record RunPromoted(long RunId, Promoted Promoted) : Event;

    public sealed record RunDiscarded(long RunId, Discarded Discarded) : Event;

    public sealed record RunRestored(long RunId) : Event;

    /// <summary>What was discarded is deleted for good.</summary>
    public sealed record RunFreed(long RunId, DateTimeOffset At) : Event;

    public sealed record FilesViewed(long RunId, ImmutableArray<ViewedFile> Files, bool Viewed) : Event;

    public sealed record CheckpointsPruned(long RunId, ImmutableArray<string> Checkpoints) : Event;

    public sealed record CheckpointTaken(long RunId, CheckpointMark Mark) : Event;

    public sealed record RunNoticed(long RunId, Reason Notice) : Event;

    /// <summary>An old run leaves the memory. The event holds it whole, for the day on which somebody names it again.</summary>
    public sealed record RunArchived(Run Run, ImmutableArray<Decision> Decisions) : Event;

    public sealed record RunRecalled(Run Run, ImmutableArray<Decision> Decisions) : Event;

    public sealed record RunEnded(long RunId, RunState State, Reason? Reason, bool Dirty, DiffStat? DiffStat, int LeftRunning, DateTimeOffset At) : Event;
}

/// <summary>A wish that cannot be: the kind is one of the protocol's, the rest is for the person.</summary>
public sealed record Refusal(string Kind, string Message, string? State = null, long? CardId = null, long? RunId = null, string? DecisionId = null);

/// <summary>The answer of the core to one input.</summary>
public sealed record Decided(ImmutableArray<Event> Events, ImmutableArray<Effect> Effects, Outcome? Outcome, Refusal? Refusal)
{
    public static Decided Nothing { get; } = new([], [], null, null);

    public static Decided Refused(Refusal refusal) => new([], [], null, refusal);
}
