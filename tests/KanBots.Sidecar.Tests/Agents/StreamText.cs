using System.Globalization;
using System.Text;
using KanBots.Sidecar.Agents;
using KanBots.Sidecar.Agents.Claude;

namespace KanBots.Sidecar.Tests.Agents;

/// <summary>A stream as a person reviews it: per line its type, then its signals (>) and its items (-).</summary>
internal static class StreamText
{
    private const int TextLengthMax = 160;

    internal static string Of(string ndjson, bool resumed)
    {
        var text = new StringBuilder();
        var state = ClaudeState.Start(resumed);
        var number = 0;
        foreach (var line in ndjson.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            (var decoded, state) = ClaudeDecoder.Decode(Encoding.UTF8.GetBytes(line), state);
            using var parsed = StreamLine.Parse(Encoding.UTF8.GetBytes(line), ClaudeDecoder.DepthMax);
            text.Append($"{++number} {parsed.Root.Text("type")} {parsed.Root.Text("subtype")}".TrimEnd()).Append('\n');
            foreach (var signal in decoded.Signals)
            {
                text.Append("  > ").Append(Signal(signal)).Append('\n');
            }

            foreach (var item in decoded.Items)
            {
                text.Append("  - ").Append(Item(item)).Append('\n');
            }
        }

        return text.Append(CultureInfo.InvariantCulture, $"exact cost: ${state.Exact}\n").ToString();
    }

    private static string Signal(AgentSignal signal) => signal switch
    {
        AgentSignal.TurnStarted started => $"turn started: session {started.SessionId}, {started.Model}, version {started.Version}",
        AgentSignal.TurnEnded ended => $"turn ended:{(ended.IsError ? " error" : "")}{(ended.Interrupted ? " interrupted" : "")} {ended.Kind ?? "-"}, turns {ended.NumTurns}{(ended.Message is null ? "" : $", {Short(ended.Message)}")}",
        AgentSignal.CostAdded cost => $"cost added: {cost.MicroUsd}",
        AgentSignal.Used used => $"used: {string.Join(", ", used.Models.Select(model => $"{model.Model} {model.MicroUsd?.ToString(CultureInfo.InvariantCulture) ?? "no price"} ({model.InputTokens} in, {model.OutputTokens} out, {model.CacheReadTokens} read, {model.CacheWriteTokens} written)"))}{(used.UnpricedTurns > 0 ? $", {used.UnpricedTurns} turns without a price" : "")}",
        AgentSignal.RateLimited limited => $"rate limited: {limited.Limit ?? "-"} until {limited.Until?.ToString("u", CultureInfo.InvariantCulture) ?? "unknown"}",
        AgentSignal.RateAllowed allowed => $"rate allowed: {allowed.Limit ?? "-"}",
        AgentSignal.CostEstimated cost => $"cost estimated: {cost.MicroUsd}",
        AgentSignal.Asked asked => $"asked: {asked.Kind} {asked.RequestId}, {asked.ToolName} {asked.ToolUseId}, {Short(asked.ToolInput)}{(asked.Description is null ? "" : $", described {Short(asked.Description)}")}{string.Concat(asked.Questions.Select(Question))}",
        AgentSignal.Withdrawn withdrawn => $"withdrawn: {withdrawn.RequestId}",
        AgentSignal.Unserved unserved => $"unserved: {unserved.What} {unserved.RequestId}",
        AgentSignal.Echoed echoed => $"echoed: {echoed.MessageId}",
        AgentSignal.BackgroundTasks tasks => $"background tasks: {tasks.Count}",
        AgentSignal.Tool tool => $"tool: {(tool.Summary is null ? "none" : Short(tool.Summary))}",
        AgentSignal.Spent => "spent",
        _ => throw new InvalidOperationException($"No text for {signal.GetType().Name}."),
    };

    private static string Question(AgentQuestion question) =>
        $"\n      ? {Short(question.Text)} ({question.Header}{(question.MultiSelect ? ", several" : "")}): {string.Join(" | ", question.Options.Select(option => option.Label))}";

    private static string Item(AgentItem item)
    {
        var text = new StringBuilder(item.Kind.ToString());
        text.Append(item.Name is null ? "" : $" [{item.Name}]").Append(item.Id is null ? "" : $" id {item.Id}").Append(item.Parent is null ? "" : $" under {item.Parent}");
        text.Append(item.IsError ? " error" : "").Append(item.Kind == ItemKind.Result ? FormattableString.Invariant($" {item.MicroUsd} micro-dollars, {item.Turns} turns, {item.DurationMs} ms") : "");
        return text.Append(": ").Append(Short(item.Text)).Append(item.Model is null ? "" : $" {item.Model}").Append(item.Input.IsEmpty ? "" : $" {Short(Encoding.UTF8.GetString(item.Input.Span))}").ToString();
    }

    private static string Short(string text)
    {
        var line = text.Replace("\n", "\\n", StringComparison.Ordinal);
        return line.Length <= TextLengthMax ? line : $"{line[..TextLengthMax]}… ({text.Length})";
    }
}
