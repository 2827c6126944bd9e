using System.Text;
using KanBots.Sidecar.Agents;
using KanBots.Sidecar.Agents.Claude;

namespace KanBots.Sidecar.Tests.Agents;

/// <summary>What the agent says about its models, by version.</summary>
public sealed class ClaudeUsageTests
{
    private static AgentSignal.Used? Used(string json, ref ClaudeState state)
    {
        (var line, state) = ClaudeDecoder.Decode(Encoding.UTF8.GetBytes(json), state);
        return line.Signals.OfType<AgentSignal.Used>().SingleOrDefault();
    }

    private static List<AgentUsage> Of(string recording)
    {
        var state = ClaudeState.Start(recording.Contains("resume", StringComparison.Ordinal));
        return [.. RecordedStreamsTests.Lines(recording).Select(line => Used(line, ref state)).OfType<AgentSignal.Used>().SelectMany(used => used.Models)];
    }

    [Theory]
    [InlineData("2.1.197/multiturn", new long[] { 2_000, 7_750 })]
    [InlineData("2.1.330/interrupt-bash", new long[] { 800, 6_100 })]
    [InlineData("2.1.330/resume-ok", new long[] { 6_100 })]
    [InlineData("2.1.197/resume-ok", new long[] { 7_750 })]
    public void Each_result_adds_what_its_own_turn_has_used(string recording, long[] micro) => Assert.Equal(micro, Of(recording).Select(used => used.MicroUsd ?? 0));

    [Fact]
    public void Tokens_of_an_old_agent_are_the_difference_of_its_totals()
    {
        var state = ClaudeState.Start(false);
        const string first = """{"type":"result","num_turns":1,"total_cost_usd":0.1,"modelUsage":{"a":{"inputTokens":10,"outputTokens":2,"cacheReadInputTokens":3,"cacheCreationInputTokens":4,"costUSD":0.1}}}""";
        const string second = """{"type":"result","num_turns":1,"total_cost_usd":0.3,"modelUsage":{"a":{"inputTokens":10,"outputTokens":2,"cacheReadInputTokens":3,"cacheCreationInputTokens":4,"costUSD":0.1},"b":{"inputTokens":7,"outputTokens":1,"costUSD":0.2}}}""";
        Assert.Equal(new AgentUsage("a", 100_000, 10, 2, 3, 4), Used(first, ref state)!.Models.Single());
        Assert.Equal(new AgentUsage("b", 200_000, 7, 1, 0, 0), Used(second, ref state)!.Models.Single());
    }

    [Theory]
    [InlineData(""" "total_cost_usd":0,"modelUsage":{"x":{"inputTokens":5,"outputTokens":1,"costUSD":0}} """, 1, 3)]
    [InlineData(""" "modelUsage":{"x":{"inputTokens":5,"outputTokens":1}} """, 1, 3)]
    [InlineData(""" "usage":{"input_tokens":5} """, 0, 3)]
    [InlineData(""" "total_cost_usd":0,"modelUsage":{} """, 0, null)]
    [InlineData(""" "total_cost_usd":"much","modelUsage":[1] """, 0, 3)]
    public void Tokens_for_nothing_have_no_known_price(string members, int models, int? unpriced)
    {
        var state = ClaudeState.Start(false);
        var used = Used($$"""{"type":"result","num_turns":3,{{members}}}""", ref state);
        Assert.Equal((models, unpriced), (used?.Models.Length ?? 0, used?.UnpricedTurns));
        Assert.All(used?.Models ?? [], model => Assert.Null(model.MicroUsd));
    }

    [Fact]
    public void The_totals_survive_a_crash_between_two_results()
    {
        var state = ClaudeState.Start(false);
        const string result = """{"type":"result","num_turns":1,"total_cost_usd":0.1,"modelUsage":{"a":{"inputTokens":10,"outputTokens":2,"costUSD":0.1}}}""";
        _ = Used(result, ref state);
        state = System.Text.Json.JsonSerializer.Deserialize(System.Text.Json.JsonSerializer.Serialize(state, ClaudeJson.Default.ClaudeState), ClaudeJson.Default.ClaudeState)!;
        Assert.Null(Used(result, ref state));
    }
}
