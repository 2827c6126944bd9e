using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Tests.Board;

/// <summary>A provider's limit holds its queue until it is over.</summary>
public sealed class HoldTests
{
    private readonly Boards _boards = new();

    private RunState State(long run) => _boards.State.Runs[run].State;

    private Reason? Waits(long run) => Waiting.Reasons(_boards.State, _boards.Now).GetValueOrDefault(run);

    private long Dispatched(string agent = "claude") => _boards.Granted(_boards.Dispatch(_boards.Card()) with { Agent = agent }).Outcome!.Id;

    private Decided Limited(long run, DateTimeOffset? until) => _boards.Do(new Input.RateLimited(run, _boards.State.Runs[run].Launch, "five_hour", until));

    private void At(DateTimeOffset now)
    {
        _boards.Now = now;
        _ = _boards.Do(new Input.Tick());
    }

    [Fact]
    public void New_runs_wait_until_the_limit_is_over_and_live_ones_are_not_touched()
    {
        var live = _boards.Running();
        var until = _boards.Now.AddHours(2);
        Assert.Empty(Limited(live, until).Effects);
        Assert.Equal(RunState.Running, State(live));
        var waits = Dispatched();
        Assert.Equal(RunState.Queued, State(waits));
        Assert.Equal(("rateLimited", until), (Waits(waits)!.Kind, Waits(waits)!.Until));
        Assert.Equal("Waits until 2026-11-25 10:00:05 UTC for the provider's limit (five_hour) of claude. It starts by itself then.", Waits(waits)!.Message);
        At(until.AddSeconds(-5));
        Assert.Equal(RunState.Queued, State(waits));
        At(until);
        Assert.Equal(RunState.Preparing, State(waits));
        Assert.Null(Waits(waits));
    }

    [Fact]
    public void Another_provider_is_not_held()
    {
        _ = Limited(_boards.Running(), _boards.Now.AddHours(2));
        var (held, other) = (Dispatched(), Dispatched("other"));
        Assert.Equal((RunState.Queued, RunState.Preparing), (State(held), State(other)));
    }

    [Fact]
    public void A_run_that_the_limit_ended_waits_when_it_is_resumed()
    {
        var run = _boards.Running();
        _ = Limited(run, _boards.Now.AddHours(1));
        _ = _boards.EndTurn(run, isError: true);
        _ = _boards.End(run);
        Assert.Equal(RunState.Failed, State(run));
        Assert.Empty(_boards.Granted(_boards.Resume(run)).Effects);
        Assert.Equal("rateLimited", Waits(run)!.Kind);
        At(_boards.Now.AddHours(1));
        Assert.Equal((RunState.Running, 2), (State(run), _boards.State.Runs[run].Launch));
    }

    [Fact]
    public void What_is_allowed_holds_nothing_and_ends_the_same_limit()
    {
        var live = _boards.Running();
        Assert.Empty(_boards.Do(new Input.RateAllowed(live, 1, "five_hour")).Events);
        _ = Limited(live, _boards.Now.AddHours(2));
        var waits = Dispatched();
        _ = _boards.Do(new Input.RateAllowed(live, 1, "seven_day"));
        Assert.Equal(RunState.Queued, State(waits));
        _ = _boards.Do(new Input.RateAllowed(live, 1, "five_hour"));
        Assert.Equal(RunState.Preparing, State(waits));
    }

    [Fact]
    public void Without_a_time_the_pause_doubles_up_to_an_hour_and_is_said_to_be_a_guess()
    {
        var run = _boards.Running();
        var waits = 0L;
        foreach (var minutes in new[] { 5, 10, 20, 40, 60, 60 })
        {
            _ = Limited(run, null);
            var hold = _boards.State.Holds["claude"];
            Assert.Equal(TimeSpan.FromMinutes(minutes), hold.Until - _boards.Now);
            Assert.Empty(Limited(run, null).Events); // one limit, told by many
            waits = waits == 0 ? Dispatched() : waits;
            Assert.Matches("did not say until when.*tried again", Waits(waits)!.Message);
            _boards.Now = hold.Until;
        }

        _ = _boards.EndTurn(run); // it serves again
        Assert.Empty(_boards.State.Holds);
        _ = Limited(run, null);
        Assert.Equal(TimeSpan.FromMinutes(5), _boards.State.Holds["claude"].Until - _boards.Now);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(24 * 365)]
    public void A_time_that_cannot_be_is_no_time(int hours)
    {
        var run = _boards.Running();
        _ = Limited(run, _boards.Now.AddHours(hours));
        Assert.Equal((true, TimeSpan.FromMinutes(5)), (_boards.State.Holds["claude"].IsGuess, _boards.State.Holds["claude"].Until - _boards.Now));
    }

    [Fact]
    public void The_later_of_two_limits_counts_and_what_is_known_takes_the_place_of_a_guess()
    {
        var run = _boards.Running();
        var (soon, late) = (_boards.Now.AddMinutes(2), _boards.Now.AddHours(3));
        _ = Limited(run, null);
        _ = Limited(run, soon);
        Assert.Equal(soon, _boards.State.Holds["claude"].Until);
        _ = Limited(run, late);
        _ = Limited(run, soon);
        _ = Limited(run, null);
        Assert.Equal(late, _boards.State.Holds["claude"].Until);
    }
}
