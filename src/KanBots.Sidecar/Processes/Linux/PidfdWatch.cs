using System.Runtime.Versioning;
using KanBots.Sidecar.Processes.Unix;

namespace KanBots.Sidecar.Processes.Linux;

/// <summary>One thread that polls a pidfd for every watched process, and a pipe that says there is a new one.</summary>
[SupportedOSPlatform("linux")]
internal static class PidfdWatch
{
    /// <summary>How often a start time is looked at again, for a pid that was another process's when its pidfd was opened.</summary>
    private const int RecheckMs = 10_000;

    /// <summary>The same where a pidfd cannot be had: an old kernel, or no descriptor left.</summary>
    private const int RecheckWithoutPidfdMs = 200;

    private static readonly Lock Gate = new();
    private static readonly List<Watched> Added = [];
    private static int _bell = -1;

    private sealed record Watched(ProcessIdentity Process, Action Gone, int Fd);

    internal static void Add(ProcessIdentity process, Action gone)
    {
        var watched = new Watched(process, gone, Kernel.OpenPidfd(process.Pid));
        lock (Gate)
        {
            Added.Add(watched);
            if (_bell < 0)
            {
                var (read, write) = Descriptor.Pipe();
                LibC.SetNonBlocking(read);
                LibC.SetNonBlocking(write);
                _bell = write;
                new Thread(() => Watch(read), 256 * 1024) { IsBackground = true, Name = "process watch" }.Start();
            }

            _ = Descriptor.WriteSome(_bell, [1]);
        }
    }

    private static void Watch(int bell)
    {
        var all = new List<Watched>();
        var readable = new HashSet<int>();
        Span<byte> rings = stackalloc byte[64];
        var checkedAt = Environment.TickCount64;
        for (; ; )
        {
            var isNew = false;
            lock (Gate)
            {
                isNew = Added.Count > 0;
                all.AddRange(Added);
                Added.Clear();
            }

            var every = all.Count == 0 ? -1 : all.Any(watched => watched.Fd < 0) ? RecheckWithoutPidfdMs : RecheckMs;
            var recheck = isNew || (every >= 0 && Environment.TickCount64 - checkedAt >= every);
            checkedAt = recheck ? Environment.TickCount64 : checkedAt;

            // The pid may have been given to another process between our reading it and the open: the start time tells.
            all.RemoveAll(watched => (readable.Contains(watched.Fd) || (recheck && !watched.Process.IsAlive)) && End(watched));
            readable.Clear();
            Poll(bell, all, every, readable);
            if (readable.Contains(bell))
            {
                while (Descriptor.Read(bell, rings) > 0)
                {
                }
            }
        }
    }

    private static unsafe void Poll(int bell, List<Watched> all, int timeoutMs, HashSet<int> readable)
    {
        var fds = new LibC.PollFd[all.Count + 1];
        fds[0] = new LibC.PollFd { Fd = bell, Events = LibC.POLLIN };
        for (var i = 0; i < all.Count; i++)
        {
            fds[i + 1] = new LibC.PollFd { Fd = all[i].Fd, Events = LibC.POLLIN };
        }

        fixed (LibC.PollFd* first = fds)
        {
            if (LibC.poll(first, (nuint)fds.Length, timeoutMs) > 0)
            {
                readable.UnionWith(fds.Where(fd => fd.Revents != 0).Select(fd => fd.Fd));
            }
        }
    }

    private static unsafe bool End(Watched watched)
    {
        if (watched.Fd >= 0)
        {
            _ = LibC.close(watched.Fd);
        }

        int status;
        _ = LibC.waitpid(watched.Process.Pid, &status, LibC.WNOHANG); // takes the zombie away when it was our child
        watched.Gone();
        return true;
    }
}
