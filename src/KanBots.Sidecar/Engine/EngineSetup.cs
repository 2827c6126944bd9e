using System.Text;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.RunHost;

namespace KanBots.Sidecar.Engine;

/// <param name="Since">When it began to run, or to wait for its turn.</param>
internal sealed record SetupProgress(bool IsWaiting, DateTimeOffset Since, string? LastLine);

/// <summary>The setup command. The run host runs it, before the agent; here it is ordered and watched.</summary>
internal sealed partial class BoardEngine
{
    private const int LastLineBytes = 4 * 1024;
    private const int LastLineCharacters = 200;
    private static readonly TimeSpan SetupShownEvery = TimeSpan.FromMilliseconds(500);

    private const string SetupNotice = "setup";

    /// <summary>Until it has succeeded or an agent has worked in the worktree; never for an untrusted workspace.</summary>
    private LaunchSetup? SetupOf(Run run, int number)
    {
        if (Settings.SetupArgv is not { } argv || Enumerable.Range(1, number - 1).Select(earlier => _paths.Launch(run.CardNumber, run.Id, earlier)).Any(IsSetUp))
        {
            return null;
        }

        if (!IsTrusted(run.Id))
        {
            Keep(run, NeedsOf(run.Id).Say(new Notice(SetupNotice, "The setup command was not run, since the workspace is not trusted any more.")));
            return null;
        }

        Keep(run, NeedsOf(run.Id).Unsay(SetupNotice));
        return new LaunchSetup(argv, (Settings.WorktreeSetupMinutes ?? FileSettings.SetupMinutes) * 60_000L, _paths.SetupLock);
    }

    private static bool IsSetUp(RunFolder earlier) => earlier.ReadSetup() is { State: SetupFile.Done } || earlier.ReadHost() is { AgentPid: not null };

    private static Reason? DiedInSetup(LiveLaunch launch) =>
        SetupNow(launch.Folder, default) is { State: SetupFile.Waiting or SetupFile.Running }
            ? new Reason("hostDied", "The run's host was found dead while the setup command waited or ran. Resume the run: the command is run again.")
            : null;

    /// <summary>The latest one's, when there is one.</summary>
    internal string? SetupLogOf(Run run) =>
        Enumerable.Range(1, run.Launch).Reverse().Select(number => _paths.Launch(run.CardNumber, run.Id, number).SetupLog).FirstOrDefault(File.Exists);

    private void ShowSetup(LiveLaunch launch)
    {
        var now = _time.GetUtcNow();
        if (!launch.HasSetup || now - launch.SetupShownAt < SetupShownEvery)
        {
            return;
        }

        launch.SetupShownAt = now;
        var file = SetupNow(launch.Folder, now);
        launch.HasSetup = file is { State: SetupFile.Waiting or SetupFile.Running };
        Show(_view with
        {
            Setups = launch.HasSetup
                ? _view.Setups.SetItem(launch.RunId, new SetupProgress(file!.State == SetupFile.Waiting, file.StartedAt ?? file.At, file.State == SetupFile.Waiting ? null : LastLine(launch.Folder.SetupLog)))
                : _view.Setups.Remove(launch.RunId),
        });
    }

    private static SetupFile? SetupNow(RunFolder folder, DateTimeOffset now)
    {
        try
        {
            return folder.ReadLaunch() is { Setup: { } ordered } ? folder.ReadSetup() ?? new SetupFile(RunFolder.Format, SetupFile.Waiting, ordered.Argv, now) : null;
        }
        catch (IOException)
        {
            return null; // a damaged file must not hide how the launch goes on
        }
    }

    private static string? LastLine(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        file.Position = Math.Max(0, file.Length - LastLineBytes);
        var bytes = new byte[LastLineBytes];
        var text = SetupFile.Plain(Encoding.UTF8.GetString(bytes.AsSpan(0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false))));
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() is { } line
            ? line[..Math.Min(line.Length, LastLineCharacters)]
            : null;
    }
}
