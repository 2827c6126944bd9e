using KanBots.Sidecar.Processes.Linux;

namespace KanBots.Sidecar.Processes;

/// <summary>What has changed in a folder and below it since it was asked last.</summary>
/// <param name="IsBlind">Nothing is known any more, and nothing will be: a new watch must be begun.</param>
/// <param name="IsAll">Any file may have changed.</param>
/// <param name="Paths">Files that may have changed, relative, with slashes, when nothing else has.</param>
internal readonly record struct TreeChange(bool IsBlind, bool IsAll, IReadOnlyCollection<string> Paths)
{
    internal static TreeChange Blind { get; } = new(true, true, []);

    internal static TreeChange All { get; } = new(false, true, []);
}

/// <summary>Watches a working tree for as long as somebody looks at it. A file that is written through a mapping is seen when it is closed.</summary>
internal abstract class TreeWatch : IDisposable
{
    /// <summary>Folders of one tree; a larger one is not watched.</summary>
    internal const int FoldersMax = 5_000;

    /// <summary>Paths that are remembered between two questions; beyond them it is any.</summary>
    internal const int PathsMax = 1_000;

    /// <param name="leftOut">Folders that do not matter, relative, with slashes.</param>
    /// <param name="touched">Called on a thread of the watch's, now and then while there are changes. It must only post.</param>
    /// <returns>Null when it cannot be watched: it is too large, holds another repository, or the user's limit of watches is reached.</returns>
    internal static TreeWatch? Start(string root, IReadOnlySet<string> leftOut, Action touched) =>
        OperatingSystem.IsLinux() ? InotifyTree.Start(root, leftOut, touched) : WatcherTree.Start(root, leftOut, touched);

    /// <summary>What has changed since the last call, up to this very moment where the system can tell (Linux); elsewhere what is said of it comes a little later.</summary>
    internal abstract TreeChange Take();

    public abstract void Dispose();
}
