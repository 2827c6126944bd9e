using System.Buffers;
using System.Text;

namespace KanBots.Sidecar.Engine;

/// <summary>A piece of an agent's stream as text.</summary>
/// <param name="Text">Whole characters; a replacement character for what is not UTF-8.</param>
/// <param name="Next">The byte of the stream after it.</param>
internal sealed record StreamPiece(string Text, long Next)
{
    /// <summary>Bytes of the longest character: with room for one, every piece has something.</summary>
    internal const int BytesMin = 4;

    internal const int BytesMax = 1 << 20;

    /// <summary>Pieces one after the other are the text of the whole range, also of one that is not UTF-8, since none ends within a character.</summary>
    /// <param name="to">The end of the range; a line break there is no text.</param>
    /// <param name="limit">Bytes, at least <see cref="BytesMin"/>.</param>
    /// <exception cref="EndOfStreamException">The stream has no such range.</exception>
    internal static StreamPiece Read(string path, long from, long to, int limit)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        if (to > file.Length)
        {
            throw new EndOfStreamException($"to is {to}, but the stream has {file.Length} bytes.");
        }

        file.Position = from;
        var rented = ArrayPool<byte>.Shared.Rent(limit);
        try
        {
            var bytes = rented.AsSpan(0, (int)Math.Min(limit, to - from));
            file.ReadExactly(bytes);
            var isLast = from + bytes.Length == to;
            var text = isLast ? bytes is [.. var line, (byte)'\n'] ? line : bytes : bytes[..Whole(bytes)];
            return new StreamPiece(Encoding.UTF8.GetString(text), isLast ? to : from + text.Length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <returns>Bytes without those of a character that goes on after them.</returns>
    private static int Whole(ReadOnlySpan<byte> bytes)
    {
        for (var back = 1; back < BytesMin; back++)
        {
            if (Rune.DecodeFromUtf8(bytes[^back..], out _, out _) == OperationStatus.NeedMoreData)
            {
                return bytes.Length - back;
            }
        }

        return bytes.Length;
    }
}
