using System.Runtime.Versioning;

namespace KanBots.Sidecar.Processes.Unix;

/// <summary>The wake signal as a named pipe, of which only the arrival of bytes counts.</summary>
[UnsupportedOSPlatform("windows")]
internal static class Fifo
{
    internal static void Make(string path)
    {
        if (LibC.MakeFifo(path, UnixFiles.FileMode) != 0 && LibC.LastError != LibC.EEXIST)
        {
            throw new IOException($"The wake FIFO could not be made: {LibC.Describe(LibC.LastError)}.");
        }
    }

    /// <summary>The listener's end, made when it is not there.</summary>
    internal static int Open(string path)
    {
        Make(path);
        // Read and write, so that it never reports "the other end is closed" while serve is away.
        var fd = LibC.Open(path, LibC.O_RDWR | LibC.O_NONBLOCK | LibC.O_CLOEXEC | LibC.O_NOFOLLOW);
        return fd >= 0 ? fd : throw new IOException($"The wake FIFO could not be opened: {LibC.Describe(LibC.LastError)}.");
    }

    internal static void Send(string path)
    {
        var fd = LibC.Open(path, LibC.O_WRONLY | LibC.O_NONBLOCK | LibC.O_CLOEXEC | LibC.O_NOFOLLOW);
        if (fd >= 0)
        {
            _ = Descriptor.WriteSome(fd, [1]);
            _ = LibC.close(fd);
        }
    }
}
