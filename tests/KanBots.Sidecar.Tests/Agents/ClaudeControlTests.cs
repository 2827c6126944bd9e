using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KanBots.Sidecar.Agents.Claude;

namespace KanBots.Sidecar.Tests.Agents;

/// <summary>Strict where we write: the CLI dies of a line that is not JSON.</summary>
public sealed class ClaudeControlTests
{
    /// <summary>One line by the rules of every reader that the CLI could use, which end lines at U+2028 too.</summary>
    private static JsonNode Parse(byte[] line)
    {
        var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(line);
        Assert.EndsWith("}\n", text, StringComparison.Ordinal);
        Assert.Equal(-1, text.AsSpan(0, text.Length - 1).IndexOfAny("\n\r\u2028\u2029\u0085"));
        return JsonNode.Parse(text)!;
    }

    private static JsonNode Body(byte[] line, string requestId)
    {
        var envelope = Parse(line);
        Assert.Equal(("control_response", "success", requestId), ((string?)envelope["type"], (string?)envelope["response"]!["subtype"], (string?)envelope["response"]!["request_id"]));
        return envelope["response"]!["response"]!;
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("")]
    [InlineData("\"quoted\" \\ and\nlines\r\nand\ttabs")]
    [InlineData("\u2028\u2029\u0085\u0000\u001b[31m\uFEFF")]
    [InlineData("😀 é 漢 <script>&'")]
    public void A_message_is_one_line_and_says_what_was_said(string text)
    {
        var line = Parse(ClaudeControl.UserMessage("m-1", text));
        Assert.Equal(("user", "user", text, "", "m-1"), ((string?)line["type"], (string?)line["message"]!["role"], (string?)line["message"]!["content"], (string?)line["session_id"], (string?)line["uuid"]));
        Assert.True(line.AsObject().ContainsKey("parent_tool_use_id"));
    }

    [Fact]
    public void Half_a_character_in_a_message_is_replaced() => Assert.Equal("a\uFFFDb", (string?)Parse(ClaudeControl.UserMessage("m-1", "a\ud800b"))["message"]!["content"]);

    [Fact]
    public void A_megabyte_is_one_line_too()
    {
        var text = string.Concat(Enumerable.Repeat("line \"é\"\n", 120_000));
        Assert.Equal(text, (string?)Parse(ClaudeControl.UserMessage("m-1", text))["message"]!["content"]);
    }

    [Fact]
    public void An_order_names_itself()
    {
        Assert.Equal("""{"type":"control_request","request_id":"stop-1","request":{"subtype":"interrupt"}}""", Parse(ClaudeControl.Interrupt("stop-1")).ToJsonString());
        Assert.Equal("""{"type":"control_request","request_id":"usage-7","request":{"subtype":"get_usage"}}""", Parse(ClaudeControl.GetUsage(7)).ToJsonString());
        Assert.Equal("""{"type":"control_response","response":{"subtype":"error","request_id":"r","error":"no"}}""", Parse(ClaudeControl.Refuse("r", "no")).ToJsonString());
        Assert.Equal("""{"behavior":"deny","message":"Not there."}""", Body(ClaudeControl.Deny("r", "Not there."), "r").ToJsonString());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\n  \"command\": \"a\\nb\",\r\n  \"list\": [\n    1,\n    2\n  ]\n}")]
    [InlineData("{\"text\":\"\u2028 and \\u2028 and \\\\\u2029\"}")]
    [InlineData("{\"big\":123456789012345678901234567890,\"exact\":1.10}")]
    public void A_tools_input_goes_back_on_one_line_and_means_the_same(string input)
    {
        var line = ClaudeControl.Allow("r", input);
        Assert.Equal("allow", (string?)Body(line, "r")["behavior"]);
        using var sent = JsonDocument.Parse(line);
        using var came = JsonDocument.Parse(input);
        Assert.True(JsonElement.DeepEquals(came.RootElement, sent.RootElement.GetProperty("response").GetProperty("response").GetProperty("updatedInput")));
    }

    [Fact]
    public void Half_a_character_in_a_tools_input_goes_back_as_it_came() => Assert.Contains(@"""updatedInput"":{""half"":""\ud800""}", Encoding.UTF8.GetString(ClaudeControl.Allow("r", @"{""half"":""\ud800""}")), StringComparison.Ordinal);

    [Fact]
    public void A_huge_tools_input_goes_back_as_it_came()
    {
        var input = $$"""{"content":"{{new string('x', 4_000_000)}}"}""";
        Assert.Equal(input, Body(ClaudeControl.Allow("r", input), "r")["updatedInput"]!.ToJsonString());
    }

    [Fact]
    public void A_repeated_key_of_a_tools_input_is_no_obstacle()
    {
        const string input = """{"command":"one","command":"two","questions":[{"q":1,"q":2}],"answers":{"old":"x"}}""";
        using var allowed = JsonDocument.Parse(ClaudeControl.Allow("r", input));
        Assert.Equal(input, allowed.RootElement.GetProperty("response").GetProperty("response").GetProperty("updatedInput").GetRawText());
        using var answered = JsonDocument.Parse(ClaudeControl.Answer("r", input, [("Q?", ["A"])]));
        Assert.Equal("""{"command":"two","questions":[{"q":1,"q":2}],"answers":{"Q?":"A"}}""", answered.RootElement.GetProperty("response").GetProperty("response").GetProperty("updatedInput").GetRawText());
    }

    [Fact]
    public void Answers_stand_by_the_text_of_their_question_and_several_are_joined()
    {
        const string input = "{\n \"questions\": [\n  {\"question\": \"Which?\"}\n ]\n}";
        var body = Body(ClaudeControl.Answer("r", input, [("Which?", ["Red", "Blue"]), ("Say \"why\"\u2028", ["Because\nof it"])]), "r");
        Assert.Equal("""{"behavior":"allow","updatedInput":{"questions":[{"question":"Which?"}],"answers":{"Which?":"Red, Blue","Say \u0022why\u0022\u2028":"Because\nof it"}}}""", body.ToJsonString());
    }

    [Fact]
    public void Two_questions_with_the_same_text_are_answered_together() =>
        Assert.Equal("""{"Same?":"A, B"}""", Body(ClaudeControl.Answer("r", "{}", [("Same?", ["A"]), ("Same?", ["B"])]), "r")["updatedInput"]!["answers"]!.ToJsonString());

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    public void An_input_that_is_no_object_is_answered_all_the_same(string input) =>
        Assert.Equal("""{"answers":{"Q?":"A"}}""", Body(ClaudeControl.Answer("r", input, [("Q?", ["A"])]), "r")["updatedInput"]!.ToJsonString());

    [Fact]
    public void Every_recorded_request_can_be_allowed_with_the_input_that_it_came_with()
    {
        var asked = RecordedStreamsTests.AllLines().SelectMany(line => DecoderTests.Line(line).Signals).OfType<KanBots.Sidecar.Agents.AgentSignal.Asked>().ToList();
        Assert.True(asked.Count >= 8);
        Assert.All(asked, one => Assert.True(JsonNode.DeepEquals(JsonNode.Parse(one.ToolInput), Body(ClaudeControl.Allow(one.RequestId, one.ToolInput), one.RequestId)["updatedInput"])));
    }
}
