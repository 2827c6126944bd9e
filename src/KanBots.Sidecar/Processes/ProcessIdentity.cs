namespace KanBots.Sidecar.Processes;

/// <summary>A process that cannot be mistaken for a later one with the same pid.</summary>
/// <param name="Start">As in <see cref="ProcessFacts"/>.</param>
internal readonly record struct ProcessIdentity(int Pid, string Start)
{
    internal static ProcessIdentity? Of(int pid) => ProcessTable.Facts(pid) is { } facts ? new ProcessIdentity(pid, facts.Start) : null;

    /// <summary>Alive and the same one. A zombie is gone: it does nothing any more.</summary>
    internal bool IsAlive => ProcessTable.Facts(Pid) is { } facts && facts.Start == Start;

    internal static string BootId { get; } = ProcessTable.BootId();
}
