using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.RunHost;

/// <summary>Forwards the complete lines of stdin.ndjson into the agent's stdin. A line that has no end yet is never begun: a torn one
/// makes the agent exit. Writing never blocks, and one thread owns it.</summary>
internal sealed class AgentInput
{
    private const int ChunkBytes = 64 * 1024;

    private readonly string _path;
    private readonly byte[] _chunk = new byte[ChunkBytes];
    private readonly AgentTree _agent;
    private bool _closed;
    private long _scanned;
    private long _complete;
    private long _sent;

    internal AgentInput(string path, AgentTree agent)
    {
        _path = path;
        _agent = agent;
    }

    internal bool IsFlushed => _sent == _complete;

    internal void Forward()
    {
        if (_closed || !File.Exists(_path))
        {
            return;
        }

        using var file = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        Scan(file);
        while (_sent < _complete)
        {
            file.Position = _sent;
            var count = file.Read(_chunk, 0, (int)Math.Min(ChunkBytes, _complete - _sent));
            var written = count == 0 ? 0 : _agent.WriteInput(_chunk.AsSpan(0, count));
            if (written < 0)
            {
                Close(); // the agent closed its end: it will not read any more
                return;
            }

            if (written == 0)
            {
                return;
            }

            _sent += written;
        }
    }

    internal void Close()
    {
        if (!_closed)
        {
            _agent.CloseInput();
            _closed = true;
            _sent = _complete;
        }
    }

    private void Scan(FileStream file)
    {
        if (file.Length < _scanned)
        {
            _scanned = _complete; // serve cut a torn tail after its own crash
        }

        file.Position = _scanned;
        for (int count; (count = file.Read(_chunk)) > 0; _scanned += count)
        {
            var newline = _chunk.AsSpan(0, count).LastIndexOf((byte)'\n');
            if (newline >= 0)
            {
                _complete = _scanned + newline + 1;
            }
        }
    }
}

/// <summary>Reads the complete lines of a small file that grows, each once.</summary>
internal sealed class LineFile(string path)
{
    /// <summary>A line longer than this is not one of ours.</summary>
    private const int LineBytesMax = 64 * 1024;

    private long _read;

    internal IEnumerable<byte[]> NewLines()
    {
        if (!File.Exists(path))
        {
            yield break;
        }

        byte[] bytes;
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1))
        {
            file.Position = _read;
            bytes = new byte[Math.Min(file.Length - _read, LineBytesMax)];
            file.ReadExactly(bytes);
        }

        for (int start = 0, end; (end = Array.IndexOf(bytes, (byte)'\n', start)) >= 0; start = end + 1)
        {
            _read += end + 1 - start;
            yield return bytes[start..end];
        }
    }
}
