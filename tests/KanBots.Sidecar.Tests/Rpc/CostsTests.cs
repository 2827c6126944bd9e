using KanBots.Sidecar.Board;
using KanBots.Sidecar.Cli;
using KanBots.Sidecar.Protocol;
using KanBots.Sidecar.Rpc;
using KanBots.Sidecar.Tests.Board;
using Input = KanBots.Sidecar.Board.Input;

namespace KanBots.Sidecar.Tests.Rpc;

/// <summary>What <c>cost/get</c> sums up, and how the terminal says it.</summary>
public sealed class CostsTests
{
    private readonly Boards _boards = new();

    private CostGetResult Costs(long? card = null, int days = 30, int limit = 100) => ToWire.Costs(_boards.State, card, days, limit, _boards.Now);

    private long Turn(long micro, int turns, int unpriced = 0, params ModelUse[] models)
    {
        var run = _boards.Running();
        if (micro > 0)
        {
            _ = _boards.Do(new Input.CostAdded(run, 1, micro));
        }

        _ = _boards.Do(new Input.ModelsUsed(run, 1, [.. models], unpriced));
        _ = _boards.Do(new Input.TurnEnded(run, 1, new TurnOutcome(false, false, null, null), turns));
        _boards.Now += TimeSpan.FromMinutes(3);
        _ = _boards.End(run);
        return run;
    }

    private static ModelUse Use(string model, long micro, bool hasPrice = true) => new(model, micro, hasPrice, 1_000, 200, 30, 4);

    [Fact]
    public void Money_is_summed_by_run_card_model_and_day()
    {
        var (first, second) = (Turn(30_000, 2, 0, Use("a", 20_000), Use("b", 10_000)), Turn(5_000, 1, 0, Use("b", 4_000)));
        _boards.Now += TimeSpan.FromDays(1);
        _ = _boards.Do(new Input.CostAdded(second, 1, 1_000));
        var costs = Costs();
        Assert.Equal((36_000, 3, 6), (costs.Total.MicroUsd, costs.Total.Turns, costs.Total.Minutes));
        Assert.Equal([("2026-11-26", 1_000L, 0), ("2026-11-25", 35_000L, 3)], costs.Days.Select(day => (day.Day, day.Cost.MicroUsd ?? -1, day.Cost.Turns)));
        Assert.Equal([("a", 20_000L, 1), ("b", 14_000L, 2), ("unknown", 2_000L, 1)], costs.Models.Select(model => (model.Model, model.MicroUsd ?? -1, model.Runs)));
        Assert.Equal([(first, 30_000L), (second, 6_000L)], costs.Runs.Select(run => (run.RunId, run.Cost.MicroUsd ?? -1)));
        Assert.Equal([30_000L, 6_000L], costs.Cards.Select(card => card.Cost.MicroUsd ?? -1));
        Assert.Null(costs.Cut);
        Assert.Equal(2_000, costs.Models.Single(model => model.Model == "b").InputTokens);
    }

    [Fact]
    public void What_has_no_price_says_turns_and_minutes_and_no_dollars()
    {
        _ = Turn(0, 4, 4, Use("free", 0, hasPrice: false));
        var costs = Costs();
        Assert.Null(costs.Total.MicroUsd);
        Assert.Null(costs.Days.Single().Cost.MicroUsd);
        Assert.Null(costs.Models.Single().MicroUsd);
        Assert.Equal("no price known  4 turns  3 min", CostVerb.Say(costs.Runs.Single().Cost));
        Assert.DoesNotContain("$", string.Join("\n", CostVerb.Render(costs)));
        _ = Turn(2_000_000, 1, 0, Use("a", 2_000_000));
        Assert.Equal("$2.00  5 turns  6 min  and 4 turns without a price", CostVerb.Say(Costs().Total));
    }

    [Fact]
    public void A_turn_under_way_has_no_price_before_the_agent_names_one()
    {
        var run = _boards.Running();
        Assert.Null(Costs().Runs.Single().Cost.MicroUsd);
        _ = _boards.Do(new Input.CostEstimated(run, 1, 1_500_000));
        Assert.Equal("$1.50 so far  0 turns  0 min", CostVerb.Say(Costs().Total));
    }

    [Fact]
    public void An_answer_is_bounded_and_says_what_it_left_out()
    {
        for (var i = 0; i < 4; i++)
        {
            _ = Turn(1_000 * (i + 1), 1, 0, Use($"model-{i}", 1_000 * (i + 1)));
            _boards.Now += TimeSpan.FromDays(1);
        }

        var costs = Costs(days: 3, limit: 2);
        Assert.Equal((3, 2, 2, 2), (costs.Days.Count, costs.Models.Count, costs.Cards.Count, costs.Runs.Count));
        Assert.Equal(new CostCut(1, 2, 2, 2), costs.Cut);
        Assert.Equal(10_000, costs.Total.MicroUsd);
        Assert.Contains("not shown: 1 days", CostVerb.Render(costs).Last());
    }

    [Fact]
    public void One_card_has_only_its_own()
    {
        var run = Turn(7_000, 1, 0, Use("a", 7_000));
        _ = Turn(1_000, 1, 0, Use("b", 1_000));
        var costs = Costs(_boards.State.Runs[run].CardId);
        Assert.Equal((7_000, "a", run), (costs.Total.MicroUsd, costs.Models.Single().Model, costs.Runs.Single().RunId));
        Assert.Empty(costs.Days);
    }

    [Fact]
    public void Many_models_of_one_run_share_a_name()
    {
        var run = Turn(0, 1, 0, [.. Enumerable.Range(0, Limits.ModelsPerRunMax + 5).Select(i => Use($"model-{i}", 10))]);
        Assert.Equal(Limits.ModelsPerRunMax + 1, _boards.State.Runs[run].Models.Length);
        Assert.Equal((Limits.ModelsPerRunMax + 5) * 10, _boards.State.Runs[run].Models.Sum(model => model.MicroUsd));
    }
}
