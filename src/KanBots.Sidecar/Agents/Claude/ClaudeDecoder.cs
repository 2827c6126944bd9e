using System.Text;
using System.Text.Json;

namespace KanBots.Sidecar.Agents.Claude;

/// <summary>Reads one line of `claude --output-format stream-json`, versions 2.1.197 to 2.1.330 and what lies between. Total: any
/// bytes give an answer. Keys come in any order, unknown types are kept as they are, nothing is sniffed by prefix.</summary>
internal static class ClaudeDecoder
{
    /// <summary>A longer line is kept and shown by its range, but not parsed. The longest seen from the CLI was 1.7 MB.</summary>
    internal const int LineBytesMax = 32 * 1024 * 1024;

    /// <summary>Levels of objects and arrays in a line. A deeper one is kept as it is.</summary>
    internal const int DepthMax = 512;

    /// <summary>Levels within a tool's input that are passed on. A client's parser commonly stops at 64, and the message around it takes some.</summary>
    internal const int InputDepthMax = 48;

    internal const int SummaryLengthMax = 200;

    internal static (AgentLine Line, ClaudeState State) Decode(ReadOnlyMemory<byte> line, ClaudeState state)
    {
        if (line.Length > LineBytesMax)
        {
            return (new AgentLine([], [TooLong(line.Length)]), state);
        }

        var json = line.Span.StartsWith(Encoding.UTF8.Preamble) ? line[Encoding.UTF8.Preamble.Length..] : line;
        try
        {
            return Read(json, state);
        }
        catch (InvalidOperationException)
        {
            // A text that is no text. What is around it can be a question or the end of a turn, which must not be lost with it.
            return TryRead(BrokenText.Mend(json.Span), state);
        }
        catch (JsonException)
        {
            return (NotUnderstood(line), state);
        }
    }

    /// <summary>What stands for a line that is too long to be read.</summary>
    internal static AgentItem TooLong(long length) => new(ItemKind.Raw, $"A line of {length} bytes.", "tooLong");

    private static (AgentLine Line, ClaudeState State) TryRead(byte[] mended, ClaudeState state)
    {
        try
        {
            return Read(mended, state);
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            return (NotUnderstood(mended), state);
        }
    }

    private static (AgentLine Line, ClaudeState State) Read(ReadOnlyMemory<byte> json, ClaudeState state)
    {
        using var line = StreamLine.Parse(json, DepthMax);
        var reading = new ClaudeReading(line.Root, state);
        reading.Read();
        return (reading.ToLine(), reading.State);
    }

    private static AgentLine NotUnderstood(ReadOnlyMemory<byte> line) => new([], [new AgentItem(ItemKind.Raw, Encoding.UTF8.GetString(line.Span), "notUnderstood")]);

    /// <summary>The one-line summary of a tool use: what a person would want to read of its input.</summary>
    internal static string Summarise(string tool, StreamValue input)
    {
        var said = new[] { "command", "file_path", "path", "pattern", "url", "query", "description", "prompt" }.Select(name => input.Text(name)).FirstOrDefault(text => !string.IsNullOrEmpty(text));
        var line = (said ?? "").ReplaceLineEndings(" ").Trim();
        if (line.Length > SummaryLengthMax)
        {
            var length = char.IsHighSurrogate(line[SummaryLengthMax - 1]) ? SummaryLengthMax - 1 : SummaryLengthMax;
            line = string.Concat(line.AsSpan(0, length), "…");
        }

        return line.Length == 0 ? tool : $"{tool} {line}";
    }
}
