using System.Text;
using KanBots.Sidecar.Agents;
using KanBots.Sidecar.Agents.Claude;

namespace KanBots.Sidecar.Tests.Agents;

/// <summary>Limits are read from events and error kinds, never from words.</summary>
public sealed class RateLimitTests
{
    private static List<AgentSignal> Signals(params string[] lines)
    {
        var state = ClaudeState.Start(false);
        var signals = new List<AgentSignal>();
        foreach (var line in lines)
        {
            (var decoded, state) = ClaudeDecoder.Decode(Encoding.UTF8.GetBytes(line), state);
            signals.AddRange(decoded.Signals.Where(signal => signal is AgentSignal.RateLimited or AgentSignal.RateAllowed));
        }

        return signals;
    }

    private static string Event(string status, string more = "") => $$$"""{"type":"rate_limit_event","rate_limit_info":{"status":"{{{status}}}","resetsAt":1795342095,"rateLimitType":"five_hour"{{{more}}}}}""";

    [Fact]
    public void A_recorded_refusal_says_until_when()
    {
        var signals = Signals([.. RecordedStreamsTests.Lines("2.1.197/oauth-elimit")]);
        Assert.Equal(new AgentSignal.RateLimited("five_hour", DateTimeOffset.FromUnixTimeSeconds(1795342095)), signals[0]);
        Assert.Equal([new AgentSignal.RateLimited(null, null)], signals.Skip(1)); // its result, which knows less
    }

    [Fact]
    public void What_is_allowed_is_no_limit()
    {
        Assert.Equal([new AgentSignal.RateAllowed("five_hour")], Signals(Event("allowed_warning", ",\"utilization\":0.93")));
        Assert.Equal([new AgentSignal.RateAllowed("five_hour")], Signals(Event("allowed")));
        Assert.Empty(Signals(Event("rejected", ",\"isUsingOverage\":true")));
        Assert.Empty(Signals(Event("something_new")));
    }

    [Theory]
    [InlineData("""{"type":"result","subtype":"success","is_error":true,"api_error_status":429,"num_turns":1,"result":"x"}""", true)]
    [InlineData("""{"type":"result","subtype":"success","is_error":true,"api_error_status":529,"num_turns":1,"result":"rate limit 429"}""", false)]
    [InlineData("""{"type":"result","subtype":"success","is_error":false,"num_turns":1,"result":"You've hit your limit"}""", false)]
    [InlineData("""{"type":"system","subtype":"api_retry","attempt":1,"max_retries":10,"error_status":429,"error":"rate_limit"}""", false)]
    public void Only_an_error_that_is_final_and_of_that_kind_is_one(string line, bool limited) =>
        Assert.Equal(limited ? [new AgentSignal.RateLimited(null, null)] : [], Signals(line));

    [Fact]
    public void The_error_word_of_the_message_before_the_result_is_enough() =>
        Assert.Equal([new AgentSignal.RateLimited(null, null)], Signals("""{"type":"assistant","error":"rate_limit","message":{"model":"<synthetic>","content":[]}}""", """{"type":"result","is_error":true,"num_turns":1,"result":"no"}"""));
}
