using System.Collections.Immutable;

namespace KanBots.Sidecar.Board;

/// <summary>Says what an input brings about: events to be journaled first, then effects. It does nothing itself.</summary>
public static partial class Decider
{
    public static Decided Decide(BoardState state, Input input, DateTimeOffset now)
    {
        if (input is Input.Request request)
        {
            if (state.Served.TryGetValue(request.RequestId, out var served))
            {
                return new Decided([], [], served.Outcome, null);
            }

            var plan = new Plan(state, now);
            var refusal = Ask(plan, request);
            if (refusal is not null)
            {
                return Decided.Refused(refusal);
            }

            plan.Record(new Event.RequestServed(request.RequestId, plan.Outcome, now));
            plan.StartQueued();
            WarnOfDay(plan);
            return plan.ToDecided();
        }
        else
        {
            var plan = new Plan(state, now);
            switch (input)
            {
                case Input.Report report:
                    Hear(plan, report);
                    break;
                case Input.Recovered recovered:
                    Recover(plan, recovered);
                    break;
                case Input.Archive archive:
                    Archive(plan, archive.Kept);
                    break;
                case Input.Recalled recalled when state.IsPast(recalled.Run.Id):
                    plan.Record(new Event.RunRecalled(recalled.Run, recalled.Decisions));
                    break;
                case Input.Tick:
                    PassTime(plan);
                    break;
            }

            plan.StartQueued();
            WarnOfDay(plan);
            return plan.ToDecided();
        }
    }

    /// <summary>The last run of a card stays, since the card shows it, and so does what still matters to somebody: an open question, a
    /// process, an answer that holds for the rest of the card.</summary>
    private static void Archive(Plan plan, int kept)
    {
        var last = plan.State.Runs.Values.GroupBy(run => run.CardId).Select(runs => runs.Last().Id).ToHashSet();
        var held = plan.State.Decisions.Values.Where(decision => decision.State == DecisionState.Open || decision.Verdict is { Remember: true }).Select(decision => decision.RunId).ToHashSet();
        var old = plan.State.Runs.Values.Where(run => run is { IsOver: true, LeftRunning: 0, Moving: WorktreeMove.None } && !last.Contains(run.Id) && !held.Contains(run.Id)).OrderByDescending(run => run.EndedAt).ThenByDescending(run => run.Id).Skip(kept).ToList();
        foreach (var run in Enumerable.Reverse(old))
        {
            plan.Record(new Event.RunArchived(run, [.. plan.State.Decisions.Values.Where(decision => decision.RunId == run.Id)]));
        }
    }

    /// <summary>The plan in the making: events are folded at once, so that each rule sees what the one before it decided.</summary>
    private sealed class Plan(BoardState state, DateTimeOffset now)
    {
        private readonly ImmutableArray<Event>.Builder _events = ImmutableArray.CreateBuilder<Event>();
        private readonly ImmutableArray<Effect>.Builder _effects = ImmutableArray.CreateBuilder<Effect>();

        internal BoardState State { get; private set; } = state;

        internal DateTimeOffset Now { get; } = now;

        internal string Day { get; } = Purse.DayOf(now);

        internal Outcome Outcome { get; set; } = new(OutcomeKind.Done, 0, null);

        internal void Record(Event happened)
        {
            _events.Add(happened);
            State = Evolver.Evolve(State, happened);
        }

        internal void Order(Effect effect) => _effects.Add(effect);

        internal Run Run(long id) => State.Runs[id];

        internal Decided ToDecided() => new(_events.ToImmutable(), _effects.ToImmutable(), Outcome, null);

        /// <summary>Whoever can start does. This is where a run's budget is reserved: a live run's is, until it is over.</summary>
        internal void StartQueued()
        {
            foreach (var run in State.Runs.Values.Where(run => run.State == RunState.Queued && IsOverBudget(run)).ToList())
            {
                // Billed late, while it waited, or queued again with its budget spent.
                AskForMore(this, run);
                Record(new Event.RunEnded(run.Id, RunState.Stopped, new Reason("budget", StoppedBy("budget")), run.Dirty, null, run.LeftRunning, Now));
            }

            while (Waiting.Next(State, Now) is { } run)
            {
                if (run.Launch == 0 && run.WorktreePath.Length == 0)
                {
                    Record(new Event.PreparingStarted(run.Id));
                    Order(new Effect.Prepare(run.Id));
                }
                else
                {
                    Launch(run.Id);
                }

                MoveCardWith(run.CardId, Column.InProgress);
            }
        }

        /// <summary>Orders the next launch. What waits goes with it, what a launch that never started was told, and what was lost before the conversation began, since
        /// nobody can have read that. It is the only place that numbers launches, so that no two processes ever share a run folder.</summary>
        internal void Launch(long runId)
        {
            var run = Run(runId);
            var number = run.Launch + 1;
            ImmutableArray<Message> messages = [.. run.Messages.Where(message => message.State is MessageState.Waiting or MessageState.Told || (message.State == MessageState.Lost && !run.SessionKnown))];
            Record(new Event.LaunchOrdered(runId, number, Now));
            foreach (var message in messages)
            {
                Record(new Event.MessageTold(runId, message.Id, number));
            }

            Order(new Effect.StartLaunch(runId, number, Resume: run.SessionKnown, messages));
            Warn(this, runId);
        }

        /// <summary>A card follows its run, as one step from where the run was; where a person has put it is not argued with in between.</summary>
        internal void MoveCardWith(long cardId, Column column)
        {
            if (State.Cards.TryGetValue(cardId, out var card) && card.Column != column)
            {
                Record(new Event.CardChanged(card with { Column = column, Position = EndOf(State, column) }));
            }
        }
    }

    public static double EndOf(BoardState state, Column column) =>
        state.Cards.Values.Where(card => card.Column == column).Select(card => card.Position).DefaultIfEmpty(0).Max() + 1;
}
