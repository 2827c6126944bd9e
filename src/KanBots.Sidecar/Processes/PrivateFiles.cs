using KanBots.Sidecar.Processes.Unix;
using KanBots.Sidecar.Processes.Windows;

namespace KanBots.Sidecar.Processes;

/// <param name="IsFolder">A real one: a link to a folder is none.</param>
/// <param name="IsPrivate">Owned by this user, and nobody else may enter or read it.</param>
internal readonly record struct PathFacts(bool IsFolder, bool IsPrivate);

/// <summary>Files and folders that only their user can read, never reached through a link.</summary>
internal static class PrivateFiles
{
    /// <summary>Null when there is nothing at the path. A last link is not followed.</summary>
    internal static PathFacts? Look(string path) =>
        OperatingSystem.IsWindows() ? WindowsFiles.Look(path)
        : FileFacts.Of(path) is { } facts ? new PathFacts(facts.IsFolder, facts.IsPrivate)
        : null;

    /// <summary>Makes the folder and its missing parents. A folder that is there must be a real one.</summary>
    internal static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            WindowsFiles.MakeFolder(path);
        }
        else
        {
            UnixFiles.MakeFolder(path);
        }
    }

    /// <summary>True when this call made the folder; false when it was there. The kernel lets only one caller win.</summary>
    internal static bool TryClaimFolder(string path) => OperatingSystem.IsWindows() ? WindowsFiles.TryClaimFolder(path) : UnixFiles.TryClaimFolder(path);

    /// <summary>Writes the whole file under another name, brings it to the disk, and renames it: a reader sees all or nothing.</summary>
    internal static void Replace(string path, ReadOnlySpan<byte> content)
    {
        if (OperatingSystem.IsWindows())
        {
            WindowsFiles.Replace(path, content);
        }
        else
        {
            UnixFiles.Replace(path, content);
        }
    }

    /// <summary>Appends one piece in one write, so that no reader sees another writer's bytes inside it.</summary>
    internal static void Append(string path, ReadOnlySpan<byte> content)
    {
        if (OperatingSystem.IsWindows())
        {
            WindowsFiles.Append(path, content);
        }
        else
        {
            UnixFiles.Append(path, content);
        }
    }

    /// <summary>Makes an empty file unless it is there; one that is there becomes private.</summary>
    internal static void Touch(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            WindowsFiles.Touch(path);
        }
        else
        {
            UnixFiles.Touch(path);
        }
    }

    /// <summary>Keeps the first bytes of a file that others may be writing to. Does nothing when it cannot be opened.</summary>
    internal static void Truncate(string path, long length)
    {
        if (OperatingSystem.IsWindows())
        {
            WindowsFiles.Truncate(path, length);
        }
        else
        {
            UnixFiles.Truncate(path, length);
        }
    }

    /// <summary>The whole file, while others may write, rename or delete it: File.ReadAllBytes would shut them out on Windows.</summary>
    internal static byte[] ReadAll(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Closes a folder and all in it for writing; its files may be run. Only a matter of mistakes: their owner can open it again.</summary>
    internal static void Seal(string folder)
    {
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode closed = UnixFileMode.UserRead | UnixFileMode.UserExecute;
            foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Concat(Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories).Reverse()).Append(folder).ToList())
            {
                File.SetUnixFileMode(path, closed);
            }
        }
    }

    /// <summary>A folder of ours for what lasts no longer than its process.</summary>
    internal static void MakeEmptyFolder(string path)
    {
        if (Look(path) is { IsFolder: true })
        {
            DeleteFolder(path);
        }

        MakeFolder(path);
    }

    /// <summary>Deletes a folder of ours with all in it, closed ones too. Links are deleted and never followed.</summary>
    internal static void DeleteFolder(string folder)
    {
        if (!OperatingSystem.IsWindows())
        {
            Open(folder);
        }

        Directory.Delete(folder, recursive: true);
    }

    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    private static void Open(string folder)
    {
        if (FileFacts.Of(folder) is { IsFolder: true })
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            foreach (var inner in Directory.EnumerateDirectories(folder))
            {
                Open(inner);
            }
        }
    }

    /// <summary>Free bytes where the folder lies; as many as there can be when that is not known.</summary>
    internal static long FreeBytes(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return long.MaxValue; // a network path has no drive on Windows
        }
    }
}
