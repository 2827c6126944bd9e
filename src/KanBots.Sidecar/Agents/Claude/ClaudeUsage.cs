using System.Collections.Immutable;
using System.Text.Json;

namespace KanBots.Sidecar.Agents.Claude;

/// <summary>What one launch has used of a model, by the CLI's own totals.</summary>
internal sealed record ModelTotal(decimal? Dollars, long Input, long Output, long CacheRead, long CacheWrite);

/// <summary>What the CLI says about its models. 2.1.330 says what is new since the last result; 2.1.197 only its totals, which begin at 0
/// in each process.</summary>
internal static class ClaudeUsage
{
    /// <summary>Models of one result that are read.</summary>
    internal const int ModelsMax = 20;

    /// <summary>Tokens beyond which a figure is a mistake of the writer: a sum must not overflow.</summary>
    private const long TokensMax = 1_000_000_000_000;

    internal static (ImmutableArray<AgentUsage> Models, ClaudeState State) OfResult(StreamValue result, ClaudeState state)
    {
        var since = result.Member("model_usage_since_last_result");
        if (since.ValueKind == JsonValueKind.Object)
        {
            return ([.. Totals(since).Select(model => Used(model.Name, model.Total, null)).OfType<AgentUsage>()], state);
        }

        var models = ImmutableArray.CreateBuilder<AgentUsage>();
        var kept = state.Models is null ? [] : new Dictionary<string, ModelTotal>(state.Models);
        foreach (var (name, total) in Totals(result.Member("modelUsage")))
        {
            if (Used(name, total, kept.GetValueOrDefault(name)) is { } used)
            {
                models.Add(used);
            }

            kept[name] = total;
        }

        return (models.ToImmutable(), kept.Count == 0 ? state : state with { Models = kept });
    }

    private static IEnumerable<(string Name, ModelTotal Total)> Totals(StreamValue models) => models.ValueKind != JsonValueKind.Object
        ? []
        : models.Members().Take(ModelsMax).Select(model => (model.Name, new ModelTotal(
            model.Value.Decimal("costUSD") is { } dollars and >= 0 and <= ClaudeCost.DollarsMax ? dollars : null,
            Tokens(model.Value, "inputTokens"),
            Tokens(model.Value, "outputTokens"),
            Tokens(model.Value, "cacheReadInputTokens"),
            Tokens(model.Value, "cacheCreationInputTokens"))));

    private static long Tokens(StreamValue model, string name) => Math.Clamp(model.Whole(name), 0, TokensMax);

    /// <summary>Tokens for nothing have no known price: it is not said that they cost $0.</summary>
    private static AgentUsage? Used(string name, ModelTotal now, ModelTotal? before)
    {
        var used = new ModelTotal(null, New(now.Input, before?.Input), New(now.Output, before?.Output), New(now.CacheRead, before?.CacheRead), New(now.CacheWrite, before?.CacheWrite));
        var tokens = used.Input + used.Output + used.CacheRead + used.CacheWrite;
        var micro = now.Dollars is { } dollars ? Math.Max(0, ClaudeCost.Micro(dollars) - ClaudeCost.Micro(before?.Dollars ?? 0)) : 0;
        return tokens == 0 && micro == 0 ? null : new AgentUsage(name, micro == 0 ? null : micro, used.Input, used.Output, used.CacheRead, used.CacheWrite);
    }

    private static long New(long now, long? before) => Math.Max(0, now - (before ?? 0));
}
