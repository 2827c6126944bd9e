using KanBots.Sidecar.Protocol;
using KanBots.Sidecar.Rpc;
using KanBots.Sidecar.Tests.Spine;
using static KanBots.Sidecar.Tests.Rpc.ByteClient;

namespace KanBots.Sidecar.Tests.Rpc;

/// <summary>Many at once, both ways: cancellation, ids, slow readers, ends.</summary>
public sealed class InFlightTests
{
    private static string Cancel(string id) => Notification("$/cancelRequest", $$"""{"id":{{id}}}""");

    [Theory]
    [InlineData("1", "1")]
    [InlineData("\"ab\"", "\"a\\u0062\"")]
    public async Task A_request_cancelled_in_the_same_write_is_answered_as_cancelled(string id, string sameId)
    {
        await using var bench = new Bench();
        bench.Client.SendTogether(Request(id, "test/wait"), Cancel(sameId));
        AssertError(await bench.Client.NextAsync(), id, -32800, "cancelled");
    }

    [Fact]
    public async Task Cancelled_before_it_is_sent_while_it_waits_and_after_its_answer()
    {
        await using var bench = new Bench();
        bench.Client.SendTogether(Cancel("1"), Request("1", "test/wait"), Request("\"1\"", "test/wait"));
        Place.Until("both are under way: a cancellation ahead of its request means nothing", () => bench.Waiting == 2);
        bench.Client.Send(Cancel("1"));
        AssertError(await bench.Client.NextAsync(), "1", -32800, "cancelled");
        bench.Gate.SetResult();
        Assert.NotNull((await bench.Client.NextAsync())["result"]);
        bench.Client.Send(Cancel("\"1\""));
        Assert.NotNull((await bench.Client.CallAsync("1", "test/wait"))["result"]);
    }

    [Fact]
    public async Task A_handler_that_is_done_nevertheless_answers_its_result()
    {
        await using var bench = new Bench();
        bench.Client.SendTogether(Request("1", "test/stubborn"), Cancel("1"));
        Place.Until("it is under way", () => bench.Waiting == 1);
        bench.Gate.SetResult();
        Assert.NotNull((await bench.Client.NextAsync())["result"]);
    }

    [Fact]
    public async Task Cancellations_that_race_with_answers_never_end_the_connection()
    {
        await using var bench = new Bench();
        const int Rounds = 3000;
        bench.Gate.SetResult();
        var sending = Task.Run(() =>
        {
            for (var i = 0; i < Rounds; i++)
            {
                bench.Client.SendTogether(Request($"{i}", "test/stubborn"), Cancel($"{i}"));
            }
        });
        for (var i = 0; i < Rounds; i++)
        {
            Assert.NotNull((await bench.Client.NextAsync())["result"]);
        }

        await sending;
        Assert.Empty(bench.Bugs);
    }

    [Fact]
    public async Task A_second_request_with_an_id_under_way_is_refused_and_the_first_is_answered()
    {
        await using var bench = new Bench();
        bench.Client.SendTogether(Request("1", "test/wait"), Request("1", "test/wait"), Request("\"1\"", "test/wait"));
        AssertError(await bench.Client.NextAsync(), "null", -32600, "id 1 is in use");
        Assert.Equal(2, bench.Waiting);
        bench.Gate.SetResult();
        var ids = new[] { await bench.Client.NextAsync(), await bench.Client.NextAsync() }.Select(answer => answer["id"]!.ToJsonString()).Order();
        Assert.Equal(["\"1\"", "1"], ids);
        Assert.NotNull((await bench.Client.CallAsync("1", "test/wait"))["result"]);
    }

    [Fact]
    public async Task Two_thousand_requests_wait_at_once_and_each_is_answered()
    {
        await using var bench = new Bench();
        bench.Client.SendTogether(Enumerable.Range(0, 2000).Select(i => Request($"{i}", "test/wait")));
        Place.Until("all are under way", () => Volatile.Read(ref bench.Waiting) == 2000);
        bench.Gate.SetResult();
        var ids = new HashSet<int>();
        for (var i = 0; i < 2000; i++)
        {
            ids.Add((int)(await bench.Client.NextAsync())["id"]!);
        }

        Assert.Equal(2000, ids.Count);
    }

    [Fact]
    public async Task Requests_over_the_limit_are_refused_by_name_and_there_is_room_again_afterwards()
    {
        await using var bench = new Bench();
        bench.Client.SendTogether(Enumerable.Range(0, InFlight.RequestsMax + 1).Select(i => Request($"{i}", "test/wait")));
        var refused = await bench.Client.NextAsync();
        AssertError(refused, $"{InFlight.RequestsMax}", 4, "under way at once");
        Assert.Equal("limitExceeded", (string?)refused["error"]!["data"]!["kind"]);
        bench.Gate.SetResult();
        for (var i = 0; i < InFlight.RequestsMax; i++)
        {
            Assert.NotNull((await bench.Client.NextAsync())["result"]);
        }

        Assert.NotNull((await bench.Client.CallAsync("1", "test/wait"))["result"]);
    }

    [Fact]
    public async Task The_server_asks_the_client_and_takes_results_errors_and_nonsense()
    {
        await using var bench = new Bench();
        foreach (var (answer, code) in new[]
        {
            ("\"result\":{\"runId\":42}", 0),
            ("\"result\":{\"runId\":42},\"error\":null", 0),
            ("\"error\":{\"code\":8,\"message\":\"not now\",\"data\":{\"kind\":\"runNotLive\",\"runId\":3}}", 8),
            ("\"error\":{\"code\":8,\"message\":\"not now\",\"data\":{\"unheardOf\":1}}", 8),
            ("\"error\":{\"code\":8,\"message\":\"not now\",\"data\":[1]}", 8),
            ("\"error\":\"no\"", -32603),
            ("\"error\":{\"code\":\"8\",\"message\":7}", -32603),
            ("\"result\":null", -32603),
            ("\"result\":{\"runId\":\"x\"}", -32603),
        })
        {
            bench.Client.Send(Request("\"q\"", "test/ask", """{"runId":42}"""));
            var asked = await bench.Client.NextAsync("client/answer");
            Assert.Equal(42, (long)asked["params"]!["runId"]!);
            bench.Client.Send($$"""{"jsonrpc":"2.0","id":{{asked["id"]}},{{answer}} }""");
            var reply = await bench.Client.NextAsync();
            Assert.Equal(code, (int?)reply["error"]?["code"] ?? 0);
        }

        Assert.Empty(bench.Bugs);
    }

    [Fact]
    public async Task A_cancelled_question_to_the_client_is_withdrawn_and_its_late_answer_means_nothing()
    {
        await using var bench = new Bench();
        bench.Client.Send(Request("1", "test/ask", """{"runId":1}"""));
        var asked = await bench.Client.NextAsync("client/answer");
        bench.Client.Send(Cancel("1"));
        var withdrawn = await bench.Client.NextAsync("$/cancelRequest");
        Assert.Equal((int)asked["id"]!, (int)withdrawn["params"]!["id"]!);
        AssertError(await bench.Client.NextAsync(), "1", -32800, "cancelled");
        bench.Client.Send($$"""{"jsonrpc":"2.0","id":{{asked["id"]}},"result":{"runId":1} }""");
        Assert.NotNull((await bench.Client.CallAsync("2", "test/refuse"))["error"]);
    }

    [Fact]
    public async Task Two_of_ours_that_misunderstand_each_other_fall_silent()
    {
        var (left, right) = Bench.Pair();
        var one = new RpcConnection(left, left, new RpcMethods(), _ => "");
        var two = new RpcConnection(right, right, new RpcMethods().Request("test/echo", ProtocolJson.Default.Nothing, ProtocolJson.Default.Nothing, (n, _) => Task.FromResult(n)), _ => "");
        var running = Task.WhenAll(one.RunAsync(), two.RunAsync());
        await left.WriteAsync(Frame("[]"));
        for (var i = 0; i < 3; i++)
        {
            await one.RequestAsync("test/echo", new Nothing(), ProtocolJson.Default.Nothing, ProtocolJson.Default.Nothing, CancellationToken.None);
        }

        // The last answer can be read before the one who wrote it has counted it as written.
        Place.Until("neither has anything more to say", () => (one.QueuedMessages, two.QueuedMessages) == (0, 0));
        await one.DisposeAsync();
        await left.DisposeAsync();
        await right.DisposeAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(60));
        await Assert.ThrowsAsync<IOException>(() => one.RequestAsync("test/echo", new Nothing(), ProtocolJson.Default.Nothing, ProtocolJson.Default.Nothing, CancellationToken.None));
    }

    [Fact]
    public async Task What_was_asked_before_the_exit_or_the_end_of_the_input_is_answered()
    {
        await using (var bench = new Bench())
        {
            bench.Client.SendTogether(Request("1", "test/wait"), Request("2", "test/exit"), Request("3", "test/exit"));
            Assert.Equal(2, (int)(await bench.Client.NextAsync())["id"]!);
            AssertError(await bench.Client.NextAsync(), "1", -32800, "cancelled");
            Assert.Null(await bench.Client.ReadAsync());
        }

        await using (var bench = new Bench())
        {
            bench.Client.SendTogether(Request("1", "test/stubborn"));
            bench.EndInput();
            Place.Until("it is under way", () => bench.Waiting == 1);
            bench.Gate.SetResult();
            Assert.NotNull((await bench.Client.NextAsync())["result"]);
            Assert.Null(await bench.Client.ReadAsync());
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_under_way_when_the_input_ends_has_time_to_be_answered(bool exits)
    {
        await using var bench = new Bench(answerPatience: TimeSpan.FromMinutes(1));
        bench.Client.SendTogether(exits ? [Request("1", "test/wait"), Request("2", "test/exit")] : [Request("1", "test/wait")]);
        Place.Until("it is under way", () => bench.Waiting == 1);
        if (exits)
        {
            Assert.Equal(2, (int)(await bench.Client.NextAsync())["id"]!);
        }
        else
        {
            bench.EndInput();
        }

        bench.Gate.SetResult();
        var answer = await bench.Client.NextAsync();
        Assert.True((int)answer["id"]! == 1 && answer["result"] is not null, answer.ToJsonString());
        Assert.Null(await bench.Client.ReadAsync());
    }
}
