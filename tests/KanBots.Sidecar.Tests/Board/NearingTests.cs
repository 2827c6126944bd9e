using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Tests.Board;

/// <summary>A budget that is nearly used up is said once, while there is still something to do about it.</summary>
public sealed class NearingTests
{
    private const long Dollar = 1_000_000;
    private readonly Boards _boards = new();

    private string[] Said(long run) => [.. _boards.State.Runs[run].Warnings.Select(warning => warning.Kind)];

    private static int Warnings(Decided decided) => decided.Events.Count(happened => happened is Event.BudgetWarned);

    [Theory]
    [InlineData("exact")]
    [InlineData("estimate")]
    public void Four_fifths_of_the_money_are_said_once(string by)
    {
        var run = _boards.Running(Dollar);
        Input.Report Spends(long micro) => by == "exact" ? new Input.CostAdded(run, 1, micro) : new Input.CostEstimated(run, 1, by == "estimate" && micro < 100 ? 800_000 + micro : micro);
        Assert.Equal(0, Warnings(_boards.Do(Spends(799_999))));
        Assert.Equal(1, Warnings(_boards.Do(Spends(by == "exact" ? 1 : 800_000))));
        Assert.Equal("$0.8000 of its $1.00 is spent. At $1.00 it is stopped in mid-turn and asks for more.", _boards.State.Runs[run].Warnings.Single().Message);
        Assert.Equal(0, Warnings(_boards.Do(Spends(5))));
        Assert.Equal(["money"], Said(run));
    }

    [Fact]
    public void What_goes_over_in_one_step_is_asked_and_not_warned_of()
    {
        var run = _boards.Running(Dollar);
        Assert.Equal(0, Warnings(_boards.Do(new Input.CostAdded(run, 1, Dollar))));
        Assert.Equal("budget", _boards.State.Runs[run].StopAsked);
    }

    [Fact]
    public void Four_fifths_of_the_turns_are_said()
    {
        var run = _boards.Running(turns: 5);
        _ = _boards.Do(new Input.TurnEnded(run, 1, new TurnOutcome(false, false, null, null), 3));
        Assert.Empty(Said(run));
        _ = _boards.Do(new Input.TurnEnded(run, 1, new TurnOutcome(false, false, null, null), 1));
        Assert.Equal(["turns"], Said(run));
    }

    [Fact]
    public void More_budget_is_another_crossing()
    {
        var run = _boards.Running(Dollar);
        _ = _boards.Do(new Input.CostAdded(run, 1, 900_000));
        _ = _boards.Do(new Input.CostAdded(run, 1, 100_000));
        _ = _boards.End(run, LaunchEndKind.Stopped);
        _ = _boards.Granted(_boards.Answer("budget-1-1"));
        Assert.Empty(Said(run));
        _ = _boards.Do(new Input.CostAdded(run, 2, 4 * Dollar));
        Assert.Equal(["money"], Said(run));
    }

    [Fact]
    public void Minutes_count_work_and_not_the_waiting_for_a_person()
    {
        var run = _boards.Running();
        _boards.Now += TimeSpan.FromMinutes(60);
        var question = _boards.Ask(run);
        _boards.Now += TimeSpan.FromMinutes(600);
        Assert.Equal(0, Warnings(_boards.Do(new Input.Tick())));
        _ = _boards.Granted(_boards.Answer(question, says: "Left"));
        _boards.Now += TimeSpan.FromMinutes(35);
        Assert.Equal(0, Warnings(_boards.Do(new Input.Tick())));
        _boards.Now += TimeSpan.FromMinutes(1);
        Assert.Equal(1, Warnings(_boards.Do(new Input.Tick())));
        Assert.StartsWith("Launch 1 has worked 96 of its 120 minutes.", _boards.State.Runs[run].Warnings.Single().Message);
        Assert.Equal(0, Warnings(_boards.Do(new Input.Tick())));
    }

    [Fact]
    public void Questions_that_wait_together_are_waited_for_once()
    {
        var run = _boards.Running();
        var first = _boards.Ask(run, request: "q1");
        _boards.Now += TimeSpan.FromMinutes(10);
        var second = _boards.Ask(run, request: "q2");
        _boards.Now += TimeSpan.FromMinutes(10);
        _ = _boards.Granted(_boards.Answer(first, says: "Left"));
        _boards.Now += TimeSpan.FromMinutes(10);
        _ = _boards.Granted(_boards.Answer(second, says: "Left"));
        _boards.Now += TimeSpan.FromMinutes(7);
        Assert.InRange(Nearing.WorkOf(_boards.State, _boards.State.Runs[run], _boards.Now).TotalMinutes, 7, 7.2);
    }

    [Fact]
    public void The_day_is_said_once_and_again_for_another_day_or_budget()
    {
        void Day(long micro) => _ = _boards.Granted(new Input.SetSettings(_boards.Id, Settings.Default with { DayBudgetMicroUsd = micro }));
        int Count(Input input) => _boards.Do(input).Events.Count(happened => happened is Event.DayWarned);
        Day(10 * Dollar);
        var run = _boards.Running(9 * Dollar);
        Assert.Equal(0, Count(new Input.CostAdded(run, 1, 7 * Dollar)));
        Assert.Equal(1, Count(new Input.CostEstimated(run, 1, Dollar)));
        Assert.StartsWith("$8.00 of today's $10.00 is spent.", _boards.State.DayWarning!.Warning.Message);
        Assert.Equal(0, Count(new Input.CostEstimated(run, 1, Dollar + 5)));
        Day(20 * Dollar);
        Assert.Null(_boards.State.DayWarning);
        Day(9 * Dollar);
        Assert.StartsWith("$8.00 of today's $9.00", _boards.State.DayWarning!.Warning.Message);
    }
}
