using System.Runtime.Versioning;
using KanBots.Sidecar.Processes.Linux;
using KanBots.Sidecar.Processes.MacOs;
using KanBots.Sidecar.Processes.Windows;

namespace KanBots.Sidecar.Processes;

/// <param name="Start">When it started, as the system counts it, as text: Linux in clock ticks since boot, macOS in microseconds of the
/// wall clock, Windows in 100 ns of the wall clock.</param>
internal readonly record struct ProcessFacts(int Parent, string Start);

/// <summary>What the system says of its processes: the one place that asks for it.</summary>
internal static class ProcessTable
{
    /// <summary>Parent and start time, or null for a process that is gone or a zombie.</summary>
    internal static ProcessFacts? Facts(int pid) =>
        OperatingSystem.IsLinux() ? Proc.Facts(pid)
        : OperatingSystem.IsMacOS() ? MacProcesses.Facts(pid)
        : OperatingSystem.IsWindows() ? WindowsProcesses.Facts(pid)
        : throw new PlatformNotSupportedException();

    /// <summary>Of all processes. On Windows nobody needs them: a job lists its own.</summary>
    [UnsupportedOSPlatform("windows")]
    internal static IEnumerable<int> Pids() =>
        OperatingSystem.IsLinux() ? Proc.Pids()
        : OperatingSystem.IsMacOS() ? MacProcesses.Pids()
        : throw new PlatformNotSupportedException();

    /// <summary>"NAME=value" entries, each with a NUL behind it, as the process was started with; null when they may not be read. macOS
    /// hides them for the system's own protected programs, and Windows shows only those of the calling process.</summary>
    internal static byte[]? Environment(int pid) =>
        OperatingSystem.IsLinux() ? Proc.Environment(pid)
        : OperatingSystem.IsMacOS() ? MacProcesses.Environment(pid)
        : OperatingSystem.IsWindows() ? WindowsProcesses.Environment(pid)
        : throw new PlatformNotSupportedException();

    /// <summary>Whether being asked to end makes the process do something first. macOS does not say: there each is taken to.</summary>
    [UnsupportedOSPlatform("windows")]
    internal static bool CatchesTerm(int pid) => !OperatingSystem.IsLinux() || Proc.Catches(pid, Unix.LibC.SIGTERM);

    /// <summary>Different after every boot where start times count from the boot; empty on Windows, where they do not.</summary>
    internal static string BootId() =>
        OperatingSystem.IsLinux() ? Proc.BootId()
        : OperatingSystem.IsMacOS() ? MacProcesses.BootId()
        : "";
}
