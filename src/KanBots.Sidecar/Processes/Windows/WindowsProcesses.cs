using System.Globalization;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace KanBots.Sidecar.Processes.Windows;

/// <summary>What Windows says of processes. Not run: written from the documentation.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe class WindowsProcesses
{
    internal static ProcessFacts? Facts(int pid)
    {
        using var process = Win32.OpenProcess(Win32.PROCESS_QUERY_LIMITED_INFORMATION | Win32.SYNCHRONIZE, 0, pid);
        long created, ended, kernel, user;
        if (process.IsInvalid || HasEnded(process) || Win32.GetProcessTimes(process, &created, &ended, &kernel, &user) == 0)
        {
            return null;
        }

        // PROCESS_BASIC_INFORMATION of winternl.h: six fields as wide as a pointer, the parent's id the last.
        const int ProcessBasicInformation = 0;
        var basic = stackalloc nuint[6];
        var known = Win32.NtQueryInformationProcess(process, ProcessBasicInformation, basic, (uint)(6 * sizeof(nuint)), null) == 0;
        return new ProcessFacts(known ? (int)basic[5] : 0, created.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Only of the calling process: there is no documented way to another's.</summary>
    internal static byte[]? Environment(int pid) =>
        pid == System.Environment.ProcessId ? Encoding.UTF8.GetBytes(string.Concat(Spawn.OwnEnvironment().Select(line => $"{line}\0"))) : null;

    /// <summary>A process that has ended can be opened as long as anybody holds a handle of it.</summary>
    private static bool HasEnded(SafeWaitHandle process) => Win32.WaitForSingleObject(process, 0) == 0;
}

/// <summary>Waits of the thread pool on the processes' handles. Not run: written from the documentation.</summary>
[SupportedOSPlatform("windows")]
internal static class HandleWatch
{
    internal static void Add(ProcessIdentity process, Action gone)
    {
        var handle = Win32.OpenProcess(Win32.SYNCHRONIZE, 0, process.Pid);
        if (handle.IsInvalid || !process.IsAlive)
        {
            handle.Dispose();
            ThreadPool.QueueUserWorkItem(_ => gone());
            return;
        }

        var ended = new ManualResetEvent(false) { SafeWaitHandle = handle };
        ThreadPool.RegisterWaitForSingleObject(ended, (_, _) =>
        {
            ended.Dispose();
            gone();
        }, null, Timeout.Infinite, executeOnlyOnce: true);
    }
}

/// <summary>The wake signal as an event. Not run: written from the documentation.</summary>
[SupportedOSPlatform("windows")]
internal static class WakeEvent
{
    internal static EventWaitHandle Open(string path) => new(false, EventResetMode.AutoReset, NameOf(path));

    internal static void Send(string path)
    {
        if (EventWaitHandle.TryOpenExisting(NameOf(path), out var listener))
        {
            using (listener)
            {
                listener.Set();
            }
        }
    }

    /// <summary>A name may have 260 characters and no backslash, and paths differ in case only by accident.</summary>
    private static string NameOf(string path) => $@"Local\kanbots-wake-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(path).ToUpperInvariant())))[..32]}";
}
