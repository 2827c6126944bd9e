using System.Collections.Immutable;

namespace KanBots.Sidecar.Board;

/// <summary>Folds events into the state. Total: an event about something that is not there changes only the revision.</summary>
public static class Evolver
{
    public static BoardState Evolve(BoardState state, Event happened)
    {
        var next = Fold(state, happened);
        // A served request is bookkeeping that no board shows.
        return happened is Event.RequestServed ? next : next with { Revision = state.Revision + 1 };
    }

    public static BoardState EvolveAll(BoardState state, IEnumerable<Event> events) => events.Aggregate(state, Evolve);

    private static BoardState Fold(BoardState state, Event happened)
    {
        switch (happened)
        {
            case Event.CardCreated created:
                return state with { Cards = state.Cards.SetItem(created.Card.Id, created.Card), NextCardId = Math.Max(state.NextCardId, created.Card.Id + 1) };
            case Event.CardChanged changed:
                return state with { Cards = state.Cards.SetItem(changed.Card.Id, changed.Card) };
            case Event.CardDeleted deleted:
                return DeleteCard(state, deleted.CardId);
            case Event.SettingsChanged settings:
                return state with { Settings = settings.Settings, DayWarning = settings.Settings.DayBudgetMicroUsd == state.Settings.DayBudgetMicroUsd ? state.DayWarning : null };
            case Event.RequestServed served:
                return Serve(state, served);
            case Event.RunIdsSeen seen:
                return state with { NextRunId = Math.Max(state.NextRunId, seen.Highest + 1) };
            case Event.RunQueued queued:
                return state with { Runs = state.Runs.SetItem(queued.Run.Id, queued.Run), NextRunId = Math.Max(state.NextRunId, queued.Run.Id + 1) };
            case Event.PreparingStarted preparing:
                return With(state, preparing.RunId, run => run with { State = RunState.Preparing });
            case Event.BaseChosen chosen:
                return With(state, chosen.RunId, run => run with { BaseRef = chosen.BaseRef, BaseCommit = chosen.BaseCommit });
            case Event.WorktreePrepared prepared:
                return With(state, prepared.RunId, run => run with { WorktreePath = prepared.WorktreePath, BaseRef = prepared.BaseRef, BaseCommit = prepared.BaseCommit });
            case Event.LaunchOrdered ordered:
                return With(state, ordered.RunId, run => run with
                {
                    State = RunState.Running,
                    Launch = ordered.Launch,
                    LaunchLive = true,
                    StartedAt = run.StartedAt ?? ordered.At,
                    EndedAt = null,
                    Reason = null,
                    Outcome = null,
                    StopAsked = null,
                    InTurn = false,
                    InputClosed = false,
                    BackgroundTasks = 0,
                    LaunchedAt = ordered.At,
                    Warnings = run.Warnings.RemoveAll(warning => warning.Kind == Nearing.Minutes),
                });
            case Event.TurnBegan began:
                return With(state, began.RunId, run => run with { InTurn = true, Outcome = null, SessionKnown = true, SessionId = began.SessionId ?? run.SessionId, Model = began.Model ?? run.Model });
            case Event.TurnFinished finished:
                return OnDay(With(state, finished.RunId, run => run with { InTurn = false, Outcome = finished.Outcome, Turns = run.Turns + Math.Max(0, finished.NumTurns) }), finished.Day, Math.Max(0, finished.NumTurns), 0);
            case Event.CostAdded cost:
                return AddCost(state, cost);
            case Event.ModelsUsed used:
                return OnDay(With(state, used.RunId, run => run with { Models = used.Models.Aggregate(run.Models, Add), UnpricedTurns = run.UnpricedTurns + used.UnpricedTurns }), used.Day, 0, used.UnpricedTurns);
            case Event.CostEstimated estimate:
                return With(state, estimate.RunId, run => run with { EstimateMicroUsd = Math.Max(0, estimate.MicroUsd) });
            case Event.BudgetRaised raised:
                return With(state, raised.RunId, run => run with { Budget = raised.Budget, Warnings = run.Warnings.RemoveAll(warning => warning.Kind != Nearing.Minutes) });
            case Event.BudgetWarned warned:
                return With(state, warned.RunId, run => run with { Warnings = run.Warnings.Add(warned.Warning) });
            case Event.DayWarned warned:
                return state with { DayWarning = new DayWarning(warned.Day, warned.Warning) };
            case Event.HoldSet set:
                return state with { Holds = state.Holds.SetItem(set.Hold.Agent, set.Hold) };
            case Event.HoldLifted lifted:
                return state with { Holds = state.Holds.Remove(lifted.Agent) };
            case Event.DecisionOpened opened:
                return AfterDecision(state with { Decisions = state.Decisions.SetItem(opened.Decision.Id, opened.Decision) }, opened.Decision.RunId);
            case Event.DecisionClosed closed:
                return state.Decisions.TryGetValue(closed.DecisionId, out var decision)
                    ? AfterDecision(
                        state with
                        {
                            Decisions = state.Decisions.SetItem(decision.Id, decision with { State = closed.State, AnsweredAt = closed.At, AnsweredBy = closed.By, Verdict = closed.Verdict }),
                        },
                        decision.RunId)
                    : state;
            case Event.MessageAdded added:
                return With(state, added.RunId, run => run with { Messages = Keep(run.Messages.Add(added.Message)) });
            case Event.MessageDelivered delivered:
                return With(state, delivered.RunId, run => run with { InTurn = true, Outcome = null, Messages = Mark(run.Messages, message => message.Id == delivered.MessageId, MessageState.Delivered) });
            case Event.MessageTold told:
                return With(state, told.RunId, run => run with { Messages = Mark(run.Messages, message => message.Id == told.MessageId, MessageState.Told) });
            case Event.MessageDropped dropped:
                return With(state, dropped.RunId, run => run with { Messages = run.Messages.RemoveAll(message => message.Id == dropped.MessageId) });
            case Event.InputCloseOrdered close:
                return With(state, close.RunId, run => run with { InputClosed = true });
            case Event.InputKept kept:
                return With(state, kept.RunId, run => run with { InputClosed = false });
            case Event.SessionLost lost:
                return With(state, lost.RunId, run => run with { SessionKnown = false, SessionId = lost.NewSessionId, Messages = Mark(run.Messages, _ => true, MessageState.Waiting) });
            case Event.BackgroundTasksCounted counted:
                return With(state, counted.RunId, run => run with { BackgroundTasks = counted.Count });
            case Event.StopOrdered stop:
                return With(state, stop.RunId, run => run with { StopAsked = stop.By });
            case Event.LeftoversCounted left:
                return With(state, left.RunId, run => run with { LeftRunning = left.Count });
            case Event.WorktreeMoveOrdered ordered:
                return With(state, ordered.RunId, run => run with
                {
                    Moving = ordered.Move,
                    Moves = run.Moves + 1,
                    MoveFailure = null,
                    Discarded = ordered.Move == WorktreeMove.Free && run.Discarded is { } gone ? gone with { FreeBegun = true } : run.Discarded,
                });
            case Event.WorktreeMoveFailed failed:
                return With(state, failed.RunId, run => run with { Moving = WorktreeMove.None, MoveFailure = failed.Failure, Promoting = null, RewindingTo = null });
            case Event.CommentKept kept:
                return With(state, kept.RunId, run => run with { Comments = Keep(run.Comments, kept.Comment) });
            case Event.CommentDropped dropped:
                return With(state, dropped.RunId, run => run with { Comments = run.Comments.RemoveAll(comment => comment.Id == dropped.CommentId) });
            case Event.CommentsSent sent:
                return With(state, sent.RunId, run => run with { Comments = [] });
            case Event.RewindOrdered ordered:
                return With(state, ordered.RunId, run => run with { Moving = WorktreeMove.Rewind, Moves = run.Moves + 1, MoveFailure = null, RewindingTo = ordered.Checkpoint });
            case Event.RunRewound rewound:
                return With(state, rewound.RunId, run => run with { Moving = WorktreeMove.None, RewindingTo = null, DiffStat = rewound.DiffStat, Dirty = rewound.DiffStat.Files > 0 });
            case Event.PromoteOrdered ordered:
                return With(state, ordered.RunId, run => run with { Moving = WorktreeMove.Promote, Moves = run.Moves + 1, MoveFailure = null, Promoting = ordered.Order });
            case Event.RunPromoted promoted:
                return With(state, promoted.RunId, run => run with { State = RunState.Promoted, Moving = WorktreeMove.None, Promoting = null, Promoted = promoted.Promoted });
            case Event.RunDiscarded discarded:
                return With(state, discarded.RunId, run => run with { State = RunState.Discarded, Discarded = discarded.Discarded, Moving = WorktreeMove.None });
            case Event.RunRestored restored:
                return With(state, restored.RunId, run => run with { State = run.Discarded?.From ?? run.State, Discarded = null, Moving = WorktreeMove.None });
            case Event.RunFreed freed:
                return With(state, freed.RunId, run => run with { Moving = WorktreeMove.None, WorktreePath = "", Dirty = false, Discarded = run.Discarded is { } gone ? gone with { TrashPath = "", FreedAt = freed.At } : null });
            case Event.FilesViewed viewed:
                return With(state, viewed.RunId, run => run with { Viewed = Mark(run.Viewed, viewed) });
            case Event.CheckpointsPruned pruned:
                return With(state, pruned.RunId, run => run with { Checkpoints = run.Checkpoints.RemoveAll(mark => pruned.Checkpoints.Contains(mark.Id)) });
            case Event.CheckpointTaken taken:
                return With(state, taken.RunId, run => run with { Checkpoints = [.. run.Checkpoints.TakeLast(Limits.CheckpointsMax - 1), taken.Mark] });
            case Event.RunNoticed noticed:
                return With(state, noticed.RunId, run => run with { Notices = [.. run.Notices.Where(old => old.Kind != noticed.Notice.Kind).TakeLast(Limits.NoticesMax - 1), noticed.Notice] });
            case Event.RunArchived archived:
                return Archive(state, archived.Run.Id);
            case Event.RunRecalled recalled:
                return Recall(state, recalled);
            case Event.RunEnded ended:
                return With(Thin(state, ended.RunId), ended.RunId, run => run with
                {
                    WorkedMs = run.WorkedMs + (long)Math.Min(Nearing.WorkOf(state, run, ended.At).TotalMilliseconds, run.Budget.Minutes * 60_000d), // its host allows no more
                    State = ended.State,
                    Reason = ended.Reason,
                    Dirty = ended.Dirty,
                    DiffStat = ended.DiffStat ?? run.DiffStat,
                    LeftRunning = ended.LeftRunning,
                    EndedAt = ended.At,
                    LaunchLive = false,
                    StopAsked = null,
                    InTurn = false,
                    InputClosed = false,
                    Messages = Thin(Mark(run.Messages, message => message.State == MessageState.Told, MessageState.Lost)),
                });
            default:
                throw new InvalidOperationException($"The fold does not know {happened.GetType().Name}.");
        }
    }

    private static BoardState With(BoardState state, long runId, Func<Run, Run> change) =>
        state.Runs.TryGetValue(runId, out var run) ? state with { Runs = state.Runs.SetItem(runId, change(run)) } : state;

    /// <summary>A live run waits while a decision of its launch is open. A decision that outlived its process changes no state.</summary>
    private static BoardState AfterDecision(BoardState state, long runId) => With(state, runId, run => run.State switch
    {
        RunState.Running when state.AwaitedBy(run).Any() => run with { State = RunState.AwaitingDecision },
        RunState.AwaitingDecision when !state.AwaitedBy(run).Any() => run with { State = RunState.Running },
        _ => run,
    });

    private static BoardState AddCost(BoardState state, Event.CostAdded cost)
    {
        var day = state.SpendByDay.GetValueOrDefault(cost.Day);
        return With(state, cost.RunId, run => run with { ExactMicroUsd = run.ExactMicroUsd + cost.MicroUsd, EstimateMicroUsd = 0 }) with
        {
            SpendByDay = state.SpendByDay.SetItem(cost.Day, day + cost.MicroUsd),
        };
    }

    private static BoardState OnDay(BoardState state, string? day, int turns, int unpriced)
    {
        if (day is null)
        {
            return state; // written before days were counted
        }

        var use = state.Days.GetValueOrDefault(day) ?? new DayUse(0, 0);
        return state with { Days = state.Days.SetItem(day, new DayUse(use.Turns + turns, use.UnpricedTurns + unpriced)) };
    }

    private static ImmutableArray<ModelUse> Add(ImmutableArray<ModelUse> models, ModelUse used)
    {
        var name = used.Model.Length <= Limits.ModelLengthMax ? used.Model : used.Model[..Limits.ModelLengthMax];
        name = models.Length < Limits.ModelsPerRunMax || models.Any(model => model.Model == name) ? name : OtherModels;
        var at = models.Select(model => model.Model).ToList().IndexOf(name);
        return at < 0 ? models.Add(used with { Model = name }) : models.SetItem(at, models[at].Plus(used));
    }

    private const string OtherModels = "other models";

    private static BoardState DeleteCard(BoardState state, long cardId)
    {
        var runs = state.RunsOf(cardId).Select(run => run.Id).ToHashSet();
        return state with
        {
            Cards = state.Cards.Remove(cardId),
            Past = state.Past.Remove(cardId),
            Runs = state.Runs.RemoveRange(runs),
            Decisions = state.Decisions.RemoveRange(state.Decisions.Values.Where(decision => runs.Contains(decision.RunId)).Select(decision => decision.Id)),
        };
    }

    private static BoardState Serve(BoardState state, Event.RequestServed served)
    {
        if (state.Served.Count < Limits.ServedRequestsKeptMin)
        {
            return state with { Served = state.Served.SetItem(served.RequestId, new ServedRequest(served.Outcome, served.At)) };
        }

        var expired = state.Served.Where(entry => served.At - entry.Value.At > Limits.ServedRequestsKept).Select(entry => entry.Key);
        var kept = state.Served.RemoveRange(expired).SetItem(served.RequestId, new ServedRequest(served.Outcome, served.At));
        return state with { Served = kept.Count > Limits.ServedRequestsMax ? kept.Remove(kept.MinBy(entry => entry.Value.At).Key) : kept };
    }

    private static BoardState Archive(BoardState state, long runId)
    {
        if (!state.Runs.TryGetValue(runId, out var run))
        {
            return state;
        }

        var past = state.Past.GetValueOrDefault(run.CardId, PastRuns.None);
        return state with
        {
            Runs = state.Runs.Remove(runId),
            Decisions = state.Decisions.RemoveRange(state.Decisions.Values.Where(decision => decision.RunId == runId).Select(decision => decision.Id)),
            Past = state.Past.SetItem(run.CardId, past.With(run)),
        };
    }

    private static BoardState Recall(BoardState state, Event.RunRecalled recalled)
    {
        var run = recalled.Run;
        if (!state.Past.TryGetValue(run.CardId, out var past) || !past.Ids.Contains(run.Id) || state.Runs.ContainsKey(run.Id))
        {
            return state;
        }

        var left = past.Without(run);
        return state with
        {
            Runs = state.Runs.Add(run.Id, run),
            Decisions = state.Decisions.SetItems(recalled.Decisions.Select(decision => KeyValuePair.Create(decision.Id, decision))),
            Past = left.Ids.IsEmpty ? state.Past.Remove(run.CardId) : state.Past.SetItem(run.CardId, left),
        };
    }

    /// <summary>What a tool was to do is needed to answer its question, and not after it.</summary>
    private static BoardState Thin(BoardState state, long runId)
    {
        var closed = state.Decisions.Values.Where(decision => decision.RunId == runId && decision.State != DecisionState.Open && decision.ToolInput is not null).ToList();
        return closed.Count == 0 ? state : state with { Decisions = state.Decisions.SetItems(closed.Select(decision => KeyValuePair.Create(decision.Id, decision with { ToolInput = null }))) };
    }

    private static ImmutableArray<Message> Thin(ImmutableArray<Message> messages) =>
        [.. messages.Select(message => message.State == MessageState.Delivered && message.Text.Length > 0 ? message with { Text = "" } : message)];

    private static ImmutableArray<Message> Mark(ImmutableArray<Message> messages, Func<Message, bool> which, MessageState state) =>
        [.. messages.Select(message => which(message) && message.State != state ? message with { State = state } : message)];

    private static ImmutableArray<ViewedFile> Mark(ImmutableArray<ViewedFile> known, Event.FilesViewed marked)
    {
        var paths = marked.Files.Select(file => file.Path).ToHashSet(StringComparer.Ordinal);
        return [.. known.Where(file => !paths.Contains(file.Path)).Concat(marked.Viewed ? marked.Files : []).TakeLast(Limits.ViewedMax)];
    }

    private static ImmutableArray<ReviewComment> Keep(ImmutableArray<ReviewComment> comments, ReviewComment kept) =>
        comments.Select(comment => comment.Id).ToList().IndexOf(kept.Id) is var at and >= 0 ? comments.SetItem(at, kept) : comments.Add(kept);

    private static ImmutableArray<Message> Keep(ImmutableArray<Message> messages) =>
        messages.Length <= Limits.MessagesKeptMax ? messages : messages.RemoveRange(0, messages.Length - Limits.MessagesKeptMax);
}
