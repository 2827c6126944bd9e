using System.Runtime.Versioning;
using KanBots.Sidecar.Processes.Linux;

namespace KanBots.Sidecar.Processes.Unix;

/// <summary>The lock files that gits of a tree had open when they were stopped. Between the opening of one and git's own note of it lies
/// a moment in which git's handler does not know it yet: what is then left behind is taken away when nobody of the tree lives any more.
/// The files are held open meanwhile, so that no later lock of somebody else is taken for one of them. On Linux only: elsewhere nobody
/// says what a process has open.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class HeldLocks : IDisposable
{
    /// <summary>How often it is looked whether a process that was told to stop stands still, a millisecond apart.</summary>
    private const int StillLooksMax = 20;

    private readonly HashSet<int> _noted = [];
    private readonly List<(string Path, int Fd)> _held = [];

    /// <param name="pid">Of a process that was told to stop.</param>
    internal void Note(int pid)
    {
        if (!OperatingSystem.IsLinux() || Path.GetFileName(Proc.Executable(pid)) != "git" || !_noted.Add(pid))
        {
            return;
        }

        for (var look = 0; look < StillLooksMax && !Proc.IsStill(pid); look++)
        {
            Thread.Sleep(1);
        }

        foreach (var (link, path) in Proc.OpenFiles(pid).Where(file => file.Path.EndsWith(".lock", StringComparison.Ordinal) && file.Path.Contains("/.git/", StringComparison.Ordinal)))
        {
            var fd = LibC.Open(link, LibC.O_RDONLY | LibC.O_NONBLOCK | LibC.O_CLOEXEC);
            if (fd >= 0)
            {
                _held.Add((path, fd));
            }
        }
    }

    internal void Remove()
    {
        foreach (var (path, fd) in _held)
        {
            if (FileFacts.Of(path) is { } there && FileFacts.Of(fd) is { } held && there == held)
            {
                File.Delete(path);
            }
        }
    }

    public void Dispose() => _held.ForEach(held => _ = LibC.close(held.Fd));
}
