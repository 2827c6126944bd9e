using System.Runtime.Versioning;

namespace KanBots.Sidecar.Processes.Unix;

/// <summary>Takes away every dead child, the agent's and the adopted ones: .NET does not reap what a subreaper adopts. It is the only
/// place of this process that waits for children.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class Reaper
{
    private readonly int _signalWrite;
    private int _agent;
    private int _status = -1;

    internal Reaper()
    {
        (Signal, _signalWrite) = Descriptor.Pipe();
        LibC.SetNonBlocking(_signalWrite);
    }

    /// <summary>Readable once the agent has ended.</summary>
    internal int Signal { get; }

    /// <summary>The agent's wait status, null while it lives.</summary>
    internal int? AgentStatus => Volatile.Read(ref _status) is var status and >= 0 ? status : null;

    internal void Start(int agent)
    {
        _agent = agent;
        new Thread(Reap, 128 * 1024) { IsBackground = true, Name = "reaper" }.Start();
    }

    private unsafe void Reap()
    {
        for (; ; )
        {
            int status;
            var pid = LibC.waitpid(-1, &status, 0);
            if (pid == _agent)
            {
                Volatile.Write(ref _status, status);
                _ = Descriptor.WriteSome(_signalWrite, [1]);
            }
            else if (pid < 0 && LibC.LastError == LibC.ECHILD)
            {
                return;
            }
        }
    }
}
