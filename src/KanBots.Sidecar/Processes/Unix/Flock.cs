using System.Runtime.Versioning;

namespace KanBots.Sidecar.Processes.Unix;

/// <summary>By flock. After taking it we look whether the locked file is still the one at that path: whoever deletes a lock file would
/// otherwise let in a second owner.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class Flock : FileLock
{
    private int _fd;

    private readonly string _path;

    private Flock(int fd, string path) => (_fd, _path) = (fd, path);

    internal override bool IsInPlace => IsAt(_fd, _path);

    private static bool IsAt(int fd, string path) => FileFacts.Of(path) is { } there && FileFacts.Of(fd) is { } ours && there.Inode == ours.Inode && there.Device == ours.Device;

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

            if (IsAt(fd, path))
            {
                return new Flock(fd, path);
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
