using System.Runtime.Versioning;

namespace KanBots.Sidecar.Processes.Unix;

/// <summary>By flock. After taking it we look whether the locked file is still the one at that path: whoever deletes a lock file would
/// otherwise let in a second owner.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class Flock : FileLock
{
    private int _fd;

    private Flock(int fd) => _fd = fd;

    internal static Flock? Take(string path)
    {
        for (; ; )
        {
            var fd = LibC.Open(path, LibC.O_RDWR | LibC.O_CREAT | LibC.O_CLOEXEC | LibC.O_NOFOLLOW, UnixFiles.FileMode);
            if (fd < 0)
            {
                throw new IOException($"The lock {path} could not be opened: {LibC.Describe(LibC.LastError)}.");
            }

            if (LibC.flock(fd, LibC.LOCK_EX | LibC.LOCK_NB) != 0)
            {
                _ = LibC.close(fd);
                return null;
            }

            if (FileFacts.Of(path) is { } there && FileFacts.Of(fd) is { } ours && there.Inode == ours.Inode && there.Device == ours.Device)
            {
                return new Flock(fd);
            }

            _ = LibC.close(fd);
        }
    }

    public override void Dispose()
    {
        var fd = Interlocked.Exchange(ref _fd, -1);
        if (fd >= 0)
        {
            _ = LibC.close(fd);
        }
    }
}
