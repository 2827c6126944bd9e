using System.Globalization;
using System.Text.Json;
using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Tests.Board.Simulation;

/// <summary>What must hold after every step. Each has a name; its memory is its own, never the core's.</summary>
internal sealed class Invariants(World world)
{
    private readonly Dictionary<string, (Outcome Outcome, DateTimeOffset At)> _served = [];
    private readonly HashSet<long> _runIds = [];
    private readonly HashSet<string> _branches = [];
    private readonly HashSet<(string Decision, int Launch)> _verdicts = [];
    private readonly List<long> _queue = [];
    private readonly Dictionary<long, string> _left = []; // runs that left the memory, as they were
    private readonly Dictionary<long, int> _forgot = []; // the launch at which a run's conversation was lost
    private readonly HashSet<(long Run, string Kind)> _warned = [];
    private (string Day, long MicroUsd)? _dayWarned;
    private readonly Dictionary<string, DateTimeOffset> _held = [];
    private long _highestSeen;

    private static void Hold(bool holds, string invariant, FormattableString message)
    {
        if (!holds)
        {
            throw new Violation(invariant, FormattableString.Invariant(message));
        }
    }

    /// <summary>Before the decision is written anywhere: it may still be lost in a crash, but must be right.</summary>
    internal void Decided(Input input, Decided decided, DateTimeOffset now)
    {
        if (input is Input.Request request && _served.TryGetValue(request.RequestId, out var served) && now - served.At <= Limits.ServedRequestsKept)
        {
            Hold(decided.Events.IsEmpty && decided.Effects.IsEmpty, "request-repeated", $"{request.RequestId} was served, and repeated it caused {decided.Events.Length} events and {decided.Effects.Length} effects");
            Hold(decided.Outcome == served.Outcome, "request-repeated", $"{request.RequestId} had the outcome {served.Outcome} and now {decided.Outcome}");
        }

        Hold(decided.Refusal is null || (decided.Events.IsEmpty && decided.Effects.IsEmpty), "refusal-half-done", $"{input} was refused and caused something");
        Hold(decided.Refusal is null || (decided.Refusal.Kind.Length > 0 && decided.Refusal.Message.EndsWith('.')), "refusal-unsaid", $"the refusal {decided.Refusal} has no kind or no sentence");
    }

    /// <summary>After its events are in the journal.</summary>
    internal void Stepped(BoardState before, Input input, Decided decided, BoardState after, DateTimeOffset now)
    {
        if (input is Input.Recovered recovered)
        {
            _highestSeen = Math.Max(_highestSeen, recovered.HighestRunId);
        }

        if (input is Input.Request request && decided is { Refusal: null, Outcome: { } outcome } && !decided.Events.IsEmpty)
        {
            _served[request.RequestId] = (outcome, now);
        }

        Hold(after.Revision == before.Revision + decided.Events.Count(happened => happened is not Event.RequestServed), "revision", $"the revision went from {before.Revision} to {after.Revision} with {decided.Events.Length} events");
        Identity(before, input, after);
        Left(before, input, after);
        Held(before, input, decided, now);
        Queue(before, input, decided, after, now);
        DayMoney(before, input, decided, after, now);
        Warned(input, decided, after, now);
        Labels(before, input, decided, after);
        Others(before, input, decided, after);
        foreach (var effect in decided.Effects)
        {
            Ordered(input, effect, after);
        }
    }

    private static string Whole(BoardState state, Run run) => JsonSerializer.Serialize(new { run, decisions = state.Decisions.Values.Where(decision => decision.RunId == run.Id) });

    private static Dictionary<long, long> Costs(BoardState state) => state.Cards.Keys.ToDictionary(card => card, card => state.RunsOf(card).Sum(run => run.ExactMicroUsd) + state.Past.GetValueOrDefault(card, PastRuns.None).MicroUsd);

    /// <summary>What leaves the memory is over and waits for nobody; it comes back as it was, and no card loses money by it.</summary>
    private void Left(BoardState before, Input input, BoardState after)
    {
        if (input is not (Input.Archive or Input.Recalled))
        {
            return;
        }

        Hold(Costs(before).OrderBy(cost => cost.Key).SequenceEqual(Costs(after).OrderBy(cost => cost.Key)), "archive-lost", $"{input.GetType().Name} changed what a card costs");
        foreach (var run in before.Runs.Values.Where(run => !after.Runs.ContainsKey(run.Id)))
        {
            Hold(run.IsOver && run.Moving == WorktreeMove.None && run.LeftRunning == 0 && !before.OpenDecisionsOf(run.Id).Any(), "archive-lost", $"run {run.Id} left while it was {run.State}");
            Hold(before.RunsOf(run.CardId).Last().Id != run.Id, "archive-lost", $"run {run.Id} left, the last of its card");
            Hold(after.IsPast(run.Id), "archive-lost", $"run {run.Id} left and its card does not know");
            _left[run.Id] = Whole(before, run);
        }

        foreach (var run in after.Runs.Values.Where(run => !before.Runs.ContainsKey(run.Id)))
        {
            Hold(_left.GetValueOrDefault(run.Id) == Whole(after, run), "archive-lost", $"run {run.Id} left as {_left.GetValueOrDefault(run.Id)} and came back as {Whole(after, run)}");
        }
    }

    private void Identity(BoardState before, Input input, BoardState after)
    {
        foreach (var run in after.Runs.Values.Where(run => !before.Runs.ContainsKey(run.Id) && input is not Input.Recalled))
        {
            Hold(_runIds.Add(run.Id) && run.Id > _highestSeen, "worktree-clobber", $"run id {run.Id} was given twice");
            Hold(_branches.Add(run.Branch) && run.Branch == $"kanbots/issue-{run.CardNumber}-{run.Id}", "worktree-clobber", $"branch {run.Branch} was given twice");
        }

        foreach (var run in after.Runs.Values)
        {
            Hold(!before.Runs.TryGetValue(run.Id, out var was) || was.WorktreePath.Length == 0 || was.WorktreePath == run.WorktreePath || run is { WorktreePath: "", Discarded.FreedAt: not null }, "worktree-clobber", $"run {run.Id} changed its worktree to {run.WorktreePath}");
        }
    }

    /// <summary>Spent on the day, with what is under way.</summary>
    private static long Spent(BoardState state, DateTimeOffset now) => state.SpendByDay.GetValueOrDefault(now.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)) + state.Runs.Values.Sum(run => run.EstimateMicroUsd);

    private static long Left(Run run) => run.Budget.MicroUsd - run.ExactMicroUsd - run.EstimateMicroUsd;

    /// <summary>The spend of a day stays within its budget, but for one model call of each live run: nothing starts for which the day has no
    /// money left that is not promised already, and what reports beyond it reports no second time.</summary>
    private static void DayMoney(BoardState before, Input input, Decided decided, BoardState after, DateTimeOffset now)
    {
        var (spent, day) = (Spent(after, now), after.Settings.DayBudgetMicroUsd);
        var promised = after.Runs.Values.Where(run => run.IsLive).Sum(run => Math.Max(0, Left(run)));
        var started = after.Runs.Values.FirstOrDefault(run => run.IsLive && !(before.Runs.TryGetValue(run.Id, out var was) && was.IsLive));
        Hold(started is null || spent + promised <= day, "day-overcommitted", $"run {started?.Id} started with {spent} spent and {promised} promised of {day}");
        if (input is Input.CostAdded or Input.CostEstimated && !decided.Events.IsEmpty)
        {
            var run = after.Runs.GetValueOrDefault(((Input.Report)input).RunId); // none when its card was deleted before the bill came
            Hold(!(run is { IsLive: true, LaunchLive: true, StopAsked: null }) || spent < day, "day-runaway", $"run {run?.Id} goes on after its report with {spent} of the day's {day} spent");
        }
    }

    private bool IsHeld(Run run, DateTimeOffset now) => _held.GetValueOrDefault(run.Agent) > now;

    /// <summary>A limit of a provider holds its queue until it said, or for a bounded while, and it is never forgotten before.</summary>
    private void Held(BoardState before, Input input, Decided decided, DateTimeOffset now)
    {
        foreach (var happened in decided.Events)
        {
            if (happened is Event.HoldSet { Hold: var hold })
            {
                var limited = input as Input.RateLimited;
                var said = limited?.Until is { } until && until > now ? until : (DateTimeOffset?)null;
                Hold(limited is not null && (said is { } at ? hold.Until == at : hold.Until - now is var pause && pause >= TimeSpan.FromMinutes(5) && pause <= TimeSpan.FromHours(1)), "hold-wrong", $"{input} holds {hold.Agent} until {hold.Until}");
                _held[hold.Agent] = hold.Until;
            }
            else if (happened is Event.HoldLifted lifted)
            {
                Hold(input is Input.RateAllowed || _held.GetValueOrDefault(lifted.Agent) <= now, "hold-wrong", $"{input} lifts the hold of {lifted.Agent}");
                _ = _held.Remove(lifted.Agent);
            }
        }

        if (input is Input.RateLimited one && before.Runs.TryGetValue(one.RunId, out var run) && run is { IsLive: true, LaunchLive: true } && run.Launch == one.Launch)
        {
            Hold(IsHeld(run, now), "hold-wrong", $"{run.Agent} was limited and is not held");
        }
    }

    private static bool IsNear(long used, long budget) => used < budget && used * 5 >= budget * 4;

    /// <summary>What is nearly used up is said, once for each crossing, and neither before nor when it is too late.</summary>
    private void Warned(Input input, Decided decided, BoardState after, DateTimeOffset now)
    {
        var today = now.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        foreach (var happened in decided.Events)
        {
            switch (happened)
            {
                case Event.BudgetWarned warned:
                    var run = after.Runs[warned.RunId];
                    Hold(_warned.Add((warned.RunId, warned.Warning.Kind)), "warned-twice", $"run {run.Id} was warned of its {warned.Warning.Kind} a second time");
                    var near = warned.Warning.Kind switch
                    {
                        "money" => IsNear(run.ExactMicroUsd + run.EstimateMicroUsd, run.Budget.MicroUsd),
                        "turns" => IsNear(run.Turns, run.Budget.Turns),
                        _ => (now - run.LaunchedAt!.Value).TotalMinutes * 5 >= run.Budget.Minutes * 4,
                    };
                    Hold(near, "warned-wrongly", $"run {run.Id} was warned of its {warned.Warning.Kind}: {warned.Warning.Message}");
                    break;
                case Event.BudgetRaised raised:
                    _ = _warned.RemoveWhere(warned => warned.Run == raised.RunId && warned.Kind != "minutes");
                    break;
                case Event.LaunchOrdered ordered:
                    _ = _warned.Remove((ordered.RunId, "minutes"));
                    break;
                case Event.SettingsChanged changed when changed.Settings.DayBudgetMicroUsd != _dayWarned?.MicroUsd:
                    _dayWarned = null;
                    break;
                case Event.DayWarned warned:
                    Hold(_dayWarned?.Day != warned.Day, "warned-twice", $"the day {warned.Day} was warned of a second time");
                    Hold(warned.Day == today && IsNear(Spent(after, now), after.Settings.DayBudgetMicroUsd), "warned-wrongly", $"the day was warned of: {warned.Warning.Message}");
                    _dayWarned = (warned.Day, after.Settings.DayBudgetMicroUsd);
                    break;
            }
        }

        if (!decided.Events.IsEmpty)
        {
            Hold(_dayWarned?.Day == today || !IsNear(Spent(after, now), after.Settings.DayBudgetMicroUsd), "unwarned", $"{Spent(after, now)} of the day's {after.Settings.DayBudgetMicroUsd} is spent and nobody was told");
            foreach (var run in after.Runs.Values.Where(run => run is { IsLive: true, LaunchLive: true, StopAsked: null } && (input as Input.Report)?.RunId == run.Id))
            {
                Hold(_warned.Contains((run.Id, "money")) || !IsNear(run.CostMicroUsd, run.Budget.MicroUsd), "unwarned", $"run {run.Id} has spent {run.CostMicroUsd} of {run.Budget.MicroUsd} and nobody was told");
                Hold(_warned.Contains((run.Id, "turns")) || !IsNear(run.Turns, run.Budget.Turns), "unwarned", $"run {run.Id} has used {run.Turns} of {run.Budget.Turns} turns and nobody was told");
            }
        }

        foreach (var run in after.Runs.Values.Where(run => input is Input.Tick && run is { IsLive: true, LaunchLive: true, StopAsked: null }))
        {
            var asked = after.Decisions.Values.Any(decision => decision.RunId == run.Id && decision.Launch == run.Launch);
            Hold(asked || _warned.Contains((run.Id, "minutes")) || !IsNear((long)(now - run.LaunchedAt!.Value).TotalMinutes, run.Budget.Minutes), "unwarned", $"run {run.Id} has worked since {run.LaunchedAt} of its {run.Budget.Minutes} minutes and nobody was told");
        }
    }

    private void Queue(BoardState before, Input input, Decided decided, BoardState after, DateTimeOffset now)
    {
        var unspent = after.Settings.DayBudgetMicroUsd - Spent(after, now);
        foreach (var happened in decided.Events)
        {
            switch (happened)
            {
                case Event.RunQueued queued:
                    _queue.Add(queued.Run.Id);
                    break;
                case Event.PreparingStarted or Event.LaunchOrdered:
                    var id = happened is Event.PreparingStarted preparing ? preparing.RunId : ((Event.LaunchOrdered)happened).RunId;
                    if (_queue.Contains(id))
                    {
                        Hold(!IsHeld(after.Runs[id], now), "held-started", $"run {id} started while {after.Runs[id].Agent} is held until {_held.GetValueOrDefault(after.Runs[id].Agent)}");
                        // Only what the day cannot pay in any case, or what its provider holds, is overtaken.
                        var longer = _queue.TakeWhile(other => other != id).FirstOrDefault(other => Left(after.Runs[other]) <= unspent && !IsHeld(after.Runs[other], now));
                        Hold(longer == 0, "queue-order", $"run {id} started while run {longer} had waited longer");
                        _ = _queue.Remove(id);
                    }

                    break;
                case Event.RunEnded ended:
                    _ = _queue.Remove(ended.RunId);
                    break;
                case Event.SessionLost lost:
                    _forgot[lost.RunId] = after.Runs[lost.RunId].Launch;
                    break;
            }
        }

        var started = after.Runs.Values.Where(run => run.IsLive && !(before.Runs.TryGetValue(run.Id, out var was) && was.IsLive)).ToList();
        var live = after.Runs.Values.Count(run => run.IsLive);
        Hold(started.Count == 0 || live <= after.Settings.MaxParallel, "parallel-limit", $"{live} runs live with a limit of {after.Settings.MaxParallel} after run {started.FirstOrDefault()?.Id} started");
        var next = _queue.FirstOrDefault(id => after.Runs.TryGetValue(id, out var run) && Left(run) <= unspent && !IsHeld(run, now));
        var free = unspent - after.Runs.Values.Where(run => run.IsLive).Sum(run => Math.Max(0, Left(run)));
        // Time alone can free money, at midnight; whoever is refused or only asks again moves nothing.
        var moves = decided.Refusal is null && !(input is Input.Request && decided.Events.IsEmpty);
        Hold(!moves || next == 0 || live >= after.Settings.MaxParallel || Left(after.Runs[next]) > free, "queue-stuck", $"run {next} waits while {live} of {after.Settings.MaxParallel} run and {free} is free");
        Hold(after.Runs.Values.Where(run => run.State == RunState.Queued).Select(run => run.Id).Order().SequenceEqual(_queue.Order()), "queue-order", $"the queue is not what was queued and has not started");
    }

    /// <summary>A column changes by a person, or as a documented step of a run of the card.</summary>
    private static void Labels(BoardState before, Input input, Decided decided, BoardState after)
    {
        var stepped = new Dictionary<long, Column>();
        var queued = before.Runs.Values.Where(run => run.State == RunState.Queued).Select(run => run.Id).ToHashSet();
        foreach (var happened in decided.Events)
        {
            switch (happened)
            {
                case Event.RunQueued one:
                    _ = queued.Add(one.Run.Id);
                    break;
                case Event.PreparingStarted one when queued.Remove(one.RunId):
                    stepped[after.Runs[one.RunId].CardId] = Column.InProgress;
                    break;
                case Event.LaunchOrdered one when queued.Remove(one.RunId):
                    stepped[after.Runs[one.RunId].CardId] = Column.InProgress;
                    break;
                case Event.RunPromoted one:
                    stepped[after.Runs[one.RunId].CardId] = Column.Done;
                    break;
                case Event.RunEnded { State: RunState.InReview } one when input is not Input.WorktreeSeen: // which says anew of an ended run how it is
                    stepped[after.Runs[one.RunId].CardId] = Column.Review;
                    break;
            }
        }

        foreach (var card in after.Cards.Values)
        {
            var expected = stepped.TryGetValue(card.Id, out var step) ? step
                : input is Input.MoveCard move && move.CardId == card.Id && !decided.Events.IsEmpty ? move.Column
                : before.Cards.TryGetValue(card.Id, out var was) ? was.Column
                : card.Column;
            Hold(card.Column == expected, "label-drift", $"card {card.Id} is in {card.Column}, and {expected} is where {input.GetType().Name} leaves it");
        }
    }

    /// <summary>An input about one run changes no other, except that the queue moves up.</summary>
    private static void Others(BoardState before, Input input, Decided decided, BoardState after)
    {
        long? about = input switch
        {
            Input.Report report => report.RunId,
            Input.Stop stop => stop.RunId,
            Input.Reply reply => reply.RunId,
            Input.Resume resume => resume.RunId,
            Input.Discard discard => discard.RunId,
            Input.Promote promote => promote.RunId,
            Input.Rewind rewind => rewind.RunId,
            Input.Comment comment => comment.RunId,
            Input.SubmitComments submit => submit.RunId,
            Input.Restore restore => restore.RunId,
            Input.Free free => free.RunId,
            Input.Fork => after.NextRunId - 1,
            Input.MarkViewed viewed => viewed.RunId,
            Input.ResolveConflicts resolve => resolve.RunId,
            Input.Recalled recalled => recalled.Run.Id,
            Input.Decide decide => before.Decisions.GetValueOrDefault(decide.DecisionId)?.RunId ?? 0,
            Input.Recovered or Input.Tick => null,
            _ => 0,
        };
        if (about is null)
        {
            return;
        }

        var started = decided.Events.Select(happened => happened switch { Event.PreparingStarted one => one.RunId, Event.LaunchOrdered one => one.RunId, _ => 0 }).ToHashSet();
        foreach (var run in before.Runs.Values.Where(run => run.Id != about))
        {
            Hold(!after.Runs.TryGetValue(run.Id, out var now) || ReferenceEquals(run, now) || (run.State == RunState.Queued && started.Contains(run.Id)), "other-run-changed", $"{input.GetType().Name} about run {about} changed run {run.Id}");
        }

        foreach (var decision in after.Decisions.Values)
        {
            Hold(after.Runs.ContainsKey(decision.RunId), "decision-orphaned", $"decision {decision.Id} belongs to run {decision.RunId}, which is not there");
            Hold(decision.RunId == about || (before.Decisions.TryGetValue(decision.Id, out var was) && ReferenceEquals(was, decision)), "other-run-changed", $"{input.GetType().Name} about run {about} changed decision {decision.Id} of run {decision.RunId}");
        }
    }

    private void Ordered(Input input, Effect effect, BoardState after)
    {
        var (runId, number) = About(effect);
        Hold(after.Runs.TryGetValue(runId, out var run), "effect-about-nothing", $"{effect.GetType().Name} is about run {runId}, which is not there");
        Hold(number is null || (number == run!.Launch && run.LaunchLive), "effect-about-nothing", $"{effect.GetType().Name} is about launch {number} of run {runId}, whose launch is {run!.Launch}, live: {run.LaunchLive}");
        var launch = number is { } at ? world.Launches.GetValueOrDefault((runId, at)) : null;
        switch (effect)
        {
            case Effect.SendVerdict verdict:
                Hold(_verdicts.Add((verdict.DecisionId, verdict.Launch)) || input is Input.Recovered, "verdict-twice", $"the answer to {verdict.DecisionId} was sent twice");
                Hold(after.Decisions[verdict.DecisionId].Launch == verdict.Launch, "verdict-astray", $"the answer to {verdict.DecisionId} went to launch {verdict.Launch}");
                _ = launch?.Said.Pending.Remove(after.Decisions[verdict.DecisionId].AgentRequestId!);
                break;
            case Effect.StartLaunch start:
                foreach (var message in start.Messages)
                {
                    Unread(runId, start.Launch, message.Id);
                }

                break;
            case Effect.SendMessage message:
                Unread(runId, message.Launch, message.Message.Id);
                _ = launch?.Said.Told.Add(message.Message.Id);
                break;
            case Effect.CloseInput when launch is { CloseAsked: false }:
                var said = launch.Said;
                Hold(said is { HasResult: true, InTurn: false, Tasks: 0, Pending.Count: 0 } && said.Told.IsSubsetOf(said.Echoed), "closed-while-busy", $"the input of launch {number} of run {runId} was closed: result {said.HasResult}, in turn {said.InTurn}, {said.Tasks} tasks, {said.Pending.Count} questions, {said.Told.Except(said.Echoed).Count()} messages under way");
                break;
        }
    }

    /// <summary>What one launch has read is not told to another, unless the conversation itself was lost.</summary>
    private void Unread(long runId, int number, string messageId)
    {
        var reader = world.Launches.Values.FirstOrDefault(launch => launch.RunId == runId && launch.Number < number && launch.Number > _forgot.GetValueOrDefault(runId) && launch.Read.Contains(messageId));
        Hold(reader is null, "message-resent", $"{messageId} was read by launch {reader?.Number} of run {runId} and is told to launch {number}");
    }

    /// <summary>The run that an effect is about, and the launch, where it is about one.</summary>
    internal static (long Run, int? Launch) About(Effect effect) => effect switch
    {
        Effect.StartLaunch one => (one.RunId, one.Launch),
        Effect.SendMessage one => (one.RunId, one.Launch),
        Effect.SendVerdict one => (one.RunId, one.Launch),
        Effect.StopLaunch one => (one.RunId, one.Launch),
        Effect.CloseInput one => (one.RunId, one.Launch),
        Effect.KeepInput one => (one.RunId, one.Launch),
        Effect.SetWaiting one => (one.RunId, one.Launch),
        Effect.Prepare one => (one.RunId, null),
        Effect.EndLeftovers one => (one.RunId, null),
        Effect.TakeCheckpoint one => (one.RunId, null),
        Effect.Discard one => (one.RunId, null),
        Effect.Promote one => (one.RunId, null),
        Effect.Rewind one => (one.RunId, null),
        Effect.Restore one => (one.RunId, null),
        Effect.Free one => (one.RunId, null),
        _ => throw new InvalidOperationException($"The invariants do not know {effect.GetType().Name}."),
    };

    /// <summary>Between steps, with serve alive and every effect carried out: what is said of the world is so.</summary>
    internal void Settled(BoardState state)
    {
        foreach (var run in state.Runs.Values)
        {
            Hold(run.State == RunState.Discarded == (run.Discarded is not null), "state-drift", $"run {run.Id} is {run.State} and was {(run.Discarded is null ? "not " : "")}discarded");
            Hold(run.State != RunState.Discarded || run.Discarded!.TrashPath.Length == 0 || world.Trash.ContainsKey(run.Id) || run.Discarded.FreeBegun || run.Moving == WorktreeMove.Restore, "work-lost", $"run {run.Id} is discarded and its worktree is not in the trash");
            Hold(run.State == RunState.Discarded || run.Moving == WorktreeMove.Discard || !world.Trash.ContainsKey(run.Id), "work-lost", $"run {run.Id} is {run.State} and its worktree is in the trash");
            Hold(run.Discarded?.FreedAt is null || world.Freed.Contains(run.Id), "work-lost", $"run {run.Id} is said to be deleted for good, and nobody has");
            Hold(!world.Freed.Contains(run.Id) || run.Discarded is not null, "work-lost", $"run {run.Id} is {run.State} and what it left was deleted");
            Hold(run.IsLive || !run.LaunchLive, "launch-live-when-over", $"run {run.Id} is {run.State} with a live launch");
            Hold(run.Messages.DistinctBy(message => message.Id).Count() == run.Messages.Length, "message-twice", $"run {run.Id} has one message twice");
            Hold(run.Messages.All(message => message.State != MessageState.Delivered || world.Launches.Values.Any(launch => launch.RunId == run.Id && launch.Read.Contains(message.Id))), "delivered-unread", $"run {run.Id} says that a message was delivered, and no agent has read it");
            Hold(run.State == RunState.AwaitingDecision == (run.IsLive && run.LaunchLive && state.OpenDecisionsOf(run.Id).Any(decision => decision.Launch == run.Launch)), "state-drift", $"run {run.Id} is {run.State} while launch {run.Launch} has {state.OpenDecisionsOf(run.Id).Count(decision => decision.Launch == run.Launch)} open questions");
            Hold(run.ExactMicroUsd == world.Billed.GetValueOrDefault(run.Id), "cost-differs", $"run {run.Id} says {run.ExactMicroUsd} and was billed {world.Billed.GetValueOrDefault(run.Id)}");
            Hold((run.Models.Sum(model => model.MicroUsd), run.Models.Sum(model => model.InputTokens), run.UnpricedTurns) == world.Used.GetValueOrDefault(run.Id), "usage-differs", $"run {run.Id} says {run.Models.Length} models that cost {run.Models.Sum(model => model.MicroUsd)} with {run.UnpricedTurns} turns unpriced, and was told {world.Used.GetValueOrDefault(run.Id)}");
            Hold(run.Models.Length <= Limits.ModelsPerRunMax + 1, "unbounded", $"run {run.Id} has {run.Models.Length} models");
            Hold(!(run.IsLive && run.LaunchLive && run.StopAsked is null) || (run.CostMicroUsd < run.Budget.MicroUsd && run.Turns < run.Budget.Turns), "cost-runaway", $"run {run.Id} goes on at {run.CostMicroUsd} of {run.Budget.MicroUsd} and {run.Turns} of {run.Budget.Turns} turns");
            Hold(run.Notices.Length <= Limits.NoticesMax && run.Notices.Select(notice => notice.Kind).Distinct().Count() == run.Notices.Length, "notices-bounded", $"run {run.Id} has {run.Notices.Length} notices, or two of one kind");
            var within = run.CostMicroUsd < run.Budget.MicroUsd && run.Turns < run.Budget.Turns;
            var asked = state.Decisions.Values.Any(decision => decision.RunId == run.Id && decision.Kind == DecisionKind.Budget && (decision.State == DecisionState.Open || decision.Verdict is { Allow: false }));
            Hold(!run.IsOver || run.State is RunState.InReview or RunState.Finished or RunState.Discarded or RunState.Promoted || within || asked, "budget-unasked", $"run {run.Id} is over its budget and nobody was asked for more");
        }

        var runs = state.Runs.Values.Sum(run => run.ExactMicroUsd) + state.Past.Values.Sum(past => past.MicroUsd);
        var days = state.SpendByDay.Values.Sum();
        var bills = world.Billed.Values.Sum();
        var deleted = world.Billed.Where(bill => !state.Runs.ContainsKey(bill.Key) && !state.IsPast(bill.Key)).Sum(bill => bill.Value); // with their cards; their days keep it
        Hold(days == bills && runs == bills - deleted, "cost-differs", $"the runs sum to {runs}, the days to {days}, the bills to {bills}, {deleted} of them of deleted runs");
        foreach (var launch in world.Launches.Values.Where(launch => launch.Lives))
        {
            var run = state.Runs.GetValueOrDefault(launch.RunId);
            Hold(run is not { LaunchLive: true } || run.Launch == launch.Number, "two-in-one-worktree", $"launch {launch.Number} of run {launch.RunId} lives, and launch {run?.Launch} was ordered into its worktree");
            Hold(run is { LaunchLive: true }, "said-over-but-lives", $"launch {launch.Number} of run {launch.RunId} lives, and the board says {run?.State.ToString() ?? "nothing"} of launch {run?.Launch}");
            Hold(run!.StopAsked is null || launch.StopOrdered, "stop-forgotten", $"run {run.Id} is said to be stopping, and launch {launch.Number} was never told");
            Hold(run.StopAsked is not null || launch.Waiting == state.OpenDecisionsOf(run.Id).Any(decision => decision.Launch == run.Launch && decision.AgentRequestId is not null), "waiting-unsaid", $"the host of run {run.Id} counts {(launch.Waiting ? "waiting" : "work")}, the board says {run.State}");
        }

        // A host that is on its way counts as a process, since nobody can call it back.
        foreach (var launch in world.Launches.Values.Where(launch => launch is { HostDelay: >= 0, Claimed: false }))
        {
            var run = state.Runs.GetValueOrDefault(launch.RunId);
            Hold(run is not { LaunchLive: true } || run.Launch == launch.Number, "two-in-one-worktree", $"launch {launch.Number} of run {launch.RunId} is about to start, and launch {run?.Launch} was ordered into its worktree");
            Hold(run is { LaunchLive: true }, "said-over-but-lives", $"launch {launch.Number} of run {launch.RunId} is about to start, and the board knows nothing of it");
        }
    }

    /// <summary>The journal is the state.</summary>
    internal static void Replayed(BoardState live, BoardState replayed)
    {
        var (one, other) = (Text(live), Text(replayed));
        var at = one.Zip(other).TakeWhile(pair => pair.First == pair.Second).Count();
        Hold(one == other, "replay-differs", $"the journal says …{Around(other, at)}… where the live state said …{Around(one, at)}…");
    }

    private static string Around(string text, int at) => text.Substring(Math.Max(0, at - 60), Math.Min(160, text.Length - Math.Max(0, at - 60)));

    private static string Text(BoardState state) => JsonSerializer.Serialize(new
    {
        state.Revision,
        state.NextCardId,
        state.NextRunId,
        Cards = state.Cards.Values,
        Runs = state.Runs.Values,
        Decisions = state.Decisions.Values.OrderBy(decision => decision.Id, StringComparer.Ordinal),
        state.Settings,
        state.SpendByDay,
        state.Days,
        Holds = state.Holds.Values,
        state.DayWarning,
        state.Past,
        Served = state.Served.OrderBy(served => served.Key, StringComparer.Ordinal),
    });
}
