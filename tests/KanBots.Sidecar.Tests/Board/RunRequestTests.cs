using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Tests.Board;

public sealed class RunRequestTests
{
    private readonly Boards _boards = new();

    private Run Run(long id) => _boards.State.Runs[id];

    [Fact]
    public void Each_wish_about_a_run_that_cannot_be_is_refused_by_kind()
    {
        var run = _boards.Running();
        var question = _boards.Ask(run);
        var refusals = new Dictionary<Input.Request, string>
        {
            [_boards.Stop(99)] = "runNotFound",
            [_boards.Reply(99)] = "runNotFound",
            [_boards.Resume(99)] = "runNotFound",
            [_boards.Resume(run)] = "runLive",
            [_boards.Reply(run, " ")] = "invalidArgument",
            [_boards.Reply(run, new string('m', Limits.MessageLengthMax + 1))] = "limitExceeded",
            [_boards.Reply(run) with { Replaces = "no-such-message" }] = "invalidArgument",
            [_boards.Answer("no-such-decision")] = "decisionNotFound",
            [_boards.Answer(question)] = "invalidArgument",
            [_boards.Answer(question, says: "")] = "invalidArgument",
            [_boards.Answer(question, says: new string('a', Limits.MessageLengthMax + 1))] = "limitExceeded",
            [_boards.Answer(question) with { Verdict = new Verdict(true, [new Answer("q9", ["Left"])], null, false) }] = "invalidArgument",
            [_boards.Dispatch(_boards.Card(), microUsd: 0)] = "invalidArgument",
            [_boards.Dispatch(_boards.Card(), turns: -1)] = "invalidArgument",
            [_boards.Dispatch(_boards.Card()) with { Prompt = new string('p', Limits.MessageLengthMax + 1) }] = "limitExceeded",
        };
        foreach (var (request, kind) in refusals)
        {
            Assert.Equal(kind, _boards.Refused(request).Kind);
        }

        _ = _boards.Granted(_boards.Answer(question, says: "Left"));
        var refused = _boards.Refused(_boards.Answer(question, says: "Right"));
        Assert.Equal("decisionAlreadyAnswered", refused.Kind);
        Assert.Contains("somebody", refused.Message);

        _ = _boards.Granted(_boards.Stop(run));
        Assert.Equal("runNotLive", _boards.Refused(_boards.Reply(run)).Kind);
    }

    [Fact]
    public void A_run_without_a_worktree_cannot_go_on()
    {
        var run = _boards.Granted(_boards.Dispatch(_boards.Card())).Outcome!.Id;
        _ = _boards.Do(new Input.PrepareFailed(run, new Reason("repositoryLocked", "git is locked.")));
        Assert.Equal(RunState.Failed, Run(run).State);
        Assert.Equal("worktreeMissing", _boards.Refused(_boards.Resume(run)).Kind);
        Assert.Equal("worktreeMissing", _boards.Refused(_boards.Reply(run)).Kind);
    }

    [Fact]
    public void A_spent_day_dispatches_nothing_until_tomorrow()
    {
        _ = _boards.Granted(new Input.SetSettings(_boards.Id, Settings.Default with { DayBudgetMicroUsd = 1_000 }));
        _ = _boards.Do(new Input.CostAdded(_boards.Running(), 1, 1_000));
        Assert.Equal("budgetExceeded", _boards.Refused(_boards.Dispatch(_boards.Card())).Kind);
        _boards.Now += TimeSpan.FromDays(1);
        _ = _boards.Granted(_boards.Dispatch(_boards.Card()));
    }

    [Fact]
    public void The_queue_is_served_in_order_and_a_resumed_run_goes_to_its_end()
    {
        _ = _boards.Granted(new Input.SetSettings(_boards.Id, Settings.Default with { MaxParallel = 1 }));
        var first = _boards.Running();
        var waiting = Enumerable.Range(0, 3).Select(_ => _boards.Granted(_boards.Dispatch(_boards.Card())).Outcome!.Id).ToArray();
        _ = _boards.End(first);
        Assert.Equal(RunState.Preparing, Run(waiting[0]).State);
        _ = _boards.Granted(_boards.Resume(first));
        Assert.Equal(RunState.Queued, Run(first).State);

        _ = _boards.Granted(_boards.Stop(waiting[1]));
        Assert.Equal(RunState.Stopped, Run(waiting[1]).State);
        _ = _boards.Do(new Input.PrepareFailed(waiting[0], new Reason("repositoryLocked", "git is locked.")));
        Assert.Equal([RunState.Queued, RunState.Preparing], [Run(first).State, Run(waiting[2]).State]);
    }

    [Fact]
    public void A_lowered_limit_ends_nothing_and_starts_nothing()
    {
        var runs = Enumerable.Range(0, 3).Select(_ => _boards.Running()).ToArray();
        var lowered = _boards.Granted(new Input.SetSettings(_boards.Id, Settings.Default with { MaxParallel = 1 }));
        Assert.Empty(lowered.Effects);
        var queued = _boards.Granted(_boards.Dispatch(_boards.Card())).Outcome!.Id;
        _ = _boards.End(runs[0]);
        _ = _boards.End(runs[1]);
        Assert.Equal(RunState.Queued, Run(queued).State);
        _ = _boards.End(runs[2]);
        Assert.Equal(RunState.Preparing, Run(queued).State);
    }

    [Fact]
    public void The_input_is_closed_only_when_nothing_is_under_way()
    {
        var run = _boards.Running();
        _ = _boards.Do(new Input.BackgroundTasksChanged(run, 1, 1));
        var reply = _boards.Reply(run);
        _ = _boards.Granted(reply);
        Assert.DoesNotContain(_boards.EndTurn(run).Effects, effect => effect is Effect.CloseInput); // a task and a message
        Assert.DoesNotContain(_boards.Do(new Input.BackgroundTasksChanged(run, 1, 0)).Effects, effect => effect is Effect.CloseInput); // the message
        Assert.Empty(_boards.Do(new Input.TurnStarted(run, 1, null, null)).Effects);
        Assert.Empty(_boards.Do(new Input.MessageEchoed(run, 1, reply.MessageId)).Effects); // in a turn
        Assert.Equal<Effect>([new Effect.TakeCheckpoint(run, "turn"), new Effect.CloseInput(run, 1)], _boards.EndTurn(run).Effects);
    }

    [Fact]
    public void A_question_of_an_earlier_launch_holds_up_nothing_and_can_still_be_answered()
    {
        var run = _boards.Running();
        var question = _boards.Ask(run);
        _ = _boards.End(run, LaunchEndKind.HostDied);
        Assert.Equal((RunState.Interrupted, DecisionState.Open), (Run(run).State, _boards.State.Decisions[question].State));

        var resume = _boards.Resume(run);
        _ = _boards.Granted(resume);
        _ = _boards.Do(new Input.TurnStarted(run, 2, null, null));
        _ = _boards.Do(new Input.MessageEchoed(run, 2, resume.MessageId));
        var permission = _boards.Ask(run, DecisionKind.Permission);
        Assert.Contains(new Effect.SetWaiting(run, 2, false), _boards.Granted(_boards.Answer(permission)).Effects);
        Assert.Equal(RunState.Running, Run(run).State);

        var sent = Assert.IsType<Effect.SendMessage>(Assert.Single(_boards.Granted(_boards.Answer(question, says: "Left")).Effects));
        Assert.Contains("Left", sent.Message.Text);
        _ = _boards.Do(new Input.MessageEchoed(run, 2, sent.Message.Id));
        Assert.Contains(new Effect.CloseInput(run, 2), _boards.EndTurn(run).Effects);
    }

    [Fact]
    public void An_unanswered_question_of_an_earlier_launch_does_not_keep_the_input_open()
    {
        var run = _boards.Running();
        _ = _boards.Ask(run);
        _ = _boards.End(run, LaunchEndKind.HostDied);
        var resume = _boards.Resume(run);
        _ = _boards.Granted(resume);
        _ = _boards.Do(new Input.TurnStarted(run, 2, null, null));
        _ = _boards.Do(new Input.MessageEchoed(run, 2, resume.MessageId));
        Assert.Contains(new Effect.CloseInput(run, 2), _boards.EndTurn(run).Effects);
    }

    [Fact]
    public void An_answer_after_the_launch_is_gone_is_the_first_message_of_the_next()
    {
        var run = _boards.Running();
        var question = _boards.Ask(run);
        _ = _boards.End(run, LaunchEndKind.WaitedTooLong);
        Assert.Equal(RunState.Stopped, Run(run).State);
        var start = _boards.Granted(_boards.Answer(question, says: "Left")).Effects.OfType<Effect.StartLaunch>().Single();
        Assert.True(start.Resume);
        Assert.Equal("Answers to your questions:\n\nWhich?\nLeft", Assert.Single(start.Messages).Text);
    }

    [Theory]
    [InlineData(LaunchEndKind.Exited, DecisionState.Expired)]
    [InlineData(LaunchEndKind.Stopped, DecisionState.Expired)]
    [InlineData(LaunchEndKind.HostDied, DecisionState.Open)]
    [InlineData(LaunchEndKind.MinutesReached, DecisionState.Open)]
    [InlineData(LaunchEndKind.WaitedTooLong, DecisionState.Open)]
    [InlineData(LaunchEndKind.DiskFull, DecisionState.Open)]
    public void A_question_outlives_what_nobody_chose(LaunchEndKind kind, DecisionState state)
    {
        var run = _boards.Running();
        var question = _boards.Ask(run);
        _ = _boards.End(run, kind);
        Assert.Equal(state, _boards.State.Decisions[question].State);
    }

    [Fact]
    public void A_remembered_permission_answers_the_same_tool_on_the_same_card_only()
    {
        var run = _boards.Running();
        var other = _boards.Running();
        _ = _boards.Granted(_boards.Answer(_boards.Ask(run, DecisionKind.Permission, "p1"), remember: true));
        var again = _boards.Do(Boards.Asked(run, 1, DecisionKind.Permission, "p2"));
        Assert.Equal(["1-1-p2"], again.Effects.OfType<Effect.SendVerdict>().Select(effect => effect.DecisionId));
        Assert.Equal(RunState.Running, Run(run).State);
        _ = _boards.Ask(run, DecisionKind.Permission, "p3", "Write");
        _ = _boards.Ask(other, DecisionKind.Permission, "p1");
        Assert.Equal([RunState.AwaitingDecision, RunState.AwaitingDecision], [Run(run).State, Run(other).State]);
    }

    [Fact]
    public void A_no_is_never_remembered()
    {
        var run = _boards.Running();
        _ = _boards.Granted(_boards.Answer(_boards.Ask(run, DecisionKind.Permission, "p1"), allow: false, remember: true));
        Assert.DoesNotContain(_boards.Do(Boards.Asked(run, 1, DecisionKind.Permission, "p2")).Effects, effect => effect is Effect.SendVerdict);
    }

    [Fact]
    public void What_is_said_after_the_input_was_closed_is_heard_by_the_next_launch()
    {
        var run = _boards.Running();
        _ = _boards.EndTurn(run);
        Assert.Empty(_boards.Granted(_boards.Reply(run, "And this.")).Effects);
        var start = _boards.End(run, dirty: true).Effects.OfType<Effect.StartLaunch>().Single();
        Assert.Equal("And this.", Assert.Single(start.Messages).Text);
    }

    [Fact]
    public void A_message_that_nobody_acknowledged_is_lost_and_said_again_only_when_asked()
    {
        var run = _boards.Running();
        var reply = _boards.Reply(run);
        _ = _boards.Granted(reply);
        _ = _boards.End(run, LaunchEndKind.HostDied);
        Assert.Equal(MessageState.Lost, Run(run).Messages.Single(message => message.Id == reply.MessageId).State);
        var again = _boards.Reply(run, "Again.") with { Replaces = reply.MessageId };
        var start = _boards.Granted(again).Effects.OfType<Effect.StartLaunch>().Single();
        Assert.Equal(["Again."], start.Messages.Select(message => message.Text));
        Assert.DoesNotContain(Run(run).Messages, message => message.Id == reply.MessageId);
    }

    [Fact]
    public void A_late_echo_of_an_earlier_launch_says_nothing_of_this_one()
    {
        var run = _boards.Running();
        var reply = _boards.Reply(run);
        _ = _boards.Granted(reply);
        _ = _boards.End(run, LaunchEndKind.HostDied);
        var resume = _boards.Resume(run);
        _ = _boards.Granted(resume);
        Assert.Empty(_boards.Do(new Input.MessageEchoed(run, 1, reply.MessageId)).Events);
    }
}
