using System.Text;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.RunHost;

/// <summary>The setup command, before the agent: in the same tree and environment as the agent, so that whatever ends or guards the one
/// ends and guards the other, and so that it goes on without serve.</summary>
internal sealed partial class Host
{
    /// <summary>How often a setup that waits for its turn tries, in milliseconds. The kernel says to nobody that a lock is free.</summary>
    private const int TurnMs = 200;

    /// <summary>Of the end of the log that a failure quotes.</summary>
    private const int TailBytes = 4 * 1024;
    private const int TailLines = 8;
    private const int TailCharacters = 1_000;

    private bool _isTimedOut;

    /// <returns>True when the agent may start; false when exit.json says why it may not.</returns>
    private bool SetUp()
    {
        if (_launch.Setup is not { } setup)
        {
            return true;
        }

        var said = new SetupFile(RunFolder.Format, SetupFile.Waiting, setup.Argv, TimeProvider.System.GetUtcNow());
        using var turn = AwaitTurn(setup, said);
        if (turn is null)
        {
            return StopSetUp(said);
        }

        said = said with { State = SetupFile.Running, StartedAt = TimeProvider.System.GetUtcNow() };
        _folder.Write(said);
        if (Executables.Find(setup.Argv[0], _launch.Cwd) is not { } executable)
        {
            return FailSetUp(said, null, $"The setup command could not be started: {setup.Argv[0]} was not found. Install it, or correct worktree.setup; then resume the run.");
        }

        PrivateFiles.Touch(_folder.SetupLog);
        _agent.Start(new AgentStart(executable, [.. setup.Argv.Skip(1)], AgentEnvironment(), _launch.Cwd, _folder.SetupLog, _folder.SetupLog));
        _agent.CloseInput(); // nobody answers it: what asks must fail
        var until = Environment.TickCount64 + (setup.TimeoutMs);
        while (_agent.End is null)
        {
            if (!Pause((int)Math.Clamp(until - Environment.TickCount64, 0, TickMs)))
            {
                return StopSetUp(said);
            }

            Shorten(setup.LogBytes);
            if (Environment.TickCount64 >= until)
            {
                _isTimedOut = true;
                _ = _agent.Kill();
                break;
            }
        }

        var end = _agent.End;
        var seconds = (int)(TimeProvider.System.GetUtcNow() - said.StartedAt!.Value).TotalSeconds;
        if (!_isTimedOut && end is { ExitCode: 0 })
        {
            _folder.Write(said with { State = SetupFile.Done, EndedAt = TimeProvider.System.GetUtcNow(), ExitCode = 0 });
            return true;
        }

        var how = _isTimedOut ? FormattableString.Invariant($"did not end within {setup.TimeoutMs / 60_000.0:0.##} min and was ended") : end?.Signal is { } signal ? $"was ended by signal {signal}" : $"failed with code {end?.ExitCode}";
        var next = _isTimedOut ? "Make it faster, or raise worktree.setupMinutes" : "Correct it, or worktree.setup";
        return FailSetUp(said, end, $"The setup command {how} after {seconds} s{Quote()}{next}; then resume the run, which runs it again. Its whole log: {_folder.SetupLog}");
    }

    /// <summary>One at a time in a repository: setups share the caches of package managers, and the disk. The kernel lets go of the lock
    /// when its host dies.</summary>
    /// <returns>Null when the launch was stopped meanwhile.</returns>
    private FileLock? AwaitTurn(LaunchSetup setup, SetupFile said)
    {
        for (var first = true; ; first = false)
        {
            if (FileLock.TryTake(setup.Lock) is { } turn)
            {
                return turn;
            }

            if (first)
            {
                _folder.Write(said);
            }

            if (!Pause(TurnMs))
            {
                return null;
            }
        }
    }

    /// <returns>False when the launch is to end.</returns>
    private bool Pause(int ms)
    {
        var before = Environment.TickCount64;
        _agent.Wait(ms, untilRoom: false);
        ReadControl();
        if (_stage == Stage.Running && Unfit(Environment.TickCount64 - before) is { } reason)
        {
            (_stage, _reason) = (Stage.Kill, reason);
        }

        return _stage == Stage.Running;
    }

    private bool StopSetUp(SetupFile said)
    {
        var left = _agent.Kill();
        if (Directory.Exists(_folder.Path))
        {
            _folder.Write(said with { State = SetupFile.Failed, EndedAt = TimeProvider.System.GetUtcNow() });
        }

        SayExit(_reason, null, null, left);
        return false;
    }

    private bool FailSetUp(SetupFile said, ProcessEnd? end, string sentence)
    {
        var left = _agent.Kill();
        _folder.Write(said with { State = SetupFile.Failed, EndedAt = TimeProvider.System.GetUtcNow(), ExitCode = end?.ExitCode, Signal = end?.Signal });
        SayExit("setupFailed", end, sentence, left);
        return false;
    }

    /// <summary>A log that grows too long keeps its head, which says what was begun, and its end, which says how it goes.</summary>
    private void Shorten(long most)
    {
        if (new FileInfo(_folder.SetupLog) is { Exists: true } log && log.Length > most)
        {
            var tail = ReadTail(most / 4);
            var left = log.Length - (most / 2) - tail.Length;
            PrivateFiles.Truncate(_folder.SetupLog, most / 2);
            PrivateFiles.Append(_folder.SetupLog, [.. Encoding.UTF8.GetBytes(FormattableString.Invariant($"\n... {left} bytes are left out here ...\n")), .. tail]);
        }
    }

    private byte[] ReadTail(long most)
    {
        if (!File.Exists(_folder.SetupLog))
        {
            return [];
        }

        using var file = new FileStream(_folder.SetupLog, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        file.Position = Math.Max(0, file.Length - most);
        var bytes = new byte[Math.Min(most, file.Length)];
        return bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
    }

    private string Quote()
    {
        var lines = SetupFile.Plain(Encoding.UTF8.GetString(ReadTail(TailBytes))).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var text = string.Join('\n', lines.TakeLast(TailLines));
        return text.Length == 0 ? " and said nothing. " : $". Its last words:\n{(text.Length > TailCharacters ? text[^TailCharacters..] : text)}\n";
    }
}
