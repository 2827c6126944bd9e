using System.Runtime.Versioning;

namespace KanBots.Sidecar.Processes.Unix;

/// <summary>Opened with a mode, never by umask, and never through a link.</summary>
[UnsupportedOSPlatform("windows")]
internal static class UnixFiles
{
    internal const uint FolderMode = 0x1C0; // 0700
    internal const uint FileMode = 0x180; // 0600

    internal static void MakeFolder(string path)
    {
        if (LibC.MakeFolder(path, FolderMode) == 0)
        {
            return;
        }

        var error = LibC.LastError;
        if (error == LibC.ENOENT && Path.GetDirectoryName(path) is { Length: > 0 } parent && parent != path)
        {
            MakeFolder(parent);
            if (LibC.MakeFolder(path, FolderMode) == 0)
            {
                return;
            }

            error = LibC.LastError;
        }

        if (error != LibC.EEXIST || FileFacts.Of(path) is not { IsFolder: true })
        {
            throw new IOException($"The folder {path} could not be made: {LibC.Describe(error)}.{(error is LibC.EACCES or LibC.EROFS ? " Let this user write there, then try again." : "")}");
        }
    }

    internal static bool TryClaimFolder(string path) => LibC.MakeFolder(path, FolderMode) == 0
        || (LibC.LastError == LibC.EEXIST ? false : throw new IOException($"The folder {path} could not be made: {LibC.Describe(LibC.LastError)}."));

    internal static void Replace(string path, ReadOnlySpan<byte> content)
    {
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        var fd = OpenOrThrow(temporary, LibC.O_WRONLY | LibC.O_CREAT | LibC.O_TRUNC);
        try
        {
            Descriptor.WriteAll(fd, content);
            _ = LibC.fsync(fd);
        }
        finally
        {
            _ = LibC.close(fd);
        }

        if (LibC.Rename(temporary, path) != 0)
        {
            throw new IOException($"{path} could not be written: {LibC.Describe(LibC.LastError)}.");
        }
    }

    internal static void Append(string path, ReadOnlySpan<byte> content)
    {
        var fd = OpenOrThrow(path, LibC.O_WRONLY | LibC.O_APPEND | LibC.O_CREAT);
        try
        {
            Descriptor.WriteAll(fd, content);
        }
        finally
        {
            _ = LibC.close(fd);
        }
    }

    internal static void Touch(string path)
    {
        var fd = OpenOrThrow(path, LibC.O_WRONLY | LibC.O_CREAT);
        _ = LibC.fchmod(fd, FileMode);
        _ = LibC.close(fd);
    }

    internal static void Truncate(string path, long length)
    {
        var fd = LibC.Open(path, LibC.O_WRONLY | LibC.O_CLOEXEC | LibC.O_NOFOLLOW);
        if (fd >= 0)
        {
            _ = LibC.ftruncate(fd, length);
            _ = LibC.close(fd);
        }
    }

    private static int OpenOrThrow(string path, int flags)
    {
        var fd = LibC.Open(path, flags | LibC.O_CLOEXEC | LibC.O_NOFOLLOW, FileMode);
        return fd >= 0 ? fd : throw new IOException($"{path} could not be opened: {LibC.Describe(LibC.LastError)}.");
    }
}
