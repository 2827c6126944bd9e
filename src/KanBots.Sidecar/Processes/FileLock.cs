using KanBots.Sidecar.Processes.Unix;
using KanBots.Sidecar.Processes.Windows;

namespace KanBots.Sidecar.Processes;

/// <summary>An exclusive lock that the kernel lets go of when its process dies.</summary>
internal abstract class FileLock : IDisposable
{
    /// <summary>The lock, or null while somebody else holds it.</summary>
    internal static FileLock? TryTake(string path) => OperatingSystem.IsWindows() ? WindowsLock.Take(path) : Flock.Take(path);

    /// <summary>The locked file is still the one at its path: false when it was deleted or its folder was moved away.</summary>
    internal abstract bool IsInPlace { get; }

    public abstract void Dispose();
}
