using System.Text.Json;

namespace KanBots.Sidecar.Agents.Claude;

/// <summary>What the CLI says about money. 2.1.330 counts its total over the whole session, across resumes, and says what is new since
/// the last result; 2.1.197 counts from 0 in each process and says only the total. Both totals hold what sub-agents spent.</summary>
internal static class ClaudeCost
{
    /// <summary>A figure beyond this is a mistake of the writer and not counted, in dollars. A budget must not trip over it, nor a sum overflow.</summary>
    internal const decimal DollarsMax = 1_000_000m;

    /// <returns>What this result adds, and the state after it.</returns>
    internal static (long MicroUsd, ClaudeState State) OfResult(StreamValue result, ClaudeState state)
    {
        var before = state.Exact;
        var total = Dollars(result, "total_cost_usd");
        var since = result.Member("model_usage_since_last_result");
        var added = since.ValueKind == JsonValueKind.Object
            ? since.Members().Sum(model => Dollars(model.Value, "costUSD") ?? 0)
            : (total ?? before) - before;
        var after = Math.Min(before + Math.Max(0, added), DollarsMax);
        return (Micro(after) - Micro(before), state with { Exact = after, Baseline = total ?? state.Baseline });
    }

    /// <param name="session">Of the answer to `get_usage`, which is given in the middle of a turn too.</param>
    /// <returns>What was spent since the last result, null when the answer does not say; and the state after it.</returns>
    internal static (long? MicroUsd, ClaudeState State) OfUsage(StreamValue session, ClaudeState state)
    {
        if (Dollars(session, "total_cost_usd") is not { } total)
        {
            return (null, state);
        }

        // The first figure of a resumed session, asked for before its first model call, holds what earlier launches cost.
        var baseline = state.Baseline ?? total;
        return (Micro(Math.Max(0, total - baseline)), state with { Baseline = baseline });
    }

    private static decimal? Dollars(StreamValue element, string name) => element.Decimal(name) is { } dollars and >= 0 and <= DollarsMax ? dollars : null;

    internal static long Micro(decimal dollars) => (long)decimal.Round(dollars * 1_000_000m, MidpointRounding.AwayFromZero);
}
