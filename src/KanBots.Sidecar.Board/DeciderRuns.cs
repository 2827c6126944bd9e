using System.Collections.Immutable;

namespace KanBots.Sidecar.Board;

/// <summary>Wishes about runs: dispatch, stop, reply, resume, answer.</summary>
public static partial class Decider
{
    private static Refusal? Dispatch(Plan plan, Input.Dispatch dispatch) => Queue(plan, dispatch, null);

    /// <summary>As the other was, but in a conversation of its own: what that one was told later is not true of these files.</summary>
    private static Refusal? Fork(Plan plan, Input.Fork fork)
    {
        if (!plan.State.Runs.TryGetValue(fork.RunId, out var run))
        {
            return NoRun(fork.RunId);
        }

        if (run.Checkpoints.LastOrDefault(mark => fork.Checkpoint is null || mark.Id == fork.Checkpoint) is not { } from)
        {
            return Invalid(fork.Checkpoint is null ? $"Run {run.Id} has no checkpoint yet. One is taken at the end of each turn." : $"Run {run.Id} has no checkpoint '{fork.Checkpoint}'. Its checkpoints are listed with the run.");
        }

        var told = $"The worktree holds what an earlier attempt at this had made by {from.At.UtcDateTime:yyyy-MM-dd HH:mm} UTC. Look at it first, then go on from there.";
        return Queue(
            plan,
            new Input.Dispatch(fork.RequestId, run.CardId, run.Agent, run.Model, run.Effort, run.Persona, run.PermissionMode, run.BaseWanted, null, null, null, string.IsNullOrWhiteSpace(fork.Prompt) ? told : $"{told}\n\n{fork.Prompt}", fork.SessionId, fork.MessageId),
            new Fork(run.Id, from.Id, from.Tree, run.BaseRef, run.BaseCommit));
    }

    private static Refusal? Queue(Plan plan, Input.Dispatch dispatch, Fork? fork)
    {
        if (!plan.State.Cards.TryGetValue(dispatch.CardId, out var card))
        {
            return NoCard(dispatch.CardId);
        }

        if (card.Archived)
        {
            return new Refusal("invalidArgument", $"Card #{card.Number} is archived. Take it back to the board first.", CardId: card.Id);
        }

        if (plan.State.RunsOf(card.Id).FirstOrDefault(run => !run.IsOver) is { } under)
        {
            return new Refusal("runLive", $"Run {under.Id} of card #{card.Number} is {Words(under.State)}. Reply to it, or stop it before the card is dispatched again.", under.State.ToString(), card.Id, under.Id);
        }

        if (plan.State.Runs.Values.Count(run => run.State == RunState.Queued) >= Limits.QueuedRunsMax)
        {
            return new Refusal("limitExceeded", $"{Limits.QueuedRunsMax} runs are queued already. Wait for some to start, or stop them.", CardId: card.Id);
        }

        if ((CheckName("model", dispatch.Model) ?? CheckName("effort", dispatch.Effort) ?? CheckName("persona", dispatch.Persona) ?? CheckName("baseRef", dispatch.BaseRef)) is { } odd)
        {
            return odd;
        }

        if (dispatch.Prompt?.Length > Limits.MessageLengthMax)
        {
            return new Refusal("limitExceeded", $"A prompt has at most {Limits.MessageLengthMax} characters. Put the rest into a file.", CardId: card.Id);
        }

        var settings = plan.State.Settings;
        // A default never asks for more than a whole day has, so that a small day's budget needs no second setting.
        var budget = new Budget(dispatch.BudgetMicroUsd ?? Math.Min(settings.Budget.MicroUsd, settings.DayBudgetMicroUsd), dispatch.BudgetTurns ?? settings.Budget.Turns, dispatch.BudgetMinutes ?? settings.Budget.Minutes);
        if ((CheckBudget(budget) ?? CheckDay(plan, budget, card)) is { } tooMuch)
        {
            return tooMuch;
        }

        var id = plan.State.NextRunId;
        var text = Prompt(card, dispatch.Prompt);
        plan.Record(new Event.RunQueued(new Run(
            id,
            card.Id,
            card.Number,
            RunState.Queued,
            dispatch.Agent,
            dispatch.Model,
            dispatch.Effort,
            dispatch.Persona,
            dispatch.PermissionMode,
            dispatch.BaseRef,
            BaseRef: "",
            BaseCommit: "",
            Run.BranchOf(card.Number, id),
            WorktreePath: "",
            budget,
            dispatch.SessionId,
            SessionKnown: false,
            Launch: 0,
            LaunchLive: false,
            Turns: 0,
            ExactMicroUsd: 0,
            EstimateMicroUsd: 0,
            Waiting.EndOfQueue(plan.State, plan.Now),
            StartedAt: null,
            EndedAt: null,
            StopAsked: null,
            InTurn: false,
            InputClosed: false,
            Outcome: null,
            BackgroundTasks: 0,
            Dirty: false,
            DiffStat: null,
            LeftRunning: 0,
            Reason: null,
            [new Message(dispatch.MessageId, text, MessageState.Waiting)])
        { Fork = fork }));
        plan.Outcome = new Outcome(OutcomeKind.Run, id, null);
        return null;
    }

    /// <summary>It will stand on a command line.</summary>
    private static Refusal? CheckName(string what, string? name) => name is null || (name.Length is > 0 and <= Limits.NameLengthMax && name[0] != '-' && !name.Any(char.IsControl))
        ? null
        : Invalid($"{what} is a name of 1 to {Limits.NameLengthMax} characters on one line, and does not begin with a dash. Correct it, or leave it out.");

    private static Refusal? CheckBudget(Budget budget) => budget switch
    {
        _ when budget.MicroUsd <= 0 || budget.Turns <= 0 || budget.Minutes <= 0 => Invalid("A budget is positive: there is no run without one."),
        { MicroUsd: > Limits.RunMicroUsdMax } => Invalid($"A run's budget is at most {Money(Limits.RunMicroUsdMax)} ({Limits.RunMicroUsdMax} micro-dollars). Give less."),
        { Turns: > Limits.TurnsMax } => Invalid($"A run has at most {Limits.TurnsMax} turns. Give fewer."),
        { Minutes: > Limits.MinutesMax } => Invalid($"A run has at most {Limits.MinutesMax} minutes. Give fewer."),
        _ => null,
    };

    /// <summary>What cannot start today, whatever other runs give back, is refused at once; what only waits for others is queued.</summary>
    private static Refusal? CheckDay(Plan plan, Budget budget, Card card)
    {
        var purse = Purse.Of(plan.State, plan.Now);
        return purse.IsSpent
            ? new Refusal("budgetExceeded", $"Today's budget of {Money(purse.DayMicroUsd)} is spent. Raise runs.budget.dayMicroUsd, or go on tomorrow (UTC).", CardId: card.Id)
            : budget.MicroUsd > purse.UnspentMicroUsd
                ? new Refusal("budgetExceeded", $"The run may spend {Money(budget.MicroUsd)}, and of today's {Money(purse.DayMicroUsd)} only {Money(purse.UnspentMicroUsd)} is left. Dispatch it with a budget of that, raise runs.budget.dayMicroUsd, or go on tomorrow (UTC).", CardId: card.Id)
                : null;
    }

    internal static string Words(RunState state) => state switch
    {
        RunState.AwaitingDecision => "waiting for an answer",
        RunState.InReview => "in review",
        _ => state.ToString().ToLowerInvariant(),
    };

    private static string Prompt(Card card, string? extra)
    {
        var parts = new[] { $"Issue #{card.Number}: {card.Title}", card.Body, extra }.Where(part => !string.IsNullOrWhiteSpace(part));
        return string.Join("\n\n", parts);
    }

    private static string Money(long microUsd) => Purse.Say(microUsd);

    private static Refusal? Stop(Plan plan, Input.Stop stop)
    {
        if (!plan.State.Runs.TryGetValue(stop.RunId, out var run))
        {
            return NoRun(stop.RunId);
        }

        plan.Outcome = new Outcome(OutcomeKind.Run, run.Id, null);
        OrderStop(plan, run, stop.By);
        return null;
    }

    /// <summary>Stopping what is stopped already is no error: two people may press the button at once.</summary>
    private static void OrderStop(Plan plan, Run run, string by)
    {
        if (run.State == RunState.Queued)
        {
            plan.Record(new Event.RunEnded(run.Id, RunState.Stopped, new Reason(by, StoppedBy(by)), run.Dirty, null, run.LeftRunning, plan.Now));
        }
        else if (run.IsLive && (run.StopAsked is null || (run.StopAsked is "budget" or Waiting.DayBudget && by is not ("budget" or Waiting.DayBudget))))
        {
            // A person's stop outranks the budget's, after which a raised budget would have let the run go on.
            plan.Record(new Event.StopOrdered(run.Id, by));
            if (run.LaunchLive)
            {
                plan.Order(new Effect.StopLaunch(run.Id, run.Launch));
            }
        }
        else if (run.IsOver && run.LeftRunning > 0)
        {
            plan.Order(new Effect.EndLeftovers(run.Id));
        }
    }

    private static string StoppedBy(string by) => by switch
    {
        "budget" => "Stopped because its budget is reached. Resume it with a larger one, or review what is there.",
        Waiting.DayBudget => "Stopped because today's budget is reached. Raise runs.budget.dayMicroUsd and resume it; resumed without, it goes on tomorrow (UTC) by itself.",
        "limit" => "Stopped because a time limit is reached. Resume it, or review what is there.",
        _ => "Stopped. Its worktree is kept; resume it, or review what is there.",
    };

    private static Refusal? CheckMessage(string? text) => text?.Length > Limits.MessageLengthMax
        ? new Refusal("limitExceeded", $"A message has at most {Limits.MessageLengthMax} characters. Put the rest into a file.")
        : null;

    private static Refusal? Reply(Plan plan, Input.Reply reply)
    {
        if (!plan.State.Runs.TryGetValue(reply.RunId, out var run))
        {
            return NoRun(reply.RunId);
        }

        if (string.IsNullOrWhiteSpace(reply.Text))
        {
            return Invalid("The message is empty.");
        }

        if (reply.Replaces is { } old && !run.Messages.Any(message => message.Id == old && message.State == MessageState.Lost))
        {
            return Invalid($"Run {run.Id} has no lost message '{old}'.");
        }

        var refusal = CheckMessage(reply.Text) ?? CannotContinue(run) ?? (run.IsOver ? OverBudget(plan.State, run) : null);
        if (refusal is null)
        {
            if (reply.Replaces is { } lost)
            {
                plan.Record(new Event.MessageDropped(run.Id, lost));
            }

            Tell(plan, plan.Run(run.Id), new Message(reply.MessageId, reply.Text, MessageState.Waiting));
            plan.Outcome = new Outcome(OutcomeKind.Message, run.Id, reply.MessageId);
        }

        return refusal;
    }

    private static Refusal? CannotContinue(Run run) => run.Discarded is { FreeBegun: false } gone
        ? new Refusal("illegalTransition", $"Run {run.Id} was discarded. Restore it first; that can be done until {gone.Until:yyyy-MM-dd}.", run.State.ToString(), run.CardId, run.Id)
        : run.Moving != WorktreeMove.None
        ? Moving(run)
        : run.State == RunState.Promoted
        ? new Refusal("illegalTransition", $"Run {run.Id} was promoted. Dispatch the card again to go on from there.", run.State.ToString(), run.CardId, run.Id)
        : run.State is RunState.Discarded || (run.IsOver && run.WorktreePath.Length == 0)
        ? new Refusal("worktreeMissing", $"Run {run.Id} has no worktree any more. Dispatch the card again.", run.State.ToString(), run.CardId, run.Id)
        : run.StopAsked is not null
            ? new Refusal("runNotLive", $"Run {run.Id} is being stopped. Send the message when it has ended; it is then resumed.", run.State.ToString(), run.CardId, run.Id)
            : null;

    /// <summary>Now, when the agent listens; as the first message of a new launch when it is over. In between it waits: for the launch
    /// that is being prepared, or, when the input is closed already, for the end of this one.</summary>
    private static void Tell(Plan plan, Run run, Message message)
    {
        plan.Record(new Event.MessageAdded(run.Id, message));
        if (run is { LaunchLive: true, InputClosed: false })
        {
            plan.Record(new Event.MessageTold(run.Id, message.Id, run.Launch));
            plan.Order(new Effect.SendMessage(run.Id, run.Launch, message));
        }
        else if (run.IsOver)
        {
            Requeue(plan, run.Id);
        }
    }

    /// <summary>A resumed run takes its place in the queue like any other.</summary>
    private static void Requeue(Plan plan, long runId)
    {
        var run = plan.Run(runId);
        plan.Record(new Event.RunQueued(run with { State = RunState.Queued, QueuedAt = Waiting.EndOfQueue(plan.State, plan.Now), Reason = null, EndedAt = null }));
    }

    private static Refusal? Resume(Plan plan, Input.Resume resume)
    {
        if (!plan.State.Runs.TryGetValue(resume.RunId, out var run))
        {
            return NoRun(resume.RunId);
        }

        if (!run.IsOver)
        {
            return new Refusal("runLive", $"Run {run.Id} has not ended. Reply to it instead.", run.State.ToString(), run.CardId, run.Id);
        }

        var refusal = CheckMessage(resume.Text) ?? CannotContinue(run);
        if (refusal is null && OverBudget(plan.State, run) is { } over)
        {
            if (plan.State.OpenDecisionsOf(run.Id).Any(decision => decision.Kind == DecisionKind.Budget))
            {
                return over;
            }

            AskForMore(plan, run, again: true); // it was denied before: whoever resumes is asked again
            plan.Outcome = new Outcome(OutcomeKind.Run, run.Id, null);
            return null;
        }

        if (refusal is null)
        {
            if (string.IsNullOrWhiteSpace(resume.Text) && !run.SessionKnown)
            {
                Requeue(plan, run.Id); // it never began: what it was told first is told again
            }
            else
            {
                Tell(plan, run, new Message(resume.MessageId, string.IsNullOrWhiteSpace(resume.Text) ? "Go on where you stopped." : resume.Text, MessageState.Waiting));
            }

            plan.Outcome = new Outcome(OutcomeKind.Run, run.Id, null);
        }

        return refusal;
    }

    private static bool IsOverBudget(Run run) => run.CostMicroUsd >= run.Budget.MicroUsd || run.Turns >= run.Budget.Turns;

    private static Refusal? OverBudget(BoardState state, Run run) => IsOverBudget(run)
        ? new Refusal("budgetExceeded", $"Run {run.Id} has reached its budget. {(state.OpenDecisionsOf(run.Id).Any(decision => decision.Kind == DecisionKind.Budget) ? "Answer its budget question" : "Resume it and answer its budget question")} to continue with more.", run.State.ToString(), run.CardId, run.Id)
        : null;

    private static Refusal? Answer(Plan plan, Input.Decide decide)
    {
        if (!plan.State.Decisions.TryGetValue(decide.DecisionId, out var decision))
        {
            return new Refusal("decisionNotFound", "There is no such question on this board.", DecisionId: decide.DecisionId);
        }

        if (decision.State != DecisionState.Open)
        {
            var by = decision.AnsweredBy is null ? "" : $" by {decision.AnsweredBy}";
            return new Refusal("decisionAlreadyAnswered", $"This question is {decision.State.ToString().ToLowerInvariant()} already{by}.", decision.State.ToString(), RunId: decision.RunId, DecisionId: decision.Id);
        }

        if (!plan.State.Runs.TryGetValue(decision.RunId, out var run))
        {
            return NoRun(decision.RunId);
        }

        if (run.Moving != WorktreeMove.None)
        {
            return Moving(run);
        }

        var refusal = CheckVerdict(decision, decide.Verdict) ?? (decision.Kind == DecisionKind.Budget || run is { LaunchLive: true, StopAsked: null } ? null : CannotContinue(run) ?? OverBudget(plan.State, run));
        if (refusal is not null)
        {
            return refusal;
        }

        plan.Record(new Event.DecisionClosed(decision.Id, DecisionState.Answered, plan.Now, decide.By, decide.Verdict));
        plan.Outcome = new Outcome(OutcomeKind.Decision, decision.RunId, decision.Id);
        if (decision.Kind == DecisionKind.Budget)
        {
            AnswerBudget(plan, run, decide);
        }
        else if (run.LaunchLive && run.Launch == decision.Launch)
        {
            plan.Order(new Effect.SendVerdict(run.Id, run.Launch, decision.Id, decide.Verdict));
            if (!plan.State.AwaitedBy(run).Any())
            {
                plan.Order(new Effect.SetWaiting(run.Id, run.Launch, false));
            }
        }
        else
        {
            // The launch that asked is gone: the answer becomes the first message of the next one.
            Tell(plan, plan.Run(run.Id), new Message(decide.MessageId, AsMessage(decision, decide.Verdict), MessageState.Waiting));
        }

        return null;
    }

    private static Refusal? CheckVerdict(Decision decision, Verdict verdict)
    {
        var known = decision.Questions.Select(question => question.Id).ToHashSet();
        if (verdict.Answers.FirstOrDefault(answer => !known.Contains(answer.QuestionId)) is { } stray)
        {
            return Invalid($"The decision has no question '{stray.QuestionId}'.");
        }

        if (verdict.Answers.Any(answer => answer.Values.Sum(value => (long)value.Length) > Limits.MessageLengthMax))
        {
            return new Refusal("limitExceeded", $"An answer has at most {Limits.MessageLengthMax} characters.", DecisionId: decision.Id);
        }

        return decision.Kind == DecisionKind.Question && verdict.Allow && decision.Questions.Any(question => !verdict.Answers.Any(answer => answer.QuestionId == question.Id && answer.Values.Any(value => value.Length > 0)))
            ? Invalid("Every question needs an answer: one of its options, or your own words.")
            : null;
    }

    private static void AnswerBudget(Plan plan, Run run, Input.Decide decide)
    {
        if (!decide.Verdict.Allow)
        {
            return;
        }

        // "More" is as much again as the settings give a run, on top of what is spent; never more than a whole day has.
        var raise = plan.State.Settings.Budget with { MicroUsd = Math.Min(plan.State.Settings.Budget.MicroUsd, plan.State.Settings.DayBudgetMicroUsd) };
        var more = new Message(decide.MessageId, "The budget was raised. Go on where you stopped.", MessageState.Waiting);
        plan.Record(new Event.BudgetRaised(run.Id, new Budget(Math.Max(run.Budget.MicroUsd, run.CostMicroUsd) + raise.MicroUsd, Math.Max(run.Budget.Turns, run.Turns) + raise.Turns, run.Budget.Minutes)));
        if (run.IsOver)
        {
            Tell(plan, plan.Run(run.Id), more);
        }
        else if (run.StopAsked == "budget")
        {
            plan.Record(new Event.MessageAdded(run.Id, more)); // it is still being stopped; when it has ended, it goes on
        }
    }

    private static string AsMessage(Decision decision, Verdict verdict)
    {
        if (decision.Kind != DecisionKind.Question)
        {
            var tool = decision.ToolName ?? "the tool";
            return verdict.Allow ? $"You asked to use {tool}: allowed. Go on." : $"You asked to use {tool}: not allowed. {verdict.Reason}".TrimEnd();
        }

        if (!verdict.Allow)
        {
            return $"Your question was not answered. {verdict.Reason} Go on as you see fit.";
        }

        var lines = decision.Questions.Select(question => $"{question.Text}\n{string.Join(", ", verdict.Answers.Where(answer => answer.QuestionId == question.Id).SelectMany(answer => answer.Values))}");
        return $"Answers to your questions:\n\n{string.Join("\n\n", lines)}";
    }
}
