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

        if (run.Moving is not (WorktreeMove.None or WorktreeMove.Discard))
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

        if (run.Moving is not (WorktreeMove.None or WorktreeMove.Restore))
        {
            return Moving(run);
        }

        if (run.Discarded?.FreedAt is { } at)
        {
            return new Refusal("worktreeMissing", $"What run {run.Id} left was deleted for good on {at:yyyy-MM-dd}. Fork the run from a checkpoint, or dispatch the card again.", run.State.ToString(), run.CardId, run.Id);
        }

        if (run.Discarded is { FreeBegun: true } begun)
        {
            return new Refusal("worktreeMissing", $"Run {run.Id} was being deleted for good, so that what is left at {begun.TrashPath} may not be all of it. Look there, or fork the run from a checkpoint.", run.State.ToString(), run.CardId, run.Id);
        }

        plan.Outcome = new Outcome(OutcomeKind.Run, run.Id, null);
        if (run.State == RunState.Discarded && run.Moving == WorktreeMove.None)
        {
            plan.Record(new Event.WorktreeMoveOrdered(run.Id, WorktreeMove.Restore));
            plan.Order(new Effect.Restore(run.Id));
        }

        return null;
    }

    /// <summary>Only what was discarded: nothing is deleted that somebody may still look at.</summary>
    private static Refusal? Free(Plan plan, Input.Free free)
    {
        if (!plan.State.Runs.TryGetValue(free.RunId, out var run))
        {
            return NoRun(free.RunId);
        }

        if (run.Moving is not (WorktreeMove.None or WorktreeMove.Free))
        {
            return Moving(run);
        }

        if (run.Discarded is not { } discarded)
        {
            return new Refusal("illegalTransition", $"Run {run.Id} was not discarded. Discard it first: it can then be restored until it is deleted for good.", run.State.ToString(), run.CardId, run.Id);
        }

        plan.Outcome = new Outcome(OutcomeKind.Run, run.Id, null);
        if (discarded.FreedAt is null && run.Moving == WorktreeMove.None)
        {
            plan.Record(new Event.WorktreeMoveOrdered(run.Id, WorktreeMove.Free));
            plan.Order(new Effect.Free(run.Id));
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

        if (CannotMove(run) is { } cannot)
        {
            return cannot;
        }

        plan.Outcome = new Outcome(OutcomeKind.Run, run.Id, null);
        plan.Record(new Event.PromoteOrdered(run.Id, order));
        plan.Order(new Effect.Promote(run.Id));
        return null;
    }

    private static Refusal? Rewind(Plan plan, Input.Rewind rewind)
    {
        if (!plan.State.Runs.TryGetValue(rewind.RunId, out var run))
        {
            return NoRun(rewind.RunId);
        }

        if (CannotMove(run) is { } cannot)
        {
            return cannot;
        }

        if (run.Checkpoints.All(mark => mark.Id != rewind.Checkpoint))
        {
            return Invalid($"Run {run.Id} has no checkpoint '{rewind.Checkpoint}'. Its checkpoints are listed with the run.");
        }

        plan.Outcome = new Outcome(OutcomeKind.Run, run.Id, null);
        plan.Record(new Event.RewindOrdered(run.Id, rewind.Checkpoint));
        plan.Order(new Effect.Rewind(run.Id));
        return null;
    }

    /// <summary>A worktree in which an agent works, or that is not there, is left alone.</summary>
    private static Refusal? CannotMove(Run run) => run switch
    {
        { IsOver: false } => new Refusal("runLive", $"Run {run.Id} is {Words(run.State)}. Wait until it has ended, or stop it.", run.State.ToString(), run.CardId, run.Id),
        { Moving: not WorktreeMove.None } => Moving(run),
        { Discarded: not null } => new Refusal("worktreeMissing", $"Run {run.Id} was discarded. Restore it first.", run.State.ToString(), run.CardId, run.Id),
        { WorktreePath: "" } => new Refusal("worktreeMissing", $"Run {run.Id} has no worktree, so that nothing of it is there.", run.State.ToString(), run.CardId, run.Id),
        _ => null,
    };

    private static Refusal Moving(Run run) => new(
        "illegalTransition",
        $"Run {run.Id} is being {run.Moving switch { WorktreeMove.Discard => "discarded", WorktreeMove.Restore => "restored", WorktreeMove.Rewind => "taken back", WorktreeMove.Free => "deleted for good", _ => "promoted" }}. Wait until that is done.",
        run.State.ToString(),
        run.CardId,
        run.Id);

    private static void Moved(Plan plan, Run run, Input.MoveReport report)
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
            case Input.WorktreeRewound rewound when run.Moving == WorktreeMove.Rewind:
                plan.Record(new Event.RunRewound(run.Id, rewound.DiffStat));
                break;
            case Input.WorktreeFreed when run.Moving == WorktreeMove.Free:
                plan.Record(new Event.RunFreed(run.Id, plan.Now));
                break;
            case Input.WorktreeMoveFailed failed:
                plan.Record(new Event.WorktreeMoveFailed(run.Id, new MoveFailure(failed.Reason, failed.Paths, run.Promoting?.Branch)));
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
