using KanBots.Sidecar.Board;
using KanBots.Sidecar.Journal;
using Xunit.Abstractions;

namespace KanBots.Sidecar.Tests.Board;

/// <summary>Old runs leave the memory, and nothing that somebody needs leaves with them.</summary>
public sealed class ArchiveTests(ITestOutputHelper output)
{
    private const int RunsPerWeek = 2_000;
    private const int Cards = 40;

    /// <summary>What a run may leave behind in memory for ever: its id, with room. A year of such weeks is then under 2 MB.</summary>
    private const int BytesPerRunMax = 16;

    private readonly Boards _boards = new();

    /// <summary>The state as its snapshot has it: to the byte, and without a garbage collector's moods.</summary>
    private static long Bytes(BoardState state) => Snapshot.Write(state).Length;

    private static BoardState WithoutServed(BoardState state) => state with { Served = state.Served.Clear() };

    private long Finished(long card, bool dirty = true)
    {
        var run = _boards.Running(card: card);
        _boards.Ask(run);
        _ = _boards.Do(_boards.Answer(_boards.State.OpenDecisionsOf(run).Single().Id, says: "Left"));
        _ = _boards.Do(new Input.CostAdded(run, 1, 1_000));
        _boards.EndTurn(run);
        _boards.End(run, dirty: dirty);
        return run;
    }

    [Fact]
    public void The_state_is_flat_over_two_weeks_of_2000_runs()
    {
        var cards = Enumerable.Range(1, Cards).Select(number => _boards.Card($"Card {number}")).ToList();
        foreach (var card in cards)
        {
            _ = _boards.Granted(new Input.UpdateCard(_boards.Id, card, null, new string('b', 4_000), null));
        }

        _ = _boards.Granted(new Input.SetSettings(_boards.Id, Settings.Default with { DayBudgetMicroUsd = Limits.DayMicroUsdMax }));
        var (quarter, week, two) = (Runs(RunsPerWeek / 4), Runs(RunsPerWeek * 3 / 4), Runs(RunsPerWeek));
        output.WriteLine($"bytes of the state without served requests: {Bytes(WithoutServed(quarter))} after {RunsPerWeek / 4} runs, {Bytes(WithoutServed(week))} after a week, {Bytes(WithoutServed(two))} after two; with them {Bytes(week)} and {Bytes(two)}");
        Assert.InRange(Bytes(WithoutServed(week)) - Bytes(WithoutServed(quarter)), long.MinValue, BytesPerRunMax * RunsPerWeek * 3 / 4);
        Assert.InRange(Bytes(two) - Bytes(week), long.MinValue, BytesPerRunMax * RunsPerWeek); // in the second week as many requests are forgotten as come
        Assert.InRange(Bytes(two), 1, 2 << 20);
        Assert.Equal(2 * RunsPerWeek * 1_000, two.SpendByDay.Values.Sum());
        Assert.Equal(2 * RunsPerWeek * 1_000, two.Past.Values.Sum(past => past.MicroUsd) + two.Runs.Values.Sum(run => run.ExactMicroUsd));
        Assert.Equal((2 * RunsPerWeek) + 1, two.NextRunId);

        BoardState Runs(int count)
        {
            for (var i = 0; i < count; i++)
            {
                _boards.Now += TimeSpan.FromDays(7) / RunsPerWeek;
                Finished(cards[i % Cards]);
                if (i % 50 == 49)
                {
                    _ = _boards.Do(new Input.Archive(Limits.EndedRunsKept));
                }
            }

            return _boards.State;
        }
    }

    [Fact]
    public void The_last_run_of_a_card_an_open_question_a_process_and_an_answer_for_the_card_stay()
    {
        var card = _boards.Card();
        var remembers = _boards.Running(card: card);
        _ = _boards.Do(_boards.Answer(_boards.Ask(remembers, DecisionKind.Permission), remember: true));
        _boards.EndTurn(remembers);
        _boards.End(remembers);
        var leaves = _boards.Running(card: card);
        _boards.EndTurn(leaves);
        _boards.End(leaves, left: 2);
        var asks = _boards.Running(card: card);
        var question = _boards.Ask(asks);
        _boards.End(asks, LaunchEndKind.HostDied);
        var old = Finished(card);
        var last = Finished(card);
        var decided = _boards.Do(new Input.Archive(0));
        Assert.Equal([old], decided.Events.Cast<Event.RunArchived>().Select(left => left.Run.Id));
        Assert.Equal([remembers, leaves, asks, last], _boards.State.Runs.Keys);
        Assert.Contains(question, _boards.State.Decisions.Keys);
    }

    [Fact]
    public void What_left_counts_in_its_card_comes_back_by_its_name_and_keeps_the_card_from_being_deleted()
    {
        var card = _boards.Card();
        var old = Finished(card);
        var last = Finished(card, dirty: false);
        _ = _boards.Do(new Input.Archive(1));
        Assert.True(_boards.State.Runs.ContainsKey(old)); // one that may go is kept
        var before = _boards.State;
        var left = Assert.Single(_boards.Do(new Input.Archive(0)).Events.OfType<Event.RunArchived>());
        var reply = _boards.Reply(old);
        Assert.Equal(old, _boards.State.Recalls(reply));
        Assert.Null(_boards.State.Recalls(_boards.Reply(last)));
        Assert.Null(_boards.State.Recalls(_boards.Reply(99)));
        Assert.Equal("worktreeDirty", _boards.Refused(new Input.DeleteCard(_boards.Id, card)).Kind);

        _ = _boards.Do(new Input.Recalled(left.Run, left.Decisions));
        Assert.Equal(Snapshot.Write(before with { Revision = 0 }), Snapshot.Write(_boards.State with { Revision = 0 }));
        Assert.Empty(_boards.Do(new Input.Recalled(left.Run, left.Decisions)).Events); // it is there
        var start = Assert.IsType<Effect.StartLaunch>(Assert.Single(_boards.Granted(reply).Effects));
        Assert.Equal((old, 2, true), (start.RunId, start.Launch, start.Resume));
    }

    [Fact]
    public void An_ended_run_keeps_no_text_that_its_agent_has_read()
    {
        var run = Finished(_boards.Card());
        Assert.Equal("", Assert.Single(_boards.State.Runs[run].Messages).Text);
        Assert.Null(Assert.Single(_boards.State.Decisions.Values).ToolInput);
        var second = _boards.Running();
        _boards.Granted(_boards.Reply(second, "Unread."));
        _boards.End(second, LaunchEndKind.HostDied);
        Assert.Equal("Unread.", Assert.Single(_boards.State.Runs[second].Messages, message => message.State == MessageState.Lost).Text);
    }

    [Fact]
    public void Of_very_many_requests_in_one_week_the_oldest_are_forgotten_first()
    {
        var full = _boards.State with { Served = _boards.State.Served.AddRange(Enumerable.Range(0, Limits.ServedRequestsMax).Select(i => KeyValuePair.Create($"early-{i}", new ServedRequest(new Outcome(OutcomeKind.Done, 0, null), Boards.Start.AddMilliseconds(i))))) };
        var next = Evolver.Evolve(full, new Event.RequestServed("one-more", new Outcome(OutcomeKind.Done, 0, null), Boards.Start.AddHours(1)));
        Assert.Equal(Limits.ServedRequestsMax, next.Served.Count);
        Assert.False(next.Served.ContainsKey("early-0"));
        Assert.True(next.Served.ContainsKey("early-1") && next.Served.ContainsKey("one-more"));
    }
}
