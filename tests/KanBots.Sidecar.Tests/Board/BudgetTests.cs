using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Tests.Board;

public sealed class BudgetTests
{
    private const long Enough = 1_000_000;
    private readonly Boards _boards = new();

    private Run Run(long id) => _boards.State.Runs[id];

    private Decision? Asked(long run) => _boards.State.OpenDecisionsOf(run).SingleOrDefault(decision => decision.Kind == DecisionKind.Budget);

    [Theory]
    [InlineData("exact")]
    [InlineData("estimate")]
    [InlineData("turns")]
    public void A_reached_budget_stops_in_mid_turn_and_asks_for_more(string by)
    {
        var run = _boards.Running(Enough, turns: 1);
        var decided = by switch
        {
            "exact" => _boards.Do(new Input.CostAdded(run, 1, Enough)),
            "estimate" => _boards.Do(new Input.CostEstimated(run, 1, Enough)),
            _ => _boards.EndTurn(run, isError: true),
        };
        Assert.Contains(new Effect.StopLaunch(run, 1), decided.Effects);
        Assert.NotNull(Asked(run));
        _ = _boards.End(run, LaunchEndKind.Stopped);
        Assert.Equal((RunState.Stopped, "budget"), (Run(run).State, Run(run).Reason!.Kind));
        Assert.NotNull(Asked(run));
    }

    [Theory]
    [InlineData(Enough + 100_000, 5, true, RunState.InReview, "money ($1.10 of $1.00)")]
    [InlineData(Enough + 100_000, 5, false, RunState.Finished, "money ($1.10 of $1.00)")]
    [InlineData(10, 1, true, RunState.InReview, "turns (1 of 1)")]
    public void A_last_turn_that_goes_over_the_budget_has_done_its_work(long cost, int turns, bool dirty, RunState state, string what)
    {
        var run = _boards.Running(Enough, turns);
        _ = _boards.Do(new Input.CostAdded(run, 1, cost));
        _ = _boards.EndTurn(run);
        _ = _boards.End(run, LaunchEndKind.Stopped, dirty);
        Assert.Equal((state, "overBudget"), (Run(run).State, Run(run).Reason!.Kind));
        Assert.Contains(what, Run(run).Reason!.Message);
        Assert.Null(Asked(run)); // nobody waits for an answer: the work is done
        Assert.Contains("Resume it", _boards.Refused(_boards.Reply(run)).Message);
        Assert.Empty(_boards.Granted(_boards.Resume(run)).Effects);
        Assert.NotEmpty(_boards.Granted(_boards.Answer(Asked(run)!.Id)).Effects.OfType<Effect.StartLaunch>());
    }

    [Fact]
    public void Over_its_budget_with_a_message_to_come_the_work_is_not_done()
    {
        var run = _boards.Running(Enough);
        _ = _boards.Granted(_boards.Reply(run));
        _ = _boards.Do(new Input.CostAdded(run, 1, Enough));
        _ = _boards.EndTurn(run);
        _ = _boards.End(run, LaunchEndKind.Stopped, dirty: true);
        Assert.Equal(RunState.Stopped, Run(run).State);
        Assert.NotNull(Asked(run));
    }

    [Fact]
    public void One_below_the_budget_goes_on()
    {
        var run = _boards.Running(Enough);
        Assert.Empty(_boards.Do(new Input.CostAdded(run, 1, Enough - 1)).Effects);
        Assert.Equal(new Effect.StopLaunch(run, 1), Assert.Single(_boards.Do(new Input.CostAdded(run, 1, 1)).Effects));
    }

    [Fact]
    public void More_budget_resumes_the_run_with_as_much_again()
    {
        var run = _boards.Running(Enough);
        _ = _boards.Do(new Input.CostAdded(run, 1, Enough + 5));
        _ = _boards.End(run, LaunchEndKind.Stopped);
        Assert.Equal("budgetExceeded", _boards.Refused(_boards.Resume(run)).Kind);
        Assert.Equal("budgetExceeded", _boards.Refused(_boards.Reply(run)).Kind);
        var start = _boards.Granted(_boards.Answer(Asked(run)!.Id)).Effects.OfType<Effect.StartLaunch>().Single();
        Assert.Equal((2, true), (start.Launch, start.Resume));
        Assert.Equal(Enough + 5 + Settings.Default.Budget.MicroUsd, Run(run).Budget.MicroUsd);
    }

    [Fact]
    public void No_more_budget_leaves_it_stopped()
    {
        var run = _boards.Running(Enough);
        _ = _boards.Do(new Input.CostAdded(run, 1, Enough));
        _ = _boards.End(run, LaunchEndKind.Stopped);
        Assert.Empty(_boards.Granted(_boards.Answer(Asked(run)!.Id, allow: false)).Effects);
        Assert.Equal(RunState.Stopped, Run(run).State);
        Assert.Null(Asked(run));
    }

    [Fact]
    public void A_budget_raised_while_the_run_is_being_stopped_lets_it_go_on_after()
    {
        var run = _boards.Running(Enough);
        _ = _boards.Do(new Input.CostEstimated(run, 1, Enough));
        Assert.Empty(_boards.Granted(_boards.Answer(Asked(run)!.Id)).Effects);
        var start = _boards.End(run, LaunchEndKind.Stopped).Effects.OfType<Effect.StartLaunch>().Single();
        Assert.Equal("The budget was raised. Go on where you stopped.", Assert.Single(start.Messages).Text);
    }

    [Fact]
    public void A_persons_stop_outranks_a_raised_budget()
    {
        var run = _boards.Running(Enough);
        _ = _boards.Do(new Input.CostEstimated(run, 1, Enough));
        _ = _boards.Granted(_boards.Answer(Asked(run)!.Id));
        _ = _boards.Granted(_boards.Stop(run));
        Assert.Empty(_boards.End(run, LaunchEndKind.Stopped).Effects);
        Assert.Equal((RunState.Stopped, "user"), (Run(run).State, Run(run).Reason!.Kind));
    }

    [Fact]
    public void Who_reaches_the_budget_while_being_stopped_is_asked_as_well()
    {
        var run = _boards.Running(Enough);
        _ = _boards.Granted(_boards.Stop(run));
        _ = _boards.Do(new Input.CostAdded(run, 1, Enough));
        _ = _boards.End(run, LaunchEndKind.Stopped);
        Assert.Equal("budgetExceeded", _boards.Refused(_boards.Resume(run)).Kind);
        Assert.NotEmpty(_boards.Granted(_boards.Answer(Asked(run)!.Id)).Effects.OfType<Effect.StartLaunch>());
    }

    [Fact]
    public void A_raised_budget_that_is_reached_again_is_asked_for_again()
    {
        var run = _boards.Running(Enough);
        _ = _boards.Do(new Input.CostEstimated(run, 1, Enough));
        _ = _boards.Granted(_boards.Answer(Asked(run)!.Id));
        _ = _boards.Do(new Input.CostAdded(run, 1, 100 * Enough));
        _ = _boards.End(run, LaunchEndKind.Stopped);
        Assert.Equal(RunState.Stopped, Run(run).State);
        Assert.NotNull(Asked(run));
    }

    [Fact]
    public void A_bill_that_comes_while_the_run_waits_keeps_it_from_starting()
    {
        var run = _boards.Running(Enough);
        _ = _boards.End(run, LaunchEndKind.HostDied);
        _ = _boards.Granted(new Input.SetSettings(_boards.Id, Settings.Default with { MaxParallel = 1 }));
        var other = _boards.Running();
        _ = _boards.Granted(_boards.Resume(run));
        _ = _boards.Do(new Input.CostAdded(run, 1, Enough));
        Assert.Empty(_boards.End(other).Effects);
        Assert.Equal((RunState.Stopped, "budget"), (Run(run).State, Run(run).Reason!.Kind));
        Assert.NotNull(Asked(run));
    }

    [Fact]
    public void A_late_bill_of_an_earlier_launch_leaves_the_estimate_of_this_one()
    {
        var run = _boards.Running(Enough);
        _ = _boards.End(run, LaunchEndKind.HostDied);
        _ = _boards.Granted(_boards.Resume(run));
        _ = _boards.Do(new Input.CostEstimated(run, 2, 900));
        _ = _boards.Do(new Input.CostAdded(run, 1, 50));
        Assert.Equal((50L, 900L), (Run(run).ExactMicroUsd, Run(run).EstimateMicroUsd));
        _ = _boards.End(run, LaunchEndKind.HostDied);
        Assert.Equal((950L, 0L), (Run(run).ExactMicroUsd, Run(run).EstimateMicroUsd));
    }

    [Fact]
    public void A_cost_counts_once_and_takes_the_estimate_away()
    {
        var run = _boards.Running(Enough);
        _ = _boards.Do(new Input.CostEstimated(run, 1, 700));
        _ = _boards.Do(new Input.CostEstimated(run, 1, 900));
        Assert.Equal(900, Run(run).CostMicroUsd);
        _ = _boards.Do(new Input.CostAdded(run, 1, 800));
        Assert.Equal((800L, 800L), (Run(run).CostMicroUsd, _boards.State.SpendByDay["2026-11-25"]));
        _ = _boards.Do(new Input.CostAdded(run, 1, -50));
        Assert.Equal(800, Run(run).CostMicroUsd);
    }
}
