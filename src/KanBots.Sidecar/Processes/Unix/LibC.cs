using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace KanBots.Sidecar.Processes.Unix;

/// <summary>The system calls of Linux and macOS that .NET has no equivalent for, or whose equivalent was seen to do harm (Process leaves
/// descriptors open, FileStream locks can be disabled by an environment variable, files are made by umask). Run on Linux, glibc,
/// x86-64. Not run on macOS: its numbers are written from the headers of its SDK, which stand beside them.</summary>
[UnsupportedOSPlatform("windows")]
internal static unsafe partial class LibC
{
    private const string C = "libc";

    internal const int O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2;

    private static readonly bool Mac = OperatingSystem.IsMacOS();
    private static readonly bool Arm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary>Linux: asm-generic/fcntl.h. macOS: sys/fcntl.h.</summary>
    internal static readonly int O_CREAT = Mac ? 0x200 : 0x40, O_TRUNC = Mac ? 0x400 : 0x200, O_APPEND = Mac ? 0x8 : 0x400, O_NONBLOCK = Mac ? 0x4 : 0x800, O_CLOEXEC = Mac ? 0x1000000 : 0x80000;

    /// <summary>On Linux O_NOFOLLOW has another number on arm64 than on x86-64.</summary>
    internal static readonly int O_NOFOLLOW = Mac ? 0x100 : Arm ? 0x8000 : 0x20000;

    /// <summary>sys/errno.h.</summary>
    internal static readonly int EAGAIN = Mac ? 35 : 11;

    /// <summary>signal.h.</summary>
    internal static readonly int SIGSTOP = Mac ? 17 : 19, SIGCONT = Mac ? 19 : 18;

    internal const int EINTR = 4, EEXIST = 17, ENOENT = 2, ECHILD = 10, EACCES = 13, EROFS = 30;
    internal const int SIGINT = 2, SIGKILL = 9, SIGTERM = 15;
    internal const int LOCK_EX = 2, LOCK_NB = 4;
    internal const int WNOHANG = 1;
    internal const short POLLIN = 1, POLLOUT = 4;

    internal struct PollFd
    {
        internal int Fd;
        internal short Events;
        internal short Revents;
    }

    /// <summary>glibc alone has it.</summary>
    [DllImport(C)]
    [SupportedOSPlatform("linux")]
    internal static extern int malloc_trim(nint pad);

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

    [DllImport(C)]
    internal static extern int sigdelset(void* set, int signal);

    [DllImport(C, SetLastError = true)]
    internal static extern int waitpid(int pid, int* status, int options);

    [DllImport(C, SetLastError = true)]
    internal static extern int kill(int pid, int signal);

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
    private static extern int rename(byte* from, byte* to);

    [DllImport(C, SetLastError = true)]
    internal static extern int poll(PollFd* fds, nuint count, int timeoutMs);

    [DllImport(C, SetLastError = true)]
    internal static extern int getsockopt(int fd, int level, int name, void* value, int* length);

    [DllImport(C)]
    internal static extern uint getuid();

    [DllImport(C, SetLastError = true)]
    private static extern int pipe(int* fds);

    [DllImport(C, SetLastError = true)]
    private static extern int open(byte* path, int flags, uint mode);

    [DllImport(C, SetLastError = true)]
    private static extern int fcntl(int fd, int command, nint value);

    // open and fcntl are variadic. Apple's arm64 passes variadic arguments on the stack, where these declarations put them by filling
    // the eight argument registers first; every other system passes them like any argument.
    [DllImport(C, EntryPoint = "open", SetLastError = true)]
    private static extern int OpenOnStack(byte* path, int flags, nint x2, nint x3, nint x4, nint x5, nint x6, nint x7, nint mode);

    [DllImport(C, EntryPoint = "fcntl", SetLastError = true)]
    private static extern int FcntlOnStack(int fd, int command, nint x2, nint x3, nint x4, nint x5, nint x6, nint x7, nint value);

    internal static int Open(string path, int flags, uint mode = 0)
    {
        using var text = new NativeText(path);
        return Mac && Arm ? OpenOnStack(text.Pointer, flags, 0, 0, 0, 0, 0, 0, (nint)mode) : open(text.Pointer, flags, mode);
    }

    internal static void SetNonBlocking(int fd)
    {
        const int F_SETFL = 4; // only O_NONBLOCK matters for a pipe's end
        _ = Fcntl(fd, F_SETFL, O_NONBLOCK);
    }

    /// <summary>Both ends closed on exec. macOS has no pipe2: between the two calls a program that another thread starts could inherit
    /// them, which our own starts close anyway.</summary>
    internal static int Pipe(int* ends)
    {
        if (OperatingSystem.IsLinux())
        {
            return Linux.Kernel.pipe2(ends, O_CLOEXEC);
        }

        const int F_SETFD = 2, FD_CLOEXEC = 1;
        var result = pipe(ends);
        if (result == 0)
        {
            _ = Fcntl(ends[0], F_SETFD, FD_CLOEXEC);
            _ = Fcntl(ends[1], F_SETFD, FD_CLOEXEC);
        }

        return result;
    }

    private static int Fcntl(int fd, int command, int value) => Mac && Arm ? FcntlOnStack(fd, command, 0, 0, 0, 0, 0, 0, value) : fcntl(fd, command, value);

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

    internal static int LastError => Marshal.GetLastPInvokeError();

    internal static string Describe(int error) => $"{Marshal.GetPInvokeErrorMessage(error)} ({error})";

    /// <summary>A zero-terminated UTF-8 copy of a string in native memory.</summary>
    internal readonly struct NativeText(string text) : IDisposable
    {
        internal byte* Pointer { get; } = (byte*)Marshal.StringToCoTaskMemUTF8(text);

        public void Dispose() => Marshal.FreeCoTaskMem((nint)Pointer);
    }
}
