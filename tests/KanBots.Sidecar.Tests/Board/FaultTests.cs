using System.Collections.Immutable;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Tests.Board.Simulation;
using Xunit.Abstractions;

namespace KanBots.Sidecar.Tests.Board;

/// <summary>The simulator is worth what it catches: each core here has one deliberate fault, and the invariants of which
/// each must name it within the usual seeds, and one of which must be the first to do so.</summary>
public sealed class FaultTests(ITestOutputHelper output)
{
    private static readonly Dictionary<string, (Core Core, string[] Invariants)> Faults = new()
    {
        ["forgets to order a stop"] = (Change((_, _, decided) => Effects(decided, effect => effect is Effect.StopLaunch ? [] : [effect])), ["stop-forgotten"]),
        ["recovery forgets that a stop was ordered"] = (Change((_, input, decided) => Effects(decided, effect => input is Input.Recovered && effect is Effect.StopLaunch ? [] : [effect])), ["stop-forgotten"]),
        ["recovery does not prepare again what git never finished"] = (Change((_, input, decided) => Effects(decided, effect => input is Input.Recovered && effect is Effect.Prepare ? [] : [effect])), ["liveness"]),
        ["does not start the next when one has ended"] = (Change((_, input, decided) => input is Input.LaunchEnded ? Before<Event.PreparingStarted>(decided) : decided), ["queue-stuck"]),
        ["takes what was told for delivered"] = (Change((_, _, decided) => Events(decided, happened => happened is Event.MessageTold told ? [told, new Event.MessageDelivered(told.RunId, told.MessageId)] : [happened])), ["delivered-unread"]),
        ["does not know a request again"] = (See((state, input) => (state with { Served = state.Served.Clear() }, input)), ["request-repeated"]),
        ["orders the same launch twice"] = (Change((_, input, decided) => Effects(decided, effect => input is Input.Prepared && effect is Effect.StartLaunch ? [effect, effect] : [effect])), ["launch-ordered-twice"]),
        ["recovery starts anew what is alive"] = (See((state, input) => (state, input is Input.Recovered seen ? seen with { Launches = [.. seen.Launches.Select(launch => launch with { Kind = ObservedKind.NeverStarted })] } : input)), ["two-in-one-worktree", "message-resent", "said-over-but-lives", "cost-differs"]),
        ["takes the end of an earlier launch for the present one's"] = (See((state, input) => (state, input is Input.LaunchEnded ended && state.Runs.TryGetValue(ended.RunId, out var run) ? ended with { Launch = run.Launch } : input)), ["said-over-but-lives", "cost-differs"]),
        ["says stopped and stops nothing"] = (Change((_, input, decided) => input is Input.Stop stop && decided.Events.Any(happened => happened is Event.StopOrdered) ? decided with { Events = decided.Events.Add(new Event.RunEnded(stop.RunId, RunState.Stopped, null, false, null, 0, DateTimeOffset.UnixEpoch)), Effects = [] } : decided), ["said-over-but-lives", "queue-stuck"]),
        ["does not look at the budget"] = (See((state, input) => (input is Input.CostAdded or Input.CostEstimated or Input.TurnEnded ? Rich(state) : state, input)), ["cost-runaway", "unwarned"]),
        ["does not look at the day's budget in mid-turn"] = (Change((_, _, decided) => decided.Events.Any(happened => happened is Event.StopOrdered { By: "dayBudget" }) ? Effects(Events(decided, happened => happened is Event.StopOrdered ? [] : [happened]), effect => effect is Effect.StopLaunch ? [] : [effect]) : decided), ["day-runaway"]),
        ["reserves nothing for what is live"] = (See((state, input) => (input is Input.CostAdded or Input.CostEstimated ? state : Endless(state), input)), ["day-overcommitted"]),
        ["warns at every report"] = (See((state, input) => (state with { DayWarning = null, Runs = state.Runs.SetItems(state.Runs.Values.Select(run => KeyValuePair.Create(run.Id, run with { Warnings = [] }))) }, input)), ["warned-twice"]),
        ["does not warn"] = (Change((_, _, decided) => Events(decided, happened => happened is Event.BudgetWarned or Event.DayWarned ? [] : [happened])), ["unwarned"]),
        ["counts a model twice"] = (Change((_, _, decided) => Events(decided, happened => happened is Event.ModelsUsed ? [happened, happened] : [happened])), ["usage-differs"]),
        ["starts what its provider holds"] = (See((state, input) => (input is Input.RateLimited ? state : state with { Holds = state.Holds.Clear() }, input)), ["held-started"]),
        ["a run that leaves the memory takes its cost with it"] = (Fold((_, happened, next) => happened is Event.RunArchived archived && next.Past.GetValueOrDefault(archived.Run.CardId) is { } past ? next with { Past = next.Past.SetItem(archived.Run.CardId, past with { MicroUsd = 0 }) } : next), ["archive-lost"]),
        ["a run comes back without its questions"] = (Fold((_, happened, next) => happened is Event.RunRecalled recalled ? next with { Decisions = next.Decisions.RemoveRange(recalled.Decisions.Select(decision => decision.Id)) } : next), ["archive-lost"]),
        ["counts a cost twice"] = (Change((_, _, decided) => Events(decided, happened => happened is Event.CostAdded ? [happened, happened] : [happened])), ["cost-differs"]),
        ["loses the bill of a deleted card"] = (Change((state, input, decided) => input is Input.CostAdded cost && !state.Runs.ContainsKey(cost.RunId) ? Events(decided, _ => []) : decided), ["cost-differs"]),
        ["an ended run keeps its launch"] = (Fold((state, happened, next) => happened is Event.RunEnded ended && state.Runs.TryGetValue(ended.RunId, out var run) ? next with { Runs = next.Runs.SetItem(run.Id, next.Runs[run.Id] with { LaunchLive = run.LaunchLive }) } : next), ["launch-live-when-over"]),
        ["the last in the queue starts first"] = (See((state, input) => (input is Input.Archive ? state : state with { Runs = state.Runs.SetItems(state.Runs.Values.Select(run => KeyValuePair.Create(run.Id, run with { QueuedAt = DateTimeOffset.UnixEpoch.AddYears(100) - (run.QueuedAt - DateTimeOffset.UnixEpoch) }))) }, input)), ["queue-order"]),
        ["a lowered limit counts for nothing"] = (See((state, input) => (state with { Settings = state.Settings with { MaxParallel = Math.Max(4, state.Settings.MaxParallel) } }, input)), ["parallel-limit"]),
        ["a question pauses every run"] = (Fold((_, happened, next) => happened is Event.DecisionOpened ? next with { Runs = next.Runs.SetItems(next.Runs.Values.Where(run => run.State == RunState.Running).Select(run => KeyValuePair.Create(run.Id, run with { State = RunState.AwaitingDecision }))) } : next), ["other-run-changed"]),
        ["sends an answer twice"] = (Change((_, _, decided) => Effects(decided, effect => effect is Effect.SendVerdict ? [effect, effect] : [effect])), ["verdict-twice"]),
        ["does not tell the host that the waiting is over"] = (Change((_, _, decided) => Effects(decided, effect => effect is Effect.SetWaiting { Waiting: false } ? [] : [effect])), ["waiting-unsaid"]),
        ["closes the input under background tasks"] = (See((state, input) => (input is Input.TurnEnded ? state with { Runs = state.Runs.SetItems(state.Runs.Values.Select(run => KeyValuePair.Create(run.Id, run with { BackgroundTasks = 0 }))) } : state, input)), ["closed-while-busy"]),
        ["never closes the input"] = (Change((_, _, decided) => Effects(decided, effect => effect is Effect.CloseInput ? [] : [effect])), ["kept-open-for-nothing"]),
        ["moves the card back at every turn"] = (Change((state, input, decided) => input is Input.TurnStarted turn && state.Runs.TryGetValue(turn.RunId, out var run) && state.Cards.TryGetValue(run.CardId, out var card) ? decided with { Events = decided.Events.Add(new Event.CardChanged(card with { Column = Column.InProgress })) } : decided), ["label-drift"]),
        ["forgets which run ids lie in git"] = (See((state, input) => (state, input is Input.Recovered seen ? seen with { HighestRunId = 0 } : input)), ["worktree-clobber"]),
        ["a launch keeps something that is not journaled"] = (Unjournaled(), ["replay-differs"]),
    };

    public static TheoryData<string> Names => [.. Faults.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_simulator_names(string fault)
    {
        var (core, invariants) = Faults[fault];
        var unseen = invariants.ToHashSet();
        for (var seed = 1; seed <= 5 * SimulationTests.SeedsUsual && unseen.Count > 0; seed++)
        {
            try
            {
                Simulator.Run(seed, core, new Reach());
            }
            catch (Violation violation)
            {
                output.WriteLine($"seed {seed}: {violation.Message.Split('\n')[0]}");
                Assert.True(unseen.Count < invariants.Length || invariants.Contains(violation.Invariant), $"the first to name it was {violation.Invariant}");
                _ = unseen.Remove(violation.Invariant);
            }
        }

        Assert.Empty(unseen);
    }

    private static Core Change(Func<BoardState, Input, Decided, Decided> change) => Core.Real with { Decide = (state, input, now) => change(state, input, Decider.Decide(state, input, now)) };

    private static Core See(Func<BoardState, Input, (BoardState State, Input Input)> see) => Core.Real with
    {
        Decide = (state, input, now) =>
        {
            var (seen, heard) = see(state, input);
            return Decider.Decide(seen, heard, now);
        },
    };

    private static Core Fold(Func<BoardState, Event, BoardState, BoardState> fold) => Core.Real with { Evolve = (state, happened) => fold(state, happened, Evolver.Evolve(state, happened)) };

    /// <summary>The live fold adds what the journal does not have: here, a count that starts anew with each process.</summary>
    private static Core Unjournaled()
    {
        var count = 0;
        return Fold((_, happened, next) => happened is Event.LaunchOrdered ordered && ++count > 0 && next.Runs.TryGetValue(ordered.RunId, out var run) ? next with { Runs = next.Runs.SetItem(run.Id, run with { Effort = $"effort-{count}" }) } : next);
    }

    private static Decided Effects(Decided decided, Func<Effect, ImmutableArray<Effect>> change) => decided with { Effects = [.. decided.Effects.SelectMany(effect => change(effect))] };

    private static Decided Events(Decided decided, Func<Event, ImmutableArray<Event>> change) => decided with { Events = [.. decided.Events.SelectMany(happened => change(happened))] };

    /// <summary>Loses what comes with the first event of a kind and after it, and every effect.</summary>
    private static Decided Before<T>(Decided decided) => decided.Events.Any(happened => happened is T) ? decided with { Events = [.. decided.Events.TakeWhile(happened => happened is not T)], Effects = [] } : decided;

    private static BoardState Endless(BoardState state) => state with { Settings = state.Settings with { DayBudgetMicroUsd = long.MaxValue } };

    private static BoardState Rich(BoardState state) => state with { Runs = state.Runs.SetItems(state.Runs.Values.Select(run => KeyValuePair.Create(run.Id, run with { Budget = new Budget(long.MaxValue, int.MaxValue, run.Budget.Minutes) }))) };
}
