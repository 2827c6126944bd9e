namespace KanBots.Sidecar.Board;

/// <summary>Discarding a run and bringing it back. Nothing is deleted: the worktree and its branch are put aside, and what the card
/// says of it is said when that is done.</summary>
public static partial class Decider
{
    private static Refusal? Discard(Plan plan, Input.Discard discard)
    {
        if (!plan.State.Runs.TryGetValue(discard.RunId, out var run))
        {
            return NoRun(discard.RunId);
        }

        if (run.Moving == WorktreeMove.Restore)
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

        if (run.Moving == WorktreeMove.Discard)
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

    private static Refusal Moving(Run run) => new(
        "illegalTransition",
        run.Moving == WorktreeMove.Discard ? $"Run {run.Id} is being discarded. Wait until that is done." : $"Run {run.Id} is being restored. Wait until that is done.",
        run.State.ToString(),
        run.CardId,
        run.Id);

    private static void Moved(Plan plan, Run run, Input.Report report)
    {
        switch (report)
        {
            case Input.WorktreeDiscarded discarded when run.Moving == WorktreeMove.Discard:
                foreach (var decision in plan.State.OpenDecisionsOf(run.Id).ToList())
                {
                    plan.Record(new Event.DecisionClosed(decision.Id, DecisionState.Withdrawn, plan.Now, null, null));
                }

                plan.Record(new Event.RunDiscarded(run.Id, new Discarded(run.State, discarded.TrashPath, plan.Now, plan.Now + Limits.TrashKept)));
                break;
            case Input.WorktreeRestored when run.Moving == WorktreeMove.Restore:
                plan.Record(new Event.RunRestored(run.Id));
                EnforceBudget(plan, run.Id); // what was asked of it went with it
                break;
            case Input.WorktreeMoveFailed failed:
                plan.Record(new Event.WorktreeMoveFailed(run.Id, failed.Reason));
                break;
        }
    }
}
