using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace KanBots.Sidecar.Processes.Windows;

/// <summary>The agent in a job. There are no signals to send: after its stdin is closed the next thing that helps is the end of the job.
/// Not run: written from the documentation.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class JobTree(string token, string wake) : AgentTree
{
    /// <summary>A pipe cannot be waited for until it has room: it is looked at this often while something waits to be written.</summary>
    private const int RoomLookMs = 20;

    private const uint PipeBytes = 64 * 1024;

    private readonly Job _job = Job.Create(token);
    private readonly ManualResetEvent _ended = new(false);
    private readonly EventWaitHandle _wake = WakeEvent.Open(wake);
    private SafeFileHandle? _input;
    private int _agent;

    internal override int AgentPid => _agent;

    internal override ProcessEnd? End
    {
        get
        {
            uint code;
            return !_ended.WaitOne(0) ? null
                : Win32.GetExitCodeProcess(_ended.SafeWaitHandle, &code) != 0 ? new ProcessEnd((int)code, null)
                : new ProcessEnd(null, null);
        }
    }

    internal override void Start(AgentStart start)
    {
        const uint PIPE_NOWAIT = 1; // winbase.h
        var mode = PIPE_NOWAIT;
        if (Win32.CreatePipe(out var read, out var write, null, PipeBytes) == 0 || Win32.SetNamedPipeHandleState(write, &mode, null, null) == 0)
        {
            throw Win32.Failure("The agent's stdin could not be made");
        }

        using (read)
        {
            (_agent, _ended.SafeWaitHandle) = CreateProcess.Start(new SpawnRequest(start.Executable, [start.Executable, .. start.Arguments], start.Environment, start.Folder, new Redirect.Inherit(read.DangerousGetHandle()), new Redirect.AppendTo(start.Output), new Redirect.AppendTo(start.Error), NewSession: false), _job);
        }

        _input = write;
    }

    /// <summary>A pipe that does not wait takes all or nothing of a write that is longer than its room, so halves are tried.</summary>
    internal override int WriteInput(ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            for (var count = (uint)bytes.Length; count > 0; count /= 2)
            {
                uint written;
                if (Win32.WriteFile(_input!, start, count, &written, null) == 0)
                {
                    return -1;
                }

                if (written > 0)
                {
                    return (int)written;
                }
            }
        }

        return 0;
    }

    internal override void CloseInput() => _input!.Dispose();

    internal override void Wait(int timeoutMs, bool untilRoom) =>
        WaitHandle.WaitAny([_ended, _wake], untilRoom ? Math.Min(timeoutMs, RoomLookMs) : timeoutMs);

    internal override void Interrupt()
    {
    }

    internal override void Terminate()
    {
    }

    internal override IReadOnlyList<ProcessIdentity> Kill(bool silent) => _job.KillAll();

    internal override IReadOnlyList<ProcessIdentity> Leftovers() => _job.KillAll();

    internal override void Release()
    {
    }
}
