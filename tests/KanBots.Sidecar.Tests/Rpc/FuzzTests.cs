using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KanBots.Sidecar.Protocol;
using KanBots.Sidecar.Rpc;
using Xunit.Abstractions;

namespace KanBots.Sidecar.Tests.Rpc;

/// <summary>20,000 mutated streams of frames and preambles against the connection's own code, with fixed seeds. What must come back is
/// said by a reader of the test's own, which shares no line with the product's. Alone, because it weighs the memory of the process:
/// another test's message of 64 MiB would be counted as kept here.</summary>
[Collection(AloneCollection.Name)]
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const int Seed = 20261125;
    private const int Streams = 16_000;
    private const int Preambles = 4_000;

    /// <summary>One stream has a few frames: who needs longer for it hangs.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Bytes that may stay in memory after everything.</summary>
    private const long KeptBytesMax = 64 << 20;

    private static readonly string[] Junk =
        ["\r\n\r\n", "\r\n", "\n\n", ":", "Content-Length: 99999999999999999999\r\n", "Content-Length: 67108865\r\n\r\n", "content-length:0\r\n\r\n", "Content-Length: -1\r\n\r\n", "Content-Type: x\r\n", "\0", "\uFEFF", "{", "}", "null", "\"", "\\ud800", "1e999", "\"id\":1,"];

    private static readonly string[] Messages =
    [
        """{"jsonrpc":"2.0","id":7,"method":"test/echo","params":{"requestId":"r","runId":1,"text":"Grüße 🚀"}}""",
        """{"jsonrpc":"2.0","id":"a","method":"test/echo","params":{"requestId":"r","runId":1,"text":"x","more":[1,2,{"a":null}]}}""",
        """{"jsonrpc":"2.0","id":8,"method":"test/refuse"}""",
        """{"jsonrpc":"2.0","id":9,"method":"no/such"}""",
        """{"jsonrpc":"2.0","id":10,"method":"test/wait","params":{}}""",
        """{"jsonrpc":"2.0","method":"test/note","params":{"runId":3}}""",
        """{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":10}}""",
        """{"jsonrpc":"2.0","id":11,"result":{}}""",
        """{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m"}}""",
    ];

    private static ProtocolJson Json => ProtocolJson.Default;

    [Fact]
    public async Task Every_mutated_stream_is_answered_named_or_ended_with_a_sentence()
    {
        var random = new Random(Seed);
        var clock = Stopwatch.StartNew();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var (answers, ends) = (0, 0);
        for (var number = 0; number < Streams; number++)
        {
            var bytes = random.Next(3) == 0 ? Whole(random, mutates: true) : Mutate(random, Whole(random, mutates: false));
            try
            {
                var bugs = new List<Exception>();
                var said = new MemoryStream();
                var connection = new RpcConnection(new Pieces(bytes, random.Next(1, 200)), said, Methods(), bug =>
                {
                    bugs.Add(bug);
                    return "ref";
                }, answerPatience: TimeSpan.Zero);
                await connection.RunAsync().WaitAsync(Patience);
                Assert.Empty(bugs);
                var replies = Read(said.ToArray());
                var expected = Expectation.Of(bytes);
                Assert.InRange(replies.Count, expected.Least, expected.Most);
                Assert.All(replies, reply => Assert.True(reply["result"] is not null || (reply["error"]?["message"]?.GetValue<string>().EndsWith('.') == true && reply["error"]!["data"]!["kind"]!.GetValue<string>().Length > 0), reply.ToJsonString()));
                Assert.True(!expected.Ends || replies[^1]["error"]!["message"]!.GetValue<string>().Length > 0);
                (answers, ends) = (answers + replies.Count, ends + (expected.Ends ? 1 : 0));
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"Seed {Seed}, stream {number}: {Convert.ToBase64String(bytes)}", failure);
            }
        }

        output.WriteLine($"seed {Seed}: {Streams} streams, {answers} answers, {ends} connections ended by a sentence, {clock.Elapsed}");
        Assert.True(answers > Streams && ends > Streams / 10, "The mutations reach too little.");
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, KeptBytesMax);
    }

    [Fact]
    public async Task Every_mutated_preamble_is_read_or_is_none()
    {
        var random = new Random(Seed);
        var whole = new Preamble(1, "1.2.3+abc", 4, "/home/ü", ["A=b", "LINES=one\ntwo", "EMPTY="], "stdio").ToLine();
        var (good, bad, silent) = (0, 0, 0);
        for (var number = 0; number < Preambles; number++)
        {
            var bytes = number == 0 ? whole : Mutate(random, whole);
            try
            {
                using var stream = new Pieces(bytes, random.Next(1, 200));
                var line = await Preamble.ReadLineAsync(stream, 1_000, CancellationToken.None).WaitAsync(Patience);
                var end = Array.IndexOf(bytes, (byte)'\n');
                Assert.Equal(end is < 0 or >= 1_000 ? null : bytes[..end], line);
                Assert.True(line is null || stream.Position == end + 1, "a byte after the line was taken");
                var read = line is null ? null : Preamble.Parse(line);
                Assert.Equal(line is not null && IsPreamble(line), read is not null);
                Assert.True(read is null || (read.Build is not null && read.Cwd is not null && read.Peer is not null && read.Environment.All(variable => variable is not null)));
                (good, bad, silent) = (good + (read is null ? 0 : 1), bad + (line is null || read is not null ? 0 : 1), silent + (line is null ? 1 : 0));
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"Seed {Seed}, preamble {number}: {Convert.ToBase64String(bytes)}", failure);
            }
        }

        output.WriteLine($"seed {Seed}: {good} read, {bad} refused, {silent} without a line");
        Assert.True(good > Preambles / 100 && bad > Preambles / 4 && silent > Preambles / 20, "The mutations reach too little.");
    }

    private static RpcMethods Methods() => new RpcMethods()
        .Request("test/echo", Json.RunReplyParams, Json.RunReplyParams, (p, _) => Task.FromResult(p))
        .Request("test/refuse", Json.Nothing, Json.Nothing, (_, _) => throw new RpcException(ErrorCode.RunNotLive, "No.", new ErrorData("runNotLive", RunId: 7)))
        .Request("test/wait", Json.Nothing, Json.Nothing, async (nothing, cancellation) =>
        {
            await new TaskCompletionSource().Task.WaitAsync(cancellation);
            return nothing;
        })
        .Notification("test/note", Json.RunUnsubscribeParams, _ => { });

    /// <summary>The same as a tree that knows nothing of .NET types: kanbots is 1, and each member is there with its type.</summary>
    private static bool IsPreamble(byte[] line)
    {
        try
        {
            var root = JsonNode.Parse(line, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = true }) as JsonObject;
            static bool Text(JsonNode? node) => node is JsonValue value && value.GetValueKind() == JsonValueKind.String && value.TryGetValue<string>(out _);
            static bool Whole(JsonNode? node) => node is JsonValue value && value.GetValueKind() == JsonValueKind.Number && long.TryParse(value.ToJsonString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
            return root is not null && root["kanbots"]?.ToJsonString() == "1" && Text(root["build"]) && Whole(root["storageVersion"]) && Text(root["cwd"]) && Text(root["peer"])
                && root["environment"] is JsonArray environment && environment.All(Text);
        }
        catch (Exception none) when (none is JsonException or InvalidOperationException or ArgumentException)
        {
            return false;
        }
    }

    /// <param name="mutates">Within sound frames.</param>
    private static byte[] Whole(Random random, bool mutates) => [.. Enumerable.Range(0, random.Next(1, 4)).SelectMany(_ => Message(random) is var message && mutates ? ByteClient.Frame(Mutate(random, message)) : ByteClient.Frame(message))];

    private static byte[] Message(Random random) => Encoding.UTF8.GetBytes(random.Next(12) == 0 ? Nested(random.Next(1, 2_000)) : Messages[random.Next(Messages.Length)]);

    private static string Nested(int depth) => $$"""{"jsonrpc":"2.0","id":12,"method":"test/echo","params":{{new string('[', depth)}}{{new string(']', depth)}}}""";

    private static byte[] Mutate(Random random, byte[] whole)
    {
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            var (from, to) = (random.Next(whole.Length + 1), random.Next(whole.Length + 1));
            (from, to) = (Math.Min(from, to), Math.Max(from, to));
            whole = random.Next(9) switch
            {
                0 => Flipped(random, whole),
                1 => whole[..to],
                2 => [.. whole, .. whole[from..]],
                3 => [.. whole[..from], .. whole[to..]],
                4 => [.. whole[..from], .. Encoding.UTF8.GetBytes(Junk[random.Next(Junk.Length)]), .. whole[from..]],
                5 => [.. Encoding.UTF8.GetBytes(Junk[random.Next(Junk.Length)]), .. whole],
                6 => Length(random, whole),
                7 => [.. whole[..from], 0xC3, 0x28, 0xFF, .. whole[from..]],
                _ => [.. whole[from..to], .. whole],
            };
        }

        return whole;
    }

    private static byte[] Flipped(Random random, byte[] whole)
    {
        byte[] flipped = [.. whole];
        for (var times = random.Next(1, 4); times > 0 && flipped.Length > 0; times--)
        {
            flipped[random.Next(flipped.Length)] ^= (byte)(1 << random.Next(8));
        }

        return flipped;
    }

    /// <summary>Another number in the first header.</summary>
    private static byte[] Length(Random random, byte[] whole)
    {
        string[] lengths = ["0", "1", "2147483648", "9223372036854775807", "9223372036854775808", "-1", "0x10", "1 1", "", "67108864", "67108865", $"{random.Next(300)}"];
        var text = Encoding.Latin1.GetString(whole);
        var (at, end) = (text.IndexOf(": ", StringComparison.Ordinal), text.IndexOf("\r\n", StringComparison.Ordinal));
        return at >= 0 && end > at ? Encoding.Latin1.GetBytes($"{text[..(at + 2)]}{lengths[random.Next(lengths.Length)]}{text[end..]}") : whole;
    }

    private static List<JsonObject> Read(byte[] said)
    {
        var replies = new List<JsonObject>();
        for (var at = 0; at < said.Length;)
        {
            var header = Encoding.Latin1.GetString(said, at, Math.Min(64, said.Length - at));
            var length = int.Parse(header[16..header.IndexOf("\r\n\r\n", StringComparison.Ordinal)], CultureInfo.InvariantCulture);
            at += header.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
            replies.Add(JsonNode.Parse(said.AsSpan(at, length))!.AsObject());
            at += length;
        }

        return replies;
    }

    /// <summary>Gives a stream in pieces, as sockets do.</summary>
    private sealed class Pieces(byte[] bytes, int most) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => base.ReadAsync(buffer[..Math.Min(buffer.Length, most)], cancellationToken);
    }
}
