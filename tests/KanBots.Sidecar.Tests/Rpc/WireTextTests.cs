using System.Text;
using System.Text.Json;
using KanBots.Sidecar.Agents;
using KanBots.Sidecar.Agents.Claude;
using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Protocol;
using KanBots.Sidecar.Rpc;

namespace KanBots.Sidecar.Tests.Rpc;

public sealed class WireTextTests
{
    private static byte[] Joined(WireText text) => [.. text.Parts.SelectMany(part => part.ToArray())];

    private static ThreadItem Sent(AgentItem item)
    {
        var made = ThreadItems.Of(new PlacedItem(1, 1, DateTimeOffset.UnixEpoch, 1, 0, 1, item));
        return JsonSerializer.Deserialize(Joined(WireText.Of(made, ProtocolJson.Default.ThreadItem)), ProtocolJson.Default.ThreadItem)!;
    }

    private static CutText? Body(ThreadItem item) => item switch
    {
        TextItem text => text.Body,
        ThinkingItem thinking => thinking.Body,
        ToolResultItem result => result.Body,
        UserMessageItem message => message.Body,
        _ => null,
    };

    private static AgentItem Said(string json) => Assert.Single(ClaudeDecoder.Decode(Encoding.UTF8.GetBytes($$$"""{"type":"assistant","message":{"content":[{"type":"text","text":{{{json}}}}]}}"""), ClaudeState.Start(false)).Line.Items);

    /// <summary>What the editor gets is what the agent meant, by a parser that is not the sidecar's path.</summary>
    [Theory]
    [InlineData("\"\"")]
    [InlineData("\"plain\"")]
    [InlineData("\"a \\\"quoted\\\" word, a tab\\t, a line\\n and \\u0000\\u001b[31m\"")]
    [InlineData("\"Grüße, 世界 🚀\"")]
    [InlineData("\"\\u00fc \\ud83d\\ude80 \\/ \\\\ud83d \\u2028\"")]
    [InlineData("\"</script><!-- & ' \"")]
    public void A_text_travels_as_the_text_that_it_is(string json)
    {
        var meant = JsonSerializer.Deserialize<string>(json, ProtocolJson.Default.Options)!;
        var item = Said(json);
        Assert.Equal(meant, item.Text);
        Assert.Equal(new CutText(meant), Body(Sent(item)));
    }

    [Fact]
    public void A_text_that_is_none_is_mended_and_a_long_one_is_cut_between_characters()
    {
        Assert.Equal("a\uFFFDb", Body(Sent(Said("\"a\\ud83db\"")))!.Text);
        var broken = Encoding.UTF8.GetBytes("""{"type":"assistant","message":{"content":[{"type":"text","text":"a?b"}]}}""");
        broken[Array.IndexOf(broken, (byte)'?')] = 0xff;
        Assert.Equal("a\uFFFDb", Body(Sent(ClaudeDecoder.Decode(broken, ClaudeState.Start(false)).Line.Items.Single()))!.Text);

        // Longer as JSON than as a text: it is not cut before it has to be.
        var escaped = string.Concat(Enumerable.Repeat("\\n", ThreadItems.TextLengthMax));
        Assert.Equal(new CutText(new string('\n', ThreadItems.TextLengthMax)), Body(Sent(Said($"\"{escaped}\""))));
        var rockets = string.Concat(Enumerable.Repeat("🚀", ThreadItems.TextLengthMax));
        Assert.Equal(new CutText($"x{rockets[..(ThreadItems.TextLengthMax - 2)]}", rockets.Length + 1), Body(Sent(Said($"\"x{rockets}\""))));
    }

    [Fact]
    public void A_message_in_pieces_is_the_message_and_a_small_one_is_not_overwritten_by_the_next()
    {
        var random = new Random(5);
        var small = WireText.Of(new CutText("small"), ProtocolJson.Default.CutText);
        for (var i = 0; i < 200; i++)
        {
            var items = Enumerable.Range(0, random.Next(1, 60)).Select(index => (ThreadItem)new TextItem($"{index}", index, DateTimeOffset.UnixEpoch, new ByteRange(1, index, index + 1), new CutText(new string((char)('a' + random.Next(26)), random.Next(random.Next(100_000)))))).ToArray();
            var message = new RunDidAppendParams(i, items);
            var text = WireText.Of(message, ProtocolJson.Default.RunDidAppendParams);
            Assert.Equal(JsonSerializer.SerializeToUtf8Bytes(message, ProtocolJson.Default.RunDidAppendParams), Joined(text));
            Assert.Equal(text.Parts.Sum(part => part.Length), text.Length);
        }

        Assert.Equal("""{"text":"small"}""", Encoding.UTF8.GetString(Joined(small)));
    }
}
