using System.Globalization;
using KanBots.Sidecar.Protocol;

namespace KanBots.Sidecar.Cli;

/// <summary><c>cost</c>: what was spent, by day, model, card and run.</summary>
internal static class CostVerb
{
    private const int TitleWidth = 40;

    internal static async Task<int> RunAsync(Client client, Arguments arguments)
    {
        long? card = arguments.Words.Count > 0 ? Verbs.CardOf(await client.BoardAsync(), arguments.Words[0]).Id : null;
        int? days = arguments.Value("--days") is not { } text ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var wanted) ? wanted
            : throw new UsageException($"'{text}' is not a number of days.");
        var costs = await client.RequestAsync(Methods.CostGet, new CostGetParams(card, days), ProtocolJson.Default.CostGetParams, ProtocolJson.Default.CostGetResult);
        foreach (var line in Render(costs))
        {
            Console.Out.WriteLine(line);
        }

        return 0;
    }

    internal static IEnumerable<string> Render(CostGetResult costs)
    {
        yield return $"total  {Say(costs.Total)}";
        foreach (var day in costs.Days)
        {
            yield return $"{day.Day}  {Say(day.Cost)}";
        }

        foreach (var model in costs.Models)
        {
            yield return $"{TerminalText.Line(model.Model, TitleWidth)}  {Say(model)}";
        }

        foreach (var card in costs.Cards)
        {
            yield return $"{TerminalText.Line($"#{card.CardNumber} {card.Title}", TitleWidth)}  {Say(card.Cost)}";
        }

        foreach (var run in costs.Runs)
        {
            yield return $"#{run.CardNumber} run {run.RunId}  {Say(run.Cost)}{(run.Model is { } model ? $"  {TerminalText.Line(model, TitleWidth)}" : "")}";
        }

        if (costs.Cut is { } cut)
        {
            yield return $"not shown: {cut.Days} days, {cut.Models} models, {cut.Cards} cards, {cut.Runs} runs. Ask for one card, or for more --days.";
        }
    }

    /// <summary>Money where it is known; turns and minutes always.</summary>
    internal static string Say(Cost cost)
    {
        var money = cost.MicroUsd is { } micro ? $"{BoardText.Money(micro)}{(cost.IsEstimate == true ? " so far" : "")}" : "no price known";
        var minutes = cost.Minutes is { } worked ? $"  {worked} min" : "";
        var unpriced = cost is { MicroUsd: not null, UnpricedTurns: { } turns } ? $"  and {Count(turns, "turn")} without a price" : "";
        return $"{money}  {Count(cost.Turns, "turn")}{minutes}{unpriced}";
    }

    private static string Say(ModelCost model)
    {
        var money = model.MicroUsd is { } micro ? BoardText.Money(micro) : "no price known";
        var tokens = FormattableString.Invariant($"  in {model.InputTokens:N0}  out {model.OutputTokens:N0}  cache read {model.CacheReadTokens:N0}  written {model.CacheWriteTokens:N0}");
        return $"{money}{tokens}  {Count(model.Runs, "run")}{(model.IsPartlyUnpriced == true ? "  some of it without a price" : "")}";
    }

    private static string Count(int number, string what) => FormattableString.Invariant($"{number} {what}{(number == 1 ? "" : "s")}");
}
