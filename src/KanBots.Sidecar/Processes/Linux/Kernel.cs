using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using KanBots.Sidecar.Processes.Unix;

namespace KanBots.Sidecar.Processes.Linux;

/// <summary>The calls that only Linux has; numbers and layouts are those of x86-64 and arm64.</summary>
[SupportedOSPlatform("linux")]
internal static unsafe class Kernel
{
    private const string C = "libc";

    [DllImport(C, SetLastError = true)]
    internal static extern int pipe2(int* fds, int flags);

    [DllImport(C)]
    internal static extern int posix_spawn_file_actions_addclosefrom_np(void* actions, int from);

    [DllImport(C, SetLastError = true)]
    private static extern int prctl(int option, nuint a, nuint b, nuint c, nuint d);

    [DllImport(C, SetLastError = true)]
    private static extern nint syscall(nint number, nint a, nint b);

    [DllImport(C, SetLastError = true)]
    private static extern int statx(int directory, byte* path, int flags, uint mask, byte* buffer);

    [DllImport(C, SetLastError = true)]
    internal static extern int inotify_init1(int flags);

    [DllImport(C, SetLastError = true)]
    private static extern int inotify_add_watch(int fd, byte* path, uint mask);

    [DllImport(C, SetLastError = true)]
    internal static extern int inotify_rm_watch(int fd, int watch);

    /// <summary>From now on what loses its parent below this process becomes its child.</summary>
    internal static bool BecomeSubreaper()
    {
        const int PR_SET_CHILD_SUBREAPER = 36;
        return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
    }

    /// <summary>A descriptor that is readable once the process is gone, or -1.</summary>
    internal static int OpenPidfd(int pid)
    {
        const int SYS_pidfd_open = 434;
        return (int)syscall(SYS_pidfd_open, pid, 0);
    }

    internal static int AddWatch(int fd, string path, uint mask)
    {
        using var text = new LibC.NativeText(path);
        return inotify_add_watch(fd, text.Pointer, mask);
    }

    /// <summary>By statx, whose layout is the same on every architecture.</summary>
    internal static FileFacts? Facts(string path)
    {
        const int AT_FDCWD = -100, AT_SYMLINK_NOFOLLOW = 0x100;
        using var text = new LibC.NativeText(path);
        return Statx(AT_FDCWD, text.Pointer, AT_SYMLINK_NOFOLLOW);
    }

    internal static FileFacts? Facts(int fd)
    {
        const int AT_EMPTY_PATH = 0x1000;
        byte empty = 0;
        return Statx(fd, &empty, AT_EMPTY_PATH);
    }

    private static FileFacts? Statx(int directory, byte* path, int flags)
    {
        const uint STATX_BASIC_STATS = 0x7ff;
        var buffer = stackalloc byte[256];
        if (statx(directory, path, flags, STATX_BASIC_STATS, buffer) != 0)
        {
            return null;
        }

        var device = ((ulong)*(uint*)(buffer + 136) << 32) | *(uint*)(buffer + 140);
        return new FileFacts(device, *(ulong*)(buffer + 32), *(uint*)(buffer + 20), *(ushort*)(buffer + 28));
    }
}
