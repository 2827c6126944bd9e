using System.Text.Json;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.RunHost;

/// <summary>One live launch: starts the agent, forwards its stdin, stops it, and says how it ended. Everything happens on the main
/// thread, which waits; the main thread must also be the one that starts the agent (<see cref="AgentTree"/>).</summary>
internal sealed partial class Host
{
    internal const int ClaimedExitCode = 75;
    private const int TickMs = 1000;
    private const int LaunchFileWaitMs = 60_000;
    private const int QuietMs = 50;

    /// <summary>How long the run folder may be out of sight, in milliseconds: a network disk comes back, a deleted repository does not.</summary>
    private const int FolderGoneMs = 5_000;
    private const int QuietWaitMs = 2000;

    private readonly RunFolder _folder;
    private readonly LaunchFile _launch;
    private readonly AgentTree _agent;
    private readonly LineFile _control;
    private readonly DateTimeOffset _startedAt = TimeProvider.System.GetUtcNow();
    private AgentInput? _input;
    private Stage _stage;
    private string _reason = "exited";
    private long _stageEnds = long.MaxValue;
    private bool _waiting;
    private long _closeAt = long.MaxValue;
    private long _goneMs;
    private long _workMs;
    private long _waitMs;

    private enum Stage { Running, Interrupted, Closed, SigInt, SigTerm, Kill }

    private Host(RunFolder folder, LaunchFile launch)
    {
        _folder = folder;
        _launch = launch;
        _control = new LineFile(folder.Control);
        _agent = AgentTree.Open(launch.Token, folder.Wake);
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

        if (AgentTree.Prepare() is { } unable)
        {
            return Fail(folder, unable);
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

        Host? host = null;
        try
        {
            host = new Host(folder, launch);
            host.Serve();
            return 0;
        }
        catch (IOException failure)
        {
            if (host is null)
            {
                return Fail(folder, failure.Message);
            }

            // Also when the agent was at work and the disk became full between two looks at it: then that is why.
            var isFull = PrivateFiles.FreeBytes(launch.Cwd) < launch.Limits.MinFreeBytes;
            host.SayExit(isFull ? "diskFull" : "spawnFailed", null, failure.Message, []);
            return 1;
        }
        finally
        {
            host?._agent.Release();
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
        if (!Directory.Exists(_launch.Cwd))
        {
            throw new IOException($"The worktree {_launch.Cwd} is not there any more.");
        }

        if (!SetUp())
        {
            return;
        }

        StartAgent();
        _folder.Write(said with { AgentPid = _agent.AgentPid, AgentStart = ProcessIdentity.Of(_agent.AgentPid)?.Start ?? "" });

        // Before the first wait too: the first message is there already, and nobody says so again.
        for (var last = Environment.TickCount64; ; Wait())
        {
            var now = Environment.TickCount64;
            Count(now - last);
            last = now;
            ReadControl();
            Climb(now);
            _input!.Forward();
            if (now >= _closeAt && _input.IsFlushed)
            {
                _closeAt = long.MaxValue;
                _input.Close();
            }

            if (_agent.End is { } end)
            {
                Finish(end);
                return;
            }
        }
    }

    private void StartAgent()
    {
        var argv = _launch.Argv;
        var executable = Executables.Find(argv[0], _launch.Cwd) ?? throw new IOException($"{argv[0]} was not found. Install it, or set agents.claude.path.");
        _agent.Start(new AgentStart(executable, [.. argv.Skip(1)], AgentEnvironment(), _launch.Cwd, _folder.Stdout, _folder.Stderr));
        _input = new AgentInput(_folder.Stdin, _agent);
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
        environment.AddRange((_launch.Variables ?? new Dictionary<string, string>()).Select(variable => $"{variable.Key}={variable.Value}"));
        return environment;
    }

    /// <summary>Until something happens, the next step of the ladder is due, or the tick.</summary>
    private void Wait()
    {
        var now = Environment.TickCount64;
        var due = _closeAt > now ? Math.Min(_stageEnds, _closeAt) : _stageEnds; // a close that waits for room is woken by the room
        var timeout = (int)Math.Clamp(due - now, 0, TickMs);
        _agent.Wait(timeout, untilRoom: !_input!.IsFlushed);
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

        if (Unfit(elapsedMs) is { } reason)
        {
            Enter(Stage.Closed, reason);
        }
        else if (_workMs > _launch.Limits.WorkMinutes * 60_000L)
        {
            Enter(Stage.Closed, "minutes");
        }
        else if (_waitMs > _launch.Limits.WaitMinutes * 60_000L)
        {
            Enter(Stage.Kill, "waited"); // anything softer withdraws the question, or lets an old CLI go on without its answer
        }
        else if (new FileInfo(_folder.Stderr) is { Exists: true } stderr && stderr.Length > _launch.Limits.StderrBytes)
        {
            PrivateFiles.Truncate(_folder.Stderr, _launch.Limits.StderrBytes); // keeps the head: what an agent says before it fails is said first
        }
    }

    /// <summary>Why nothing may go on here, or null. Without its folder nobody can see, stop or bill this launch any more: the repository was
    /// deleted or moved.</summary>
    private string? Unfit(long elapsedMs)
    {
        _goneMs = File.Exists(_folder.Launch) ? 0 : _goneMs + elapsedMs;
        return _goneMs > FolderGoneMs ? "folderGone" : PrivateFiles.FreeBytes(_launch.Cwd) < _launch.Limits.MinFreeBytes ? "diskFull" : null;
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
                    _closeAt = Environment.TickCount64 + _launch.Limits.GraceMs;
                    if (_stage == Stage.Interrupted)
                    {
                        Enter(Stage.Closed, _reason);
                    }

                    break;
                case "keepStdin":
                    _closeAt = long.MaxValue;
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
                _input?.Close(); // none before the agent
                break;
            case Stage.SigInt:
                _agent.Interrupt();
                break;
            case Stage.SigTerm:
                _agent.Terminate();
                break;
            case Stage.Kill:
                _ = _agent.Kill(silent: reason == "waited"); // it would withdraw its question
                break;
        }
    }

    /// <summary>Agent reaped, then its descendants, then stdout quiet, and only then exit.json: who reads it may rely on all of that.</summary>
    private void Finish(ProcessEnd end)
    {
        var left = _stage == Stage.Running ? _agent.Leftovers() : _agent.Kill();
        WaitForQuiet();
        SayExit(_reason, end, null, left);
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

    private void SayExit(string reason, ProcessEnd? end, string? error, IReadOnlyList<ProcessIdentity> left)
    {
        if (!Directory.Exists(_folder.Path))
        {
            return; // nobody is left who could read it
        }

        _folder.Write(new ExitFile(
            RunFolder.Format,
            reason,
            end?.ExitCode,
            end?.Signal,
            error,
            _startedAt,
            TimeProvider.System.GetUtcNow(),
            StdoutLength(),
            [.. left.Select(process => new LeftPid(process.Pid, process.Start))]));
    }
}
