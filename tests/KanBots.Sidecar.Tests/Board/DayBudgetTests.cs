using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Tests.Board;

/// <summary>The day's money: reserved before it is spent, enforced while it is.</summary>
public sealed class DayBudgetTests
{
    private const long Dollar = 1_000_000;
    private readonly Boards _boards = new();

    private Run Run(long id) => _boards.State.Runs[id];

    private Reason? Waits(long id) => Waiting.Reasons(_boards.State, _boards.Now).GetValueOrDefault(id);

    private void Day(long microUsd, int parallel = 32) => _ = _boards.Granted(new Input.SetSettings(_boards.Id, Settings.Default with { MaxParallel = parallel, DayBudgetMicroUsd = microUsd }));

    private long Dispatched(long microUsd) => _boards.Granted(_boards.Dispatch(_boards.Card(), microUsd)).Outcome!.Id;

    [Fact]
    public void What_live_runs_may_spend_is_reserved_and_the_next_waits_for_it_with_a_sentence()
    {
        Day(10 * Dollar);
        var (first, second) = (_boards.Running(6 * Dollar), Dispatched(6 * Dollar));
        Assert.Equal(RunState.Queued, Run(second).State);
        Assert.Equal("dayBudget", Waits(second)!.Kind);
        Assert.Matches(@"of \$10\.00, \$0\.00 is spent and \$6\.00 is reserved.*may spend \$6\.00.*starts by itself.*runs\.budget\.dayMicroUsd", Waits(second)!.Message);
        _ = _boards.Do(new Input.CostAdded(first, 1, 3 * Dollar));
        Assert.Equal(RunState.Queued, Run(second).State); // spent or reserved, it is the same money
        _ = _boards.EndTurn(first);
        _ = _boards.End(first);
        Assert.Equal(RunState.Preparing, Run(second).State); // what was not spent is given back
        Assert.Null(Waits(second));
    }

    [Fact]
    public void A_bill_that_comes_after_its_card_was_deleted_counts_for_its_day()
    {
        Day(10 * Dollar);
        var card = _boards.Card();
        var first = _boards.Running(2 * Dollar, card: card);
        _ = _boards.EndTurn(first);
        _ = _boards.End(first);
        _boards.Put(new Event.CardDeleted(card));
        _ = _boards.Do(new Input.CostAdded(first, 1, 7 * Dollar));
        Assert.Equal(7 * Dollar, Assert.Single(_boards.State.SpendByDay).Value);
        Assert.Equal("budgetExceeded", _boards.Refused(_boards.Dispatch(_boards.Card(), 6 * Dollar)).Kind);
        Assert.Empty(_boards.Do(new Input.CostAdded(99, 1, Dollar)).Events); // there was no such run
    }

    [Fact]
    public void Nobody_is_overtaken_but_by_who_needs_less_than_what_it_could_never_get_today()
    {
        Day(10 * Dollar);
        var first = _boards.Running(6 * Dollar);
        var second = Dispatched(7 * Dollar);
        var third = Dispatched(Dollar);
        Assert.Equal(RunState.Queued, Run(third).State);
        Assert.Contains($"behind run {second}", Waits(third)!.Message);
        _ = _boards.Do(new Input.CostAdded(first, 1, 5 * Dollar));
        Assert.Equal((RunState.Queued, RunState.Preparing), (Run(second).State, Run(third).State));
        Assert.Contains("tomorrow", Waits(second)!.Message);
    }

    [Fact]
    public void What_waits_for_tomorrow_starts_by_itself_after_midnight()
    {
        Day(10 * Dollar);
        var (first, second) = (_boards.Running(9 * Dollar), Dispatched(6 * Dollar));
        _ = _boards.Do(new Input.CostAdded(first, 1, 8 * Dollar));
        _ = _boards.EndTurn(first);
        _ = _boards.End(first);
        _ = _boards.Do(new Input.Tick());
        Assert.Equal(RunState.Queued, Run(second).State);
        _boards.Now += TimeSpan.FromDays(1);
        _ = _boards.Do(new Input.Tick());
        Assert.Equal(RunState.Preparing, Run(second).State);
    }

    [Fact]
    public void What_could_not_start_today_in_any_case_is_refused_with_what_is_left()
    {
        Day(10 * Dollar);
        var run = _boards.Running(9 * Dollar);
        _ = _boards.Do(new Input.CostAdded(run, 1, 8 * Dollar));
        var refused = _boards.Refused(_boards.Dispatch(_boards.Card(), 3 * Dollar));
        Assert.Equal("budgetExceeded", refused.Kind);
        Assert.Contains("only $2.00 is left", refused.Message);
    }

    [Fact]
    public void A_default_budget_is_no_larger_than_the_day()
    {
        Day(2 * Dollar);
        Assert.Equal(2 * Dollar, Run(_boards.Running()).Budget.MicroUsd);
        Assert.Equal("budgetExceeded", _boards.Refused(_boards.Dispatch(_boards.Card(), 3 * Dollar)).Kind);
    }

    [Fact]
    public void A_lowered_day_leaves_the_queue_as_it_is_and_says_why_it_waits()
    {
        Day(50 * Dollar, parallel: 1);
        _ = _boards.Running(Dollar);
        var waits = Dispatched(5 * Dollar);
        Day(4 * Dollar);
        Assert.Equal(RunState.Queued, Run(waits).State);
        Assert.Contains("a whole day $4.00", Waits(waits)!.Message);
        Day(50 * Dollar);
        Assert.Equal(RunState.Preparing, Run(waits).State);
    }

    [Fact]
    public void The_default_parallel_limit_of_default_runs_fits_into_the_default_day() =>
        Assert.True(Settings.Default.MaxParallel * Settings.Default.Budget.MicroUsd <= Settings.Default.DayBudgetMicroUsd);

    [Fact]
    public void Four_runs_together_overshoot_the_day_by_at_most_one_call_each()
    {
        const long call = 400_000;
        Day(8 * Dollar);
        var runs = Enumerable.Range(0, 4).Select(_ => _boards.Running(2 * Dollar)).ToList();
        Day(3 * Dollar); // lowered while they work, so that more is promised than there is
        for (var round = 1; round <= 5; round++)
        {
            foreach (var run in runs.Where(run => Run(run).StopAsked is null))
            {
                _ = _boards.Do(new Input.CostEstimated(run, 1, round * call));
            }
        }

        Assert.All(runs, run => Assert.Equal("dayBudget", Run(run).StopAsked));
        Assert.InRange(runs.Sum(run => Run(run).CostMicroUsd), 3 * Dollar, (3 * Dollar) + (4 * call));
        _ = _boards.End(runs[0], LaunchEndKind.Stopped);
        Assert.Equal((RunState.Stopped, "dayBudget"), (Run(runs[0]).State, Run(runs[0]).Reason!.Kind));
    }

    [Fact]
    public void A_run_stopped_for_the_day_goes_on_when_the_day_is_raised()
    {
        Day(3 * Dollar);
        var run = _boards.Running(3 * Dollar);
        Day(Dollar);
        Assert.Contains(new Effect.StopLaunch(run, 1), _boards.Do(new Input.CostEstimated(run, 1, Dollar)).Effects);
        _ = _boards.End(run, LaunchEndKind.Stopped);
        Assert.Empty(_boards.Granted(_boards.Resume(run)).Effects);
        Assert.Equal(RunState.Queued, Run(run).State);
        Day(4 * Dollar);
        Assert.Equal((RunState.Running, 2), (Run(run).State, Run(run).Launch));
    }

    [Fact]
    public void Absurd_budgets_are_refused_with_the_maximum()
    {
        var settings = Settings.Default;
        Settings[] absurd =
        [
            settings with { DayBudgetMicroUsd = Limits.DayMicroUsdMax + 1 },
            settings with { Budget = settings.Budget with { MicroUsd = Limits.RunMicroUsdMax + 1 } },
            settings with { Budget = settings.Budget with { Turns = Limits.TurnsMax + 1 } },
            settings with { Budget = settings.Budget with { Minutes = Limits.MinutesMax + 1 } },
        ];
        Assert.All(absurd, wanted => Assert.Equal("invalidArgument", _boards.Refused(new Input.SetSettings(_boards.Id, wanted)).Kind));
        Assert.Contains("$10000.00", _boards.Refused(_boards.Dispatch(_boards.Card(), Limits.RunMicroUsdMax + 1)).Message);
        _ = _boards.Granted(new Input.SetSettings(_boards.Id, new Settings(1, new Budget(Limits.RunMicroUsdMax, Limits.TurnsMax, Limits.MinutesMax), Limits.DayMicroUsdMax)));
    }
}
