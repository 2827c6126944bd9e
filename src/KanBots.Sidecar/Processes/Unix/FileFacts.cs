using System.Runtime.Versioning;

namespace KanBots.Sidecar.Processes.Unix;

/// <summary>Device, inode, owner and mode of a file.</summary>
[UnsupportedOSPlatform("windows")]
internal readonly record struct FileFacts(ulong Device, ulong Inode, uint Owner, int Mode)
{
    internal bool IsFolder => (Mode & 0xF000) == 0x4000;

    /// <summary>Owned by this user, and no right for the group or for others.</summary>
    internal bool IsPrivate => (Mode & 0x3F) == 0 && Owner == LibC.getuid();

    /// <summary>Facts of a path (never following a last link), or null when there is none.</summary>
    internal static FileFacts? Of(string path) =>
        OperatingSystem.IsLinux() ? Linux.Kernel.Facts(path)
        : OperatingSystem.IsMacOS() ? MacOs.Darwin.Facts(path)
        : throw new PlatformNotSupportedException();

    internal static FileFacts? Of(int fd) =>
        OperatingSystem.IsLinux() ? Linux.Kernel.Facts(fd)
        : OperatingSystem.IsMacOS() ? MacOs.Darwin.Facts(fd)
        : throw new PlatformNotSupportedException();
}
