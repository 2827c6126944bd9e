namespace KanBots.Sidecar.Processes;

/// <summary>An exclusive lock that the kernel lets go of when its process dies. After taking it we look whether the locked file is
/// still the one at that path: whoever deletes a lock file would otherwise let in a second owner.</summary>
internal sealed class FileLock : IDisposable
{
    private int _fd;

    private FileLock(int fd) => _fd = fd;

    /// <summary>The lock, or null while somebody else holds it.</summary>
    internal static FileLock? TryTake(string path)
    {
        for (; ; )
        {
            var fd = LibC.Open(path, LibC.O_RDWR | LibC.O_CREAT | LibC.O_CLOEXEC | LibC.O_NOFOLLOW, PrivateFiles.FileMode);
            if (fd < 0)
            {
                throw new IOException($"The lock {path} could not be opened: {LibC.Describe(LibC.LastError)}.");
            }

            if (LibC.flock(fd, LibC.LOCK_EX | LibC.LOCK_NB) != 0)
            {
                _ = LibC.close(fd);
                return null;
            }

            if (LibC.Facts(path) is { } there && LibC.Facts(fd) is { } ours && there.Inode == ours.Inode && there.Device == ours.Device)
            {
                return new FileLock(fd);
            }

            _ = LibC.close(fd);
        }
    }

    public void Dispose()
    {
        var fd = Interlocked.Exchange(ref _fd, -1);
        if (fd >= 0)
        {
            _ = LibC.close(fd);
        }
    }
}
