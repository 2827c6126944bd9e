namespace KanBots.Sidecar.Journal;

/// <summary>One complete line of a stream.</summary>
/// <param name="Content">The line without its newline; empty for one that is longer than the limit.</param>
/// <param name="Length">Its length in bytes, also when it is not loaded.</param>
internal readonly record struct TailLine(long From, long To, ReadOnlyMemory<byte> Content, long Length);

/// <summary>Reads the complete lines of a file that another process appends to. Linear: what was looked at for a newline is not looked
/// at again, and memory is bounded: of a line above the limit only the range is kept.</summary>
internal sealed class StreamTail(string path)
{
    internal const int ChunkBytes = 256 * 1024;
    internal const int LineBytesMax = 32 * 1024 * 1024;

    private readonly byte[] _chunk = new byte[ChunkBytes];
    private byte[] _partial = [];
    private int _partialLength;
    private long _lineStart = -1;
    private long _scanned;

    /// <param name="from">The start of the first unread line.</param>
    /// <param name="ended">The writer is gone, so that a last line without newline counts as one.</param>
    /// <param name="linesMax">At most so many lines per call.</param>
    /// <param name="bytesMax">No further line is begun after so many bytes.</param>
    internal List<TailLine> Read(long from, bool ended, int linesMax, long bytesMax)
    {
        var lines = new List<TailLine>();
        if (!File.Exists(path))
        {
            return lines;
        }

        if (_lineStart != from)
        {
            Restart(from);
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        long taken = 0;
        while (lines.Count < linesMax && taken < bytesMax)
        {
            file.Position = _scanned;
            var count = file.Read(_chunk);
            if (count == 0)
            {
                if (ended && _scanned > _lineStart)
                {
                    lines.Add(Complete(_scanned, default));
                }

                return lines;
            }

            var rest = _chunk.AsSpan(0, count);
            var used = 0;
            while (lines.Count < linesMax && taken < bytesMax && rest.IndexOf((byte)'\n') is var newline and >= 0)
            {
                lines.Add(Complete(_scanned + used + newline + 1, rest[..newline]));
                taken += lines[^1].To - lines[^1].From;
                used += newline + 1;
                rest = rest[(newline + 1)..];
            }

            if (lines.Count < linesMax && taken < bytesMax)
            {
                Keep(rest);
                used = count;
            }

            _scanned += used;
        }

        return lines;
    }

    private void Restart(long from)
    {
        _lineStart = _scanned = from;
        _partialLength = 0;
    }

    private TailLine Complete(long to, ReadOnlySpan<byte> last)
    {
        var from = _lineStart;
        var length = to - from;
        ReadOnlyMemory<byte> content = default;
        if (length <= LineBytesMax)
        {
            var bytes = new byte[_partialLength + last.Length];
            _partial.AsSpan(0, _partialLength).CopyTo(bytes);
            last.CopyTo(bytes.AsSpan(_partialLength));
            content = bytes;
        }

        _lineStart = to;
        _partialLength = 0;
        if (_partial.Length > 4 * ChunkBytes)
        {
            _partial = []; // one giant line must not hold its memory for ever
        }

        return new TailLine(from, to, content, length);
    }

    private void Keep(ReadOnlySpan<byte> rest)
    {
        if (_partialLength + rest.Length > LineBytesMax)
        {
            return; // too long to load: only its range will be known
        }

        if (_partialLength + rest.Length > _partial.Length)
        {
            Array.Resize(ref _partial, Math.Min(LineBytesMax, Math.Max((_partialLength + rest.Length) * 2, 4096)));
        }

        rest.CopyTo(_partial.AsSpan(_partialLength));
        _partialLength += rest.Length;
    }
}
