using System.Text;
using System.Text.Json.Nodes;
using KanBots.Sidecar.Agents;
using KanBots.Sidecar.Agents.Claude;

namespace KanBots.Sidecar.Tests.Agents;

/// <summary>What one line means: a test for each fact about the CLI.</summary>
public sealed class DecoderTests
{
    private static readonly ClaudeState Fresh = ClaudeState.Start(false);

    internal static AgentLine Line(string json, ClaudeState? state = null) => ClaudeDecoder.Decode(Encoding.UTF8.GetBytes(json), state ?? Fresh).Line;

    private static ClaudeState After(ClaudeState state, params string[] lines) => lines.Aggregate(state, (before, line) => ClaudeDecoder.Decode(Encoding.UTF8.GetBytes(line), before).State);

    internal static AgentItem Item(string json) => Assert.Single(Line(json).Items);

    private static string Result(string members) => $$"""{"type":"result","subtype":"success","is_error":false,"num_turns":1,"result":"Done.",{{members}}}""";

    private static long Cost(ClaudeState state, string members) => Line(Result(members), state).Signals.OfType<AgentSignal.CostAdded>().SingleOrDefault()?.MicroUsd ?? 0;

    [Fact]
    public void Keys_may_come_in_any_order()
    {
        foreach (var line in RecordedStreamsTests.AllLines())
        {
            var members = JsonNode.Parse(line)!.AsObject().ToList();
            var turned = new JsonObject(members.AsEnumerable().Reverse().Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone()))).ToJsonString();
            var (expected, actual) = (Line(line), Line(turned));
            Assert.Equal(expected.Signals.Select(signal => signal.GetType()), actual.Signals.Select(signal => signal.GetType()));
            Assert.Equal(expected.Items.Select(item => (item.Kind, item.Name, item.Text)), actual.Items.Select(item => (item.Kind, item.Name, item.Text)));
        }
    }

    [Fact]
    public void A_success_that_is_an_error_is_an_error()
    {
        var state = After(Fresh, """{"type":"assistant","error":"overloaded","message":{"model":"<synthetic>","content":[{"type":"text","text":"API Error: 529"}]}}""");
        var line = Line("""{"type":"result","subtype":"success","is_error":true,"api_error_status":529,"result":"API Error: 529","num_turns":1}""", state);
        var ended = Assert.Single(line.Signals.OfType<AgentSignal.TurnEnded>());
        Assert.Equal((true, "providerDown", "The provider did not answer: API Error: 529. Resume later."), (ended.IsError, ended.Kind, ended.Message));
        Assert.Equal(("providerDown", true), (Assert.Single(line.Items).Name, line.Items[0].IsError));
    }

    [Fact]
    public void An_error_word_explains_only_the_next_result_and_only_the_main_agents_word_does()
    {
        var refused = After(Fresh, """{"type":"assistant","error":"billing_error","message":{"content":[]}}""");
        Assert.Equal("billing_error", After(refused, """{"type":"assistant","parent_tool_use_id":"toolu_1","message":{"content":[{"type":"text","text":"A sub-agent goes on."}]}}""").LastError);
        Assert.Null(After(Fresh, """{"type":"assistant","parent_tool_use_id":"toolu_1","error":"overloaded","message":{"content":[]}}""").LastError);
        Assert.Null(After(refused, """{"type":"result","subtype":"success","is_error":true,"result":"x"}""").LastError);
        Assert.Null(After(refused, """{"type":"assistant","message":{"content":[]}}""").LastError);
    }

    [Fact]
    public void An_old_process_counts_from_nothing_and_each_result_adds_the_difference()
    {
        Assert.Equal(6_100, Cost(ClaudeState.Start(true), "\"total_cost_usd\":0.0061"));
        Assert.Equal(6_100, Cost(After(Fresh, Result("\"total_cost_usd\":0.0061")), "\"total_cost_usd\":0.0122"));
    }

    [Fact]
    public void A_new_process_says_what_is_new_and_its_total_over_all_launches_is_not_added()
    {
        const string members = """ "total_cost_usd":1.5,"model_usage_since_last_result":{"large":{"costUSD":0.25},"small":{"costUSD":0.05}}""";
        Assert.Equal(300_000, Cost(ClaudeState.Start(true), members));
        Assert.Equal(0, Cost(After(ClaudeState.Start(true), Result(members)), """ "total_cost_usd":1.5,"model_usage_since_last_result":{}"""));
    }

    [Fact]
    public void Rounding_does_not_add_up()
    {
        var (state, sum) = (Fresh, 0L);
        for (var turn = 0; turn < 1_000; turn++)
        {
            (var line, state) = ClaudeDecoder.Decode(Encoding.UTF8.GetBytes(Result(""" "model_usage_since_last_result":{"m":{"costUSD":0.0000004}}""")), state);
            sum += line.Signals.OfType<AgentSignal.CostAdded>().Sum(cost => cost.MicroUsd);
        }

        Assert.Equal(400, sum);
    }

    [Fact]
    public void A_live_figure_is_what_was_spent_since_the_last_result()
    {
        static string Usage(string total) => $$$$$"""{"type":"control_response","response":{"subtype":"success","request_id":"usage-1","response":{"session":{"total_cost_usd":{{{{{total}}}}}}}}}""";
        static long? Estimate(ClaudeState state, string total) => Line(Usage(total), state).Signals.OfType<AgentSignal.CostEstimated>().SingleOrDefault()?.MicroUsd;

        Assert.Equal(800, Estimate(Fresh, "0.0008"));
        Assert.Equal(1_000, Estimate(After(Fresh, Result("\"total_cost_usd\":0.5")), "0.501"));
        var resumed = After(ClaudeState.Start(true), Usage("0.5"));
        Assert.Equal(0, Estimate(ClaudeState.Start(true), "0.5")); // what earlier launches cost
        Assert.Equal(20_000, Estimate(resumed, "0.52"));
        Assert.Equal(0, Estimate(resumed, "0.1"));
        Assert.Null(Estimate(Fresh, "null"));
    }

    [Fact]
    public void A_retry_a_compaction_and_a_rate_limit_are_notices()
    {
        Assert.Equal((ItemKind.Notice, "apiRetry", "The model did not answer (overloaded); attempt 2 of 10 follows."), Of("""{"type":"system","subtype":"api_retry","attempt":2,"max_retries":10,"error_status":529,"error":"overloaded"}"""));
        Assert.Equal((ItemKind.Notice, "apiRetry", "The model did not answer (529); attempt 2 of ? follows."), Of("""{"type":"system","subtype":"api_retry","attempt":2,"max_retries":"ten","error_status":529}"""));
        Assert.Equal((ItemKind.Notice, "compaction", "The conversation was compacted."), Of("""{"type":"system","subtype":"compact_boundary","compact_metadata":{"trigger":"auto"}}"""));
        Assert.Equal((ItemKind.Notice, "rateLimit", "Rate limit five_hour: rejected, until 2026-11-22 10:08 UTC."), Of("""{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":1795342095,"rateLimitType":"five_hour"}}"""));
        Assert.Equal((ItemKind.Notice, "rateLimit", "Rate limit five_hour: allowed."), Of("""{"type":"rate_limit_event","rate_limit_info":{"status":"allowed","resetsAt":99999999999999999,"rateLimitType":"five_hour"}}"""));

        static (ItemKind, string?, string) Of(string line) => (Item(line).Kind, Item(line).Name, Item(line).Text);
    }

    [Fact]
    public void Each_block_of_a_message_is_an_item_and_a_block_that_nobody_knows_is_kept()
    {
        var line = Line("""{"type":"assistant","parent_tool_use_id":"toolu_0","message":{"content":[{"type":"thinking","thinking":"Hm."},{"type":"text","text":"Hello"},"plain",{"type":"tool_use","id":"toolu_1","name":"Bash","input":{"command":"ls\n-l"}},{"type":"redacted_thinking","data":"x"},{"text":"no type"},7,{"type":"text"}]}}""");
        Assert.Equal(
            [ItemKind.Thinking, ItemKind.Text, ItemKind.Text, ItemKind.ToolUse, ItemKind.Raw, ItemKind.Raw, ItemKind.Raw, ItemKind.Raw],
            line.Items.Select(item => item.Kind));
        Assert.Equal(["Hm.", "Hello", "plain", "Bash ls -l", """{"type":"redacted_thinking","data":"x"}""", """{"text":"no type"}""", "7", """{"type":"text"}"""], line.Items.Select(item => item.Text));
        Assert.All(line.Items, item => Assert.Equal("toolu_0", item.Parent));
        Assert.DoesNotContain(line.Signals, signal => signal is AgentSignal.Tool); // a sub-agent's tool is not the run's
    }

    [Theory]
    [InlineData("""{"type":"unheard_of","x":1}""", "unknownType")]
    [InlineData("""{"no":"type"}""", "unknownType")]
    [InlineData("[1,2]", "unknownType")]
    [InlineData("null", "unknownType")]
    [InlineData("""{"type":"control_cancel_request"}""", "unknownType")]
    [InlineData("not json", "notUnderstood")]
    [InlineData("", "notUnderstood")]
    [InlineData("""{"type":"result","total_cost_usd":NaN}""", "notUnderstood")]
    public void What_is_not_known_is_kept_as_it_came(string text, string why)
    {
        Assert.Equal((ItemKind.Raw, why, text), (Item(text).Kind, Item(text).Name, Item(text).Text));
        Assert.Empty(Line(text).Signals);
    }

    [Theory]
    [InlineData("\"content\":\"said\"", "said")]
    [InlineData("\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image\"},\"b\",{}]", "a\n[image]\nb\n[unknown]")]
    [InlineData("\"content\":null", "")]
    [InlineData("\"content\":{\"k\":1}", "{\"k\":1}")]
    [InlineData("\"is_error\":false", "")]
    public void A_tool_result_may_be_text_parts_or_nothing(string member, string expected)
    {
        var item = Item($$$$"""{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"toolu_1",{{{{member}}}}}]}}""");
        Assert.Equal((ItemKind.ToolResult, "toolu_1", expected), (item.Kind, item.Id, item.Text));
    }

    [Fact]
    public void A_failed_tools_rich_result_is_a_string_and_a_questions_is_the_answer()
    {
        var failed = Item("""{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t","content":"Exit code 1","is_error":true}]},"tool_use_result":"Error: Exit code 1"}""");
        Assert.Equal((ItemKind.ToolResult, true, "Exit code 1"), (failed.Kind, failed.IsError, failed.Text));
        var answered = Item("""{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t","content":"…"}]},"tool_use_result":{"questions":[],"answers":{"Which?":"Red, Blue","How many?":2}}}""");
        Assert.Equal((ItemKind.Answer, "Which? Red, Blue\nHow many? 2"), (answered.Kind, answered.Text));
    }

    [Fact]
    public void Only_a_replay_with_its_id_says_that_a_message_was_delivered()
    {
        const string message = """ "type":"user","message":{"role":"user","content":"Go on."}""";
        Assert.Equal("m-1", Assert.Single(Line($$"""{{{message}},"isReplay":true,"uuid":"m-1"}""").Signals.OfType<AgentSignal.Echoed>()).MessageId);
        Assert.Equal("m-1", Item($$"""{{{message}},"isReplay":true,"uuid":"m-1"}""").Id);
        Assert.Empty(Line($$"""{{{message}},"isReplay":true}""").Signals);
        Assert.Empty(Line($$"""{{{message}},"uuid":"m-1"}""").Signals);
        Assert.Equal((ItemKind.UserMessage, "Go on.", null), (Item($$"""{{{message}},"isReplay":true}""").Kind, Item($$"""{{{message}},"isReplay":true}""").Text, Item($$"""{{{message}},"isReplay":true}""").Id));
    }

    [Fact]
    public void A_request_that_we_do_not_serve_is_kept_and_must_be_refused()
    {
        var line = Line("""{"type":"control_request","request_id":"r-1","request":{"subtype":"hook_callback","callback_id":"hook_0"}}""");
        Assert.Equal(new AgentSignal.Unserved("r-1", "hook_callback"), Assert.Single(line.Signals));
        Assert.Equal(ItemKind.Raw, Assert.Single(line.Items).Kind);
        Assert.Equal(new AgentSignal.Unserved("r-1", "unknown"), Assert.Single(Line("""{"type":"control_request","request_id":"r-1","request":7}""").Signals));
    }

    [Fact]
    public void An_answer_of_the_control_channel_is_a_notice_and_its_error_is_shown()
    {
        Assert.Equal("Unsupported control request subtype: x", Item("""{"type":"control_response","response":{"subtype":"error","request_id":"usage-2","error":"Unsupported control request subtype: x"}}""").Text);
        Assert.Equal((ItemKind.Notice, "control"), (Item("""{"type":"control_response","response":{"subtype":"success","request_id":"stop-1","response":{"still_queued":[]}}}""").Kind, Item("""{"type":"control_response","response":{"request_id":"stop-1"}}""").Name));
        Assert.Equal(ItemKind.Raw, Item("""{"type":"control_response","response":"no"}""").Kind);
    }

    [Fact]
    public void The_agents_own_count_of_background_tasks_is_taken_and_ours_only_without_it()
    {
        const string begun = """{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t","content":"…"}]},"tool_use_result":{"backgroundTaskId":"b1"}}""";
        const string ended = """{"type":"system","subtype":"task_notification","task_id":"b1","status":"completed","summary":"s"}""";
        var old = After(Fresh, begun);
        Assert.Equal(1, Counted(Line(begun)));
        Assert.Null(Counted(Line(begun, old)));
        Assert.Equal(0, Counted(Line(ended, old)));
        Assert.Null(Counted(Line(ended, After(old, ended))));
        Assert.Null(Counted(Line("""{"type":"system","subtype":"task_updated","task_id":"b1","patch":{"status":"running"}}""", old)));
        Assert.Equal(0, Counted(Line("""{"type":"system","subtype":"task_updated","task_id":"b1","patch":{"status":"killed"}}""", old)));

        const string told = """{"type":"system","subtype":"background_tasks_changed","tasks":[{"task_id":"b1"},{"task_id":"b2"}]}""";
        var newer = After(Fresh, told);
        Assert.Equal(2, Counted(Line(told)));
        Assert.Null(Counted(Line(begun, newer)));
        Assert.Null(Counted(Line(ended, newer)));

        static int? Counted(AgentLine line) => line.Signals.OfType<AgentSignal.BackgroundTasks>().SingleOrDefault()?.Count;
    }

    [Fact]
    public void The_decoders_state_is_kept_whole_as_json()
    {
        var state = new ClaudeState(true, 0.0122m, 0.0061m, "overloaded", ["b1"], true);
        var kept = System.Text.Json.JsonSerializer.Deserialize(System.Text.Json.JsonSerializer.Serialize(state, ClaudeJson.Default.ClaudeState), ClaudeJson.Default.ClaudeState)!;
        Assert.Equal(state with { Tasks = null }, kept with { Tasks = null });
        Assert.Equal(state.Tasks!, kept.Tasks!);
        Assert.Equal(ClaudeState.Start(false), System.Text.Json.JsonSerializer.Deserialize("""{"resumed":false,"baseline":0,"exact":0,"lastError":null}""", ClaudeJson.Default.ClaudeState));
    }
}
