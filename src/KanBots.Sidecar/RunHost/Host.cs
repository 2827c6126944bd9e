using System.Text.Json;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.RunHost;

/// <summary>One live launch: starts the agent, forwards its stdin, stops it, and says how it ended. Everything happens on the main
/// thread, which polls; only the reaper is a thread of its own. The main thread must also be the one that spawns, because the
/// parent-death signal fires when the spawning thread ends.</summary>
internal sealed class Host
{
    internal const int ClaimedExitCode = 75;
    private const int TickMs = 1000;
    private const int LaunchFileWaitMs = 60_000;
    private const int QuietMs = 50;
    private const int QuietWaitMs = 2000;

    private readonly RunFolder _folder;
    private readonly LaunchFile _launch;
    private readonly Reaper _reaper = new();
    private readonly Guard _guard;
    private readonly LineFile _control;
    private readonly DateTimeOffset _startedAt = TimeProvider.System.GetUtcNow();
    private AgentInput? _input;
    private int _agent;
    private Stage _stage;
    private string _reason = "exited";
    private long _stageEnds = long.MaxValue;
    private bool _waiting;
    private bool _closeAsked;
    private long _workMs;
    private long _waitMs;

    private enum Stage { Running, Interrupted, Closed, SigInt, SigTerm, Kill }

    private Host(RunFolder folder, LaunchFile launch)
    {
        _folder = folder;
        _launch = launch;
        _control = new LineFile(folder.Control);
        _guard = Guard.Start(launch.Token);
    }

    /// <summary>The verb <c>run-host</c>.</summary>
    /// <returns>0; 75 when another host has the launch; 1 when there is nothing to start.</returns>
    internal static int Run(string path)
    {
        var folder = new RunFolder(Path.GetFullPath(path));
        if (!PrivateFiles.TryClaimFolder(folder.Claim))
        {
            return ClaimedExitCode;
        }

        if (LibC.prctl(LibC.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
        {
            return Fail(folder, "This system has no child subreaper.");
        }

        LaunchFile? launch;
        try
        {
            launch = WaitForLaunch(folder);
        }
        catch (IOException damage)
        {
            return Fail(folder, damage.Message);
        }

        if (launch is null)
        {
            return Fail(folder, "launch.json did not come.");
        }

        var host = new Host(folder, launch);
        try
        {
            host.Serve();
            return 0;
        }
        catch (IOException failure)
        {
            host.SayExit("spawnFailed", null, failure.Message, []);
            return 1;
        }
        finally
        {
            host._guard.Bye();
        }
    }

    private static LaunchFile? WaitForLaunch(RunFolder folder)
    {
        var until = Environment.TickCount64 + LaunchFileWaitMs;
        while (Environment.TickCount64 < until && Directory.Exists(folder.Claim))
        {
            if (folder.ReadLaunch() is { } launch)
            {
                return launch;
            }

            Thread.Sleep(20); // serve may still be making the worktree
        }

        return null;
    }

    private static int Fail(RunFolder folder, string why)
    {
        var now = TimeProvider.System.GetUtcNow();
        folder.Write(new ExitFile(RunFolder.Format, "spawnFailed", null, null, why, now, now, 0, []));
        return 1;
    }

    private void Serve()
    {
        var own = ProcessIdentity.Of(Environment.ProcessId)!.Value;
        var said = new HostFile(RunFolder.Format, Environment.MachineName, own.Pid, own.Start, ProcessIdentity.BootId);
        _folder.Write(said);
        PrivateFiles.Touch(_folder.Stdout);
        var wake = OpenWake();
        StartAgent();
        _reaper.Start(_agent);
        _folder.Write(said with { AgentPid = _agent, AgentStart = ProcessIdentity.Of(_agent)?.Start ?? "" });

        var last = Environment.TickCount64;
        while (_reaper.AgentStatus is null)
        {
            Wait(wake);
            var now = Environment.TickCount64;
            Count(now - last);
            last = now;
            ReadControl();
            Climb(now);
            _input!.Forward();
            if (_closeAsked && _input.IsFlushed)
            {
                _input.Close();
            }
        }

        Finish(_reaper.AgentStatus.Value);
    }

    private int OpenWake()
    {
        if (LibC.MakeFifo(_folder.Wake, PrivateFiles.FileMode) != 0 && LibC.LastError != LibC.EEXIST)
        {
            throw new IOException($"The wake FIFO could not be made: {LibC.Describe(LibC.LastError)}.");
        }

        // Read and write, so that it never reports "the other end is closed" while serve is away.
        var fd = LibC.Open(_folder.Wake, LibC.O_RDWR | LibC.O_NONBLOCK | LibC.O_CLOEXEC | LibC.O_NOFOLLOW);
        return fd >= 0 ? fd : throw new IOException($"The wake FIFO could not be opened: {LibC.Describe(LibC.LastError)}.");
    }

    private void StartAgent()
    {
        var (read, write) = Descriptor.Pipe();
        try
        {
            var argv = _launch.Argv;
            var executable = Executables.Find(argv[0], _launch.Cwd) ?? throw new IOException($"{argv[0]} was not found. Install it, or set agents.claude.path.");
            if (!Directory.Exists(_launch.Cwd))
            {
                throw new IOException($"The worktree {_launch.Cwd} is not there any more.");
            }

            List<string> arguments = [executable, .. argv.Skip(1)];
            if (Executables.Find("setpriv", "/") is { } setpriv)
            {
                arguments = [setpriv, "--pdeathsig", "KILL", "--", .. arguments];
            }

            _agent = Spawn.Start(new SpawnRequest(arguments[0], arguments, AgentEnvironment(), _launch.Cwd, new Redirect.Inherit(read), new Redirect.AppendTo(_folder.Stdout), new Redirect.AppendTo(_folder.Stderr), NewSession: false));
            _input = new AgentInput(_folder.Stdin, write);
        }
        finally
        {
            _ = LibC.close(read);
        }
    }

    private List<string> AgentEnvironment()
    {
        var environment = Spawn.OwnEnvironment();
        environment.RemoveAll(line => line.StartsWith("KANBOTS_", StringComparison.Ordinal));
        foreach (var name in _launch.Environment.Remove)
        {
            environment.RemoveAll(line => line.StartsWith($"{name}=", StringComparison.Ordinal));
        }

        environment.Add($"{ProcessTree.TokenName}={_launch.Token}");
        environment.Add(FormattableString.Invariant($"KANBOTS_RUN_ID={_launch.RunId}"));
        return environment;
    }

    /// <summary>Until something happens, the next step of the ladder is due, or the tick.</summary>
    private unsafe void Wait(int wake)
    {
        var now = Environment.TickCount64;
        var timeout = (int)Math.Clamp(_stageEnds - now, 0, TickMs);
        var fds = stackalloc LibC.PollFd[3];
        fds[0] = new LibC.PollFd { Fd = wake, Events = LibC.POLLIN };
        fds[1] = new LibC.PollFd { Fd = _reaper.Signal, Events = LibC.POLLIN };
        fds[2] = new LibC.PollFd { Fd = _input!.PollFd, Events = LibC.POLLOUT };
        if (LibC.poll(fds, 3, timeout) > 0 && fds[0].Revents != 0)
        {
            Span<byte> rest = stackalloc byte[256];
            while (Descriptor.Read(wake, rest) > 0)
            {
            }
        }
    }

    private void Count(long elapsedMs)
    {
        if (_waiting)
        {
            _waitMs += elapsedMs;
        }
        else
        {
            _workMs += elapsedMs;
        }

        if (_stage != Stage.Running)
        {
            return;
        }

        if (_workMs > _launch.Limits.WorkMinutes * 60_000L)
        {
            Enter(Stage.Closed, "minutes");
        }
        else if (_waitMs > _launch.Limits.WaitMinutes * 60_000L)
        {
            Enter(Stage.Kill, "waited"); // anything softer withdraws the question, or lets an old CLI go on without its answer
        }
        else if (FreeBytes() < _launch.Limits.MinFreeBytes)
        {
            Enter(Stage.Closed, "diskFull");
        }
        else if (new FileInfo(_folder.Stderr) is { Exists: true } stderr && stderr.Length > _launch.Limits.StderrBytes)
        {
            Truncate(_folder.Stderr, _launch.Limits.StderrBytes);
        }
    }

    private long FreeBytes()
    {
        try
        {
            return new DriveInfo(_launch.Cwd).AvailableFreeSpace;
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException)
        {
            return long.MaxValue;
        }
    }

    /// <summary>Keeps the head: what an agent says before it fails is said first.</summary>
    private static void Truncate(string path, long length)
    {
        var fd = LibC.Open(path, LibC.O_WRONLY | LibC.O_CLOEXEC | LibC.O_NOFOLLOW);
        if (fd >= 0)
        {
            _ = LibC.ftruncate(fd, length);
            _ = LibC.close(fd);
        }
    }

    private void ReadControl()
    {
        foreach (var line in _control.NewLines())
        {
            ControlLine? control;
            try
            {
                control = JsonSerializer.Deserialize(line, RunFolderJson.Default.ControlLine);
            }
            catch (JsonException)
            {
                continue; // not ours; the file is only read
            }

            switch (control?.Op)
            {
                case "closeStdin":
                    _closeAsked = true;
                    if (_stage == Stage.Interrupted)
                    {
                        Enter(Stage.Closed, _reason);
                    }

                    break;
                case "waiting":
                    _waiting = control.Value ?? false;
                    _waitMs = 0;
                    break;
                case "stop" when _stage == Stage.Running:
                    Enter(Stage.Interrupted, "stopped");
                    break;
                case "kill" when _stage != Stage.Kill:
                    Enter(Stage.Kill, _stage == Stage.Running ? "killed" : _reason);
                    break;
            }
        }

    }

    /// <summary>The stop ladder: interrupt (which serve has written to stdin), close, SIGINT, SIGTERM, the whole tree.</summary>
    private void Climb(long now)
    {
        if (now >= _stageEnds)
        {
            Enter(_stage switch { Stage.Interrupted => Stage.Closed, Stage.Closed => Stage.SigInt, Stage.SigInt => Stage.SigTerm, _ => Stage.Kill }, _reason);
        }
    }

    private void Enter(Stage stage, string reason)
    {
        _stage = stage;
        _reason = reason;
        var limits = _launch.Limits;
        var ms = stage switch { Stage.Interrupted => limits.InterruptMs, Stage.Closed => limits.CloseMs, Stage.SigInt => limits.SigintMs, Stage.SigTerm => limits.SigtermMs, _ => 200 };
        _stageEnds = Environment.TickCount64 + ms;
        switch (stage)
        {
            case Stage.Closed:
                _input!.Close();
                break;
            case Stage.SigInt:
                _ = LibC.kill(_agent, LibC.SIGINT);
                break;
            case Stage.SigTerm:
                _ = LibC.kill(_agent, LibC.SIGTERM);
                break;
            case Stage.Kill:
                _ = KillTree();
                break;
        }
    }

    private IReadOnlyList<ProcessIdentity> KillTree() => ProcessTree.KillAll(_launch.Token, Own(), new HashSet<int> { _guard.Pid });

    private static HashSet<int> Own() => [Environment.ProcessId];

    /// <summary>Agent reaped, then its descendants, then stdout quiet, and only then exit.json: who reads it may rely on all of that.</summary>
    private void Finish(int status)
    {
        var left = _stage == Stage.Running ? ProcessTree.Find(_launch.Token, Own(), new HashSet<int> { _guard.Pid }) : KillTree();
        WaitForQuiet();
        SayExit(_reason, status, null, left);
    }

    private void WaitForQuiet()
    {
        var until = Environment.TickCount64 + QuietWaitMs;
        long before = -1;
        for (var length = StdoutLength(); length != before && Environment.TickCount64 < until; length = StdoutLength())
        {
            before = length;
            Thread.Sleep(QuietMs);
        }
    }

    private long StdoutLength() => new FileInfo(_folder.Stdout) is { Exists: true } file ? file.Length : 0;

    private void SayExit(string reason, int? status, string? error, IReadOnlyList<ProcessIdentity> left)
    {
        var signal = status & 0x7f;
        _folder.Write(new ExitFile(
            RunFolder.Format,
            reason,
            signal == 0 ? (status >> 8) & 0xff : null,
            signal is null or 0 ? null : signal,
            error,
            _startedAt,
            TimeProvider.System.GetUtcNow(),
            StdoutLength(),
            [.. left.Select(process => new LeftPid(process.Pid, process.Start))]));
    }
}
