using System.Buffers.Binary;
using System.Runtime.Versioning;
using KanBots.Sidecar.Processes.Unix;

namespace KanBots.Sidecar.Processes.Linux;

/// <summary>One inotify instance for all run folders: a user has 128 of them.</summary>
[SupportedOSPlatform("linux")]
internal sealed class Inotify : FolderWatch
{
    private const uint InModify = 0x2, InMovedTo = 0x80, InCreate = 0x100;
    private const int TickMs = 1000;

    private readonly int _fd;
    private readonly Action<string> _changed;
    private readonly Action _tick;
    private readonly Lock _gate = new();
    private readonly Dictionary<int, string> _folders = [];
    private volatile bool _closing;

    internal Inotify(Action<string> changed, Action tick)
    {
        _changed = changed;
        _tick = tick;
        // IN_CLOEXEC and IN_NONBLOCK are O_CLOEXEC and O_NONBLOCK.
        _fd = Kernel.inotify_init1(LibC.O_CLOEXEC | LibC.O_NONBLOCK);
        new Thread(Watch, 256 * 1024) { IsBackground = true, Name = "folder watch" }.Start();
    }

    internal override bool Add(string folder)
    {
        var watch = _fd < 0 ? -1 : Kernel.AddWatch(_fd, folder, InModify | InMovedTo | InCreate);
        if (watch < 0)
        {
            return false;
        }

        lock (_gate)
        {
            _folders[watch] = folder;
        }

        return true;
    }

    internal override void Remove(string folder)
    {
        lock (_gate)
        {
            foreach (var watch in _folders.Where(entry => entry.Value == folder).Select(entry => entry.Key).ToList())
            {
                _folders.Remove(watch);
                _ = Kernel.inotify_rm_watch(_fd, watch);
            }
        }
    }

    private unsafe void Watch()
    {
        var buffer = new byte[64 * 1024];
        var next = Environment.TickCount64 + TickMs;
        while (!_closing)
        {
            var wait = (int)Math.Max(0, next - Environment.TickCount64);
            var poll = new LibC.PollFd { Fd = _fd, Events = LibC.POLLIN };
            if (_fd < 0)
            {
                Thread.Sleep(wait);
            }
            else if (LibC.poll(&poll, 1, wait) > 0)
            {
                var changed = Changed(buffer.AsSpan(0, Math.Max(0, Descriptor.Read(_fd, buffer))));
                foreach (var folder in changed)
                {
                    _changed(folder);
                }
            }

            if (Environment.TickCount64 >= next)
            {
                next = Environment.TickCount64 + TickMs;
                _tick();
            }
        }

        if (_fd >= 0)
        {
            _ = LibC.close(_fd);
        }
    }

    private HashSet<string> Changed(ReadOnlySpan<byte> events)
    {
        const int header = 16;
        var changed = new HashSet<string>();
        lock (_gate)
        {
            while (events.Length >= header)
            {
                if (_folders.TryGetValue(BinaryPrimitives.ReadInt32LittleEndian(events), out var folder))
                {
                    changed.Add(folder);
                }

                events = events[(header + BinaryPrimitives.ReadInt32LittleEndian(events[12..]))..];
            }
        }

        return changed;
    }

    public override void Dispose() => _closing = true;
}
