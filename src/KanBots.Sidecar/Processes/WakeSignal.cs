using KanBots.Sidecar.Processes.Unix;
using KanBots.Sidecar.Processes.Windows;

namespace KanBots.Sidecar.Processes;

/// <summary>"Look at your files", said by serve to a run host: a FIFO at the given path, or on Windows an event named after it.</summary>
internal static class WakeSignal
{
    /// <summary>Before the host starts. Does nothing when it is there.</summary>
    internal static void Make(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            Fifo.Make(path);
        }
    }

    /// <summary>Nothing happens when no host listens; the host looks once a second anyway.</summary>
    internal static void Send(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            WakeEvent.Send(path);
        }
        else
        {
            Fifo.Send(path);
        }
    }
}
