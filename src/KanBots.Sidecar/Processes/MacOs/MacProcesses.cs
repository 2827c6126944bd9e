using System.Runtime.Versioning;
using System.Text;
using KanBots.Sidecar.Processes.Unix;

namespace KanBots.Sidecar.Processes.MacOs;

/// <summary>What libproc and sysctl say of processes. Not run: written from the documentation, numbers from the headers named.</summary>
[SupportedOSPlatform("macos")]
internal static unsafe class MacProcesses
{
    /// <summary>Processes that may start between the two calls that list them.</summary>
    private const int PidsSpare = 64;

    internal static ProcessFacts? Facts(int pid)
    {
        const int PROC_PIDTBSDINFO = 3;
        var info = stackalloc byte[MacLayouts.BsdInfoBytes];
        return Darwin.proc_pidinfo(pid, PROC_PIDTBSDINFO, 0, info, MacLayouts.BsdInfoBytes) == MacLayouts.BsdInfoBytes
            ? MacLayouts.Facts(new ReadOnlySpan<byte>(info, MacLayouts.BsdInfoBytes))
            : null;
    }

    internal static IEnumerable<int> Pids()
    {
        var pids = new int[Darwin.proc_listallpids(null, 0) + PidsSpare];
        fixed (int* first = pids)
        {
            var count = Darwin.proc_listallpids(first, pids.Length * sizeof(int));
            return pids.AsSpan(0, Math.Clamp(count, 0, pids.Length)).ToArray();
        }
    }

    internal static byte[]? Environment(int pid)
    {
        const int CTL_KERN = 1, KERN_ARGMAX = 8, KERN_PROCARGS2 = 49; // sys/sysctl.h
        int bytesMax;
        nuint length = sizeof(int);
        var name = stackalloc int[] { CTL_KERN, KERN_ARGMAX };
        if (Darwin.sysctl(name, 2, (byte*)&bytesMax, &length, null, 0) != 0)
        {
            return null;
        }

        var answer = System.Buffers.ArrayPool<byte>.Shared.Rent(bytesMax);
        try
        {
            fixed (byte* buffer = answer)
            {
                var question = stackalloc int[] { CTL_KERN, KERN_PROCARGS2, pid };
                length = (nuint)bytesMax;
                return Darwin.sysctl(question, 3, buffer, &length, null, 0) == 0 ? ProcArgs.Environment(answer.AsSpan(0, (int)length)) : null;
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(answer);
        }
    }

    internal static string BootId()
    {
        using var name = new LibC.NativeText("kern.bootsessionuuid");
        var text = stackalloc byte[64];
        nuint length = 64;
        return Darwin.sysctlbyname(name.Pointer, text, &length, null, 0) == 0 ? Encoding.ASCII.GetString(text, (int)length).TrimEnd('\0') : "";
    }
}
