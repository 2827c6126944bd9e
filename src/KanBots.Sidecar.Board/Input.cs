using System.Collections.Immutable;

namespace KanBots.Sidecar.Board;

/// <summary>The closed list of things that can happen.</summary>
public abstract record Input
{
    /// <summary>A person's wish, by a client's request id (a UUID): the same id again causes nothing and has the same outcome.</summary>
    public abstract record Request(string RequestId) : Input;

    public sealed record CreateCard(string RequestId, string Title, string Body, int? Number, Column Column, ImmutableArray<string> Labels, int? ParentNumber) : Request(RequestId);

    public sealed record UpdateCard(string RequestId, long CardId, string? Title, string? Body, ImmutableArray<string>? Labels) : Request(RequestId);

    /// <param name="Index">Index in the column, from 0; null means the end.</param>
    public sealed record MoveCard(string RequestId, long CardId, Column Column, int? Index) : Request(RequestId);

    public sealed record ArchiveCard(string RequestId, long CardId, bool Archived) : Request(RequestId);

    public sealed record DeleteCard(string RequestId, long CardId) : Request(RequestId);

    /// <param name="SessionId">A new UUID for the agent's session.</param>
    /// <param name="MessageId">A new UUID for the first message.</param>
    public sealed record Dispatch(string RequestId, long CardId, string Agent, string? Model, string? Effort, string? Persona, PermissionMode PermissionMode, string? BaseRef, long? BudgetMicroUsd, int? BudgetTurns, int? BudgetMinutes, string? Prompt, string SessionId, string MessageId) : Request(RequestId);

    public sealed record Stop(string RequestId, long RunId, string By) : Request(RequestId);

    /// <param name="Replaces">A lost message that this one takes the place of.</param>
    public sealed record Reply(string RequestId, long RunId, string Text, string MessageId, string? Replaces) : Request(RequestId);

    public sealed record Resume(string RequestId, long RunId, string? Text, string MessageId) : Request(RequestId);

    /// <summary>Stops it, then puts its worktree and its branch aside.</summary>
    public sealed record Discard(string RequestId, long RunId) : Request(RequestId);

    /// <param name="CommentId">Of the draft that is written anew; null for a new one.</param>
    /// <param name="Text">Empty to take it away.</param>
    public sealed record Comment(string RequestId, long RunId, string? CommentId, string Path, int Line, bool OnBase, string Text, string? Tree) : Request(RequestId);

    /// <summary>All drafts become one message.</summary>
    /// <param name="Text">What is to stand before them.</param>
    public sealed record SubmitComments(string RequestId, long RunId, string? Text, string MessageId) : Request(RequestId);

    /// <param name="Checkpoint">Its id.</param>
    public sealed record Rewind(string RequestId, long RunId, string Checkpoint) : Request(RequestId);

    public sealed record Promote(string RequestId, long RunId, PromoteOrder Order) : Request(RequestId);

    /// <summary>Brings what was discarded back to where it was.</summary>
    public sealed record Restore(string RequestId, long RunId) : Request(RequestId);

    /// <summary>Deletes for good what was discarded.</summary>
    public sealed record Free(string RequestId, long RunId) : Request(RequestId);

    /// <summary>A new run of the same card, which begins with the files that another one had at a checkpoint.</summary>
    /// <param name="Checkpoint">Its id; null for the last.</param>
    public sealed record Fork(string RequestId, long RunId, string? Checkpoint, string? Prompt, string SessionId, string MessageId) : Request(RequestId);

    /// <param name="Viewed">False to forget that they were seen.</param>
    public sealed record MarkViewed(string RequestId, long RunId, ImmutableArray<ViewedFile> Files, bool Viewed) : Request(RequestId);

    /// <summary>Its agent is to bring its work together with a branch that it conflicts with.</summary>
    public sealed record ResolveConflicts(string RequestId, long RunId, string Branch, ImmutableArray<string> Paths, string MessageId) : Request(RequestId);

    /// <param name="MessageId">Used when the launch that asked is gone and the answer becomes the first message of a new one.</param>
    public sealed record Decide(string RequestId, string DecisionId, Verdict Verdict, string By, string MessageId) : Request(RequestId);

    public sealed record SetSettings(string RequestId, Settings Settings) : Request(RequestId);

    /// <summary>What the world says of one run. Late and repeated ones are normal: one that is about another launch than the
    /// run's latest, or about a run that is over, changes nothing but the cost.</summary>
    public abstract record Report(long RunId) : Input;

    public sealed record BaseChosen(long RunId, string BaseRef, string BaseCommit) : Report(RunId);

    public sealed record Prepared(long RunId, string WorktreePath, string BaseRef, string BaseCommit) : Report(RunId);

    public sealed record PrepareFailed(long RunId, Reason Reason) : Report(RunId);

    public sealed record LaunchFailed(long RunId, int Launch, Reason Reason) : Report(RunId);

    public sealed record TurnStarted(long RunId, int Launch, string? SessionId, string? Model) : Report(RunId);

    /// <param name="NumTurns">Model calls of this turn, as the agent counts them.</param>
    public sealed record TurnEnded(long RunId, int Launch, TurnOutcome Outcome, int NumTurns) : Report(RunId);

    /// <summary>Exact cost that came on top, micro-dollars. Takes the estimate of the turn away.</summary>
    public sealed record CostAdded(long RunId, int Launch, long MicroUsd) : Report(RunId);

    /// <summary>What a turn has used of each model. It moves no money: the exact cost does.</summary>
    public sealed record ModelsUsed(long RunId, int Launch, ImmutableArray<ModelUse> Models, int UnpricedTurns) : Report(RunId);

    /// <summary>The agent's own live figure for what is not yet in the exact cost, micro-dollars.</summary>
    public sealed record CostEstimated(long RunId, int Launch, long MicroUsd) : Report(RunId);

    /// <summary>The run's provider refuses for a limit of its own, as an event or an error kind says, never prose.</summary>
    /// <param name="Until">When the limit is over; null when it did not say.</param>
    public sealed record RateLimited(long RunId, int Launch, string? Limit, DateTimeOffset? Until) : Report(RunId);

    /// <summary>The run's provider serves, also where it warns that it soon will not.</summary>
    public sealed record RateAllowed(long RunId, int Launch, string? Limit) : Report(RunId);

    public sealed record DecisionAsked(long RunId, int Launch, string DecisionId, DecisionKind Kind, string AgentRequestId, string? ToolUseId, string ToolName, string ToolInput, string? Description, ImmutableArray<Question> Questions) : Report(RunId);

    public sealed record DecisionWithdrawn(long RunId, int Launch, string AgentRequestId) : Report(RunId);

    public sealed record MessageEchoed(long RunId, int Launch, string MessageId) : Report(RunId);

    public sealed record BackgroundTasksChanged(long RunId, int Launch, int Count) : Report(RunId);

    /// <summary>The launch has ended and what it left was dealt with; after a stop its tree is confirmed gone.</summary>
    public sealed record LaunchEnded(long RunId, int Launch, LaunchEnd End, bool Dirty, DiffStat? DiffStat, int LeftRunning) : Report(RunId);

    /// <summary>What an ended run has left running was looked at again, after it was to be ended.</summary>
    public sealed record LeftoversCounted(long RunId, int Count) : Report(RunId);

    /// <summary>Where git has the worktree of an ended run: looked for at the start, at the end of a launch and before the next one.</summary>
    /// <param name="Path">Null when it is gone.</param>
    /// <param name="Why">For a person, with the next step, when it is gone.</param>
    public sealed record WorktreeSeen(long RunId, string? Path, string? Why) : Report(RunId);

    /// <param name="Move">The number of the step that it answers: what is said of an earlier one changes nothing.</param>
    public abstract record MoveReport(long RunId, int Move) : Report(RunId);

    /// <param name="TrashPath">Empty when there was no worktree any more.</param>
    public sealed record WorktreeDiscarded(long RunId, int Move, string TrashPath) : MoveReport(RunId, Move);

    public sealed record WorktreeRestored(long RunId, int Move) : MoveReport(RunId, Move);

    public sealed record WorktreeFreed(long RunId, int Move) : MoveReport(RunId, Move);

    /// <summary>The step that was ordered with the worktree was not done; all is as it was before it.</summary>
    public sealed record WorktreeMoveFailed(long RunId, int Move, Reason Reason, ImmutableArray<string> Paths) : MoveReport(RunId, Move);

    public sealed record WorktreeRewound(long RunId, int Move, DiffStat DiffStat) : MoveReport(RunId, Move);

    public sealed record WorkLanded(long RunId, int Move, string Branch, string Commit) : MoveReport(RunId, Move);

    /// <summary>The worktree's files were kept. The same files again are no news.</summary>
    public sealed record CheckpointTaken(long RunId, CheckpointMark Mark) : Report(RunId);

    /// <summary>Old checkpoints that git no longer keeps.</summary>
    public sealed record CheckpointsPruned(long RunId, ImmutableArray<string> Checkpoints) : Report(RunId);

    /// <summary>Something about a run that a person should know and that changes nothing of it: its shared configuration was changed, for example.</summary>
    public sealed record Noticed(long RunId, Reason Notice) : Report(RunId);

    /// <summary>The start of serve: what lies on disk, in git and among the processes. The first input of every serve.</summary>
    /// <param name="HighestRunId">Over run folders, branches, refs and worktrees.</param>
    /// <param name="Launches">One for each launch that the state believes to be live.</param>
    public sealed record Recovered(long HighestRunId, ImmutableArray<ObservedLaunch> Launches) : Input;

    /// <summary>Ended runs beyond the newest so many may leave the memory.</summary>
    public sealed record Archive(int Kept) : Input;

    /// <summary>A run that left, as it was: somebody has named it.</summary>
    public sealed record Recalled(Run Run, ImmutableArray<Decision> Decisions) : Input;

    public sealed record Tick : Input;
}

public enum LaunchEndKind { Exited, Stopped, MinutesReached, WaitedTooLong, DiskFull, SpawnFailed, HostDied }

/// <param name="Failure">What stderr and the exit code mean, when the agent failed before or without a turn.</param>
public sealed record LaunchEnd(LaunchEndKind Kind, int? ExitCode, int? Signal, Reason? Failure);

public enum ObservedKind { Alive, NeverStarted, Gone }

/// <param name="Kind">Alive: a host owns it. NeverStarted: no host took it and none can any more. Gone: its end follows as its own input.</param>
public sealed record ObservedLaunch(long RunId, int Launch, ObservedKind Kind);
