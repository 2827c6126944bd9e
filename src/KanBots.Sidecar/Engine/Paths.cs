using System.Globalization;
using KanBots.Sidecar.Git;
using KanBots.Sidecar.Processes;
using KanBots.Sidecar.RunHost;

namespace KanBots.Sidecar.Engine;

/// <summary>Where our state lies: in the git common dir, where no clone can plant it and `git clean` cannot take it.</summary>
internal sealed record Paths(Repository Repository)
{
    internal string State => Repository.StateFolder;

    internal string Database => Path.Combine(State, "kanbots.db");

    /// <summary>The number of the database's format, for whoever must know it without opening the database.</summary>
    internal string StorageVersion => Path.Combine(State, "storage-version");

    internal string Settings => Path.Combine(State, "settings.json");

    internal string Runs => Path.Combine(State, "runs");

    internal string Scratch => Path.Combine(State, "scratch");

    /// <summary>Whose lock says which run may set up its worktree.</summary>
    internal string SetupLock => Path.Combine(State, "setup.lock");

    /// <summary>Every launch that has a folder, in no order.</summary>
    internal IEnumerable<(int Card, long Run, RunFolder Folder)> Launches() => Directory.Exists(Runs)
        ? from run in Directory.EnumerateDirectories(Runs)
          let names = Path.GetFileName(run).Split('-')
          where names.Length == 2 && int.TryParse(names[0], out _) && long.TryParse(names[1], out _)
          where PrivateFiles.Look(run) is { IsFolder: true } // a link in its place would have us delete elsewhere
          from launch in Directory.EnumerateDirectories(run)
          where PrivateFiles.Look(launch) is { IsFolder: true }
          select (int.Parse(names[0], CultureInfo.InvariantCulture), long.Parse(names[1], CultureInfo.InvariantCulture), new RunFolder(launch))
        : [];

    /// <summary>What the run's worktree was given, beside the folders of its launches.</summary>
    internal string Needs(int cardNumber, long runId) => Path.Combine(Runs, FormattableString.Invariant($"{cardNumber}-{runId}"), "needs.json");

    internal string TrashFolder => Path.Combine(State, "trash");

    internal string Trash(int cardNumber, long runId) => Path.Combine(TrashFolder, FormattableString.Invariant($"issue-{cardNumber}-{runId}"));

    internal RunFolder Launch(int cardNumber, long runId, int launch) => new(Path.Combine(Runs, FormattableString.Invariant($"{cardNumber}-{runId}"), FormattableString.Invariant($"{launch}")));
}
