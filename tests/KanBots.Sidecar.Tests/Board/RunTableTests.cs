using System.Text;
using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Tests.Board;

/// <summary>The state machine of a run as a picture: every state crossed with everything that can happen to it. A change of the core
/// is a changed line of run-table.txt; UPDATE_EXPECT=1 rewrites it.</summary>
public sealed class RunTableTests
{
    private static string Golden => RepositoryRoot.Of("tests", "KanBots.Sidecar.Tests", "Board", "run-table.txt");

    [Fact]
    public void The_table_of_the_run_is_as_committed()
    {
        var table = Table();
        if (Environment.GetEnvironmentVariable("UPDATE_EXPECT") is not null)
        {
            File.WriteAllText(Golden, table);
        }

        Assert.Equal(File.ReadAllText(Golden), table, ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void The_table_has_every_state_and_every_input_about_a_run()
    {
        var states = Situations(new Boards()).Select(situation => situation.Run.State).Distinct();
        Assert.Empty(Enum.GetValues<RunState>().Except(states));

        var inputs = Inputs(new Boards(), Situations(new Boards()).First().Run).Select(input => input.Input.GetType()).ToHashSet();
        Type[] aboutNone = [typeof(Input.CreateCard), typeof(Input.UpdateCard), typeof(Input.MoveCard), typeof(Input.Archive), typeof(Input.Recalled)];
        Assert.Empty(typeof(Input).GetNestedTypes().Where(type => !type.IsAbstract).Except(inputs).Except(aboutNone));
    }

    private static string Table()
    {
        var text = new StringBuilder();
        foreach (var (name, _) in Situations(new Boards()))
        {
            _ = text.Append(text.Length > 0 ? "\n" : "").Append(name).Append('\n');
            var count = Inputs(new Boards(), Situations(new Boards()).First().Run).Count();
            for (var i = 0; i < count; i++)
            {
                var boards = new Boards();
                _ = boards.Card();
                var run = Situations(boards).Single(situation => situation.Name == name).Run;
                boards.Put(new Event.RunQueued(run));
                if (run.State == RunState.Queued)
                {
                    // Another run holds the only slot: what happens to a queued one is not hidden by its start.
                    boards.Put(new Event.SettingsChanged(Settings.Default with { MaxParallel = 1 }));
                    boards.Put(new Event.RunQueued(run with { Id = 2, CardId = 2, State = RunState.Running, Launch = 1, LaunchLive = true }));
                }

                if (run.State == RunState.AwaitingDecision)
                {
                    boards.Put(new Event.DecisionOpened(Question(run.Launch)));
                }

                if (run.StopAsked == "budget" || run.Reason?.Kind == "budget")
                {
                    boards.Put(new Event.DecisionOpened(Question(run.Launch) with { Id = "budget-1-1", Kind = DecisionKind.Budget, AgentRequestId = null, Questions = [] }));
                }

                var (what, input) = Inputs(boards, run).ElementAt(i);
                _ = text.Append(Line(boards, what, input));
            }
        }

        return text.ToString();
    }

    private static string Line(Boards boards, string what, Input input)
    {
        var decided = boards.Do(input);
        var state = boards.State.Runs.TryGetValue(1, out var run) ? run.State.ToString() : "gone";
        var caused = decided.Refusal is { } refusal ? $"refused: {refusal.Kind}"
            : string.Join(", ", decided.Events.Where(happened => happened is not Event.RequestServed).Select(happened => happened.GetType().Name).Concat(decided.Effects.Select(effect => $"→ {effect.GetType().Name}{(effect is Effect.StartLaunch start ? $" {start.Launch}" : "")}")));
        return caused.Length == 0 ? $"  {what,-32} -\n" : $"  {what,-32} {state,-16} {caused}\n";
    }

    private static Decision Question(int launch) => new($"1-{launch}-q0", 1, 1, launch, DecisionKind.Question, DecisionState.Open, "q0", "toolu", "AskUserQuestion", "{}", null, [new Question("q1", "Which?", null, [], false)], Boards.Start, null, null, null);

    private static IEnumerable<(string Name, Run Run)> Situations(Boards boards)
    {
        var card = boards.Card();
        var id = boards.Granted(boards.Dispatch(card)).Outcome!.Id;
        var fresh = boards.State.Runs[id] with { Id = 1, CardId = 1, CardNumber = 1, State = RunState.Queued };
        boards.Put(new Event.CardDeleted(card)); // and its run with it
        var live = fresh with { WorktreePath = "/w/1", BaseRef = "origin/main", BaseCommit = "c0ffee", State = RunState.Running, Launch = 2, LaunchLive = true, SessionKnown = true, InTurn = true, Messages = [new Message("first", "Do it.", MessageState.Delivered)] };
        var over = live with { LaunchLive = false, InTurn = false, Outcome = new TurnOutcome(false, false, null, null) };
        yield return ("Queued, never started", fresh);
        yield return ("Queued again", over with { State = RunState.Queued });
        yield return ("Preparing", fresh with { State = RunState.Preparing });
        yield return ("Preparing, stop asked", fresh with { State = RunState.Preparing, StopAsked = "user" });
        yield return ("Running, in a turn", live);
        yield return ("Running, input closed", live with { InTurn = false, InputClosed = true, Outcome = new TurnOutcome(false, false, null, null) });
        yield return ("Running, stop asked", live with { StopAsked = "user" });
        yield return ("Running, stopped for its budget", live with { StopAsked = "budget", ExactMicroUsd = live.Budget.MicroUsd });
        yield return ("AwaitingDecision", live with { State = RunState.AwaitingDecision });
        yield return ("InReview", over with { State = RunState.InReview, Dirty = true });
        yield return ("Finished, with processes left", over with { State = RunState.Finished, LeftRunning = 2 });
        yield return ("Failed, without a worktree", fresh with { State = RunState.Failed });
        yield return ("Failed", over with { State = RunState.Failed });
        yield return ("Stopped", over with { State = RunState.Stopped });
        yield return ("Stopped for its budget", over with { State = RunState.Stopped, Reason = new Reason("budget", ""), ExactMicroUsd = over.Budget.MicroUsd });
        yield return ("Interrupted", over with { State = RunState.Interrupted });
        yield return ("Discarded", over with { State = RunState.Discarded });
        yield return ("Promoted", over with { State = RunState.Promoted });
    }

    private static IEnumerable<(string What, Input Input)> Inputs(Boards boards, Run run)
    {
        var (id, at) = (run.Id, run.Launch);
        var fine = new TurnOutcome(false, false, null, null);
        yield return ("Dispatch", boards.Dispatch(run.CardId));
        yield return ("Stop", boards.Stop(id));
        yield return ("Reply", boards.Reply(id));
        yield return ("Resume", boards.Resume(id));
        yield return ("Decide, the question", boards.Answer($"1-{at}-q0", says: "Left"));
        yield return ("Decide, more budget", boards.Answer("budget-1-1"));
        yield return ("Decide, no more budget", boards.Answer("budget-1-1", allow: false));
        yield return ("ArchiveCard", new Input.ArchiveCard(boards.Id, run.CardId, true));
        yield return ("DeleteCard", new Input.DeleteCard(boards.Id, run.CardId));
        yield return ("BaseChosen", new Input.BaseChosen(id, "main", "c0ffee"));
        yield return ("Prepared", new Input.Prepared(id, "/w/1", "origin/main", "c0ffee"));
        yield return ("PrepareFailed", new Input.PrepareFailed(id, new Reason("repositoryLocked", "")));
        yield return ("LaunchFailed", new Input.LaunchFailed(id, at, new Reason("launchFailed", "")));
        yield return ("TurnStarted", new Input.TurnStarted(id, at, null, null));
        yield return ("TurnEnded", new Input.TurnEnded(id, at, fine, 1));
        yield return ("TurnEnded, earlier launch", new Input.TurnEnded(id, at - 1, fine, 1));
        yield return ("CostAdded", new Input.CostAdded(id, at, 1_000));
        yield return ("CostAdded, over the budget", new Input.CostAdded(id, at, 1_000_000_000));
        yield return ("CostAdded, earlier launch", new Input.CostAdded(id, at - 1, 1_000));
        yield return ("ModelsUsed, earlier launch", new Input.ModelsUsed(id, at - 1, [new ModelUse("model-a", 1_000, true, 1, 1, 1, 1)], 0));
        yield return ("RateLimited", new Input.RateLimited(id, at, "five_hour", Boards.Start.AddHours(2)));
        yield return ("RateLimited, earlier launch", new Input.RateLimited(id, at - 1, null, null));
        yield return ("RateAllowed", new Input.RateAllowed(id, at, "five_hour"));
        yield return ("CostEstimated", new Input.CostEstimated(id, at, 1_000));
        yield return ("CostEstimated, over the budget", new Input.CostEstimated(id, at, 1_000_000_000));
        yield return ("DecisionAsked", Boards.Asked(id, at));
        yield return ("DecisionAsked, earlier launch", Boards.Asked(id, at - 1));
        yield return ("DecisionWithdrawn", new Input.DecisionWithdrawn(id, at, "q0"));
        yield return ("MessageEchoed, known already", new Input.MessageEchoed(id, at, run.Messages[0].Id));
        yield return ("BackgroundTasksChanged", new Input.BackgroundTasksChanged(id, at, 2));
        foreach (var kind in Enum.GetValues<LaunchEndKind>())
        {
            yield return ($"LaunchEnded {kind}", new Input.LaunchEnded(id, at, new LaunchEnd(kind, 0, null, null), false, null, 0));
        }

        yield return ("LaunchEnded Exited, dirty", new Input.LaunchEnded(id, at, new LaunchEnd(LaunchEndKind.Exited, 0, null, null), true, new DiffStat(1, 1, 0), 0));
        yield return ("WorktreeSeen, in its place", new Input.WorktreeSeen(id, run.WorktreePath, null));
        yield return ("WorktreeSeen, moved", new Input.WorktreeSeen(id, "/w/moved", null));
        yield return ("WorktreeSeen, gone", new Input.WorktreeSeen(id, null, "It is gone."));
        yield return ("Noticed", new Input.Noticed(id, new Reason("sharedConfigChanged", "It changed.")));
        yield return ("CheckpointTaken", new Input.CheckpointTaken(id, new CheckpointMark("1-c0ffee", "c0ffee", Boards.Start, "turn", 0)));
        yield return ("Discard", new Input.Discard(boards.Id, id));
        yield return ("Comment", new Input.Comment(boards.Id, id, null, "a.txt", 1, false, "Why?", null));
        yield return ("SubmitComments, none there", new Input.SubmitComments(boards.Id, id, null, "m-9"));
        yield return ("Rewind, no such checkpoint", new Input.Rewind(boards.Id, id, "1-c0ffee"));
        yield return ("WorktreeRewound, unasked", new Input.WorktreeRewound(id, 0, new DiffStat(1, 1, 0)));
        yield return ("Promote", new Input.Promote(boards.Id, id, new PromoteOrder("main", LandingStrategy.Squash, null, [], "c0ffee")));
        yield return ("WorkLanded, unasked", new Input.WorkLanded(id, 0, "main", "c0ffee"));
        yield return ("Restore", new Input.Restore(boards.Id, id));
        yield return ("Free", new Input.Free(boards.Id, id));
        yield return ("WorktreeFreed, unasked", new Input.WorktreeFreed(id, 0));
        yield return ("Fork, no checkpoint there", new Input.Fork(boards.Id, id, null, null, "s-9", "m-9"));
        yield return ("MarkViewed", new Input.MarkViewed(boards.Id, id, [new ViewedFile("a.txt", "c0ffee")], true));
        yield return ("ResolveConflicts", new Input.ResolveConflicts(boards.Id, id, "main", ["a.txt"], "m-9"));
        yield return ("CheckpointsPruned, none there", new Input.CheckpointsPruned(id, ["1-c0ffee"]));
        yield return ("WorktreeDiscarded, unasked", new Input.WorktreeDiscarded(id, 0, "/trash"));
        yield return ("WorktreeRestored, unasked", new Input.WorktreeRestored(id, 0));
        yield return ("WorktreeMoveFailed, unasked", new Input.WorktreeMoveFailed(id, 0, new Reason("folderNotMoved", ""), []));
        yield return ("LeftoversCounted", new Input.LeftoversCounted(id, 0));
        yield return ("LaunchEnded, earlier launch", new Input.LaunchEnded(id, at - 1, new LaunchEnd(LaunchEndKind.Exited, 0, null, null), false, null, 0));
        yield return ("LaunchEnded, session unknown", new Input.LaunchEnded(id, at, new LaunchEnd(LaunchEndKind.Exited, 1, null, new Reason(Decider.SessionUnknown, "")), false, null, 0));
        foreach (var kind in Enum.GetValues<ObservedKind>())
        {
            yield return ($"Recovered {kind}", new Input.Recovered(0, [new ObservedLaunch(id, at, kind)]));
        }

        yield return ("SetSettings, a slot is free", new Input.SetSettings(boards.Id, Settings.Default));
        yield return ("Tick", new Input.Tick());
    }
}
