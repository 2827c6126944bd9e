using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace KanBots.Sidecar.Processes.Windows;

/// <summary>The calls of Windows that .NET has no equivalent for. Not run: written from the documentation; numbers and layouts are those
/// of the SDK's headers that are named, for 64-bit processes.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe class Win32
{
    private const string Kernel = "kernel32";

    /// <summary>winerror.h.</summary>
    internal const int ERROR_ACCESS_DENIED = 5, ERROR_LOCK_VIOLATION = 33, ERROR_ALREADY_EXISTS = 183;

    /// <summary>winnt.h, fileapi.h.</summary>
    internal const uint FILE_APPEND_DATA = 0x4, FILE_READ_ATTRIBUTES = 0x80, SYNCHRONIZE = 0x100000, GENERIC_READ = 0x80000000, GENERIC_WRITE = 0x40000000;
    internal const uint FILE_SHARE_ALL = 0x7, OPEN_EXISTING = 3, OPEN_ALWAYS = 4, FILE_ATTRIBUTE_NORMAL = 0x80, FILE_FLAG_OPEN_REPARSE_POINT = 0x200000;
    internal const uint PROCESS_QUERY_LIMITED_INFORMATION = 0x1000;

    [DllImport(Kernel, SetLastError = true, CharSet = CharSet.Unicode)]
    private static extern SafeFileHandle CreateFileW(string path, uint access, uint share, WindowsLayouts.SecurityAttributes* security, uint disposition, uint flags, nint template);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern int WriteFile(SafeHandle file, byte* bytes, uint count, uint* written, void* overlapped);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern int LockFileEx(SafeFileHandle file, uint flags, uint reserved, uint low, uint high, NativeOverlapped* overlapped);

    [DllImport(Kernel, SetLastError = true, CharSet = CharSet.Unicode)]
    internal static extern int CreateDirectoryW(string path, WindowsLayouts.SecurityAttributes* security);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern int CreatePipe(out SafeFileHandle read, out SafeFileHandle write, WindowsLayouts.SecurityAttributes* security, uint bytes);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern int SetNamedPipeHandleState(SafeFileHandle pipe, uint* mode, uint* collectMax, uint* collectTimeout);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern int SetHandleInformation(nint handle, uint mask, uint flags);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern int GetNamedPipeClientProcessId(SafePipeHandle pipe, uint* pid);

    [DllImport(Kernel, SetLastError = true, CharSet = CharSet.Unicode)]
    internal static extern int CreateProcessW(string application, char* commandLine, void* processSecurity, void* threadSecurity, int inheritHandles, uint flags, char* environment, string folder, WindowsLayouts.StartupInfo* startup, WindowsLayouts.ProcessInformation* started);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern int InitializeProcThreadAttributeList(void* list, uint count, uint flags, nuint* bytes);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern int UpdateProcThreadAttribute(void* list, uint flags, nuint attribute, void* value, nuint bytes, void* previous, nuint* returned);

    [DllImport(Kernel)]
    internal static extern void DeleteProcThreadAttributeList(void* list);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern uint ResumeThread(nint thread);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern int TerminateProcess(nint process, uint exitCode);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern int CloseHandle(nint handle);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern SafeWaitHandle OpenProcess(uint access, int inherit, int pid);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern uint WaitForSingleObject(SafeWaitHandle handle, uint milliseconds);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern int GetProcessTimes(SafeWaitHandle process, long* created, long* ended, long* kernel, long* user);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern int GetExitCodeProcess(SafeWaitHandle process, uint* code);

    [DllImport("ntdll")]
    internal static extern int NtQueryInformationProcess(SafeWaitHandle process, int what, void* answer, uint bytes, uint* returned);

    [DllImport(Kernel, SetLastError = true, CharSet = CharSet.Unicode)]
    internal static extern SafeWaitHandle CreateJobObjectW(WindowsLayouts.SecurityAttributes* security, string name);

    [DllImport(Kernel, SetLastError = true, CharSet = CharSet.Unicode)]
    internal static extern SafeWaitHandle OpenJobObjectW(uint access, int inherit, string name);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern int AssignProcessToJobObject(SafeWaitHandle job, nint process);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern int TerminateJobObject(SafeWaitHandle job, uint exitCode);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern int SetInformationJobObject(SafeWaitHandle job, int what, void* value, uint bytes);

    [DllImport(Kernel, SetLastError = true)]
    internal static extern int QueryInformationJobObject(SafeWaitHandle job, int what, void* answer, uint bytes, uint* returned);

    /// <summary>Shared with every reader, writer and deleter, and never a link's target.</summary>
    internal static SafeFileHandle Open(string path, uint access, uint disposition, bool inherit)
    {
        var security = new WindowsLayouts.SecurityAttributes { Length = (uint)sizeof(WindowsLayouts.SecurityAttributes), InheritHandle = inherit ? 1 : 0 };
        var file = CreateFileW(path, access, FILE_SHARE_ALL, &security, disposition, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, 0);
        return file.IsInvalid ? throw Failure($"{path} could not be opened") : file;
    }

    internal static IOException Failure(string what)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{what}: {Marshal.GetPInvokeErrorMessage(error)} ({error}).", new Win32Exception(error));
    }
}
