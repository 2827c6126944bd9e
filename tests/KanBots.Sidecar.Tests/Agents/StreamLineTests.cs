using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using KanBots.Sidecar.Agents;
using KanBots.Sidecar.Agents.Claude;
using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Protocol;
using KanBots.Sidecar.Rpc;
using Xunit.Abstractions;

namespace KanBots.Sidecar.Tests.Agents;

/// <summary>A line read with its long texts taken out, against the same line read as it is.</summary>
public sealed partial class StreamLineTests(ITestOutputHelper output)
{
    private const int Seed = 20261127;

    private static readonly int Count = Environment.GetEnvironmentVariable("KANBOTS_LONG") == "1" ? 200_000 : 20_000;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>From which length on texts are taken out; the first takes out all, the empty one too.</summary>
    private static readonly int[] Lengths = [2, 3, 12, 60, StreamLine.LongTextBytes];

    [Fact]
    public void A_line_is_read_as_if_nothing_had_been_taken_out()
    {
        output.WriteLine($"seed {Seed}, {Count} lines");
        var lines = RecordedStreamsTests.AllLines().Select(Encoding.UTF8.GetBytes).ToArray();
        var random = new Random(Seed);
        foreach (var line in lines.Concat(Enumerable.Range(0, Count).Select(_ => DecoderFuzzTests.Mutate(random, lines))))
        {
            Compare(line, Lengths[random.Next(Lengths.Length)]);
        }
    }

    [Theory]
    [InlineData("""{"a":"b","c":["\"","\\",""," "],"":{"":""}}""")]
    [InlineData("""["\u00e9\u2028 \ud83d\ude80","\ud83d","\uDE80 x","\\ud83d","\b\f\n\r\t\/"]""")]
    [InlineData("""{"name" : "of a name" , "is \"not\" taken out" 	:1}""")]
    [InlineData("""["not an escape \x"]""")]
    [InlineData("""["not one either \u12g4"]""")]
    [InlineData("[\"a tab\tas it is\"]")]
    [InlineData("""["no end]""")]
    [InlineData("""["no end\""")]
    [InlineData("[\"no end\\u00")]
    [InlineData("""["\ud83d\ude80 and \"quoted\" and \\","b"]""")]
    [InlineData("\"only a text\"")]
    [InlineData("\"")]
    [InlineData("")]
    [InlineData("""["a" "b"]""")]
    [InlineData("""["a",]""")]
    [InlineData("""{"a":1,"a":"the last counts","b":"x"}""")]
    public void A_line_that_somebody_thought_of_is_read_as_it_is(string line)
    {
        foreach (var length in Lengths)
        {
            Compare(Encoding.UTF8.GetBytes(line), length);
        }
    }

    /// <summary>What an agent gives to its tools goes to clients as it is, so that it must be text there too.</summary>
    [Fact]
    public void A_tools_input_with_half_a_character_reaches_clients_as_text()
    {
        foreach (var (said, meant) in new[] { ("a\\ud83d", "a\uFFFD"), ("C:\\\\udo", "C:\\udo"), ("\\ud83d\\ude80", "🚀"), (new string('x', 1000) + "\\uD83D", new string('x', 1000) + "\uFFFD") })
        {
            var item = DecoderTests.Item($$$$"""{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t","name":"Write","input":{"content":"{{{{said}}}}"}}]}}""");
            Assert.Equal(meant, Sent(item).Input!.Value.GetProperty("content").GetString());
        }

        var broken = Encoding.UTF8.GetBytes("""{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t","name":"Write","input":{"content":"a?"}}]}}""");
        broken[Array.IndexOf(broken, (byte)'?')] = 0xff;
        Assert.Equal("a\uFFFD", Sent(ClaudeDecoder.Decode(broken, ClaudeState.Start(false)).Line.Items.Single()).Input!.Value.GetProperty("content").GetString());
    }

    private static ToolUseItem Sent(AgentItem item)
    {
        var sent = WireText.Of(ThreadItems.Of(new PlacedItem(1, 1, DateTimeOffset.UnixEpoch, 1, 0, 1, item)), ProtocolJson.Default.ThreadItem);
        return Assert.IsType<ToolUseItem>(JsonSerializer.Deserialize<ThreadItem>([.. sent.Parts.SelectMany(part => part.ToArray())], ProtocolJson.Default.ThreadItem));
    }

    private static void Compare(byte[] line, int longText)
    {
        try
        {
            JsonDocument? expected = null;
            try
            {
                expected = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = ClaudeDecoder.DepthMax });
            }
            catch (JsonException)
            {
                Assert.ThrowsAny<JsonException>(() => StreamLine.Parse(line, ClaudeDecoder.DepthMax, longText));
                return;
            }

            using var read = StreamLine.Parse(line, ClaudeDecoder.DepthMax, longText);
            Compare(expected.RootElement, read.Root);
            expected.Dispose();
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"Seed {Seed}, texts from {longText} bytes: {Convert.ToBase64String(line)}", failure);
        }
    }

    private static void Compare(JsonElement expected, StreamValue read)
    {
        Assert.Equal(expected.ValueKind, read.ValueKind);
        Assert.Equal(Said(() => expected.ValueKind == JsonValueKind.String ? expected.GetString() : null), Said(read.AsText));
        var raw = JsonMarshal.GetRawUtf8Value(expected).ToArray();
        Assert.Equal(Encoding.UTF8.GetString(raw), read.RawText);
        if (PassedOn(read) is { IsEmpty: false } passedOn)
        {
            Assert.Equal(raw, passedOn.ToArray());
            Assert.True(HasOnlyTexts(raw));
        }

        Assert.Equal(HasOnlyTexts(raw) ? $"={Convert.ToHexString(raw)}" : null, Said(() => Convert.ToHexString(read.Json().Span)));
        if (expected.ValueKind == JsonValueKind.Array)
        {
            Assert.Equal(expected.GetArrayLength(), read.Count);
            foreach (var (before, after) in expected.EnumerateArray().Zip(read.Elements()))
            {
                Compare(before, after);
            }
        }
        else if (expected.ValueKind == JsonValueKind.Object)
        {
            Assert.Equal(Said(() => string.Join('\n', expected.EnumerateObject().Select(member => member.Name))), Said(() => string.Join('\n', read.Members().Select(member => member.Name))));
            foreach (var (before, after) in expected.EnumerateObject().Zip(Values(read)))
            {
                Compare(before.Value, after);
            }
        }
    }

    private static ReadOnlyMemory<byte> PassedOn(StreamValue read)
    {
        try
        {
            return read.Said()?.Json ?? default;
        }
        catch (InvalidOperationException)
        {
            return default;
        }
    }

    private static bool HasOnlyTexts(byte[] json)
    {
        try
        {
            return !HalfPair().IsMatch(Strict.GetString(json).Replace(@"\\", "__", StringComparison.Ordinal));
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]")]
    private static partial Regex HalfPair();

    /// <summary>A name that is no text cannot be asked for, and ends the enumeration.</summary>
    private static List<StreamValue> Values(StreamValue read)
    {
        try
        {
            return [.. read.Members().Select(member => member.Value)];
        }
        catch (InvalidOperationException)
        {
            return [];
        }
    }

    /// <summary>Null stands for a text that is none.</summary>
    private static string? Said(Func<string?> said)
    {
        try
        {
            return $"={said()}";
        }
        catch (Exception none) when (none is InvalidOperationException)
        {
            return null;
        }
    }
}
