using System.Runtime.Versioning;

namespace KanBots.Sidecar.Processes.Unix;

/// <summary>The agent as a child of this process, found and ended by the token.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class UnixTree(string token, string wake) : AgentTree
{
    private readonly int _wake = Fifo.Open(wake); // first: when it fails there is no guard to send away
    private readonly Reaper _reaper = new();
    private readonly Guard _guard = Guard.Start(token);
    private int _agent;
    private int _input = -1;

    internal override int AgentPid => _agent;

    internal override ProcessEnd? End => _reaper.AgentStatus is not { } status ? null
        : (status & 0x7f) is var signal and not 0 ? new ProcessEnd(null, signal)
        : new ProcessEnd((status >> 8) & 0xff, null);

    internal override void Start(AgentStart start)
    {
        var (read, write) = Descriptor.Pipe();
        try
        {
            List<string> arguments = [start.Executable, .. start.Arguments];
            if (OperatingSystem.IsLinux() && Executables.Find("setpriv", "/") is { } setpriv)
            {
                arguments = [setpriv, "--pdeathsig", "KILL", "--", .. arguments];
            }

            _agent = _reaper.Watch(() => Spawn.Start(new SpawnRequest(arguments[0], arguments, start.Environment, start.Folder, new Redirect.Inherit(read), new Redirect.AppendTo(start.Output), new Redirect.AppendTo(start.Error), NewSession: false)));
            LibC.SetNonBlocking(write);
            _input = write;
        }
        finally
        {
            _ = LibC.close(read);
        }
    }

    internal override int WriteInput(ReadOnlySpan<byte> bytes) => Descriptor.WriteSome(_input, bytes);

    internal override void CloseInput()
    {
        _ = LibC.close(_input);
        _input = -1;
    }

    internal override unsafe void Wait(int timeoutMs, bool untilRoom)
    {
        var fds = stackalloc LibC.PollFd[3];
        fds[0] = new LibC.PollFd { Fd = _wake, Events = LibC.POLLIN };
        fds[1] = new LibC.PollFd { Fd = _reaper.Signal, Events = LibC.POLLIN };
        fds[2] = new LibC.PollFd { Fd = untilRoom ? _input : -1, Events = LibC.POLLOUT };
        if (LibC.poll(fds, 3, timeoutMs) > 0 && fds[0].Revents != 0)
        {
            Span<byte> rest = stackalloc byte[256];
            while (Descriptor.Read(_wake, rest) > 0)
            {
            }
        }
    }

    internal override void Interrupt() => _ = LibC.kill(_agent, LibC.SIGINT);

    internal override void Terminate() => _ = LibC.kill(_agent, LibC.SIGTERM);

    internal override IReadOnlyList<ProcessIdentity> Kill(bool silent) => ProcessTree.KillAll(token, Own(), new HashSet<int> { _guard.Pid }, silent ? _agent : 0);

    internal override IReadOnlyList<ProcessIdentity> Leftovers() => ProcessTree.Find(token, Own(), new HashSet<int> { _guard.Pid });

    internal override void Release() => _guard.Bye();

    private static HashSet<int> Own() => [Environment.ProcessId];
}
