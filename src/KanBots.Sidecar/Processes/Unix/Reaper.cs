using System.Runtime.Versioning;

namespace KanBots.Sidecar.Processes.Unix;

/// <summary>Takes away every dead child, the agent's and the adopted ones: .NET does not reap what a subreaper adopts. It is the only
/// place of this process that waits for children.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class Reaper
{
    private readonly int _signalWrite;
    private readonly Lock _gate = new();
    private bool _isStarted;
    private int _agent;
    private int _status = -1;

    internal Reaper()
    {
        (Signal, _signalWrite) = Descriptor.Pipe();
        LibC.SetNonBlocking(Signal);
        LibC.SetNonBlocking(_signalWrite);
    }

    /// <summary>Readable once the agent has ended.</summary>
    internal int Signal { get; }

    /// <summary>The wait status of the process that was last watched, null while it lives.</summary>
    internal int? AgentStatus => Volatile.Read(ref _status) is var status and >= 0 ? status : null;

    /// <summary>Starts a process whose end is waited for. Nothing that is reaped is looked at before its pid is known: it may end at once.</summary>
    internal int Watch(Func<int> start)
    {
        lock (_gate)
        {
            var pid = start();
            _agent = pid;
            Volatile.Write(ref _status, -1);
            Span<byte> said = stackalloc byte[8];
            while (Descriptor.Read(Signal, said) > 0) // of the one before: a signal that stays would wake the host for ever
            {
            }

            if (!_isStarted)
            {
                _isStarted = true;
                new Thread(Reap, 128 * 1024) { IsBackground = true, Name = "reaper" }.Start();
            }

            return pid;
        }
    }

    private void Note(int pid, int status)
    {
        lock (_gate)
        {
            if (pid == _agent)
            {
                Volatile.Write(ref _status, status);
                _ = Descriptor.WriteSome(_signalWrite, [1]);
            }
        }
    }

    private unsafe void Reap()
    {
        for (; ; )
        {
            int status;
            var pid = LibC.waitpid(-1, &status, 0);
            if (pid > 0)
            {
                Note(pid, status);
            }
            else if (pid < 0 && LibC.LastError == LibC.ECHILD)
            {
                return;
            }
        }
    }
}
