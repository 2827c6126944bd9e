using System.Buffers.Binary;
using System.Runtime.Versioning;
using System.Text;
using KanBots.Sidecar.Processes.Unix;

namespace KanBots.Sidecar.Processes.Linux;

/// <summary>One inotify instance with a watch for each folder.</summary>
[SupportedOSPlatform("linux")]
internal sealed class InotifyTree : TreeWatch
{
    private const uint InModify = 0x2, InAttrib = 0x4, InCloseWrite = 0x8, InMovedFrom = 0x40, InMovedTo = 0x80, InCreate = 0x100, InDelete = 0x200;
    private const uint InQueueOverflow = 0x4000, InIgnored = 0x8000, InOnlyFolder = 0x1000000, InDontFollow = 0x2000000, InIsFolder = 0x40000000;
    private const uint Wanted = InModify | InAttrib | InCloseWrite | InMovedFrom | InMovedTo | InCreate | InDelete | InOnlyFolder | InDontFollow;
    private const int CloseLookMs = 1_000;

    /// <summary>After changes were seen: what an agent writes in one go is told once.</summary>
    private const int RestMs = 100;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly int _fd;
    private readonly string _root;
    private readonly IReadOnlySet<string> _leftOut;
    private readonly Action _touched;
    private readonly Lock _gate = new();
    private readonly Dictionary<int, string> _folders = [];
    private readonly HashSet<string> _paths = new(StringComparer.Ordinal);
    private readonly byte[] _buffer = new byte[16 * 1024];
    private bool _isAll;
    private bool _isBlind;
    private bool _isClosed;

    private InotifyTree(int fd, string root, IReadOnlySet<string> leftOut, Action touched) => (_fd, _root, _leftOut, _touched) = (fd, root, leftOut, touched);

    internal static new TreeWatch? Start(string root, IReadOnlySet<string> leftOut, Action touched)
    {
        var fd = Kernel.inotify_init1(LibC.O_CLOEXEC | LibC.O_NONBLOCK);
        if (fd < 0)
        {
            return null;
        }

        var watch = new InotifyTree(fd, root, leftOut, touched);
        if (!watch.TryAdd(""))
        {
            _ = LibC.close(fd);
            return null;
        }

        new Thread(watch.Tell, 256 * 1024) { IsBackground = true, Name = "worktree watch" }.Start();
        return watch;
    }

    internal override TreeChange Take()
    {
        lock (_gate)
        {
            Drain();
            var taken = _isBlind ? TreeChange.Blind : _isAll ? TreeChange.All : new TreeChange(false, false, [.. _paths]);
            _isAll = false;
            _paths.Clear();
            return taken;
        }
    }

    public override void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true; // the thread closes the descriptor, so that nobody else's gets its number meanwhile
        }
    }

    /// <summary>The watch comes before the look, so that what is made in between is seen by one of them.</summary>
    private bool TryAdd(string folder)
    {
        var waiting = new Stack<string>([folder]);
        while (waiting.TryPop(out var next))
        {
            var full = Path.Combine(_root, next);
            var watch = _folders.Count < FoldersMax ? Kernel.AddWatch(_fd, full, Wanted) : -1;
            if (watch < 0)
            {
                if (next.Length > 0 && PrivateFiles.Look(full) is not { IsFolder: true })
                {
                    continue; // gone again
                }

                return false;
            }

            _folders[watch] = next;
            try
            {
                if (next.Length > 0 && PrivateFiles.Look(Path.Combine(full, ".git")) is not null)
                {
                    return false; // another repository: what it commits is written elsewhere
                }

                foreach (var inner in Directory.EnumerateDirectories(full).Where(inner => new DirectoryInfo(inner).LinkTarget is null))
                {
                    var name = next.Length == 0 ? Path.GetFileName(inner) : $"{next}/{Path.GetFileName(inner)}";
                    if (name != ".git" && !_leftOut.Contains(name))
                    {
                        waiting.Push(name);
                    }
                }
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                if (PrivateFiles.Look(full) is not null)
                {
                    return false;
                }
            }
        }

        return true;
    }

    private unsafe void Tell()
    {
        for (; ; )
        {
            var poll = new LibC.PollFd { Fd = _fd, Events = LibC.POLLIN };
            var isReady = LibC.poll(&poll, 1, CloseLookMs) > 0;
            bool any;
            lock (_gate)
            {
                if (_isClosed)
                {
                    _ = LibC.close(_fd);
                    return;
                }

                any = isReady && Drain();
            }

            if (any)
            {
                _touched();
                Thread.Sleep(RestMs);
            }
        }
    }

    /// <returns>Something that matters has changed.</returns>
    private bool Drain()
    {
        var any = false;
        while (!_isClosed && Descriptor.Read(_fd, _buffer) is var count and > 0)
        {
            const int header = 16;
            for (var events = _buffer.AsSpan(0, count); events.Length >= header;)
            {
                var length = BinaryPrimitives.ReadInt32LittleEndian(events[12..]);
                any |= See(BinaryPrimitives.ReadInt32LittleEndian(events), BinaryPrimitives.ReadUInt32LittleEndian(events[4..]), events.Slice(header, length).TrimEnd((byte)0));
                events = events[(header + length)..];
            }
        }

        return any;
    }

    private bool See(int watch, uint what, ReadOnlySpan<byte> name)
    {
        if ((what & InQueueOverflow) != 0)
        {
            _isBlind = true; // folders may have come and gone
            return true;
        }

        if ((what & InIgnored) != 0)
        {
            _folders.Remove(watch);
            return false;
        }

        if (name.IsEmpty || !_folders.TryGetValue(watch, out var folder) || (folder.Length == 0 && name.SequenceEqual(".git"u8)))
        {
            return false;
        }

        if (Decode(name) is not { } text)
        {
            _isAll = true; // not UTF-8, so that it cannot be named
            return true;
        }

        var path = folder.Length == 0 ? text : $"{folder}/{text}";
        if (text is ".git" or ".gitignore" or ".gitattributes")
        {
            _isBlind = true; // what matters and what does not may be another now
        }
        else if ((what & InIsFolder) == 0)
        {
            _paths.Add(path);
            _isAll |= _paths.Count > PathsMax;
        }
        else if (!_leftOut.Contains(path))
        {
            _isAll = true;
            // Of a folder that went elsewhere the watches would go on under its old name.
            _isBlind |= (what & InMovedFrom) != 0 || ((what & (InCreate | InMovedTo)) != 0 && !TryAdd(path));
        }
        else
        {
            return false;
        }

        return true;
    }

    private static string? Decode(ReadOnlySpan<byte> name)
    {
        try
        {
            return Strict.GetString(name);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
