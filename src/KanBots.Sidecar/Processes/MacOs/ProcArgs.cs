using System.Buffers.Binary;

namespace KanBots.Sidecar.Processes.MacOs;

/// <summary>What KERN_PROCARGS2 of sys/sysctl.h answers: the number of arguments as an int, the path of the executable, NULs up to an
/// alignment, then that many arguments, then the environment and strings of the system's own, each with a NUL behind it. Pure, and
/// tested on a sample made by hand.</summary>
internal static class ProcArgs
{
    /// <summary>All behind the arguments; empty when the buffer ends before, as it does for a process whose environment is hidden.</summary>
    internal static byte[] Environment(ReadOnlySpan<byte> answer)
    {
        if (answer.Length < sizeof(int))
        {
            return [];
        }

        var arguments = BinaryPrimitives.ReadInt32LittleEndian(answer);
        var rest = Past(answer[sizeof(int)..]);
        rest = rest.TrimStart((byte)0);
        for (var i = 0; i < arguments && rest.Length > 0; i++)
        {
            rest = Past(rest);
        }

        return rest.ToArray();
    }

    private static ReadOnlySpan<byte> Past(ReadOnlySpan<byte> strings) => strings.IndexOf((byte)0) is var end and >= 0 ? strings[(end + 1)..] : [];
}
