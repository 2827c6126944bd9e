using System.Collections.Immutable;

namespace KanBots.Sidecar.Board;

public enum Column { Backlog, Todo, InProgress, Review, Done }

public enum RunState { Queued, Preparing, Running, AwaitingDecision, InReview, Finished, Failed, Stopped, Interrupted, Discarded, Promoted }

/// <summary>A step with a run's worktree that is ordered and not yet done.</summary>
public enum WorktreeMove { None, Discard, Restore, Promote, Rewind, Free }

/// <summary>One commit of all of it; a merge commit; the run's commits one by one on top.</summary>
public enum LandingStrategy { Squash, Merge, Rebase }

public enum PermissionMode { BypassPermissions, Ask, Plan }

public enum DecisionKind { Question, Permission, Plan, Budget }

public enum DecisionState { Open, Answered, Withdrawn, Expired }

public enum Dot { None, Queued, Running, AwaitingDecision, InReview, Failed, Interrupted }

/// <summary>One issue on the board. Its dot and cost are derived from its runs, never stored.</summary>
public sealed record Card(long Id, int Number, string Title, string Body, Column Column, double Position, ImmutableArray<string> Labels, int? ParentNumber, bool Archived);

/// <summary>Limits of a run. Money is micro-dollars; a null means that the default of the settings counts.</summary>
public sealed record Budget(long MicroUsd, int Turns, int Minutes);

public sealed record DiffStat(int Files, int Insertions, int Deletions);

/// <summary>A kind to branch on and a sentence for a person.</summary>
/// <param name="Until">When it ends by itself, where that is known.</param>
public sealed record Reason(string Kind, string Message, DateTimeOffset? Until = null);

/// <summary>Waiting: no launch was told yet. Told: written to a launch's input. Delivered: its id was echoed. Lost: the launch that was
/// told ended without an echo, so that nobody knows whether the agent read it; it is shown, and never sent again unasked.</summary>
public enum MessageState { Waiting, Told, Delivered, Lost }

/// <summary>A message for the agent.</summary>
/// <param name="Text">Empty once it is delivered and its run is over: the input of the launch that was told holds it, and a week of
/// prompts must not stay in memory.</param>
public sealed record Message(string Id, string Text, MessageState State);

/// <summary>One agent's work on a card: one worktree, one session, one or more launches.</summary>
/// <param name="SessionKnown">The agent has begun a turn in this session, so that a next launch resumes it.</param>
/// <param name="Launch">The latest launch, 0 before the first.</param>
/// <param name="LaunchLive">True from the order of a launch until its end is known and its tree is gone.</param>
/// <param name="ExactMicroUsd">Confirmed by the agent's own totals, over all launches.</param>
/// <param name="EstimateMicroUsd">Of the turn that is under way, on top of the exact cost; replaced, never summed.</param>
/// <param name="StopAsked">Who asked for the stop that is under way: "user", "budget", "dayBudget", "limit"; null when none is.</param>
/// <param name="InTurn">The agent works on a turn: from its begin, or from the delivery of a message, to its result.</param>
/// <param name="InputClosed">The launch's input was ordered closed: what is said now goes to the next launch.</param>
/// <param name="Outcome">Of the last turn, null while one is under way; it decides the state when the process ends.</param>
/// <param name="BackgroundTasks">Number of the agent's own tasks that outlive a turn.</param>
/// <param name="LaunchedAt">When the latest launch was ordered.</param>
/// <param name="Warnings">What was said to be nearly used up.</param>
/// <param name="Models">What it has used of each model, by the agent's own account.</param>
/// <param name="UnpricedTurns">Of its turns those for which the agent named no price.</param>
/// <param name="WorkedMs">Work of the launches that have ended.</param>
public sealed record Run(
    long Id,
    long CardId,
    int CardNumber,
    RunState State,
    string Agent,
    string? Model,
    string? Effort,
    string? Persona,
    PermissionMode PermissionMode,
    string? BaseWanted,
    string BaseRef,
    string BaseCommit,
    string Branch,
    string WorktreePath,
    Budget Budget,
    string SessionId,
    bool SessionKnown,
    int Launch,
    bool LaunchLive,
    int Turns,
    long ExactMicroUsd,
    long EstimateMicroUsd,
    DateTimeOffset QueuedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? EndedAt,
    string? StopAsked,
    bool InTurn,
    bool InputClosed,
    TurnOutcome? Outcome,
    int BackgroundTasks,
    bool Dirty,
    DiffStat? DiffStat,
    int LeftRunning,
    Reason? Reason,
    ImmutableArray<Message> Messages,
    DateTimeOffset? LaunchedAt = null,
    ImmutableArray<Reason> Warnings = default,
    ImmutableArray<ModelUse> Models = default,
    int UnpricedTurns = 0,
    long WorkedMs = 0)
{
    /// <summary>A journal from before there were any has none.</summary>
    public ImmutableArray<Reason> Warnings { get; init; } = Warnings.IsDefault ? [] : Warnings;

    public ImmutableArray<ModelUse> Models { get; init; } = Models.IsDefault ? [] : Models;

    /// <summary>A live run has, or is about to have, a process: it counts against the parallel limit and cannot be resumed.</summary>
    public bool IsLive => State is RunState.Preparing or RunState.Running or RunState.AwaitingDecision;

    public bool IsOver => State is not RunState.Queued && !IsLive;

    /// <summary>Work may lie there that nobody has taken or thrown away.</summary>
    public bool HoldsWorktree => WorktreePath.Length > 0 && State is not (RunState.Discarded or RunState.Promoted);

    /// <summary>It has, or had, a worktree: also of what has landed it lies there, and what was discarded can be brought back.</summary>
    public bool HoldsWork => WorktreePath.Length > 0;

    /// <summary>What a person should know of it: one per kind, the newest last.</summary>
    public ImmutableArray<Reason> Notices { get; init; } = [];

    /// <summary>From the oldest; at most <see cref="Limits.CheckpointsMax"/>.</summary>
    public ImmutableArray<CheckpointMark> Checkpoints { get; init; } = [];

    /// <summary>What a person has written on its changes and not sent yet, in the order of writing.</summary>
    public ImmutableArray<ReviewComment> Comments { get; init; } = [];

    /// <summary>Files that a person has seen, with the content that they had: one that has changed since is to be looked at again.</summary>
    public ImmutableArray<ViewedFile> Viewed { get; init; } = [];

    /// <summary>Where its files began, when that was not the base.</summary>
    public Fork? Fork { get; init; }

    public WorktreeMove Moving { get; init; }

    /// <summary>How many such steps were ordered, which is the number of the last.</summary>
    public int Moves { get; init; }

    /// <summary>Why the last such step was not done; null when it was.</summary>
    public MoveFailure? MoveFailure { get; init; }

    /// <summary>What was ordered, until it has landed or could not.</summary>
    public PromoteOrder? Promoting { get; init; }

    /// <summary>The checkpoint to which its files are being taken back.</summary>
    public string? RewindingTo { get; init; }

    /// <summary>Where it landed last.</summary>
    public Promoted? Promoted { get; init; }

    /// <summary>Of a discarded run: what it was before, where its worktree lies now, and how long.</summary>
    public Discarded? Discarded { get; init; }

    public long CostMicroUsd => ExactMicroUsd + EstimateMicroUsd;

    /// <summary>What no result has named a model for, such as the turn under way, goes to the one that the run was started with.</summary>
    public ImmutableArray<ModelUse> Uses => CostMicroUsd - Models.Sum(use => use.MicroUsd) is var rest and > 0 ? Models.Add(new ModelUse(Model ?? "unknown", rest, true, 0, 0, 0, 0)) : Models;

    /// <summary>What it may still spend of its own budget.</summary>
    public long RemainingMicroUsd => Math.Max(0, Budget.MicroUsd - CostMicroUsd);

    /// <summary>The names of the mission: they contain the run's primary key, so that they never collide.</summary>
    public static string BranchOf(int cardNumber, long runId) => $"kanbots/issue-{cardNumber}-{runId}";
}

/// <summary>What lay in a run's worktree at one moment: a tree in git's store that a ref holds.</summary>
/// <param name="Id">Unique within the run, in the order of time, and the end of the ref's name.</param>
/// <param name="Tree">Object id.</param>
/// <param name="Why">turn, when one ended; end, of a launch.</param>
/// <param name="Left">How many paths git could not take in.</param>
public sealed record CheckpointMark(string Id, string Tree, DateTimeOffset At, string Why, int Left);

/// <summary>A draft on one line of a diff.</summary>
/// <param name="OnBase">On the older side.</param>
/// <param name="Line">From 1; 0 for the file as a whole.</param>
/// <param name="Tree">Object id of what was shown, so that an editor can find the line again.</param>
public sealed record ReviewComment(string Id, string Path, int Line, bool OnBase, string Text, string? Tree, DateTimeOffset At);

/// <param name="Path">From the top, with slashes.</param>
/// <param name="Blob">Object id; empty for a file that was deleted.</param>
public sealed record ViewedFile(string Path, string Blob);

/// <summary>A run that began with the files of another one's checkpoint, on the same base.</summary>
/// <param name="Tree">Object id of the checkpoint's files.</param>
public sealed record Fork(long RunId, string Checkpoint, string Tree, string BaseRef, string BaseCommit);

/// <param name="Paths">The files that were in the way, from the top, with slashes.</param>
/// <param name="Branch">On which it was to land.</param>
public sealed record MoveFailure(Reason Reason, ImmutableArray<string> Paths, string? Branch = null);

/// <param name="Branch">Short name.</param>
/// <param name="Message">Of the commit; null for the card's title.</param>
/// <param name="Paths">The files to land; empty for all.</param>
/// <param name="ExpectedTree">Object id of what was reviewed.</param>
public sealed record PromoteOrder(string Branch, LandingStrategy Strategy, string? Message, ImmutableArray<string> Paths, string ExpectedTree);

public sealed record Promoted(string Branch, string Commit, DateTimeOffset At);

/// <param name="From">The state to which a restore leads back.</param>
/// <param name="TrashPath">Empty when there was no worktree any more.</param>
/// <param name="Until">Until then it can be restored.</param>
/// <param name="FreeBegun">Its deletion was ordered: what is there may not be all of it any more.</param>
/// <param name="FreedAt">When it was deleted for good; null while it is not.</param>
public sealed record Discarded(RunState From, string TrashPath, DateTimeOffset At, DateTimeOffset Until, bool FreeBegun = false, DateTimeOffset? FreedAt = null);

/// <summary>What was used of one model.</summary>
/// <param name="HasPrice">False when some of it had no known price: then the money does not hold it.</param>
public sealed record ModelUse(string Model, long MicroUsd, bool HasPrice, long InputTokens, long OutputTokens, long CacheReadTokens, long CacheWriteTokens)
{
    internal ModelUse Times(int sign) => this with { MicroUsd = sign * MicroUsd, InputTokens = sign * InputTokens, OutputTokens = sign * OutputTokens, CacheReadTokens = sign * CacheReadTokens, CacheWriteTokens = sign * CacheWriteTokens };

    internal ModelUse Plus(ModelUse more) => this with
    {
        MicroUsd = MicroUsd + more.MicroUsd,
        HasPrice = HasPrice && more.HasPrice,
        InputTokens = InputTokens + more.InputTokens,
        OutputTokens = OutputTokens + more.OutputTokens,
        CacheReadTokens = CacheReadTokens + more.CacheReadTokens,
        CacheWriteTokens = CacheWriteTokens + more.CacheWriteTokens,
    };
}

/// <summary>Turns that ended on a day, and those of them without a price. Its money is in the state's spend.</summary>
public sealed record DayUse(int Turns, int UnpricedTurns);

/// <summary>How a turn ended: <see cref="Kind"/> is null when it went well.</summary>
public sealed record TurnOutcome(bool IsError, bool Interrupted, string? Kind, string? Message);

public sealed record QuestionOption(string Label, string? Description);

public sealed record Question(string Id, string Text, string? Header, ImmutableArray<QuestionOption> Options, bool MultiSelect);

public sealed record Answer(string QuestionId, ImmutableArray<string> Values);

/// <summary>Something that a person must decide.</summary>
/// <param name="AgentRequestId">The agent's own id of the request; null for a decision of ours, such as a reached budget.</param>
/// <param name="ToolInput">The tool's input as JSON text, kept byte for byte, since the answer must send it back.</param>
/// <param name="Launch">The launch that asked; an answer reaches it only while that launch lives.</param>
public sealed record Decision(
    string Id,
    long RunId,
    int CardNumber,
    int Launch,
    DecisionKind Kind,
    DecisionState State,
    string? AgentRequestId,
    string? ToolUseId,
    string? ToolName,
    string? ToolInput,
    string? Description,
    ImmutableArray<Question> Questions,
    DateTimeOffset AskedAt,
    DateTimeOffset? AnsweredAt,
    string? AnsweredBy,
    Verdict? Verdict);

/// <summary>What a person decided.</summary>
/// <param name="Remember">True when it holds for the rest of the card, not only once.</param>
public sealed record Verdict(bool Allow, ImmutableArray<Answer> Answers, string? Reason, bool Remember);

/// <summary>Settings that the core obeys.</summary>
public sealed record Settings(int MaxParallel, Budget Budget, long DayBudgetMicroUsd)
{
    public static Settings Default { get; } = new(4, new Budget(5_000_000, 200, 120), 50_000_000);
}

/// <summary>What a request that changed state brought about: it is found again by its request id for a week.</summary>
public sealed record Outcome(OutcomeKind Kind, long Id, string? Text);

public enum OutcomeKind { Done, Card, Run, Message, Decision }

/// <summary>An agent's provider takes no more work for a while. What is queued for it waits; what lives goes on.</summary>
/// <param name="Limit">The provider's own name of its limit, such as five_hour; null when it gave none.</param>
/// <param name="IsGuess">The provider did not say until when, so that it is tried again after a pause.</param>
/// <param name="Tries">Guesses in a row: each pause is twice the one before.</param>
public sealed record Hold(string Agent, string? Limit, DateTimeOffset Since, DateTimeOffset Until, bool IsGuess, int Tries);

/// <summary>What was said of a day's budget, so that it is said once.</summary>
public sealed record DayWarning(string Day, Reason Warning);

public sealed record ServedRequest(Outcome Outcome, DateTimeOffset At);

/// <summary>What a card keeps of its runs that left the memory. The journal holds them whole; what names one recalls it.</summary>
/// <param name="Ids">In the order in which they left.</param>
/// <param name="Worktrees">How many of them hold work.</param>
/// <param name="Models">What they used together; a model that all of them left again by being recalled stays, with zeros.</param>
public sealed record PastRuns(ImmutableArray<long> Ids, long MicroUsd, int Worktrees, int Turns, int UnpricedTurns, long WorkedMs, ImmutableArray<PastUse> Models)
{
    public static PastRuns None { get; } = new([], 0, 0, 0, 0, 0, []);

    internal PastRuns With(Run run) => Changed(run, 1) with { Ids = Ids.Add(run.Id) };

    internal PastRuns Without(Run run) => Changed(run, -1) with { Ids = Ids.Remove(run.Id) };

    private PastRuns Changed(Run run, int sign)
    {
        var models = Models;
        foreach (var use in run.Uses)
        {
            var known = models.FirstOrDefault(one => one.Use.Model == use.Model);
            var changed = new PastUse((known?.Use ?? new ModelUse(use.Model, 0, use.HasPrice, 0, 0, 0, 0)).Plus(use.Times(sign)), (known?.Runs ?? 0) + sign);
            models = known is null ? models.Add(changed) : models.Replace(known, changed);
        }

        return this with
        {
            MicroUsd = MicroUsd + (sign * run.ExactMicroUsd),
            Worktrees = Worktrees + (run.HoldsWork ? sign : 0),
            Turns = Turns + (sign * run.Turns),
            UnpricedTurns = UnpricedTurns + (sign * run.UnpricedTurns),
            WorkedMs = WorkedMs + (sign * run.WorkedMs),
            Models = models,
        };
    }
}

/// <param name="Runs">Number of runs that used it.</param>
public sealed record PastUse(ModelUse Use, int Runs);

/// <summary>Everything that the core knows. It is the fold of the journal. Its maps are sorted, so that the same inputs give the same
/// events and effects in the same order in every process.</summary>
public sealed record BoardState(
    string Epoch,
    long Revision,
    long NextCardId,
    long NextRunId,
    ImmutableSortedDictionary<long, Card> Cards,
    ImmutableSortedDictionary<long, Run> Runs,
    ImmutableSortedDictionary<string, Decision> Decisions,
    Settings Settings,
    ImmutableSortedDictionary<string, long> SpendByDay,
    ImmutableSortedDictionary<string, ServedRequest> Served,
    ImmutableSortedDictionary<string, DayUse> Days,
    ImmutableSortedDictionary<string, Hold> Holds,
    DayWarning? DayWarning = null)
{
    /// <summary>By card.</summary>
    public ImmutableSortedDictionary<long, PastRuns> Past { get; init; } = ImmutableSortedDictionary<long, PastRuns>.Empty;

    public static BoardState Empty(string epoch) => new(
        epoch,
        0,
        1,
        1,
        ImmutableSortedDictionary<long, Card>.Empty,
        ImmutableSortedDictionary<long, Run>.Empty,
        ImmutableSortedDictionary<string, Decision>.Empty.WithComparers(StringComparer.Ordinal),
        Settings.Default,
        ImmutableSortedDictionary<string, long>.Empty.WithComparers(StringComparer.Ordinal),
        ImmutableSortedDictionary<string, ServedRequest>.Empty.WithComparers(StringComparer.Ordinal),
        ImmutableSortedDictionary<string, DayUse>.Empty.WithComparers(StringComparer.Ordinal),
        ImmutableSortedDictionary<string, Hold>.Empty.WithComparers(StringComparer.Ordinal));

    /// <summary>The run is in the journal alone.</summary>
    public bool IsPast(long runId) => !Runs.ContainsKey(runId) && Past.Values.Any(past => past.Ids.Contains(runId));

    /// <summary>The run that must come back before this input is decided; null when it names none that has left.</summary>
    public long? Recalls(Input input)
    {
        var named = input switch
        {
            Input.Request request when Served.TryGetValue(request.RequestId, out var served) => served.Outcome.Kind is OutcomeKind.Run or OutcomeKind.Message or OutcomeKind.Decision ? served.Outcome.Id : 0,
            Input.Stop stop => stop.RunId,
            Input.Reply reply => reply.RunId,
            Input.Resume resume => resume.RunId,
            Input.Discard discard => discard.RunId,
            Input.Comment comment => comment.RunId,
            Input.SubmitComments submit => submit.RunId,
            Input.Promote promote => promote.RunId,
            Input.Rewind rewind => rewind.RunId,
            Input.Restore restore => restore.RunId,
            Input.Free free => free.RunId,
            Input.Fork fork => fork.RunId,
            Input.MarkViewed viewed => viewed.RunId,
            Input.ResolveConflicts resolve => resolve.RunId,
            Input.Report report => report.RunId,
            _ => 0,
        };
        return named > 0 && IsPast(named) ? named : null;
    }

    public IEnumerable<Run> RunsOf(long cardId) => Runs.Values.Where(run => run.CardId == cardId);

    /// <summary>What the run's latest launch waits for. A question of an earlier launch waits for a person too, but no process waits with it.</summary>
    public IEnumerable<Decision> AwaitedBy(Run run) => OpenDecisionsOf(run.Id).Where(decision => decision.Launch == run.Launch);

    public IEnumerable<Decision> OpenDecisionsOf(long runId) => Decisions.Values.Where(decision => decision.RunId == runId && decision.State == DecisionState.Open);
}

/// <summary>Named limits of the core. Lengths are UTF-16 code units.</summary>
public static class Limits
{
    public const int TitleLengthMax = 500;
    /// <summary>As GitHub has it for issues.</summary>
    public const int BodyLengthMax = 65_536;

    /// <summary>Of all cards together, so that a whole board always fits into one message of the wire.</summary>
    public const int BodiesLengthMax = 8 << 20;
    public const int MessageLengthMax = 1 << 20;
    /// <summary>Of a model, an effort, a base: what names something to git or to an agent.</summary>
    public const int NameLengthMax = 250;
    public const int LabelsMax = 50;
    public const int LabelLengthMax = 100;
    public const int CardsMax = 10_000;
    public const int QueuedRunsMax = 1_000;
    public const int ParallelMax = 256;
    public const int NoticesMax = 20;

    /// <summary>Drafts on one run.</summary>
    public const int CommentsMax = 500;
    public const int CommentLengthMax = 10_000;
    public const int PathLengthMax = 4_096;

    /// <summary>Files that are chosen to land.</summary>
    public const int PathsMax = 10_000;

    /// <summary>Files of one run that are remembered as seen; the oldest marks go first.</summary>
    public const int ViewedMax = 5_000;

    /// <summary>How long what was discarded can be restored.</summary>
    public static TimeSpan TrashKept { get; } = TimeSpan.FromDays(30);

    /// <summary>Of one run, on the board; git keeps those before them until they are old.</summary>
    public const int CheckpointsMax = 500;
    public const int MessagesKeptMax = 1_000;

    /// <summary>Of one run, in micro-dollars: $10,000. More is a slip of the keys.</summary>
    public const long RunMicroUsdMax = 10_000_000_000;

    /// <summary>Of one day, in micro-dollars: $100,000.</summary>
    public const long DayMicroUsdMax = 100_000_000_000;
    /// <summary>Per cent of a budget at which it is said to be nearly used up.</summary>
    public const int WarnPercent = 80;
    public const int TurnsMax = 100_000;

    /// <summary>Of one run; what is used of more goes under one name.</summary>
    public const int ModelsPerRunMax = 20;
    public const int ModelLengthMax = 100;

    /// <summary>Of one run's work: a week.</summary>
    public const int MinutesMax = 7 * 24 * 60;
    /// <summary>A provider's longest limit is a week; what is said to last longer is a mistake, and the end is then not known.</summary>
    public static readonly TimeSpan HoldMax = TimeSpan.FromDays(8);

    /// <summary>The first pause before a provider is tried again that did not say until when.</summary>
    public static readonly TimeSpan HoldGuess = TimeSpan.FromMinutes(5);
    public static readonly TimeSpan HoldGuessMax = TimeSpan.FromMinutes(60);

    /// <summary>A limit that comes so long after the last one is another story, and its pause is the first again.</summary>
    public static readonly TimeSpan HoldForgottenAfter = TimeSpan.FromHours(1);

    /// <summary>However old they seem: a clock that was set forward must not make a wish count twice.</summary>
    public const int ServedRequestsKeptMin = 1_000;

    /// <summary>Ended runs that stay in memory beside the last one of each card: as many as travel with the board.</summary>
    public const int EndedRunsKept = 200;

    /// <summary>Requests whose outcome is found again: the oldest go first, also within the week.</summary>
    public const int ServedRequestsMax = 20_000;
    public static readonly TimeSpan ServedRequestsKept = TimeSpan.FromDays(7);
}
