using System.Runtime.Versioning;
using KanBots.Sidecar.Processes.Unix;

namespace KanBots.Sidecar.Processes.MacOs;

/// <summary>One thread on one kqueue, which says of each watched process that it has ended. Not run: written from the documentation of
/// kqueue(2), which lets other threads add to a queue that one waits on.</summary>
[SupportedOSPlatform("macos")]
internal static unsafe class KqueueWatch
{
    private const int RecheckSeconds = 10;

    private static readonly Lock Gate = new();
    private static readonly List<(ProcessIdentity Process, Action Gone)> Watched = [];
    private static int _queue = -1;

    internal static void Add(ProcessIdentity process, Action gone)
    {
        lock (Gate)
        {
            Watched.Add((process, gone));
            if (_queue < 0)
            {
                _queue = Darwin.kqueue();
                new Thread(Watch, 256 * 1024) { IsBackground = true, Name = "process watch" }.Start();
            }
        }

        var change = new MacLayouts.KEvent { Ident = (nuint)process.Pid, Filter = Darwin.EVFILT_PROC, Flags = Darwin.EV_ADD | Darwin.EV_ONESHOT, FilterFlags = Darwin.NOTE_EXIT };
        if (Darwin.kevent(_queue, &change, 1, null, 0, null) != 0 || !process.IsAlive)
        {
            ThreadPool.QueueUserWorkItem(_ => EndDead()); // it was gone before we looked, and no event will come
        }
    }

    private static void Watch()
    {
        for (; ; )
        {
            MacLayouts.KEvent happened;
            var timeout = new MacLayouts.TimeSpec { Seconds = RecheckSeconds };
            switch (Darwin.kevent(_queue, null, 0, &happened, 1, &timeout))
            {
                case > 0:
                    EndDead((int)happened.Ident);
                    break;
                case 0:
                    EndDead();
                    break;
                default:
                    Thread.Sleep(200); // interrupted, or there is no queue: the start times alone tell
                    EndDead();
                    break;
            }
        }
    }

    /// <param name="exited">A pid that the queue names: it may not be a zombie yet.</param>
    private static void EndDead(int exited = 0)
    {
        List<(ProcessIdentity Process, Action Gone)> dead;
        lock (Gate)
        {
            dead = Watched.FindAll(watched => watched.Process.Pid == exited || !watched.Process.IsAlive);
            Watched.RemoveAll(dead.Contains);
        }

        foreach (var (process, gone) in dead)
        {
            int status;
            _ = LibC.waitpid(process.Pid, &status, LibC.WNOHANG);
            gone();
        }
    }
}
