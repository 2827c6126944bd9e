using KanBots.Sidecar.Protocol;
using Core = KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Rpc;

/// <summary>What was spent, summed from the runs. A price that nobody knows is absent, never 0.</summary>
internal static partial class ToWire
{
    internal const int CostDays = 30;
    internal const int CostDaysMax = 366;
    internal const int CostLines = 100;
    internal const int CostLinesMax = 1_000;

    internal static CostGetResult Costs(Core.BoardState state, long? cardId, int days, int limit, DateTimeOffset now)
    {
        var runs = (cardId is { } id ? state.RunsOf(id) : state.Runs.Values).Select(run => (Run: run, Cost: CostOf(state, run, now))).ToList();
        var past = state.Past.Where(entry => cardId is null || entry.Key == cardId).Select(entry => (CardId: entry.Key, Runs: entry.Value, Cost: CostOf(entry.Value))).ToList();
        var cards = runs.Select(run => (run.Run.CardId, run.Cost)).Concat(past.Select(entry => (entry.CardId, entry.Cost))).GroupBy(one => one.CardId).Where(card => state.Cards.ContainsKey(card.Key))
            .Select(card => new CardCost(card.Key, state.Cards[card.Key].Number, state.Cards[card.Key].Title, Sum(card.Select(one => one.Cost)))).ToList();
        var models = ModelsOf(runs.SelectMany(run => run.Run.Uses.Select(use => new Core.PastUse(use, 1))).Concat(past.SelectMany(entry => entry.Runs.Models.Where(use => use.Runs > 0))));
        var byDay = cardId is null ? state.SpendByDay.Keys.Union(state.Days.Keys).OrderDescending(StringComparer.Ordinal).ToList() : [];
        var cut = new CostCut(Math.Max(0, byDay.Count - days), Math.Max(0, models.Count - limit), Math.Max(0, cards.Count - limit), Math.Max(0, runs.Count - limit) + past.Sum(entry => entry.Runs.Ids.Length));
        var total = Sum(runs.Select(run => run.Cost).Concat(past.Select(entry => entry.Cost)));
        return new CostGetResult(
            cardId is null ? WithDeleted(state, total) : total,
            [.. byDay.Take(days).Select(day => new DayCost(day, DayOf(state, day)))],
            [.. models.OrderByDescending(model => model.MicroUsd ?? 0).ThenBy(model => model.Model, StringComparer.Ordinal).Take(limit)],
            [.. cards.OrderByDescending(card => card.Cost.MicroUsd ?? 0).ThenByDescending(card => card.Cost.Turns).ThenBy(card => card.CardNumber).Take(limit)],
            [.. runs.OrderByDescending(run => run.Cost.MicroUsd ?? 0).ThenByDescending(run => run.Cost.Turns).ThenByDescending(run => run.Run.Id).Take(limit)
                .Select(run => new RunCost(run.Run.Id, run.Run.CardId, run.Run.CardNumber, run.Run.Agent, (RunState)run.Run.State, run.Cost, run.Run.Model))],
            cut == new CostCut(0, 0, 0, 0) ? null : cut);
    }

    /// <summary>What was spent under a card that is no more is in the days, and in no run.</summary>
    private static Cost WithDeleted(Core.BoardState state, Cost runs)
    {
        var spent = state.SpendByDay.Values.Sum() + state.Runs.Values.Sum(run => run.EstimateMicroUsd);
        return spent == 0 ? runs : runs with { MicroUsd = spent };
    }

    private static Cost CostOf(Core.BoardState state, Core.Run run, DateTimeOffset now)
    {
        var minutes = (run.WorkedMs / 60_000) + (long)Core.Nearing.WorkOf(state, run, now).TotalMinutes;
        // In its first turn an agent has not said yet what it costs, and one that knows no price never will.
        var unknown = run.CostMicroUsd == 0 && (run.UnpricedTurns > 0 || run.InTurn);
        return new Cost(run.Turns, minutes, unknown ? null : run.CostMicroUsd, run.UnpricedTurns > 0 ? run.UnpricedTurns : null, run.EstimateMicroUsd > 0 ? true : null);
    }

    /// <summary>Of runs that left the memory.</summary>
    private static Cost CostOf(Core.PastRuns past) =>
        new(past.Turns, past.WorkedMs / 60_000, past is { MicroUsd: 0, UnpricedTurns: > 0 } ? null : past.MicroUsd, past.UnpricedTurns > 0 ? past.UnpricedTurns : null);

    private static Cost DayOf(Core.BoardState state, string day)
    {
        var (spent, use) = (state.SpendByDay.GetValueOrDefault(day), state.Days.GetValueOrDefault(day) ?? new Core.DayUse(0, 0));
        return new Cost(use.Turns, null, spent == 0 && use.UnpricedTurns > 0 ? null : spent, use.UnpricedTurns > 0 ? use.UnpricedTurns : null);
    }

    private static Cost Sum(IEnumerable<Cost> costs)
    {
        var all = costs.ToList();
        var unpriced = all.Sum(cost => cost.UnpricedTurns ?? 0);
        var known = all.Any(cost => cost.MicroUsd is not null) || all.Count == 0;
        var money = all.Sum(cost => cost.MicroUsd ?? 0);
        return new Cost(all.Sum(cost => cost.Turns), all.Sum(cost => cost.Minutes ?? 0), known && (money > 0 || unpriced == 0) ? money : null, unpriced > 0 ? unpriced : null, all.Any(cost => cost.IsEstimate == true) ? true : null);
    }

    private static List<ModelCost> ModelsOf(IEnumerable<Core.PastUse> uses) =>
        [.. uses.GroupBy(one => one.Use.Model, StringComparer.Ordinal).Select(model =>
        {
            var (money, unpriced) = (model.Sum(one => one.Use.MicroUsd), model.Any(one => !one.Use.HasPrice));
            return new ModelCost(
                model.Key,
                model.Sum(one => one.Runs),
                model.Sum(one => one.Use.InputTokens),
                model.Sum(one => one.Use.OutputTokens),
                model.Sum(one => one.Use.CacheReadTokens),
                model.Sum(one => one.Use.CacheWriteTokens),
                unpriced && money == 0 ? null : money,
                unpriced && money > 0 ? true : null);
        })];
}
