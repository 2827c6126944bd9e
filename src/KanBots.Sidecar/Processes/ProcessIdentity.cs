namespace KanBots.Sidecar.Processes;

/// <summary>A process that cannot be mistaken for a later one with the same pid.</summary>
/// <param name="Start">As in <see cref="ProcessFacts"/>.</param>
internal readonly record struct ProcessIdentity(int Pid, string Start)
{
    internal static ProcessIdentity? Of(int pid) => ProcessTable.Facts(pid) is { } facts ? new ProcessIdentity(pid, facts.Start) : null;

    /// <summary>Alive and the same one. A zombie is gone: it does nothing any more.</summary>
    internal bool IsAlive => ProcessTable.Facts(Pid) is { } facts && facts.Start == Start;

    /// <summary>Ends it, and nothing when it is gone.</summary>
    internal void Kill()
    {
        if (!IsAlive)
        {
            return;
        }

        if (!OperatingSystem.IsWindows())
        {
            _ = Unix.LibC.kill(Pid, Unix.LibC.SIGKILL);
            return;
        }

        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(Pid);
            process.Kill();
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException)
        {
            // It ended between the look and the blow.
        }
    }

    internal static string BootId { get; } = ProcessTable.BootId();
}
