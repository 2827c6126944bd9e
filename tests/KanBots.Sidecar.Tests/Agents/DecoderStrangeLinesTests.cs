using System.Text;
using KanBots.Sidecar.Agents;
using KanBots.Sidecar.Agents.Claude;

namespace KanBots.Sidecar.Tests.Agents;

/// <summary>Lines that no well-behaved agent writes. None may stop a run, and a question or the end of a turn in one is not lost.</summary>
public sealed class DecoderStrangeLinesTests
{
    private static AgentLine Line(byte[] bytes) => ClaudeDecoder.Decode(bytes, ClaudeState.Start(false)).Line;

    private static AgentSignal.Asked Asked(string input, string tool = "AskUserQuestion") => Assert.Single(DecoderTests.Line(
        $$$$"""{"type":"control_request","request_id":"r-1","request":{"subtype":"can_use_tool","tool_name":"{{{{tool}}}}","input":{{{{input}}}},"tool_use_id":"toolu_1"}}""").Signals.OfType<AgentSignal.Asked>());

    private static string Nested(int depth) => $"{string.Concat(Enumerable.Repeat("{\"a\":", depth))}1{new string('}', depth)}";

    [Fact]
    public void A_line_of_nearly_two_megabytes_is_read()
    {
        var text = new string('x', 1_700_000);
        Assert.Equal(text, DecoderTests.Item($$$$"""{"type":"assistant","message":{"content":[{"type":"text","text":"{{{{text}}}}"}]}}""").Text);
    }

    [Fact]
    public void A_line_above_the_limit_is_named_by_its_length_and_not_read()
    {
        var line = new byte[40 * 1024 * 1024];
        var before = GC.GetAllocatedBytesForCurrentThread();
        var item = Assert.Single(Line(line).Items);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16 * 1024);
        Assert.Equal((ItemKind.Raw, "tooLong", $"A line of {line.Length} bytes."), (item.Kind, item.Name, item.Text));
    }

    [Fact]
    public void A_deep_line_is_read_and_a_bottomless_one_kept()
    {
        Assert.Equal(ItemKind.Text, DecoderTests.Item($$$$"""{"type":"assistant","x":{{{{Nested(300)}}}},"message":{"content":[{"type":"text","text":"t"}]}}""").Kind);
        var bottomless = $$"""{"type":"result","x":{{Nested(100_000)}}}""";
        Assert.Equal("notUnderstood", DecoderTests.Item(bottomless).Name);
    }

    [Fact]
    public void A_tools_input_too_deep_for_clients_is_not_shown_and_its_question_is_refused_aloud()
    {
        var deep = Nested(ClaudeDecoder.InputDepthMax + 1);
        Assert.True(DecoderTests.Item($$$$"""{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t","name":"mcp__x","input":{{{{deep}}}}}]}}""").Input.IsEmpty);
        Assert.False(DecoderTests.Item($$$$"""{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t","name":"mcp__x","input":{{{{Nested(ClaudeDecoder.InputDepthMax)}}}}}]}}""").Input.IsEmpty);
        Assert.IsType<AgentSignal.Unserved>(Assert.Single(DecoderTests.Line($$$$"""{"type":"control_request","request_id":"r-1","request":{"subtype":"can_use_tool","tool_name":"x","input":{{{{deep}}}}}}""").Signals));
    }

    [Fact]
    public void Of_a_repeated_key_the_last_counts()
    {
        var line = DecoderTests.Line("""{"type":"system","type":"result","is_error":false,"is_error":true,"result":"a","result":"b"}""");
        Assert.Equal("b", Assert.Single(line.Items).Text);
        Assert.True(Assert.Single(line.Signals.OfType<AgentSignal.TurnEnded>()).IsError);
    }

    [Theory]
    [InlineData(@"a\ud800b", "a\uFFFDb")]
    [InlineData(@"a\udc00\ud83d\ude00", "a\uFFFD😀")]
    [InlineData(@"\ud83d\ud83d\ude00 \\ud800 \\\ud800", "\uFFFD😀 \\ud800 \\\uFFFD")]
    [InlineData(@"\ud800", "\uFFFD")]
    public void Half_a_character_is_replaced_and_the_turn_still_ends(string escaped, string expected)
    {
        var line = DecoderTests.Line($$"""{"type":"result","is_error":false,"num_turns":3,"total_cost_usd":0.5,"result":"{{escaped}}"}""");
        Assert.Equal(expected, Assert.Single(line.Items).Text);
        Assert.Equal(3, Assert.Single(line.Signals.OfType<AgentSignal.TurnEnded>()).NumTurns);
        Assert.Equal(500_000, Assert.Single(line.Signals.OfType<AgentSignal.CostAdded>()).MicroUsd);
    }

    [Fact]
    public void Half_a_character_in_a_question_does_not_hide_the_question()
    {
        var asked = Asked("""{"questions":[{"question":"Which \ud800?","options":[{"label":"A\udfff"}],"multiSelect":false}]}""");
        Assert.Equal(("Which \uFFFD?", "A\uFFFD"), (asked.Questions.Single().Text, asked.Questions.Single().Options.Single().Label));
        Assert.Contains(asked.Questions.Single().Text, asked.ToolInput, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new byte[] { 0xFF })]
    [InlineData(new byte[] { 0xC3 })]
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 })]
    [InlineData(new byte[] { 0xF4, 0x90, 0x80, 0x80 })]
    public void Bytes_that_are_no_utf8_are_replaced_and_the_turn_still_ends(byte[] bad)
    {
        var line = Line([.. Encoding.UTF8.GetBytes("""{"type":"result","is_error":false,"result":"a"""), .. bad, .. Encoding.UTF8.GetBytes("b\"}")]);
        Assert.Single(line.Signals.OfType<AgentSignal.TurnEnded>());
        Assert.Matches("^a\uFFFD+b$", Assert.Single(line.Items).Text);
    }

    [Fact]
    public void A_byte_order_mark_before_the_line_is_passed_over() =>
        Assert.Equal("t", Assert.Single(Line([0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes("""{"type":"assistant","message":{"content":[{"type":"text","text":"t"}]}}""")]).Items).Text);

    [Fact]
    public void A_nul_is_a_character_in_a_text_and_nonsense_outside()
    {
        Assert.Equal("a\0b", DecoderTests.Item("""{"type":"assistant","message":{"content":[{"type":"text","text":"a\u0000b"}]}}""").Text);
        Assert.Equal("notUnderstood", Assert.Single(Line(new byte[64]).Items).Name);
    }

    [Theory]
    [InlineData("0.5", 500_000)]
    [InlineData("\"0.5\"", 500_000)]
    [InlineData("5e-1", 500_000)]
    [InlineData("-0.5", 0)]
    [InlineData("\"NaN\"", 0)]
    [InlineData("\"Infinity\"", 0)]
    [InlineData("1e400", 0)]
    [InlineData("79228162514264337593543950335", 0)]
    [InlineData("1e-400", 0)]
    [InlineData("{}", 0)]
    [InlineData("null", 0)]
    [InlineData("true", 0)]
    public void A_cost_that_cannot_be_is_not_counted_and_the_turn_still_ends(string cost, long micro)
    {
        foreach (var members in new[] { $"\"total_cost_usd\":{cost}", $"\"model_usage_since_last_result\":{{\"m\":{{\"costUSD\":{cost}}},\"n\":7}}" })
        {
            var line = DecoderTests.Line($$"""{"type":"result","is_error":false,{{members}}}""");
            Assert.Equal(micro, line.Signals.OfType<AgentSignal.CostAdded>().Sum(added => added.MicroUsd));
            Assert.Single(line.Signals.OfType<AgentSignal.TurnEnded>());
        }
    }

    [Theory]
    [InlineData("\"3\"", 0)]
    [InlineData("3.5", 0)]
    [InlineData("1e99", 0)]
    [InlineData("-3", 0)]
    [InlineData("99999999999", int.MaxValue)]
    [InlineData("[]", 0)]
    public void A_count_of_turns_out_of_range_is_clamped(string turns, int expected) =>
        Assert.Equal(expected, Assert.Single(DecoderTests.Line($$"""{"type":"result","num_turns":{{turns}},"duration_ms":{{turns}}}""").Signals.OfType<AgentSignal.TurnEnded>()).NumTurns);

    [Fact]
    public void Questions_are_read_as_far_as_they_can_be()
    {
        var asked = Asked("""{"questions":["Plain?",{"header":"Only a header","options":["Red",{"label":"Blue","description":"d"},{"description":"no label"},7,null],"multiSelect":"yes"},{"question":"Same?"},{"question":"Same?","multiSelect":true},{},7]}""");
        Assert.Equal(AskKind.Question, asked.Kind);
        Assert.Equal(["Plain?", "Only a header", "Same?", "Same?"], asked.Questions.Select(question => question.Text));
        Assert.Equal(["Red", "Blue"], asked.Questions[1].Options.Select(option => option.Label));
        Assert.Equal([false, false, false, true], asked.Questions.Select(question => question.MultiSelect));
    }

    [Fact]
    public void A_hundred_questions_are_a_hundred() =>
        Assert.Equal(100, Asked($"{{\"questions\":[{string.Join(',', Enumerable.Range(0, 100).Select(number => $$"""{"question":"Q{{number}}?"}"""))}]}}").Questions.Length);

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"questions":[]}""")]
    [InlineData("""{"questions":"Which?"}""")]
    [InlineData("""{"questions":[{"question":" "},{}]}""")]
    [InlineData("7")]
    [InlineData("null")]
    public void A_question_without_a_question_can_be_allowed_or_denied_like_a_tool(string input)
    {
        var asked = Asked(input);
        Assert.Equal((AskKind.Permission, 0), (asked.Kind, asked.Questions.Length));
        Assert.StartsWith("{", asked.ToolInput, StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_without_its_members_can_still_be_answered()
    {
        var asked = Assert.Single(DecoderTests.Line("""{"type":"control_request","request_id":"r-1","request":{"subtype":"can_use_tool"}}""").Signals.OfType<AgentSignal.Asked>());
        Assert.Equal(("r-1", AskKind.Permission, "tool", "{}"), (asked.RequestId, asked.Kind, asked.ToolName, asked.ToolInput));
        Assert.Equal("The plan.", Asked("""{"plan":"The plan."}""", "ExitPlanMode").Description);
        Assert.Equal(AskKind.Plan, Asked("{}", "ExitPlanMode").Kind);
    }

    [Fact]
    public void A_summary_is_one_line_of_bounded_length_and_never_half_a_character()
    {
        var summary = DecoderTests.Item($$$$"""{"type":"assistant","message":{"content":[{"type":"tool_use","name":"Bash","input":{"command":"{{{{new string('x', ClaudeDecoder.SummaryLengthMax - 1)}}}}😀\nrest"}}]}}""").Text;
        Assert.Equal($"Bash {new string('x', ClaudeDecoder.SummaryLengthMax - 1)}…", summary);
    }
}
