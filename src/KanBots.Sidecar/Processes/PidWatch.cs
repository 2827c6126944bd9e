namespace KanBots.Sidecar.Processes;

/// <summary>Says when a process ends, child or not, by pidfd: it never waits for "any child", which would steal the exit codes of
/// others' processes.</summary>
internal static class PidWatch
{
    private const int PidfdOpen = 434;

    /// <summary>Calls back once, on a thread of its own, when the process is gone (at once when it is gone already).</summary>
    internal static void WhenGone(ProcessIdentity process, Action gone)
    {
        new Thread(() =>
        {
            Wait(process);
            gone();
        }, 128 * 1024)
        { IsBackground = true, Name = $"watch {process.Pid}" }.Start();
    }

    private static unsafe void Wait(ProcessIdentity process)
    {
        var fd = (int)LibC.syscall(PidfdOpen, process.Pid, 0);
        try
        {
            // The pid may have been given to another process between our reading it and the open: the start time tells.
            while (process.IsAlive)
            {
                var poll = new LibC.PollFd { Fd = fd, Events = LibC.POLLIN };
                if (fd < 0)
                {
                    Thread.Sleep(200); // a kernel without pidfd
                }
                else if (LibC.poll(&poll, 1, 10_000) > 0)
                {
                    return;
                }
            }
        }
        finally
        {
            if (fd >= 0)
            {
                _ = LibC.close(fd);
            }

            int status;
            _ = LibC.waitpid(process.Pid, &status, 1); // WNOHANG: takes the zombie away when it was our child
        }
    }
}
