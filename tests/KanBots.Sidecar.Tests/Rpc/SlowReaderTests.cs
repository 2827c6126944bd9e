using System.Diagnostics;
using KanBots.Sidecar.Protocol;
using KanBots.Sidecar.Rpc;
using KanBots.Sidecar.Tests.Spine;
using static KanBots.Sidecar.Tests.Rpc.ByteClient;

namespace KanBots.Sidecar.Tests.Rpc;

/// <summary>The outgoing queue: order, limits, and what becomes of a peer that does not read.</summary>
public sealed class SlowReaderTests
{
    private static ProtocolJson Json => ProtocolJson.Default;

    private static Task Note(Bench bench, long number) => bench.Connection.NotifyAsync("client/note", new RunUnsubscribeParams(number), Json.RunUnsubscribeParams);

    [Fact]
    public async Task A_sender_that_waits_has_one_message_in_flight_and_what_changed_meanwhile_goes_into_the_next()
    {
        await using var bench = new Bench();
        const long Changes = 10_000;
        var (newest, sent, queuedMax) = (0L, 0, 0);
        var pump = Task.Run(async () =>
        {
            for (long told = 0; told < Changes; sent++)
            {
                told = Volatile.Read(ref newest);
                var page = new RunReplyParams($"{told}", told, new string('z', 100_000));
                var taken = bench.Connection.NotifyAsync("client/state", page, Json.RunReplyParams);
                queuedMax = Math.Max(queuedMax, bench.Connection.QueuedMessages);
                await taken;
            }
        });
        for (long i = 1; i <= Changes; i++)
        {
            Volatile.Write(ref newest, i);
            if (i % 10 == 0)
            {
                await Task.Yield();
            }
        }

        long last = -1;
        while (last < Changes)
        {
            var number = (long)(await bench.Client.NextAsync("client/state"))["params"]!["runId"]!;
            Assert.True(number >= last, $"{number} after {last}");
            last = number;
        }

        await pump;
        Assert.InRange(sent, 1, 2000);
        Assert.InRange(queuedMax, 0, 1);
    }

    [Fact]
    public async Task A_storm_of_notifications_keeps_its_order_and_stays_below_the_limit_of_the_queue()
    {
        await using var bench = new Bench();
        const int Storm = OutgoingQueue.MessagesMax;
        var all = new Task[Storm];
        for (var i = 0; i < Storm; i++)
        {
            all[i] = Note(bench, i);
            Assert.InRange(bench.Connection.QueuedMessages, 0, OutgoingQueue.MessagesMax);
        }

        for (var i = 0; i < Storm; i++)
        {
            Assert.Equal(i, (long)(await bench.Client.NextAsync())["params"]!["runId"]!);
        }

        await Task.WhenAll(all).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal((0, 0L), (bench.Connection.QueuedMessages, bench.Connection.QueuedBytes));
    }

    [Fact]
    public async Task A_peer_too_many_messages_behind_loses_the_connection_at_once()
    {
        await using var bench = new Bench();
        var clock = Stopwatch.StartNew();
        var sent = 0;
        Task last;
        do
        {
            last = Note(bench, sent++);
            Assert.InRange(bench.Connection.QueuedMessages, 0, OutgoingQueue.MessagesMax);
        }
        while (!last.IsFaulted);

        await Assert.ThrowsAsync<IOException>(() => last);
        await bench.Running.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(sent > OutgoingQueue.MessagesMax && clock.Elapsed < RpcConnection.StuckReader / 2, $"{sent} in {clock.Elapsed}");
        Assert.Equal((0, 0L), (bench.Connection.QueuedMessages, bench.Connection.QueuedBytes));
    }

    [Fact]
    public async Task A_peer_too_many_bytes_behind_loses_the_connection_at_once()
    {
        await using var bench = new Bench();
        bench.Client.SendTogether(Enumerable.Range(0, 8).Select(i => Request($"{i}", "test/make", """{"runId":20000000}""")));
        await bench.Running.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.True(bench.Connection.Closed.IsCancellationRequested);
        Assert.Empty(bench.Bugs);
        Assert.Equal(0, bench.Connection.QueuedBytes);
    }

    [Fact]
    public async Task A_peer_that_takes_nothing_for_the_named_time_loses_the_connection()
    {
        await using var bench = new Bench(stuckReader: TimeSpan.FromMilliseconds(500));
        var clock = Stopwatch.StartNew();
        var waiting = bench.Connection.NotifyAsync("client/big", new RunReplyResult(new string('x', 5_000_000)), Json.RunReplyResult);
        await Assert.ThrowsAsync<IOException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.InRange(clock.Elapsed.TotalMilliseconds, 450, 15_000);
        await bench.Running.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_peer_that_takes_a_little_now_and_then_keeps_the_connection_longer_than_the_named_time()
    {
        var patience = TimeSpan.FromMilliseconds(1000);
        var (ours, theirs) = Bench.Pair();
        var connection = new RpcConnection(ours, ours, new RpcMethods(), _ => "", patience);
        var running = connection.RunAsync();
        var waiting = connection.NotifyAsync("client/big", new RunReplyResult(new string('x', 4_000_000)), Json.RunReplyResult);
        var clock = Stopwatch.StartNew();
        var piece = new byte[128 * 1024];
        for (long got = 0; got < 4_000_000;)
        {
            var read = await theirs.ReadAsync(piece).AsTask().WaitAsync(patience * 10);
            Assert.True(read > 0, $"the connection ended after {got} bytes");
            got += read;
            await Task.Delay(100); // the slowness is what is tested, not a wait for a result
        }

        await waiting.WaitAsync(patience * 10);
        Assert.True(clock.Elapsed > patience * 2, $"the reader was not slow: {clock.Elapsed}");
        await connection.DisposeAsync();
        await running;
        await ours.DisposeAsync();
        await theirs.DisposeAsync();
    }

    [Fact]
    public async Task A_peer_that_writes_everything_before_it_reads_anything_is_not_a_deadlock()
    {
        await using var bench = new Bench();
        const int Mistakes = 9_000;
        var sending = Task.Run(() => bench.Client.SendTogether(Enumerable.Range(0, Mistakes).Select(i => Request($"{i}", "no/such/method/with/a/name/that/fills/the/socket"))));
        await sending.WaitAsync(TimeSpan.FromSeconds(60));
        for (var i = 0; i < Mistakes; i++)
        {
            AssertError(await bench.Client.NextAsync(), $"{i}", -32601, "no/such");
        }
    }

    [Fact]
    public async Task A_cancellation_behind_answers_that_nobody_reads_is_heard()
    {
        await using var bench = new Bench();
        bench.Client.SendTogether(Request("1", "test/wait"), Request("2", "test/make", """{"runId":20000000}"""), Request("3", "no/such"), Notification("$/cancelRequest", """{"id":1}"""), Notification("test/note", """{"runId":1}"""));
        Place.Until("the last message is handled although nothing is read", () => bench.Notes.Count == 1);
        Assert.Equal(2, (int)(await bench.Client.NextAsync())["id"]!);
        AssertError(await bench.Client.NextAsync(), "3", -32601, "no/such");
        AssertError(await bench.Client.NextAsync(), "1", -32800, "cancelled");
    }
}
