namespace KanBots.Sidecar.Board;

/// <summary>Landing a run's work, discarding it and bringing it back. Nothing is deleted: the worktree and its branch are put aside, and
/// what the card says of it is said when that is done.</summary>
public static partial class Decider
{
    private static Refusal? Discard(Plan plan, Input.Discard discard)
    {
        if (!plan.State.Runs.TryGetValue(discard.RunId, out var run))
        {
            return NoRun(discard.RunId);
        }

        if (run.Moving is WorktreeMove.Restore or WorktreeMove.Promote)
        {
            return Moving(run);
        }

        if (run is { State: not RunState.Discarded, IsLive: false, WorktreePath: "" })
        {
            return new Refusal("worktreeMissing", $"Run {run.Id} has no worktree, so that there is nothing to discard. Stop it if it waits.", run.State.ToString(), run.CardId, run.Id);
        }

        plan.Outcome = new Outcome(OutcomeKind.Run, run.Id, null);
        if (run.State == RunState.Discarded || run.Moving == WorktreeMove.Discard)
        {
            return null; // two people may press the button at once
        }

        plan.Record(new Event.WorktreeMoveOrdered(run.Id, WorktreeMove.Discard));
        if (!run.IsOver)
        {
            OrderStop(plan, run, "user");
        }

        if (plan.Run(run.Id).IsOver)
        {
            plan.Order(new Effect.Discard(run.Id));
        }

        return null;
    }

    private static Refusal? Restore(Plan plan, Input.Restore restore)
    {
        if (!plan.State.Runs.TryGetValue(restore.RunId, out var run))
        {
            return NoRun(restore.RunId);
        }

        if (run.Moving is WorktreeMove.Discard or WorktreeMove.Promote)
        {
            return Moving(run);
        }

        plan.Outcome = new Outcome(OutcomeKind.Run, run.Id, null);
        if (run.State == RunState.Discarded && run.Moving == WorktreeMove.None)
        {
            plan.Record(new Event.WorktreeMoveOrdered(run.Id, WorktreeMove.Restore));
            plan.Order(new Effect.Restore(run.Id));
        }

        return null;
    }

    private static Refusal? Promote(Plan plan, Input.Promote promote)
    {
        if (!plan.State.Runs.TryGetValue(promote.RunId, out var run))
        {
            return NoRun(promote.RunId);
        }

        var order = promote.Order;
        var refusal = CheckName("targetBranch", order.Branch)
            ?? CheckMessage(order.Message)
            ?? (order.Paths.Length > Limits.PathsMax ? new Refusal("limitExceeded", $"At most {Limits.PathsMax} files can be chosen. Land all of them, or fewer.") : null)
            ?? (order.Paths.Length > 0 && order.Strategy != LandingStrategy.Squash ? Invalid("Chosen files land as one commit: take the strategy squash, or land all files.") : null);
        if (refusal is not null)
        {
            return refusal;
        }

        if (!run.IsOver)
        {
            return new Refusal("runLive", $"Run {run.Id} is {Words(run.State)}. Wait until it has ended, or stop it.", run.State.ToString(), run.CardId, run.Id);
        }

        if (run.Moving != WorktreeMove.None)
        {
            return Moving(run);
        }

        if (run.WorktreePath.Length == 0 || run.Discarded is not null)
        {
            return new Refusal("worktreeMissing", run.Discarded is null ? $"Run {run.Id} has no worktree, so that there is nothing to land." : $"Run {run.Id} was discarded. Restore it first.", run.State.ToString(), run.CardId, run.Id);
        }

        plan.Outcome = new Outcome(OutcomeKind.Run, run.Id, null);
        plan.Record(new Event.PromoteOrdered(run.Id, order));
        plan.Order(new Effect.Promote(run.Id));
        return null;
    }

    private static Refusal Moving(Run run) => new(
        "illegalTransition",
        $"Run {run.Id} is being {run.Moving switch { WorktreeMove.Discard => "discarded", WorktreeMove.Restore => "restored", _ => "promoted" }}. Wait until that is done.",
        run.State.ToString(),
        run.CardId,
        run.Id);

    private static void Moved(Plan plan, Run run, Input.Report report)
    {
        switch (report)
        {
            case Input.WorktreeDiscarded discarded when run.Moving == WorktreeMove.Discard:
                Withdraw(plan, run);
                plan.Record(new Event.RunDiscarded(run.Id, new Discarded(run.State, discarded.TrashPath, plan.Now, plan.Now + Limits.TrashKept)));
                break;
            case Input.WorktreeRestored when run.Moving == WorktreeMove.Restore:
                plan.Record(new Event.RunRestored(run.Id));
                EnforceBudget(plan, run.Id); // what was asked of it went with it
                break;
            case Input.WorkLanded landed when run.Moving == WorktreeMove.Promote:
                Withdraw(plan, run);
                plan.Record(new Event.RunPromoted(run.Id, new Promoted(landed.Branch, landed.Commit, plan.Now)));
                plan.MoveCardWith(run.CardId, Column.Done);
                break;
            case Input.WorktreeMoveFailed failed:
                plan.Record(new Event.WorktreeMoveFailed(run.Id, new MoveFailure(failed.Reason, failed.Paths)));
                break;
        }
    }

    /// <summary>Nobody waits for an answer to what the run has asked.</summary>
    private static void Withdraw(Plan plan, Run run)
    {
        foreach (var decision in plan.State.OpenDecisionsOf(run.Id).ToList())
        {
            plan.Record(new Event.DecisionClosed(decision.Id, DecisionState.Withdrawn, plan.Now, null, null));
        }
    }
}
