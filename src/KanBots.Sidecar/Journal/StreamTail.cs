namespace KanBots.Sidecar.Journal;

/// <summary>One complete line of a stream.</summary>
/// <param name="Content">The line without its newline; empty for one that is longer than the limit.</param>
/// <param name="Length">Its length in bytes, also when it is not loaded.</param>
internal readonly record struct TailLine(long From, long To, ReadOnlyMemory<byte> Content, long Length);

/// <summary>Reads the complete lines of a file that another process appends to. Linear: no byte is read twice, and memory is bounded: of
/// a line above the limit only the range is kept. A file that became shorter than what was read is read again from the line asked for.</summary>
internal sealed class StreamTail(string path)
{
    /// <summary>Below what the collector takes for a large object: each launch has one, and those are collected late.</summary>
    internal const int ChunkBytes = 64 * 1024;
    internal const int LineBytesMax = 32 * 1024 * 1024;

    private readonly byte[] _chunk = new byte[ChunkBytes];
    private int _chunkStart;
    private int _chunkEnd;
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
        using var file = Open();
        if (file is null)
        {
            return lines;
        }

        if (_lineStart != from || file.Length < _scanned + _chunkEnd - _chunkStart)
        {
            Restart(from);
        }

        for (long taken = 0; lines.Count < linesMax && taken < bytesMax;)
        {
            if (_chunkStart == _chunkEnd && !Fill(file))
            {
                if (ended && _scanned > _lineStart)
                {
                    lines.Add(Complete(default));
                }

                return lines;
            }

            var rest = _chunk.AsSpan(_chunkStart, _chunkEnd - _chunkStart);
            var newline = rest.IndexOf((byte)'\n');
            var used = newline < 0 ? rest.Length : newline + 1;
            _chunkStart += used;
            _scanned += used;
            if (newline < 0)
            {
                Keep(rest);
            }
            else
            {
                lines.Add(Complete(rest[..newline]));
                taken += lines[^1].Length;
            }
        }

        return lines;
    }

    private FileStream? Open()
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null; // the agent has not written yet
        }
    }

    private bool Fill(FileStream file)
    {
        file.Position = _scanned;
        (_chunkStart, _chunkEnd) = (0, file.Read(_chunk));
        return _chunkEnd > 0;
    }

    private void Restart(long from)
    {
        _lineStart = _scanned = from;
        _chunkStart = _chunkEnd = _partialLength = 0;
    }

    private TailLine Complete(ReadOnlySpan<byte> last)
    {
        var (from, to) = (_lineStart, _scanned);
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
