using System.Runtime.InteropServices;

namespace KanBots.Sidecar.Processes;

/// <summary>The system calls that .NET has no equivalent for, or whose equivalent was seen to do harm (architecture: Process leaves
/// descriptors open, FileStream locks can be disabled by an environment variable, files are made by umask).
/// Linux, glibc; numbers and layouts are those of x86-64 and arm64. Not run on macOS.</summary>
internal static unsafe partial class LibC
{
    private const string C = "libc";

    internal const int O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0x40, O_EXCL = 0x80, O_TRUNC = 0x200, O_APPEND = 0x400, O_NONBLOCK = 0x800, O_CLOEXEC = 0x80000;

    /// <summary>O_NOFOLLOW and O_DIRECTORY have other numbers on arm64 than on x86-64.</summary>
    internal static readonly int O_NOFOLLOW = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x8000 : 0x20000;

    internal const int EINTR = 4, EAGAIN = 11, EEXIST = 17, ENOENT = 2, ESRCH = 3, ECHILD = 10, EPIPE = 32, ENXIO = 6;
    internal const int SIGINT = 2, SIGKILL = 9, SIGTERM = 15, SIGSTOP = 19, SIGCONT = 18;
    internal const int LOCK_EX = 2, LOCK_NB = 4;
    internal const short POLLIN = 1, POLLOUT = 4;
    internal const int PR_SET_CHILD_SUBREAPER = 36;
    internal const int AT_FDCWD = -100;

    internal struct PollFd
    {
        internal int Fd;
        internal short Events;
        internal short Revents;
    }

    [DllImport(C)]
    internal static extern int posix_spawn(int* pid, byte* path, void* actions, void* attributes, byte** argv, byte** environment);

    [DllImport(C)]
    internal static extern int posix_spawn_file_actions_init(void* actions);

    [DllImport(C)]
    internal static extern int posix_spawn_file_actions_destroy(void* actions);

    [DllImport(C)]
    internal static extern int posix_spawn_file_actions_adddup2(void* actions, int from, int to);

    [DllImport(C)]
    internal static extern int posix_spawn_file_actions_addopen(void* actions, int fd, byte* path, int flags, uint mode);

    [DllImport(C)]
    internal static extern int posix_spawn_file_actions_addclosefrom_np(void* actions, int from);

    [DllImport(C)]
    internal static extern int posix_spawn_file_actions_addchdir_np(void* actions, byte* path);

    [DllImport(C)]
    internal static extern int posix_spawnattr_init(void* attributes);

    [DllImport(C)]
    internal static extern int posix_spawnattr_destroy(void* attributes);

    [DllImport(C)]
    internal static extern int posix_spawnattr_setflags(void* attributes, short flags);

    [DllImport(C)]
    internal static extern int posix_spawnattr_setsigdefault(void* attributes, void* set);

    [DllImport(C)]
    internal static extern int posix_spawnattr_setsigmask(void* attributes, void* set);

    [DllImport(C)]
    internal static extern int sigfillset(void* set);

    [DllImport(C)]
    internal static extern int sigemptyset(void* set);

    [DllImport(C, SetLastError = true)]
    internal static extern int waitpid(int pid, int* status, int options);

    [DllImport(C, SetLastError = true)]
    internal static extern int kill(int pid, int signal);

    [DllImport(C, SetLastError = true)]
    internal static extern int prctl(int option, nuint a, nuint b, nuint c, nuint d);

    [DllImport(C, SetLastError = true)]
    internal static extern int pipe2(int* fds, int flags);

    [DllImport(C, SetLastError = true)]
    private static extern int open(byte* path, int flags, uint mode);

    [DllImport(C, SetLastError = true)]
    internal static extern nint read(int fd, byte* buffer, nint count);

    [DllImport(C, SetLastError = true)]
    internal static extern nint write(int fd, byte* buffer, nint count);

    [DllImport(C, SetLastError = true)]
    internal static extern int fsync(int fd);

    [DllImport(C, SetLastError = true)]
    internal static extern int fchmod(int fd, uint mode);

    [DllImport(C, SetLastError = true)]
    internal static extern int ftruncate(int fd, long length);

    [DllImport(C, SetLastError = true)]
    internal static extern int close(int fd);

    [DllImport(C, SetLastError = true)]
    internal static extern int flock(int fd, int operation);

    [DllImport(C, SetLastError = true)]
    private static extern int mkdir(byte* path, uint mode);

    [DllImport(C, SetLastError = true)]
    private static extern int mkfifo(byte* path, uint mode);

    [DllImport(C, SetLastError = true)]
    private static extern int statx(int directory, byte* path, int flags, uint mask, byte* buffer);

    [DllImport(C, SetLastError = true)]
    private static extern int rename(byte* from, byte* to);

    [DllImport(C, SetLastError = true)]
    internal static extern int poll(PollFd* fds, nuint count, int timeoutMs);

    [DllImport(C, SetLastError = true)]
    internal static extern nint syscall(nint number, nint a, nint b);

    [DllImport(C, SetLastError = true)]
    internal static extern int inotify_init1(int flags);

    [DllImport(C, SetLastError = true)]
    private static extern int inotify_add_watch(int fd, byte* path, uint mask);

    [DllImport(C, SetLastError = true)]
    internal static extern int inotify_rm_watch(int fd, int watch);

    [DllImport(C, SetLastError = true)]
    internal static extern int getsockopt(int fd, int level, int name, void* value, int* length);

    [DllImport(C)]
    internal static extern uint getuid();

    [DllImport(C)]
    internal static extern int getpid();

    [DllImport(C)]
    internal static extern void _exit(int code);

    internal static int Open(string path, int flags, uint mode = 0)
    {
        using var text = new NativeText(path);
        return open(text.Pointer, flags, mode);
    }

    internal static int MakeFolder(string path, uint mode)
    {
        using var text = new NativeText(path);
        return mkdir(text.Pointer, mode);
    }

    internal static int MakeFifo(string path, uint mode)
    {
        using var text = new NativeText(path);
        return mkfifo(text.Pointer, mode);
    }

    internal static int Rename(string from, string to)
    {
        using var source = new NativeText(from);
        using var target = new NativeText(to);
        return rename(source.Pointer, target.Pointer);
    }

    internal static int AddWatch(int fd, string path, uint mask)
    {
        using var text = new NativeText(path);
        return inotify_add_watch(fd, text.Pointer, mask);
    }

    internal static int LastError => Marshal.GetLastPInvokeError();

    internal static string Describe(int error) => $"{Marshal.GetPInvokeErrorMessage(error)} ({error})";

    /// <summary>Device, inode, owner and mode, by statx, whose layout is the same on every architecture.</summary>
    internal readonly record struct FileFacts(ulong Device, ulong Inode, uint Owner, int Mode)
    {
        internal bool IsFolder => (Mode & 0xF000) == 0x4000;

        internal bool IsLink => (Mode & 0xF000) == 0xA000;
    }

    /// <summary>Facts of a path (never following a last link), or null when there is none.</summary>
    internal static FileFacts? Facts(string path)
    {
        const int AT_SYMLINK_NOFOLLOW = 0x100;
        using var text = new NativeText(path);
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
        const uint basic = 0x7ff;
        var buffer = stackalloc byte[256];
        if (statx(directory, path, flags, basic, buffer) != 0)
        {
            return null;
        }

        var device = ((ulong)*(uint*)(buffer + 136) << 32) | *(uint*)(buffer + 140);
        return new FileFacts(device, *(ulong*)(buffer + 32), *(uint*)(buffer + 20), *(ushort*)(buffer + 28));
    }

    /// <summary>A zero-terminated UTF-8 copy of a string in native memory.</summary>
    internal readonly struct NativeText(string text) : IDisposable
    {
        internal byte* Pointer { get; } = (byte*)Marshal.StringToCoTaskMemUTF8(text);

        public void Dispose() => Marshal.FreeCoTaskMem((nint)Pointer);
    }
}
