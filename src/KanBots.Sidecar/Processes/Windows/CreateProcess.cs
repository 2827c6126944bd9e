using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace KanBots.Sidecar.Processes.Windows;

/// <summary>By CreateProcessW, with a list of the three handles that the new process inherits and no other. Not run: written from the
/// documentation.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe class CreateProcess
{
    /// <summary>winbase.h. A console without a window rather than none: else every console program below opens a window of its own.</summary>
    private const uint CREATE_SUSPENDED = 0x4, CREATE_NEW_PROCESS_GROUP = 0x200, CREATE_UNICODE_ENVIRONMENT = 0x400, EXTENDED_STARTUPINFO_PRESENT = 0x80000, CREATE_BREAKAWAY_FROM_JOB = 0x1000000, CREATE_NO_WINDOW = 0x8000000;

    internal static int Start(SpawnRequest request)
    {
        var (pid, process) = Start(request, null);
        process.Dispose();
        return pid;
    }

    /// <param name="job">The process is in it before its first instruction.</param>
    internal static (int Pid, SafeWaitHandle Process) Start(SpawnRequest request, Job? job)
    {
        var (application, line) = CommandLine.IsBatch(request.Executable)
            ? (Cmd, CommandLine.OfBatch(Cmd, request.Arguments))
            : (request.Executable, CommandLine.Of(request.Arguments));
        if (line.Contains('\0') || request.Folder.Contains('\0'))
        {
            throw new IOException("A path or an argument contains a NUL character.");
        }

        using var input = Handle.Of(request.Input, Win32.GENERIC_READ);
        using var output = Handle.Of(request.Output, Win32.GENERIC_WRITE);
        using var error = Handle.Of(request.Error, Win32.GENERIC_WRITE);
        var flags = CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT | CREATE_NO_WINDOW | (job is null ? 0 : CREATE_SUSPENDED);
        if (request.NewSession)
        {
            // An editor may hold its children in a job that ends with it; most let a process leave, and some do not.
            flags |= CREATE_NEW_PROCESS_GROUP;
            if (TryStart(request, application, line, [input.Value, output.Value, error.Value], flags | CREATE_BREAKAWAY_FROM_JOB) is { } free)
            {
                return Begin(free, job);
            }
        }

        return TryStart(request, application, line, [input.Value, output.Value, error.Value], flags) is { } started
            ? Begin(started, job)
            : throw Win32.Failure($"{request.Executable} could not be started in {request.Folder}");
    }

    private static string Cmd => Path.Combine(Environment.SystemDirectory, "cmd.exe");

    /// <summary>Null when it was not allowed.</summary>
    private static WindowsLayouts.ProcessInformation? TryStart(SpawnRequest request, string application, string line, ReadOnlySpan<nint> handles, uint flags)
    {
        const nuint PROC_THREAD_ATTRIBUTE_HANDLE_LIST = 0x20002; // winbase.h
        const uint STARTF_USESTDHANDLES = 0x100;
        nuint bytes = 0;
        _ = Win32.InitializeProcThreadAttributeList(null, 1, 0, &bytes);
        var attributes = NativeMemory.Alloc(bytes);
        try
        {
            fixed (nint* list = handles)
            fixed (char* environment = EnvironmentBlock.Of(request.Environment))
            fixed (char* commandLine = $"{line}\0".ToCharArray()) // CreateProcessW writes into it
            {
                if (Win32.InitializeProcThreadAttributeList(attributes, 1, 0, &bytes) == 0
                    || Win32.UpdateProcThreadAttribute(attributes, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, list, (nuint)(handles.Length * sizeof(nint)), null, null) == 0)
                {
                    throw Win32.Failure("The list of handles could not be made");
                }

                var startup = new WindowsLayouts.StartupInfo { Bytes = (uint)sizeof(WindowsLayouts.StartupInfo), Flags = STARTF_USESTDHANDLES, Input = list[0], Output = list[1], Error = list[2], Attributes = attributes };
                WindowsLayouts.ProcessInformation started;
                var folder = Path.GetFullPath(request.Folder); // "/" is the root of a drive
                var done = Win32.CreateProcessW(application, commandLine, null, null, 1, flags, environment, folder, &startup, &started) != 0;
                var denied = !done && Marshal.GetLastPInvokeError() == Win32.ERROR_ACCESS_DENIED;
                Win32.DeleteProcThreadAttributeList(attributes);
                return done ? started : denied ? null : throw Win32.Failure($"{request.Executable} could not be started in {request.Folder}");
            }
        }
        finally
        {
            NativeMemory.Free(attributes);
        }
    }

    private static (int Pid, SafeWaitHandle Process) Begin(WindowsLayouts.ProcessInformation started, Job? job)
    {
        var process = new SafeWaitHandle(started.Process, ownsHandle: true);
        try
        {
            if (job is not null && (!job.TryAssign(started.Process) || Win32.ResumeThread(started.Thread) == uint.MaxValue))
            {
                var failure = Win32.Failure("The process could not be put into its job");
                _ = Win32.TerminateProcess(started.Process, 1);
                process.Dispose();
                throw failure;
            }

            return (started.ProcessId, process);
        }
        finally
        {
            _ = Win32.CloseHandle(started.Thread);
        }
    }

    /// <summary>An inheritable handle, closed again unless it was the caller's.</summary>
    private sealed record Handle(nint Value, SafeFileHandle? Own) : IDisposable
    {
        internal static Handle Of(Redirect redirect, uint access)
        {
            switch (redirect)
            {
                case Redirect.Inherit inherited:
                    const uint HANDLE_FLAG_INHERIT = 1;
                    _ = Win32.SetHandleInformation(inherited.Handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
                    return new Handle(inherited.Handle, null);
                case Redirect.AppendTo file:
                    return Of(WindowsFiles.OpenAppend(file.Path, inherit: true));
                default:
                    return Of(Win32.Open("NUL", access, Win32.OPEN_EXISTING, inherit: true));
            }
        }

        private static Handle Of(SafeFileHandle file) => new(file.DangerousGetHandle(), file);

        public void Dispose() => Own?.Dispose();
    }
}
