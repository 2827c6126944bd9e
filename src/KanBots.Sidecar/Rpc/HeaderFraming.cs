using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace KanBots.Sidecar.Rpc;

/// <summary>What the front of the input holds.</summary>
public enum FrameStatus
{
    /// <summary>More bytes are needed before anything can be said.</summary>
    Incomplete,

    /// <summary>One whole message is there.</summary>
    Complete,

    /// <summary>The header block cannot be read; where the next message starts is unknown.</summary>
    Malformed,

    /// <summary>The message is larger than <see cref="HeaderFraming.MaxMessageBytes"/>; its length is known, so it can be skipped.</summary>
    TooLarge,
}

/// <summary>The result of looking at the front of the input.</summary>
/// <param name="Status">What was found.</param>
/// <param name="HeaderBytes">Bytes of the header block, its blank line included.</param>
/// <param name="ContentBytes">Bytes of the message that follows it.</param>
/// <param name="Problem">A sentence for the log and the error reply when the status is not good.</param>
public readonly record struct Frame(FrameStatus Status, int HeaderBytes = 0, long ContentBytes = 0, string? Problem = null);

/// <summary>
/// The LSP base protocol's framing: <c>Content-Length: N\r\n\r\n</c> and N bytes. Pure: it looks at bytes and says what is there.
/// </summary>
public static class HeaderFraming
{
    /// <summary>Longest message that is accepted, in bytes.</summary>
    public const int MaxMessageBytes = 64 * 1024 * 1024;

    /// <summary>Longest header block that is accepted, in bytes.</summary>
    public const int MaxHeaderBytes = 8 * 1024;

    private static ReadOnlySpan<byte> BlankLine => "\r\n\r\n"u8;

    /// <summary>Looks at the front of <paramref name="input"/> without consuming it.</summary>
    public static Frame Peek(in ReadOnlySequence<byte> input)
    {
        // A header block is short: a copy of its upper bound keeps the search simple when it lies across segments.
        int window = (int)Math.Min(input.Length, MaxHeaderBytes);
        Span<byte> head = stackalloc byte[MaxHeaderBytes];
        input.Slice(0, window).CopyTo(head);
        head = head[..window];

        int end = head.IndexOf(BlankLine);
        if (end < 0)
        {
            return window == MaxHeaderBytes
                ? new Frame(FrameStatus.Malformed, Problem: $"The header block is longer than {MaxHeaderBytes} bytes.")
                : new Frame(FrameStatus.Incomplete);
        }

        int headerBytes = end + BlankLine.Length;
        long? length = null;
        foreach (Range line in head[..end].Split("\r\n"u8))
        {
            ReadOnlySpan<byte> field = head[..end][line];
            int colon = field.IndexOf((byte)':');
            if (colon <= 0)
            {
                return new Frame(FrameStatus.Malformed, headerBytes, Problem: "A header line has no name.");
            }

            if (!Ascii.EqualsIgnoreCase(field[..colon], "Content-Length"u8))
            {
                continue; // Unknown headers (Content-Type among them) are legal and carry nothing that is needed.
            }

            ReadOnlySpan<byte> value = field[(colon + 1)..].Trim(" \t"u8);
            if (length is not null || value.ContainsAnyExceptInRange((byte)'0', (byte)'9') || !Utf8Parser.TryParse(value, out long parsed, out int used) || used != value.Length)
            {
                return new Frame(FrameStatus.Malformed, headerBytes, Problem: "Content-Length is not one whole number.");
            }

            length = parsed;
        }

        return length switch
        {
            null => new Frame(FrameStatus.Malformed, headerBytes, Problem: "There is no Content-Length header."),
            > MaxMessageBytes => new Frame(FrameStatus.TooLarge, headerBytes, length.Value, $"A message of {length} bytes is over the limit of {MaxMessageBytes}."),
            _ when input.Length - headerBytes < length => new Frame(FrameStatus.Incomplete, headerBytes, length.Value),
            _ => new Frame(FrameStatus.Complete, headerBytes, length.Value),
        };
    }
}
