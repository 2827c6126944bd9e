using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using KanBots.Sidecar.Rpc;
using KanBots.Sidecar.Tests.Spine;
using static KanBots.Sidecar.Tests.Rpc.ByteClient;

namespace KanBots.Sidecar.Tests.Rpc;

/// <summary>The core of the byte suite once more, through the real relay and the real serve.</summary>
public sealed class RealBytesTests : IDisposable
{
    private readonly Place _place = new();
    private readonly List<Process> _relays = [];

    private string Hello => new JsonObject { ["clientName"] = "bytes", ["workspaceFolder"] = _place.Repository, ["trusted"] = true, ["capabilities"] = new JsonArray(), ["fromTheFuture"] = 1 }.ToJsonString();

    private (ByteClient Client, Process Relay) Connect()
    {
        var start = _place.Command(_place.Repository, "--stdio");
        start.RedirectStandardInput = start.RedirectStandardOutput = true;
        var relay = Process.Start(start)!;
        _relays.Add(relay);
        return (new ByteClient(relay.StandardInput.BaseStream, relay.StandardOutput.BaseStream), relay);
    }

    private async Task<ByteClient> InitializedAsync()
    {
        var (client, _) = Connect();
        Assert.NotNull((await client.CallAsync("\"hello\"", "initialize", Hello))["result"]);
        return client;
    }

    [Fact]
    public async Task What_is_wrong_is_answered_and_the_next_request_is_served()
    {
        var client = await InitializedAsync();
        foreach (var row in ConformanceTests.Rows)
        {
            client.Write(row.Bytes);
            client.Send(Request("1000", "config/get"));
            if (row.Code is { } code)
            {
                AssertError(await client.NextAsync(), row.Id, code, row.Says);
            }

            var answer = await client.NextAsync();
            Assert.True((int?)answer["id"] == 1000 && answer["result"] is not null, $"after {row.Name}: {answer.ToJsonString()}");
        }

        AssertError(await client.CallAsync("1", "card/create", """{"title":"x"}"""), "1", -32602, "lack requestId");
        AssertError(await client.CallAsync("1", "card/create", """["r","x"]"""), "1", -32602, "one object");
        AssertError(await client.CallAsync("1", "card/create", """{"requestId":"r","title":5}"""), "1", -32602, "$.title");
        AssertError(await client.CallAsync("1", "initialized"), "1", -32600, "notification");
    }

    [Fact]
    public async Task Frames_split_and_joined_pass_the_relay()
    {
        var client = await InitializedAsync();
        foreach (var one in Frame(Request("1", "config/get")))
        {
            client.Write(one);
        }

        Assert.NotNull((await client.NextAsync())["result"]);
        client.SendTogether(Enumerable.Range(0, 300).Select(i => Request($"{i}", "config/get")));
        for (var i = 0; i < 300; i++)
        {
            Assert.Equal(i, (int)(await client.NextAsync())["id"]!);
        }
    }

    [Fact]
    public async Task Twenty_megabytes_are_taken_and_a_message_over_the_limit_is_refused_and_the_next_answered()
    {
        var client = await InitializedAsync();
        client.Send(Request("1", "card/create", $$"""{"requestId":"r","title":"big","body":"{{new string('x', 20 << 20)}}"}"""));
        AssertError(await client.NextAsync(), "1", 4, "body");
        client.Write(Encoding.ASCII.GetBytes($"Content-Length: {HeaderFraming.MaxMessageBytes + 1}\r\n\r\n"));
        client.Write(new byte[HeaderFraming.MaxMessageBytes + 1]);
        client.Send(Request("2", "config/get"));
        AssertError(await client.NextAsync(), "null", -32600, "over the limit");
        Assert.Equal(2, (int)(await client.NextAsync())["id"]!);
    }

    [Fact]
    public async Task A_broken_frame_ends_this_client_with_a_sentence_and_no_other()
    {
        var (other, client) = (await InitializedAsync(), await InitializedAsync());
        client.Write("Content-Length: many\r\n\r\n"u8.ToArray());
        AssertError(await client.NextAsync(), "null", -32700, "Content-Length");
        Assert.Null(await client.ReadAsync());
        Assert.NotNull((await other.CallAsync("1", "config/get"))["result"]);
    }

    [Fact]
    public async Task What_was_piped_in_is_answered_although_the_input_has_ended()
    {
        var (client, relay) = Connect();
        client.SendTogether(Request("1", "initialize", Hello), Notification("initialized"), Request("2", "config/get"), Request("3", "shutdown"), Notification("exit"));
        relay.StandardInput.Close();
        var ids = new List<int>();
        while (await client.ReadAsync() is { } answer)
        {
            Assert.True(answer["result"] is not null, answer.ToJsonString());
            ids.Add((int)answer["id"]!);
        }

        Assert.Equal([1, 2, 3], ids.Order());
        Assert.True(relay.WaitForExit(10_000), "the relay lives on");
        Assert.Equal(0, relay.ExitCode);
    }

    public void Dispose()
    {
        foreach (var relay in _relays)
        {
            relay.Kill();
            relay.Dispose();
        }

        _place.Dispose();
    }
}
