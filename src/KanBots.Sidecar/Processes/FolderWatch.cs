using System.Buffers.Binary;

namespace KanBots.Sidecar.Processes;

/// <summary>One inotify instance for all run folders (a user has 128 of them). An event means only "look at the files of this folder";
/// what was missed is found by the tick, once a second.</summary>
internal sealed class FolderWatch : IDisposable
{
    private const uint InModify = 0x2, InMovedTo = 0x80, InCreate = 0x100;
    private const int TickMs = 1000;

    private readonly int _fd;
    private readonly Action<string> _changed;
    private readonly Action _tick;
    private readonly Lock _gate = new();
    private readonly Dictionary<int, string> _folders = [];
    private volatile bool _closing;

    /// <param name="changed">Called on the watch's own thread, once per folder and batch of events. It must only post.</param>
    internal FolderWatch(Action<string> changed, Action tick)
    {
        _changed = changed;
        _tick = tick;
        // IN_CLOEXEC and IN_NONBLOCK are O_CLOEXEC and O_NONBLOCK.
        _fd = LibC.inotify_init1(LibC.O_CLOEXEC | LibC.O_NONBLOCK);
        new Thread(Watch, 256 * 1024) { IsBackground = true, Name = "folder watch" }.Start();
    }

    /// <summary>Without a watch (the user's limit is reached, or there is no inotify) the tick alone serves the folder.</summary>
    internal bool Add(string folder)
    {
        var watch = _fd < 0 ? -1 : LibC.AddWatch(_fd, folder, InModify | InMovedTo | InCreate);
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

    internal void Remove(string folder)
    {
        lock (_gate)
        {
            foreach (var watch in _folders.Where(entry => entry.Value == folder).Select(entry => entry.Key).ToList())
            {
                _folders.Remove(watch);
                _ = LibC.inotify_rm_watch(_fd, watch);
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

    public void Dispose() => _closing = true;
}
