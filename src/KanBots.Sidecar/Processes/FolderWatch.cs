using KanBots.Sidecar.Processes.Linux;

namespace KanBots.Sidecar.Processes;

/// <summary>Watches all run folders. An event means only "look at the files of this folder"; what was missed is found by the tick.</summary>
internal abstract class FolderWatch : IDisposable
{
    /// <param name="changed">Called on a thread of the watch's, once per folder and batch of events. It must only post.</param>
    /// <param name="tick">Called once a second, and more often where events come late.</param>
    internal static FolderWatch Start(Action<string> changed, Action tick) =>
        OperatingSystem.IsLinux() ? new Inotify(changed, tick) : new WatcherFolderWatch(changed, tick);

    /// <summary>False without a watch (the user's limit is reached, or the system has none): the tick alone serves the folder.</summary>
    internal abstract bool Add(string folder);

    internal abstract void Remove(string folder);

    public abstract void Dispose();
}
