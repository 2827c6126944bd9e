using System.Buffers.Binary;
using System.Globalization;

namespace KanBots.Sidecar.Processes.MacOs;

/// <summary>Where things stand in the structs of macOS, the same on x86-64 and arm64. Written from the headers of its SDK, which are named;
/// the offsets are tested against the fields' sizes on every system, and against no kernel yet.</summary>
internal static class MacLayouts
{
    /// <summary>struct stat of sys/stat.h with 64-bit inodes: st_dev int32, st_mode uint16, st_nlink uint16, st_ino uint64, st_uid uint32.</summary>
    internal const int StatBytes = 144, StatDevice = 0, StatMode = 4, StatInode = 8, StatOwner = 16;

    /// <summary>struct proc_bsdinfo of sys/proc_info.h: twelve uint32 of which status is the second and ppid the fifth, comm[16],
    /// name[32], six more of 32 bits, then the start as seconds and microseconds of 64 bits each.</summary>
    internal const int BsdInfoBytes = 136, BsdInfoStatus = 4, BsdInfoParent = 16, BsdInfoSeconds = 120, BsdInfoMicroseconds = 128;

    /// <summary>SZOMB of sys/proc.h.</summary>
    internal const uint Zombie = 5;

    /// <summary>struct kevent of sys/event.h.</summary>
    internal struct KEvent
    {
        internal nuint Ident;
        internal short Filter;
        internal ushort Flags;
        internal uint FilterFlags;
        internal nint Data;
        internal nint UserData;
    }

    internal struct TimeSpec
    {
        internal nint Seconds;
        internal nint Nanoseconds;
    }

    /// <summary>Out of a proc_bsdinfo; null for a zombie.</summary>
    internal static ProcessFacts? Facts(ReadOnlySpan<byte> info)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(info[BsdInfoStatus..]) == Zombie)
        {
            return null;
        }

        var microseconds = (BinaryPrimitives.ReadUInt64LittleEndian(info[BsdInfoSeconds..]) * 1_000_000) + BinaryPrimitives.ReadUInt64LittleEndian(info[BsdInfoMicroseconds..]);
        return new ProcessFacts(BinaryPrimitives.ReadInt32LittleEndian(info[BsdInfoParent..]), microseconds.ToString(CultureInfo.InvariantCulture));
    }
}
