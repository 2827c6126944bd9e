using System.Text.Json.Serialization;

namespace KanBots.Sidecar.Agents.Claude;

internal sealed record OpenTool(string Id, string Summary);

/// <summary>What the decoder carries from line to line of one launch; stored with the offset, so that it can go on after a crash.</summary>
/// <param name="Resumed">The launch continues a session: the first live figure may hold earlier launches' cost.</param>
/// <param name="Baseline">The CLI's own total at the last result; null until one is known.</param>
/// <param name="Exact">Sum of all exact costs of this launch, in dollars, so that rounding never adds up.</param>
/// <param name="LastError">The error word of the last synthetic message, which the result line does not repeat.</param>
/// <param name="Tasks">Ids of background tasks that we count ourselves; null while there is none.</param>
/// <param name="Models">What the last result said in total of each model, where the CLI says only totals.</param>
/// <param name="Tools">Top-level tools that were begun and have no result yet; null while there is none.</param>
/// <param name="TellsTasks">The CLI itself says which background tasks run, so that ours are not counted.</param>
internal sealed record ClaudeState(bool Resumed, decimal? Baseline, decimal Exact, string? LastError, string[]? Tasks = null, bool TellsTasks = false, IReadOnlyDictionary<string, ModelTotal>? Models = null, OpenTool[]? Tools = null)
{
    /// <summary>The tool that runs now, in one line: of several, the one begun last.</summary>
    internal string? Tool => Tools is [.., var last] ? last.Summary : null;

    internal static ClaudeState Start(bool resumed) => new(resumed, resumed ? null : 0, 0, null);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ClaudeState))]
internal sealed partial class ClaudeJson : JsonSerializerContext;
