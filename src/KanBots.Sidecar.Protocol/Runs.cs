using System.Text.Json.Serialization;

namespace KanBots.Sidecar.Protocol;

[JsonConverter(typeof(CamelCaseEnumConverter<RunState>))]
public enum RunState { Queued, Preparing, Running, AwaitingDecision, InReview, Finished, Failed, Stopped, Interrupted, Discarded, Promoted }

[JsonConverter(typeof(CamelCaseEnumConverter<PermissionMode>))]
public enum PermissionMode { BypassPermissions, Ask, Plan }

/// <summary>Limits of one run: money in micro-dollars, turns, minutes of work.</summary>
public sealed record Budget(long? MicroUsd = null, int? Turns = null, int? Minutes = null);

/// <summary>Most of a budget is used up: "money", "turns" or "minutes" of a run, or the "day". It keeps its words while it holds, so that it can be told once.</summary>
public sealed record BudgetWarning(string Kind, string Message);

public sealed record DiffStat(int Files, int Insertions, int Deletions);

/// <summary>Why a run is in its state, or waits in the queue: a kind to branch on and a sentence with the next step.</summary>
/// <param name="Until">When it ends by itself, where that is known.</param>
public sealed record RunReason(string Kind, string Message, DateTimeOffset? Until = null);

/// <summary>Nothing has come from the agent for long: its "tool" or "model" is silent, it does not "start", or its process does not end
/// "afterResult". Nothing is stopped for it; it goes by itself with the next word.</summary>
/// <param name="Since">The agent's last sign of life.</param>
/// <param name="Message">With the next step; the same while it lasts.</param>
public sealed record RunStall(string Kind, DateTimeOffset Since, string Message);

/// <summary>One agent's work on a card, in one worktree, over one or more launches.</summary>
/// <param name="Launch">Number of the latest launch, 0 before the first.</param>
/// <param name="CostIsEstimate">True while part of the cost is not yet confirmed by the agent's own total.</param>
/// <param name="LeftRunning">Number of processes that outlived the agent.</param>
/// <param name="Notices">What a person should know of it beside its state, the newest last: one per kind, each with its next step.</param>
/// <param name="Warnings">Of a run that is not over: what is nearly used up.</param>
/// <param name="RestorableUntil">Of a discarded run.</param>
/// <param name="Conflicts">What it would conflict with, other runs and its target; absent when nothing is known of.</param>
/// <param name="Promotion">Of a run whose work has landed.</param>
/// <param name="Setup">Present while the setup command waits or runs; the state is then preparing.</param>
public sealed record Run(
    long Id,
    long CardId,
    int CardNumber,
    RunState State,
    string Agent,
    PermissionMode PermissionMode,
    string Branch,
    string WorktreePath,
    string BaseRef,
    string BaseCommit,
    int Launch,
    long CostMicroUsd,
    bool CostIsEstimate,
    Budget Budget,
    int Turns,
    bool Dirty,
    int LeftRunning,
    long? ParentRunId = null,
    string? Model = null,
    string? SessionId = null,
    DateTimeOffset? StartedAt = null,
    DateTimeOffset? EndedAt = null,
    string? CurrentTool = null,
    DiffStat? DiffStat = null,
    RunReason? Reason = null,
    IReadOnlyList<UndeliveredMessage>? Undelivered = null,
    IReadOnlyList<RunReason>? Notices = null,
    IReadOnlyList<BudgetWarning>? Warnings = null,
    RunStall? Stall = null,
    RunSetup? Setup = null,
    DateTimeOffset? RestorableUntil = null,
    RunPromotion? Promotion = null,
    IReadOnlyList<RunConflict>? Conflicts = null);

/// <summary>Something that a run would conflict with if both landed as their last checkpoints are.</summary>
/// <param name="Paths">The files, from the top, with slashes; not all when there are many.</param>
/// <param name="RunId">The other run; absent when it is the target.</param>
/// <param name="Target">The branch on which the run began, which has gone on since.</param>
public sealed record RunConflict(IReadOnlyList<string> Paths, long? RunId = null, string? Target = null);

/// <summary>Where a run's work landed.</summary>
/// <param name="Commit">Object id.</param>
public sealed record RunPromotion(string Branch, string Commit, DateTimeOffset At);

/// <summary>A message that no launch has acknowledged. It is sent again only by <c>run/reply</c> with its id in <c>replaces</c>.</summary>
public sealed record UndeliveredMessage(string MessageId, CutText Text);

/// <summary>The setup command of a run that is under way.</summary>
/// <param name="Waiting">Another run's setup has its turn.</param>
/// <param name="Since">When it began to run, or to wait.</param>
/// <param name="LastLine">What it said last.</param>
public sealed record RunSetup(bool Waiting, DateTimeOffset Since, string? LastLine = null);

public sealed record RunDispatchParams(
    string RequestId,
    long CardId,
    string? Agent = null,
    string? Model = null,
    string? Effort = null,
    string? Persona = null,
    PermissionMode? PermissionMode = null,
    string? BaseRef = null,
    Budget? Budget = null,
    string? Prompt = null);

public sealed record RunResult(Run Run);

/// <summary>Answered when the process tree is confirmed gone.</summary>
public sealed record RunStopParams(string RequestId, long RunId);

/// <summary>Continues the same session in the same worktree, with a message or without one.</summary>
public sealed record RunResumeParams(string RequestId, long RunId, string? Text = null);

/// <param name="Replaces">An undelivered message that this one takes the place of.</param>
public sealed record RunReplyParams(string RequestId, long RunId, string Text, string? Replaces = null);

public sealed record RunReplyResult(string MessageId);

/// <summary>Takes the files of an ended run back to a checkpoint; what lies there is kept as another one first. HEAD and what git ignores stay.</summary>
/// <param name="Checkpoint">Its id.</param>
public sealed record RunRewindParams(string RequestId, long RunId, string Checkpoint);

/// <summary>Begins a new run of the same card with the files that this one had at a checkpoint, in a worktree, on a branch and in a conversation of its own.</summary>
/// <param name="Checkpoint">Its id; absent for the last one.</param>
/// <param name="Prompt">What the agent is told beside the card.</param>
public sealed record RunForkParams(string RequestId, long RunId, string? Checkpoint = null, string? Prompt = null);

/// <summary>Tells the run's agent, as its next turn, to bring its work together with what it conflicts with: the branch on which it could not land, else what <c>conflicts</c> of the run says.</summary>
/// <param name="Branch">Another branch, by its short name.</param>
public sealed record RunResolveConflictsParams(string RequestId, long RunId, string? Branch = null);

[JsonConverter(typeof(CamelCaseEnumConverter<LandingStrategy>))]
public enum LandingStrategy { Squash, Merge, Rebase }

/// <summary>Lands a run's work on a branch, which is made when there is none. Answered when it has landed; else nothing has changed, and the
/// error says why: <c>worktreeChanged</c>, <c>hookFailed</c> with what the hook said, <c>mergeConflict</c> and <c>worktreeDirty</c> (a checkout of the branch), the last two with the files.</summary>
/// <param name="ExpectedTree">The tree that <c>review/changes</c> has shown: exactly that lands.</param>
/// <param name="Strategy">squash unless another is named.</param>
/// <param name="Message">The card's title unless another is given.</param>
/// <param name="Paths">Only these files, with squash; absent for all.</param>
public sealed record RunPromoteParams(string RequestId, long RunId, string TargetBranch, string ExpectedTree, LandingStrategy? Strategy = null, string? Message = null, IReadOnlyList<string>? Paths = null);

/// <param name="Commit">Object id of the branch's new end.</param>
public sealed record RunPromoteResult(Run Run, string Commit);

/// <summary>Stops the run and puts its worktree and its branch aside, whole. Answered when that is done.</summary>
public sealed record RunDiscardParams(string RequestId, long RunId);

/// <param name="RestorableUntil">Until then <c>run/restore</c> brings all of it back.</param>
public sealed record RunDiscardResult(Run Run, DateTimeOffset RestorableUntil);

/// <summary>Brings a discarded run back to its old path and branch.</summary>
public sealed record RunRestoreParams(string RequestId, long RunId);

public sealed record RunDetailsParams(long RunId);

[JsonConverter(typeof(CamelCaseEnumConverter<PlacedKind>))]
public enum PlacedKind { File, Links }

/// <summary>Something that was placed in the worktree for the agent and is no change of its: an ignored file that was copied, or a folder
/// of links into the main working tree. The path is relative to the worktree, with slashes.</summary>
/// <param name="Size">Bytes of a file; the number of the links of a folder.</param>
public sealed record PlacedPath(string Path, PlacedKind Kind, long Size);

/// <param name="Strategy">inherit, symlink, setup or none.</param>
/// <param name="Reason">Why, in a sentence.</param>
public sealed record NodeModulesChoice(string Strategy, string Reason);

/// <summary>What is too long for the board.</summary>
/// <param name="PortBase">The first port of the run's own block, as the agent finds it in KANBOTS_PORT.</param>
/// <param name="SetupLog">The path of the setup command's log.</param>
/// <param name="NodeModules">Where its node_modules come from; absent when the repository has none.</param>
/// <param name="Checkpoints">From the oldest.</param>
/// <param name="Comments">Drafts on its changes that were not sent yet.</param>
public sealed record RunDetailsResult(Run Run, IReadOnlyList<PlacedPath> Placed, IReadOnlyList<Checkpoint> Checkpoints, IReadOnlyList<ReviewComment> Comments, int? PortBase = null, NodeModulesChoice? NodeModules = null, string? SetupLog = null);

/// <summary>A page of the thread, its items always from the oldest. At most one of <see cref="After"/>, <see cref="Before"/> and <see cref="FromEnd"/>
/// says which, or it is refused (<c>invalidArgument</c>); without any of them the thread's first page is meant.</summary>
/// <param name="After">A cursor: the page begins with the item after it.</param>
/// <param name="Limit">Items, 1 to 500; 100 when absent. A page of very long lines has fewer.</param>
/// <param name="Before">A cursor, such as <c>previous</c> of the page that is there, or that of any item: the page ends with the item before it.</param>
/// <param name="FromEnd">The page ends with the item that is the last one now. What comes later is told after its <c>next</c>.</param>
public sealed record RunEventsParams(long RunId, string? After = null, int? Limit = null, string? Before = null, bool? FromEnd = null);

/// <param name="AtEnd">There are no items after this page now.</param>
/// <param name="Next">The cursor with which the page after this one is asked for (<c>after</c>), and from which on <c>run/subscribe</c> tells; absent for a thread without items.</param>
/// <param name="Previous">The cursor with which the page before this one is asked for (<c>before</c>). Only in pages asked for by <c>fromEnd</c> or
/// <c>before</c>, where it is absent when the page begins with the thread's first item.</param>
public sealed record RunEventsResult(IReadOnlyList<ThreadItem> Items, bool AtEnd, string? Next = null, string? Previous = null);

/// <summary>A line of a launch's stream as the agent wrote it, in pieces: what was cut of an item's text, or the line itself. Launch and range are
/// those of an item's <c>bytes</c>, or a range within it. Refused with <c>invalidArgument</c> when the launch is not one of the run's or the range
/// not within its stream, with <c>notKept</c> when the stream is no longer kept (<c>runs.keepDays</c>, <c>runs.keepBytes</c>).</summary>
/// <param name="Launch">From 1.</param>
/// <param name="From">The range's first byte in the stream.</param>
/// <param name="To">The byte after its last.</param>
/// <param name="Offset">Bytes after <c>from</c> at which the piece begins, as <c>next</c> of the piece before gave it; 0 when absent.</param>
/// <param name="Limit">Bytes of the piece, 4 to 1,048,576; 65,536 when absent.</param>
public sealed record RunLineParams(long RunId, int Launch, long From, long To, long? Offset = null, int? Limit = null);

/// <param name="Text">Whole characters, without the line break at the end of the range. What is not UTF-8 is there as U+FFFD; the pieces one after the
/// other are the text that the whole range gives.</param>
/// <param name="FullLength">Bytes of the whole range.</param>
/// <param name="Next">The offset of the piece after this one; absent for the last.</param>
public sealed record RunLineResult(string Text, long FullLength, long? Next = null);

/// <summary>From now on the connection gets <c>run/didAppend</c> for this run, beginning after the cursor.</summary>
public sealed record RunSubscribeParams(long RunId, string? After = null);

public sealed record RunUnsubscribeParams(long RunId);

public sealed record RunDidAppendParams(long RunId, IReadOnlyList<ThreadItem> Items);
