using System.Security.Cryptography;
using System.Text;

namespace KanBots.Sidecar.Board;

/// <summary>What the world reports. Late and repeated reports are normal; what they mean:
/// <list type="table">
/// <item><term>about a run that is not there</term><description>nothing</description></item>
/// <item><term>about a run that left the memory</term><description>Engine recalls it first</description></item>
/// <item><term>BaseChosen, twice or once it is prepared</term><description>nothing: the first holds</description></item>
/// <item><term>Prepared, twice or after a stop</term><description>the worktree is noted; no second launch</description></item>
/// <item><term>about an earlier launch</term><description>only its cost, and what it used, counts</description></item>
/// <item><term>a decision that is known, in any state</term><description>nothing</description></item>
/// <item><term>a worktree that was moved, and nobody had ordered it</term><description>nothing</description></item>
/// <item><term>CheckpointTaken with the files of the last one</term><description>nothing</description></item>
/// <item><term>LaunchEnded of a run that is over</term><description>nothing</description></item>
/// </list></summary>
public static partial class Decider
{
    /// <summary>A bill may come after its run's card was deleted: the money is spent all the same, and its day counts it.</summary>
    private static void HearOfDeleted(Plan plan, Input.Report report)
    {
        switch (report)
        {
            case Input.CostAdded { MicroUsd: > 0 } cost when cost.RunId < plan.State.NextRunId:
                plan.Record(new Event.CostAdded(cost.RunId, cost.MicroUsd, plan.Day));
                break;
            case Input.ModelsUsed { UnpricedTurns: > 0 } used when used.RunId < plan.State.NextRunId:
                plan.Record(new Event.ModelsUsed(used.RunId, used.Models, used.UnpricedTurns, plan.Day));
                break;
        }
    }

    private static void Hear(Plan plan, Input.Report report)
    {
        if (!plan.State.Runs.TryGetValue(report.RunId, out var run))
        {
            HearOfDeleted(plan, report);
            return;
        }

        switch (report)
        {
            case Input.BaseChosen chosen when run.State == RunState.Preparing && run.BaseCommit.Length == 0:
                plan.Record(new Event.BaseChosen(run.Id, chosen.BaseRef, chosen.BaseCommit));
                break;
            case Input.Prepared prepared:
                Prepared(plan, run, prepared);
                break;
            case Input.PrepareFailed failed when run.State == RunState.Preparing && !run.LaunchLive:
                var state = run.StopAsked is null ? RunState.Failed : RunState.Stopped;
                End(plan, run, state, run.StopAsked is null ? failed.Reason : new Reason(run.StopAsked, StoppedBy(run.StopAsked)), false, null, 0);
                break;
            case Input.LaunchFailed failed when IsCurrent(run, failed.Launch):
                End(plan, run, RunState.Failed, failed.Reason, run.Dirty, null, 0);
                break;
            case Input.TurnStarted started when IsCurrent(run, started.Launch):
                if (!run.InTurn || !run.SessionKnown || (started.SessionId ?? run.SessionId) != run.SessionId || (started.Model ?? run.Model) != run.Model)
                {
                    plan.Record(new Event.TurnBegan(run.Id, started.SessionId, started.Model));
                }

                KeepInput(plan, run.Id);
                break;
            case Input.TurnEnded ended when IsCurrent(run, ended.Launch):
                plan.Record(new Event.TurnFinished(run.Id, ended.Outcome, ended.NumTurns, plan.Day));
                ForgetHold(plan, run, ended.Outcome);
                plan.Order(new Effect.TakeCheckpoint(run.Id, "turn"));
                EnforceBudget(plan, run.Id);
                CloseWhenIdle(plan, run.Id);
                break;
            case Input.CostAdded cost when cost.MicroUsd > 0 || run.EstimateMicroUsd > 0:
                plan.Record(new Event.CostAdded(run.Id, Math.Max(0, cost.MicroUsd), plan.Day));
                if (cost.Launch != run.Launch && run.EstimateMicroUsd > 0)
                {
                    plan.Record(new Event.CostEstimated(run.Id, run.EstimateMicroUsd)); // a late bill confirms nothing of the turn under way
                }

                EnforceBudget(plan, run.Id);
                break;
            case Input.ModelsUsed used when !used.Models.IsEmpty || used.UnpricedTurns > 0:
                plan.Record(new Event.ModelsUsed(run.Id, used.Models, used.UnpricedTurns, plan.Day));
                break;
            case Input.CostEstimated estimate when IsCurrent(run, estimate.Launch) && estimate.MicroUsd != run.EstimateMicroUsd:
                plan.Record(new Event.CostEstimated(run.Id, estimate.MicroUsd));
                EnforceBudget(plan, run.Id);
                break;
            case Input.RateLimited limited when IsCurrent(run, limited.Launch):
                Limited(plan, run, limited);
                break;
            case Input.RateAllowed allowed when IsCurrent(run, allowed.Launch):
                Allowed(plan, run, allowed);
                break;
            case Input.DecisionAsked asked when IsCurrent(run, asked.Launch):
                Asked(plan, run, asked);
                break;
            case Input.DecisionWithdrawn withdrawn:
                Withdrawn(plan, run, withdrawn);
                break;
            case Input.MessageEchoed echoed when IsCurrent(run, echoed.Launch) && run.Messages.Any(message => message.Id == echoed.MessageId && message.State != MessageState.Delivered):
                plan.Record(new Event.MessageDelivered(run.Id, echoed.MessageId));
                break;
            case Input.BackgroundTasksChanged tasks when IsCurrent(run, tasks.Launch) && tasks.Count != run.BackgroundTasks:
                plan.Record(new Event.BackgroundTasksCounted(run.Id, tasks.Count));
                CloseWhenIdle(plan, run.Id);
                break;
            case Input.LeftoversCounted left when run.IsOver && left.Count != run.LeftRunning:
                plan.Record(new Event.LeftoversCounted(run.Id, left.Count));
                break;
            case Input.MoveReport moved when run.Moving != WorktreeMove.None && run.IsOver && moved.Move == run.Moves:
                Moved(plan, run, moved);
                break;
            case Input.CheckpointTaken taken when run is { HoldsWork: true, State: not RunState.Discarded } && taken.Mark.Tree != run.Checkpoints.LastOrDefault()?.Tree && run.Checkpoints.All(mark => mark.Id != taken.Mark.Id):
                plan.Record(new Event.CheckpointTaken(run.Id, taken.Mark));
                break;
            case Input.CheckpointsPruned pruned when run.Checkpoints.Any(mark => pruned.Checkpoints.Contains(mark.Id)):
                plan.Record(new Event.CheckpointsPruned(run.Id, pruned.Checkpoints));
                break;
            case Input.Noticed noticed when !run.Notices.Contains(noticed.Notice):
                plan.Record(new Event.RunNoticed(run.Id, noticed.Notice));
                break;
            case Input.WorktreeSeen seen when run is { WorktreePath.Length: > 0, Moving: WorktreeMove.None } && run.State is not (RunState.Discarded or RunState.Promoted):
                Seen(plan, run, seen);
                break;
            case Input.LaunchEnded ended when IsCurrent(run, ended.Launch):
                Ended(plan, run, ended);
                break;
        }
    }

    private static bool IsCurrent(Run run, int launch) => run.IsLive && run.LaunchLive && run.Launch == launch;

    private static void Prepared(Plan plan, Run run, Input.Prepared prepared)
    {
        if (run.WorktreePath.Length == 0)
        {
            plan.Record(new Event.WorktreePrepared(run.Id, prepared.WorktreePath, prepared.BaseRef, prepared.BaseCommit));
        }

        if (run.State != RunState.Preparing || run.LaunchLive)
        {
            return;
        }

        if (run.StopAsked is { } by)
        {
            End(plan, run, RunState.Stopped, new Reason(by, StoppedBy(by)), false, null, 0);
        }
        else
        {
            plan.Launch(run.Id);
        }
    }

    /// <summary>The kind of "there is no worktree where one should be".</summary>
    public const string WorktreeMissing = "worktreeMissing";

    /// <summary>A worktree that was moved by hand is followed; one that is gone is said to be, until it is back.</summary>
    private static void Seen(Plan plan, Run run, Input.WorktreeSeen seen)
    {
        if (seen.Path is { } path && path != run.WorktreePath)
        {
            plan.Record(new Event.WorktreePrepared(run.Id, path, run.BaseRef, run.BaseCommit));
        }

        if (run.IsOver && seen.Path is null && run.Reason?.Kind != WorktreeMissing)
        {
            plan.Record(new Event.RunEnded(run.Id, run.State, new Reason(WorktreeMissing, seen.Why ?? "Its worktree is gone."), false, null, run.LeftRunning, run.EndedAt ?? plan.Now));
        }
        else if (run.IsOver && seen.Path is not null && run.Reason?.Kind == WorktreeMissing)
        {
            plan.Record(new Event.RunEnded(run.Id, run.State, new Reason("worktreeBack", "Its worktree was gone for a while and is back. Review it, or resume the run."), true, null, run.LeftRunning, run.EndedAt ?? plan.Now));
        }
    }

    private static void Asked(Plan plan, Run run, Input.DecisionAsked asked)
    {
        if (plan.State.Decisions.ContainsKey(asked.DecisionId))
        {
            return;
        }

        var decision = new Decision(asked.DecisionId, run.Id, run.CardNumber, asked.Launch, asked.Kind, DecisionState.Open, asked.AgentRequestId, asked.ToolUseId, asked.ToolName, asked.ToolInput, asked.Description, asked.Questions, plan.Now, null, null, null);
        plan.Record(new Event.DecisionOpened(decision));
        if (asked.Kind == DecisionKind.Permission && Remembered(plan.State, run.CardId, asked.ToolName) is { } verdict)
        {
            plan.Record(new Event.DecisionClosed(decision.Id, DecisionState.Answered, plan.Now, "remembered", verdict));
            plan.Order(new Effect.SendVerdict(run.Id, run.Launch, decision.Id, verdict));
        }
        else
        {
            plan.Order(new Effect.SetWaiting(run.Id, run.Launch, true));
        }
    }

    /// <summary>"Allow for this card" holds for the tool by its name, on every run of the card.</summary>
    private static Verdict? Remembered(BoardState state, long cardId, string toolName) => state.Decisions.Values
        .Where(decision => decision.Kind == DecisionKind.Permission && decision.ToolName == toolName && decision.Verdict is { Remember: true, Allow: true })
        .Where(decision => state.Runs.TryGetValue(decision.RunId, out var run) && run.CardId == cardId)
        .Select(decision => decision.Verdict! with { Remember = false })
        .FirstOrDefault();

    private static void Withdrawn(Plan plan, Run run, Input.DecisionWithdrawn withdrawn)
    {
        if (plan.State.OpenDecisionsOf(run.Id).FirstOrDefault(decision => decision.AgentRequestId == withdrawn.AgentRequestId && decision.Launch == withdrawn.Launch) is not { } decision)
        {
            return;
        }

        plan.Record(new Event.DecisionClosed(decision.Id, DecisionState.Withdrawn, plan.Now, null, null));
        if (IsCurrent(run, withdrawn.Launch) && !plan.State.AwaitedBy(run).Any())
        {
            plan.Order(new Effect.SetWaiting(run.Id, run.Launch, false));
            CloseWhenIdle(plan, run.Id);
        }
    }

    /// <summary>After a result with no message under way, no open question and no task of the agent's own, there is nothing to wait for.</summary>
    private static void CloseWhenIdle(Plan plan, long runId)
    {
        var run = plan.Run(runId);
        if (run is { LaunchLive: true, InTurn: false, InputClosed: false, Outcome: not null, BackgroundTasks: 0 } && !run.Messages.Any(message => message.State is MessageState.Waiting or MessageState.Told) && !plan.State.AwaitedBy(run).Any(decision => decision.AgentRequestId is not null))
        {
            plan.Record(new Event.InputCloseOrdered(run.Id));
            plan.Order(new Effect.CloseInput(run.Id, run.Launch));
        }
    }

    /// <summary>A background task that ended wakes the agent for one more turn, 30 to 130 ms after it looked idle: the turn may ask.</summary>
    private static void KeepInput(Plan plan, long runId)
    {
        var run = plan.Run(runId);
        if (run is { InputClosed: true, StopAsked: null })
        {
            plan.Record(new Event.InputKept(run.Id));
            plan.Order(new Effect.KeepInput(run.Id, run.Launch));
            foreach (var message in run.Messages.Where(message => message.State == MessageState.Waiting))
            {
                plan.Record(new Event.MessageTold(run.Id, message.Id, run.Launch));
                plan.Order(new Effect.SendMessage(run.Id, run.Launch, message));
            }
        }
    }

    private static void EnforceBudget(Plan plan, long runId)
    {
        var run = plan.Run(runId);
        var goesOn = run is { IsLive: true, LaunchLive: true, StopAsked: null };
        if (IsOverBudget(run))
        {
            if (run.State is not (RunState.InReview or RunState.Finished or RunState.Discarded or RunState.Promoted))
            {
                AskForMore(plan, run);
            }

            if (goesOn)
            {
                OrderStop(plan, plan.Run(runId), "budget");
            }
        }
        else if (goesOn && Purse.Of(plan.State, plan.Now).IsSpent)
        {
            // Each run at its own next report: what one run spends stops no other in the middle of a call that is paid for already.
            OrderStop(plan, run, Waiting.DayBudget);
        }

        Warn(plan, runId);
    }

    /// <summary>Asked of every run that has reached its budget, also of one that a person is stopping or that was billed late: it is the
    /// only way by which such a run can go on. Of a run whose work is done it is asked when somebody resumes it.</summary>
    /// <param name="again">A person wants it to go on after all: a "no" of before does not count.</param>
    private static void AskForMore(Plan plan, Run run, bool again = false)
    {
        var asked = plan.State.Decisions.Values.Where(decision => decision.RunId == run.Id && decision.Kind == DecisionKind.Budget).ToList();
        var id = FormattableString.Invariant($"budget-{run.Id}-{asked.Count + 1}");
        if (!asked.Any(decision => decision.State == DecisionState.Open || (!again && decision.Launch == run.Launch && decision.Verdict is { Allow: false })))
        {
            plan.Record(new Event.DecisionOpened(new Decision(id, run.Id, run.CardNumber, run.Launch, DecisionKind.Budget, DecisionState.Open, null, null, null, null, $"The budget of {WhatIsOver(run)} is reached. Continue with more?", [], plan.Now, null, null, null)));
        }
    }

    private static void Ended(Plan plan, Run run, Input.LaunchEnded ended)
    {
        var (state, reason) = Judge(run, ended);
        if (ended.End.Kind is LaunchEndKind.Exited or LaunchEndKind.Stopped && run.StopAsked != "limit")
        {
            // The process that asked ended of its own accord or because a person stopped it: nobody waits for these answers.
            // After a crash or a time limit the question stays open and its answer resumes the run.
            foreach (var decision in plan.State.OpenDecisionsOf(run.Id).Where(decision => decision.AgentRequestId is not null).ToList())
            {
                plan.Record(new Event.DecisionClosed(decision.Id, DecisionState.Expired, plan.Now, null, null));
            }
        }

        if (state is RunState.InReview or RunState.Finished)
        {
            foreach (var decision in plan.State.OpenDecisionsOf(run.Id).Where(decision => decision.Kind == DecisionKind.Budget).ToList())
            {
                plan.Record(new Event.DecisionClosed(decision.Id, DecisionState.Withdrawn, plan.Now, null, null));
            }
        }

        if (run.EstimateMicroUsd > 0)
        {
            // No result will confirm it any more, and it was spent: the agent's last word on it counts.
            plan.Record(new Event.CostAdded(run.Id, run.EstimateMicroUsd, plan.Day));
        }

        End(plan, plan.Run(run.Id), state, reason, ended.Dirty, ended.DiffStat, ended.LeftRunning);
        if (plan.Run(run.Id).Moving != WorktreeMove.None)
        {
            return; // it ended to be discarded
        }

        if (state == RunState.Failed && reason?.Kind == SessionUnknown && run.SessionKnown)
        {
            // Killed before it had saved anything, for example: nothing is lost but its memory, and the worktree is as it left it.
            plan.Record(new Event.SessionLost(run.Id, NextSessionId(run.SessionId, run.Launch)));
            Requeue(plan, run.Id);
        }
        else if ((state != RunState.Stopped || (run.StopAsked == "budget" && !IsOverBudget(run))) && plan.Run(run.Id).Messages.Any(message => message.State == MessageState.Waiting))
        {
            // Said after the input was closed, or with a raised budget while the run was being stopped for it: the next launch hears it.
            Requeue(plan, run.Id);
        }
    }

    /// <summary>The kind of the agent's own "I do not know this conversation".</summary>
    public const string SessionUnknown = "sessionUnknown";

    /// <summary>Another UUID, the same for the same question: the core makes no random numbers.</summary>
    private static string NextSessionId(string sessionId, int launch)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes(FormattableString.Invariant($"{sessionId}/{launch}")))[..16];
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x80); // version 8: of one's own making
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true).ToString();
    }

    private static (RunState State, Reason? Reason) Judge(Run run, Input.LaunchEnded ended)
    {
        var end = ended.End;
        switch (end.Kind)
        {
            case LaunchEndKind.HostDied when run.StopAsked is null:
                return (RunState.Interrupted, end.Failure ?? new Reason("hostDied", FoundDead(ended)));
            case LaunchEndKind.SpawnFailed:
                return (RunState.Failed, end.Failure ?? new Reason("agentNotFound", "The agent could not be started. Check agents.claude.path."));
            case LaunchEndKind.MinutesReached:
                return (RunState.Stopped, new Reason("minutes", $"Stopped after {run.Budget.Minutes} minutes of work. Resume it, or review what is there."));
            case LaunchEndKind.WaitedTooLong:
                return (RunState.Stopped, new Reason("waited", "Stopped because nobody answered. Its question stays open; an answer resumes it."));
            case LaunchEndKind.DiskFull:
                return (RunState.Stopped, new Reason("diskFull", "Stopped before the disk was full. Free some space, then resume it."));
        }

        if (run.StopAsked is "budget" or Waiting.DayBudget && IsDone(run))
        {
            return (ended.Dirty ? RunState.InReview : RunState.Finished, WentOver(run));
        }

        if (run.StopAsked is { } by)
        {
            return (RunState.Stopped, new Reason(by, StoppedBy(by)));
        }

        if (end.Kind == LaunchEndKind.Stopped)
        {
            return (RunState.Stopped, new Reason("user", StoppedBy("user")));
        }

        if (run.Outcome is { IsError: true, Interrupted: false } outcome)
        {
            return (RunState.Failed, new Reason(outcome.Kind ?? "agentFailed", outcome.Message ?? "The agent reported an error. Look at its thread."));
        }

        if (run.Outcome is null)
        {
            return (RunState.Failed, end.Failure ?? new Reason("agentFailed", ended.End.Signal is { } signal ? $"The agent was ended by signal {signal} before it finished a turn. Resume it, or look at its thread." : $"The agent ended with code {end.ExitCode} before it finished a turn. Look at its thread and stderr."));
        }

        return ended.Dirty ? (RunState.InReview, null) : (RunState.Finished, null);
    }

    private static string FoundDead(Input.LaunchEnded ended) => ended switch
    {
        { Dirty: true, DiffStat: { } stat } => $"The agent was found dead. Its worktree has changes in {stat.Files} {(stat.Files == 1 ? "file" : "files")} (+{stat.Insertions} -{stat.Deletions}), which are kept: resume it, review and promote them, or discard them.",
        { Dirty: true } => "The agent was found dead. Its worktree may have changes, which are kept: resume it, review and promote them, or discard them.",
        _ => "The agent was found dead, and had changed nothing. Resume it.",
    };

    /// <summary>Its last turn ended well and nothing is left to say to it: the money ran out, but not before the work was done.</summary>
    private static bool IsDone(Run run) => run is { InTurn: false, Outcome: { IsError: false, Interrupted: false } } && !run.Messages.Any(message => message.State is MessageState.Waiting or MessageState.Told);

    private static Reason WentOver(Run run) => IsOverBudget(run)
        ? new Reason("overBudget", $"Its last turn went over the budget of {WhatIsOver(run)}; the work is done. To continue it, resume it and give it more.")
        : new Reason("overDayBudget", "Its last turn reached today's budget; the work is done.");

    private static string WhatIsOver(Run run) => run.CostMicroUsd >= run.Budget.MicroUsd ? $"money ({Money(run.CostMicroUsd)} of {Money(run.Budget.MicroUsd)})" : $"turns ({run.Turns} of {run.Budget.Turns})";

    private static void End(Plan plan, Run run, RunState state, Reason? reason, bool dirty, DiffStat? diffStat, int leftRunning)
    {
        plan.Record(new Event.RunEnded(run.Id, state, reason, dirty, diffStat, leftRunning, plan.Now));
        if (plan.Run(run.Id).Moving == WorktreeMove.Discard)
        {
            plan.Order(new Effect.Discard(run.Id));
        }

        if (state == RunState.InReview)
        {
            plan.MoveCardWith(run.CardId, Column.Review);
        }
    }

    /// <summary>Brings the state and the world together: what was ordered and not begun is ordered again, what is gone is reported
    /// gone by its own input.</summary>
    private static void Recover(Plan plan, Input.Recovered recovered)
    {
        if (recovered.HighestRunId >= plan.State.NextRunId)
        {
            plan.Record(new Event.RunIdsSeen(recovered.HighestRunId));
        }

        foreach (var run in plan.State.Runs.Values.Where(run => run.IsOver && run.Moving != WorktreeMove.None).ToList())
        {
            plan.Order(run.Moving switch { WorktreeMove.Discard => new Effect.Discard(run.Id), WorktreeMove.Restore => new Effect.Restore(run.Id), WorktreeMove.Rewind => new Effect.Rewind(run.Id), WorktreeMove.Free => new Effect.Free(run.Id), _ => new Effect.Promote(run.Id) });
        }

        var seen = recovered.Launches.ToDictionary(launch => (launch.RunId, launch.Launch), launch => launch.Kind);
        foreach (var run in plan.State.Runs.Values.Where(run => run.IsLive).ToList())
        {
            if (!run.LaunchLive)
            {
                if (run.WorktreePath.Length == 0)
                {
                    plan.Order(new Effect.Prepare(run.Id));
                }
                else if (run.StopAsked is { } by)
                {
                    End(plan, run, RunState.Stopped, new Reason(by, StoppedBy(by)), run.Dirty, null, 0);
                }
                else
                {
                    plan.Launch(run.Id);
                }

                continue;
            }

            switch (seen.GetValueOrDefault((run.Id, run.Launch), ObservedKind.Gone))
            {
                case ObservedKind.NeverStarted when run.StopAsked is { } by:
                    End(plan, run, RunState.Stopped, new Reason(by, StoppedBy(by)), run.Dirty, null, 0);
                    break;
                case ObservedKind.NeverStarted:
                    plan.Launch(run.Id);
                    break;
                case ObservedKind.Alive:
                    Repeat(plan, run);
                    break;
            }
        }
    }

    /// <summary>Orders again what the last serve may not have carried out; each of these does nothing twice.</summary>
    private static void Repeat(Plan plan, Run run)
    {
        if (run.StopAsked is not null)
        {
            plan.Order(new Effect.StopLaunch(run.Id, run.Launch));
            return;
        }

        foreach (var message in run.Messages.Where(message => message.State == MessageState.Told))
        {
            plan.Order(new Effect.SendMessage(run.Id, run.Launch, message));
        }

        foreach (var decision in plan.State.Decisions.Values.Where(decision => decision.RunId == run.Id && decision.Launch == run.Launch && decision.AgentRequestId is not null && decision.State == DecisionState.Answered))
        {
            plan.Order(new Effect.SendVerdict(run.Id, run.Launch, decision.Id, decision.Verdict!));
        }

        plan.Order(new Effect.SetWaiting(run.Id, run.Launch, plan.State.AwaitedBy(run).Any()));
        if (run.InputClosed)
        {
            plan.Order(new Effect.CloseInput(run.Id, run.Launch));
        }
        else
        {
            CloseWhenIdle(plan, run.Id);
        }
    }
}
