namespace KanBots.Sidecar.Journal;

/// <summary>One complete line of a stream.</summary>
/// <param name="Content">The line without its newline; empty for one that is longer than the limit.</param>
/// <param name="Length">Its length in bytes, also when it is not loaded.</param>
internal readonly record struct TailLine(long From, long To, ReadOnlyMemory<byte> Content, long Length);

/// <summary>Reads the complete lines of a file that another process appends to. Linear: no byte is read twice, and memory is bounded: of
/// a line above the limit only the range is kept. A file that became shorter than what was read is read again from the line asked for.
/// Lines are handed out where they were read to, and nothing is written there again.</summary>
internal sealed class StreamTail(string path)
{
    /// <summary>Below what the collector takes for a large object: each launch has one, and those are collected late.</summary>
    internal const int ChunkBytes = 64 * 1024;
    internal const int LineBytesMax = 32 * 1024 * 1024;

    /// <summary>With less room than this a chunk is not read to any more.</summary>
    private const int RoomBytesMin = 4 * 1024;

    private byte[] _chunk = [];
    private int _lineAt; // where the unfinished line begins in the chunk
    private int _scanned; // before here there is no further newline
    private int _filled;
    private long _lineStart = -1;
    private long _skipped; // bytes of the unfinished line that were let go, since it is too long

    private long Reached => _lineStart + _skipped + _filled - _lineAt;

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

        if (_lineStart != from || file.Length < Reached)
        {
            (_lineStart, _skipped) = (from, 0);
            _lineAt = _scanned = _filled; // what is here already is somebody's line
        }

        for (long taken = 0; lines.Count < linesMax && taken < bytesMax;)
        {
            var newline = _chunk.AsSpan(_scanned, _filled - _scanned).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                lines.Add(Complete(_scanned + newline, 1));
                taken += lines[^1].Length;
                continue;
            }

            _scanned = _filled;
            if (!Fill(file))
            {
                if (ended && Reached > _lineStart)
                {
                    lines.Add(Complete(_filled, 0));
                }

                return lines;
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
        if (Reached >= file.Length)
        {
            return false; // no room is made for nothing
        }

        MakeRoom();
        file.Position = Reached;
        var read = file.Read(_chunk.AsSpan(_filled));
        _filled += read;
        return read > 0;
    }

    private void MakeRoom()
    {
        var unfinished = _filled - _lineAt;
        if (unfinished + _skipped > LineBytesMax)
        {
            // Too long to load: only its range will be known. A chunk that holds nothing else is filled again.
            _skipped += unfinished;
            _lineAt = _scanned = _filled = _lineAt == 0 ? 0 : _filled;
            unfinished = 0;
        }

        // One giant line must not hold its memory for ever.
        var isOversized = _chunk.Length > 4 * ChunkBytes && unfinished < ChunkBytes;
        if (isOversized || _chunk.Length - _filled < RoomBytesMin)
        {
            var size = unfinished < LineBytesMax / 2 ? 2 * unfinished : LineBytesMax + 1 + RoomBytesMin;
            var chunk = GC.AllocateUninitializedArray<byte>(Math.Max(ChunkBytes, size));
            _chunk.AsSpan(_lineAt, unfinished).CopyTo(chunk);
            (_chunk, _scanned, _lineAt, _filled) = (chunk, _scanned - _lineAt, 0, unfinished);
        }
    }

    /// <param name="end">Where the line ends in the chunk.</param>
    /// <param name="newline">Bytes of the newline after it.</param>
    private TailLine Complete(int end, int newline)
    {
        var length = _skipped + end - _lineAt + newline;
        var line = new TailLine(_lineStart, _lineStart + length, length <= LineBytesMax ? _chunk.AsMemory(_lineAt, end - _lineAt) : default, length);
        (_lineStart, _skipped) = (line.To, 0);
        _lineAt = _scanned = end + newline;
        return line;
    }
}
