using KanBots.Sidecar.Processes.Linux;
using KanBots.Sidecar.Processes.MacOs;
using KanBots.Sidecar.Processes.Windows;

namespace KanBots.Sidecar.Processes;

/// <summary>Says when a process ends, child or not. It never waits for "any child", which would steal the exit codes of others'
/// processes; of a child of ours it takes the zombie away.</summary>
internal static class PidWatch
{
    /// <summary>Calls back once, when the process is gone (soon when it is gone already), never on the caller's thread. All processes
    /// share one thread: the callback must only post.</summary>
    internal static void WhenGone(ProcessIdentity process, Action gone)
    {
        if (OperatingSystem.IsLinux())
        {
            PidfdWatch.Add(process, gone);
        }
        else if (OperatingSystem.IsMacOS())
        {
            KqueueWatch.Add(process, gone);
        }
        else if (OperatingSystem.IsWindows())
        {
            HandleWatch.Add(process, gone);
        }
    }
}
