using System.Text;
using System.Text.Json.Nodes;
using KanBots.Sidecar.Rpc;
using KanBots.Sidecar.Tests.Spine;
using static KanBots.Sidecar.Tests.Rpc.ByteClient;

namespace KanBots.Sidecar.Tests.Rpc;

/// <summary>Bytes at the wire: what is framed, what is said, and that the connection goes on wherever the framing allows it.</summary>
public sealed class ConformanceTests
{
    internal const string Echo = """{"requestId":"r","runId":1,"text":"Grüße, 世界 🚀"}""";

    /// <summary>Name, bytes, and the answer's id, code and a part of its sentence; a null code means silence.</summary>
    internal static readonly (string Name, byte[] Bytes, string Id, int? Code, string Says)[] Rows =
    [
        ("not JSON", Frame("{nope"), "null", -32700, "not JSON"),
        ("empty content", Frame(""), "null", -32700, "not JSON"),
        ("invalid UTF-8 in a method", Frame([.. "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\""u8, 0xC3, 0x28, .. "\"}"u8]), "null", -32700, "not UTF-8"),
        ("nested too deeply", Frame(new string('[', 200) + new string(']', 200)), "null", -32700, "not JSON"),
        ("JSON but a text", Frame("\"hello\""), "null", -32600, "object"),
        ("JSON null", Frame("null"), "null", -32600, "object"),
        ("batch", Frame($"[{Request("1", "test/echo", Echo)}]"), "null", -32600, "Batches"),
        ("no method", Frame("""{"jsonrpc":"2.0","id":5}"""), "5", -32600, "neither"),
        ("nothing at all", Frame("{}"), "null", -32600, "neither"),
        ("a method that is a number", Frame("""{"jsonrpc":"2.0","id":"m","method":5}"""), "\"m\"", -32600, "string"),
        ("half a surrogate in a method", Frame("""{"jsonrpc":"2.0","id":5,"method":"\ud800"}"""), "null", -32600, "half"),
        ("half a surrogate in an id", Frame("""{"jsonrpc":"2.0","id":"\ud800","method":"initialize"}"""), "null", -32600, "half"),
        ("unknown method", Frame(Request("6", "no/such")), "6", -32601, "no/such"),
        ("unknown notification", Frame(Notification("no/such")), "", null, ""),
        ("id null", Frame(Request("null", "initialize")), "null", -32600, "id"),
        ("id fraction", Frame(Request("1.5", "initialize")), "null", -32600, "id"),
        ("id of 100 digits", Frame(Request(new string('9', 100), "initialize")), "null", -32600, "id"),
        ("id object", Frame(Request("{}", "initialize")), "null", -32600, "id"),
        ("id true", Frame(Request("true", "initialize")), "null", -32600, "id"),
        ("response to nobody", Frame("""{"jsonrpc":"2.0","id":99,"result":{}}"""), "", null, ""),
        ("response with a string id", Frame("""{"jsonrpc":"2.0","id":"x","result":{}}"""), "", null, ""),
        ("error without an id", Frame("""{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"what?"}}"""), "", null, ""),
        ("error that is a number", Frame("""{"jsonrpc":"2.0","id":99,"error":5}"""), "", null, ""),
        ("cancel of an unknown id", Frame(Notification("$/cancelRequest", """{"id":12345}""")), "", null, ""),
        ("cancel without an id", Frame(Notification("$/cancelRequest")), "", null, ""),
        ("cancel of half a surrogate", Frame(Notification("$/cancelRequest", """{"id":"\udfff"}""")), "null", -32600, "half"),
        ("cancel with params of another form", Frame(Notification("$/cancelRequest", "[7]")), "", null, ""),
    ];

    public static TheoryData<string> RowNames => [.. Rows.Select(row => row.Name)];

    [Theory]
    [MemberData(nameof(RowNames))]
    public async Task What_is_wrong_is_answered_as_the_standard_says_and_the_next_request_is_served(string name)
    {
        await using var bench = new Bench();
        var row = Rows.Single(row => row.Name == name);
        bench.Client.Write(row.Bytes);
        bench.Client.Send(Request("1000", "test/echo", Echo));
        if (row.Code is { } code)
        {
            AssertError(await bench.Client.NextAsync(), row.Id, code, row.Says);
        }

        Assert.Equal(1000, (int)(await bench.Client.NextAsync())["id"]!);
        Assert.Empty(bench.Bugs);
    }

    [Theory]
    [InlineData("{\"runId\":1,\"text\":\"x\"}", "lack requestId")]
    [InlineData("{}", "lack requestId, runId, text")]
    [InlineData("{\"requestId\":\"r\",\"runId\":\"1\",\"text\":\"x\"}", "$.runId")]
    [InlineData("{\"requestId\":\"r\",\"runId\":1.5,\"text\":\"x\"}", "$.runId")]
    [InlineData("{\"requestId\":\"r\",\"runId\":1,\"text\":null}", "wrong type")]
    [InlineData("{\"requestId\":\"r\",\"runId\":1,\"text\":\"\\ud800\"}", "$.text")]
    [InlineData("[\"r\",1,\"x\"]", "one object")]
    [InlineData("7", "one object")]
    [InlineData("null", "lack requestId")]
    public async Task Wrong_params_are_named(string parameters, string says)
    {
        await using var bench = new Bench();
        AssertError(await bench.Client.CallAsync("\"a\"", "test/echo", parameters), "\"a\"", -32602, says);
        Assert.Empty(bench.Bugs);
    }

    [Fact]
    public async Task Unknown_members_are_tolerated_and_absent_or_null_params_are_an_empty_object()
    {
        await using var bench = new Bench();
        bench.Gate.SetResult();
        Assert.NotNull((await bench.Client.CallAsync("1", "test/echo", """{"requestId":"r","runId":1,"text":"x","fromTheFuture":[1,{"a":2}]}"""))["result"]);
        Assert.NotNull((await bench.Client.CallAsync("2", "test/wait", "null"))["result"]);
        bench.Client.Send("""{"extra":1,"method":"test/wait","id":3,"jsonrpc":"2.0"}""");
        Assert.NotNull((await bench.Client.NextAsync())["result"]);
    }

    [Theory]
    [InlineData("7")]
    [InlineData("-7")]
    [InlineData("0")]
    [InlineData("9007199254740993")]
    [InlineData("\"\"")]
    [InlineData("\"7\"")]
    [InlineData("\"Gr\\u00fc\\\"\\n\"")]
    public async Task An_id_comes_back_as_it_was_sent(string id)
    {
        await using var bench = new Bench();
        var answer = await bench.Client.CallAsync(id, "test/echo", Echo);
        Assert.Equal(JsonNode.Parse(id)!.ToJsonString(), answer["id"]!.ToJsonString());
        Assert.Equal("Grüße, 世界 🚀", (string?)answer["result"]!["text"]);
    }

    [Fact]
    public async Task A_frame_split_at_every_byte_is_read_as_one()
    {
        await using var bench = new Bench();
        var frame = Frame(Request("1", "test/echo", Echo));
        for (var cut = 1; cut < frame.Length; cut++)
        {
            bench.Client.Write(frame[..cut]);
            bench.Client.Write(frame[cut..]);
            Assert.Equal("Grüße, 世界 🚀", (string?)(await bench.Client.NextAsync())["result"]!["text"]);
        }

        foreach (var one in frame)
        {
            bench.Client.Write(one);
        }

        Assert.NotNull((await bench.Client.NextAsync())["result"]);
    }

    [Fact]
    public async Task Frames_joined_in_one_write_are_answered_in_their_order()
    {
        await using var bench = new Bench();
        bench.Client.SendTogether(Enumerable.Range(0, 500).Select(i => Request($"{i}", "test/echo", Echo)));
        for (var i = 0; i < 500; i++)
        {
            Assert.Equal(i, (int)(await bench.Client.NextAsync())["id"]!);
        }
    }

    [Theory]
    [InlineData("CONTENT-LENGTH: {0}\r\n\r\n")]
    [InlineData("content-length:{0}\r\n\r\n")]
    [InlineData("Content-Length: \t{0} \r\n\r\n")]
    [InlineData("X-Unknown: yes\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: {0}\r\n\r\n")]
    public async Task Headers_of_other_case_and_other_headers_are_read(string header)
    {
        await using var bench = new Bench();
        var content = Encoding.UTF8.GetBytes(Request("1", "test/echo", Echo));
        bench.Client.Write([.. Encoding.ASCII.GetBytes(string.Format(header, content.Length)), .. content]);
        Assert.NotNull((await bench.Client.NextAsync())["result"]);
    }

    [Theory]
    [InlineData("Content-Length: -5\r\n\r\n")]
    [InlineData("Content-Length: +5\r\n\r\n")]
    [InlineData("Content-Length: five\r\n\r\n")]
    [InlineData("Content-Length: 5 5\r\n\r\n")]
    [InlineData("Content-Length: \r\n\r\n")]
    [InlineData("Content-Length: 1e3\r\n\r\n")]
    [InlineData("Content-Length: 99999999999999999999\r\n\r\n")]
    [InlineData("Content-Type: x\r\n\r\n")]
    [InlineData("Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}")]
    [InlineData("no colon\r\n\r\n")]
    [InlineData("\r\n\r\n")]
    public async Task Framing_that_cannot_be_followed_is_said_and_ends_the_connection(string bytes)
    {
        await using var bench = new Bench();
        bench.Client.Write(Encoding.ASCII.GetBytes(bytes));
        AssertError(await bench.Client.NextAsync(), "null", -32700, "The connection is closed");
        Assert.Null(await bench.Client.ReadAsync());
    }

    [Fact]
    public async Task A_header_block_without_end_is_refused_at_its_limit()
    {
        await using var bench = new Bench();
        bench.Client.Write([.. "X: "u8, .. Enumerable.Repeat((byte)'a', HeaderFraming.MaxHeaderBytes)]);
        AssertError(await bench.Client.NextAsync(), "null", -32700, "header block");
        Assert.Null(await bench.Client.ReadAsync());
    }

    [Fact]
    public async Task Twenty_megabytes_go_in_and_come_out()
    {
        await using var bench = new Bench();
        var text = new string('y', 20 << 20);
        var sending = Task.Run(() => bench.Client.Send(Request("1", "test/echo", $$"""{"requestId":"r","runId":1,"text":"{{text}}"}""")));
        Assert.Equal(text, (string?)(await bench.Client.NextAsync())["result"]!["text"]);
        await sending;
    }

    [Fact]
    public async Task An_answer_over_the_limit_becomes_an_error_and_the_connection_lives()
    {
        await using var bench = new Bench();
        AssertError(await bench.Client.CallAsync("1", "test/make", $$"""{"runId":{{HeaderFraming.MaxMessageBytes}}}"""), "1", 4, "over the limit");
        Assert.NotNull((await bench.Client.CallAsync("2", "test/make", """{"runId":10}"""))["result"]);
        Place.Until("nothing of it is left in the queue", () => bench.Connection.QueuedBytes == 0);
    }

    [Theory]
    [InlineData("Content-Length: 50\r\n\r\n{\"jsonrpc\"", true)]
    [InlineData("Content-Le", true)]
    [InlineData("", false)]
    public async Task The_end_of_the_input_inside_a_message_is_said(string bytes, bool said)
    {
        await using var bench = new Bench();
        bench.Client.Write([.. Frame(Request("1", "test/echo", Echo)), .. Encoding.ASCII.GetBytes(bytes)]);
        bench.EndInput();
        Assert.Equal(1, (int)(await bench.Client.NextAsync())["id"]!);
        if (said)
        {
            AssertError(await bench.Client.NextAsync(), "null", -32700, "ended inside");
        }

        Assert.Null(await bench.Client.ReadAsync());
        await bench.Running.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_bug_in_a_handler_is_answered_with_its_log_reference_and_the_connection_lives()
    {
        await using var bench = new Bench();
        bench.Client.Send(Notification("test/noteBug"));
        var error = await bench.Client.CallAsync("1", "test/bug");
        AssertError(error, "1", -32603, "log ref2");
        Assert.Equal("ref2", (string?)error["error"]!["data"]!["logReference"]);
        Assert.DoesNotContain("on purpose", error.ToJsonString());
        AssertError(await bench.Client.CallAsync("2", "test/lateBug"), "2", -32603, "log ref3");
        AssertError(await bench.Client.CallAsync("3", "test/refuse"), "3", 8, "No.");
        Assert.Equal(3, bench.Bugs.Count);
    }

    [Fact]
    public async Task A_notification_sent_as_a_request_is_refused_and_a_request_sent_as_a_notification_is_silence()
    {
        await using var bench = new Bench();
        bench.Client.Send(Notification("test/wait"));
        bench.Client.Send(Notification("test/note", """{"runId":"wrong"}"""));
        bench.Client.Send(Notification("test/note", """{"runId":4}"""));
        AssertError(await bench.Client.CallAsync("1", "test/note", """{"runId":5}"""), "1", -32600, "notification");
        Assert.Equal([4], bench.Notes);
        Assert.Equal(0, bench.Waiting);
    }
}
