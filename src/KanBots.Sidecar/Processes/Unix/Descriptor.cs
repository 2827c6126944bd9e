using System.Runtime.Versioning;

namespace KanBots.Sidecar.Processes.Unix;

/// <summary>Reads and writes on a raw file descriptor, repeated after an interrupted call.</summary>
[UnsupportedOSPlatform("windows")]
internal static unsafe class Descriptor
{
    internal static void WriteAll(int fd, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            nint done = 0;
            while (done < bytes.Length)
            {
                var count = LibC.write(fd, start + done, bytes.Length - done);
                if (count >= 0)
                {
                    done += count;
                }
                else if (LibC.LastError != LibC.EINTR)
                {
                    throw new IOException($"write failed: {LibC.Describe(LibC.LastError)}");
                }
            }
        }
    }

    /// <summary>Number of bytes read, 0 at the end, -1 when nothing is there on a non-blocking descriptor.</summary>
    internal static int Read(int fd, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            for (; ; )
            {
                var count = LibC.read(fd, start, buffer.Length);
                if (count >= 0)
                {
                    return (int)count;
                }

                var error = LibC.LastError;
                if (error == LibC.EAGAIN)
                {
                    return -1;
                }

                if (error != LibC.EINTR)
                {
                    throw new IOException($"read failed: {LibC.Describe(error)}");
                }
            }
        }
    }

    /// <summary>Writes what fits now into a non-blocking descriptor. Returns the count, or -1 when the reader is gone.</summary>
    internal static int WriteSome(int fd, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            for (; ; )
            {
                var count = LibC.write(fd, start, bytes.Length);
                if (count >= 0)
                {
                    return (int)count;
                }

                var error = LibC.LastError;
                if (error == LibC.EAGAIN)
                {
                    return 0;
                }

                if (error != LibC.EINTR)
                {
                    return -1;
                }
            }
        }
    }

    internal static (int Read, int Write) Pipe()
    {
        var ends = stackalloc int[2];
        return LibC.Pipe(ends) == 0 ? (ends[0], ends[1]) : throw new IOException($"pipe failed: {LibC.Describe(LibC.LastError)}");
    }
}
