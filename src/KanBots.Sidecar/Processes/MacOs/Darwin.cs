using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using KanBots.Sidecar.Processes.Unix;

namespace KanBots.Sidecar.Processes.MacOs;

/// <summary>The calls that only macOS has, or has in another shape than Linux. Not run: written from the documentation and the headers
/// of its SDK, which are named beside the numbers; x86-64 and arm64 have the same layouts.</summary>
[SupportedOSPlatform("macos")]
internal static unsafe class Darwin
{
    private const string C = "libc";

    /// <summary>sys/event.h.</summary>
    internal const short EVFILT_PROC = -5;
    internal const ushort EV_ADD = 0x1, EV_ONESHOT = 0x10;
    internal const uint NOTE_EXIT = 0x80000000;

    // On x86-64 the plain names are those of the old layout with 32-bit inodes.
    [DllImport(C, SetLastError = true)]
    private static extern int lstat(byte* path, byte* buffer);

    [DllImport(C, EntryPoint = "lstat$INODE64", SetLastError = true)]
    private static extern int LstatOnIntel(byte* path, byte* buffer);

    [DllImport(C, SetLastError = true)]
    private static extern int fstat(int fd, byte* buffer);

    [DllImport(C, EntryPoint = "fstat$INODE64", SetLastError = true)]
    private static extern int FstatOnIntel(int fd, byte* buffer);

    [DllImport(C, SetLastError = true)]
    private static extern int getpeereid(int fd, uint* uid, uint* gid);

    [DllImport(C, SetLastError = true)]
    internal static extern int sysctl(int* name, uint nameLength, byte* old, nuint* oldLength, byte* value, nuint length);

    [DllImport(C, SetLastError = true)]
    internal static extern int sysctlbyname(byte* name, byte* old, nuint* oldLength, byte* value, nuint length);

    [DllImport("libproc", SetLastError = true)]
    internal static extern int proc_pidinfo(int pid, int flavor, ulong argument, byte* buffer, int bytes);

    [DllImport("libproc", SetLastError = true)]
    internal static extern int proc_listallpids(int* buffer, int bytes);

    [DllImport(C, SetLastError = true)]
    internal static extern int kqueue();

    [DllImport(C, SetLastError = true)]
    internal static extern int kevent(int queue, MacLayouts.KEvent* changes, int changeCount, MacLayouts.KEvent* events, int eventCount, MacLayouts.TimeSpec* timeout);

    private static bool IsIntel => RuntimeInformation.ProcessArchitecture == Architecture.X64;

    internal static FileFacts? Facts(string path)
    {
        using var text = new LibC.NativeText(path);
        var buffer = stackalloc byte[MacLayouts.StatBytes];
        return (IsIntel ? LstatOnIntel(text.Pointer, buffer) : lstat(text.Pointer, buffer)) == 0 ? Read(buffer) : null;
    }

    internal static FileFacts? Facts(int fd)
    {
        var buffer = stackalloc byte[MacLayouts.StatBytes];
        return (IsIntel ? FstatOnIntel(fd, buffer) : fstat(fd, buffer)) == 0 ? Read(buffer) : null;
    }

    /// <summary>User and process at the other end of a socket: getpeereid(3), and LOCAL_PEERPID of sys/un.h.</summary>
    internal static PeerIdentity PeerOf(int fd)
    {
        const int SOL_LOCAL = 0, LOCAL_PEERPID = 0x002;
        uint uid, gid;
        int pid, length = sizeof(int);
        return getpeereid(fd, &uid, &gid) == 0 && LibC.getsockopt(fd, SOL_LOCAL, LOCAL_PEERPID, &pid, &length) == 0
            ? new PeerIdentity(pid, uid == LibC.getuid())
            : throw new IOException($"The peer cannot be told: {LibC.Describe(LibC.LastError)}");
    }

    private static FileFacts Read(byte* stat) =>
        new(*(uint*)(stat + MacLayouts.StatDevice), *(ulong*)(stat + MacLayouts.StatInode), *(uint*)(stat + MacLayouts.StatOwner), *(ushort*)(stat + MacLayouts.StatMode));
}
