using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.AccessControl;
using System.Security.Principal;
using Microsoft.Win32.SafeHandles;

namespace KanBots.Sidecar.Processes.Windows;

/// <summary>A folder of ours has a list of rights that is not inherited from above, and all inside inherit it: this user, the system, and
/// administrators, who can read everything anyway. Not run: written from the documentation.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe class WindowsFiles
{
    /// <summary>A rename fails while somebody reads the old file without letting it be deleted, as virus scanners do.</summary>
    private const int RenameTriesMax = 50;
    private const int RenamePauseMs = 20;

    private static readonly SecurityIdentifier User = WindowsIdentity.GetCurrent().User!;

    internal static string UserId => User.Value;

    internal static PathFacts? Look(string path)
    {
        try
        {
            var attributes = File.GetAttributes(path);
            var isFolder = attributes.HasFlag(FileAttributes.Directory) && !attributes.HasFlag(FileAttributes.ReparsePoint);
            return new PathFacts(isFolder, isFolder && IsPrivate(new DirectoryInfo(path)));
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    internal static void MakeFolder(string path)
    {
        if (Look(path) is { IsFolder: true })
        {
            return;
        }

        var rights = new DirectorySecurity();
        rights.SetSecurityDescriptorSddlForm($"D:P(A;OICI;FA;;;{User.Value})(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)", AccessControlSections.Access);
        try
        {
            new DirectoryInfo(path).Create(rights);
        }
        catch (UnauthorizedAccessException refused)
        {
            throw new IOException($"The folder {path} could not be made: {refused.Message}", refused);
        }

        if (Look(path) is not { IsFolder: true })
        {
            throw new IOException($"The folder {path} could not be made: a link or a file is there.");
        }
    }

    internal static bool TryClaimFolder(string path) => Win32.CreateDirectoryW(path, null) != 0
        || (Marshal.GetLastPInvokeError() == Win32.ERROR_ALREADY_EXISTS ? false : throw Win32.Failure($"The folder {path} could not be made"));

    internal static void Replace(string path, ReadOnlySpan<byte> content)
    {
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.Read, 1))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        for (var tries = 1; ; tries++)
        {
            try
            {
                File.Move(temporary, path, overwrite: true);
                return;
            }
            catch (Exception held) when (held is IOException or UnauthorizedAccessException && tries < RenameTriesMax)
            {
                Thread.Sleep(RenamePauseMs);
            }
            catch (UnauthorizedAccessException refused)
            {
                throw new IOException($"{path} could not be written: {refused.Message}", refused);
            }
        }
    }

    internal static void Append(string path, ReadOnlySpan<byte> content)
    {
        using var file = OpenAppend(path, inherit: false);
        fixed (byte* start = content)
        {
            uint written;
            if (Win32.WriteFile(file, start, (uint)content.Length, &written, null) == 0 || written != content.Length)
            {
                throw Win32.Failure($"{path} could not be written");
            }
        }
    }

    internal static void Touch(string path) => OpenAppend(path, inherit: false).Dispose();

    internal static void Truncate(string path, long length)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 1);
            file.SetLength(length);
        }
        catch (Exception held) when (held is IOException or UnauthorizedAccessException)
        {
            // The next look tries again.
        }
    }

    /// <summary>Made when it is not there. With the right to append and none to write, every write goes to the end, whoever else writes.</summary>
    internal static SafeFileHandle OpenAppend(string path, bool inherit)
    {
        var file = Win32.Open(path, Win32.FILE_APPEND_DATA | Win32.FILE_READ_ATTRIBUTES | Win32.SYNCHRONIZE, Win32.OPEN_ALWAYS, inherit);
        if (!File.GetAttributes(file).HasFlag(FileAttributes.ReparsePoint))
        {
            return file;
        }

        file.Dispose();
        throw new IOException($"{path} is a link.");
    }

    private static bool IsPrivate(DirectoryInfo folder)
    {
        SecurityIdentifier[] own = [User, new(WellKnownSidType.LocalSystemSid, null), new(WellKnownSidType.BuiltinAdministratorsSid, null), new(WellKnownSidType.CreatorOwnerSid, null)];
        return folder.GetAccessControl(AccessControlSections.Access)
            .GetAccessRules(includeExplicit: true, includeInherited: true, typeof(SecurityIdentifier))
            .Cast<FileSystemAccessRule>()
            .All(rule => rule.AccessControlType == AccessControlType.Deny || own.Contains(rule.IdentityReference));
    }
}

/// <summary>By LockFileEx. Not run: written from the documentation. While it is open nobody can delete the file, because we do not share
/// that: it is still the one at its path.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class WindowsLock : FileLock
{
    private readonly SafeFileHandle _file;

    private readonly string _path;

    private WindowsLock(SafeFileHandle file, string path) => (_file, _path) = (file, path);

    /// <summary>A file that is open without the right to be deleted stays where it is.</summary>
    internal override bool IsInPlace => File.Exists(_path);

    internal static WindowsLock? Take(string path)
    {
        const uint LOCKFILE_FAIL_IMMEDIATELY = 1, LOCKFILE_EXCLUSIVE_LOCK = 2; // minwinbase.h
        var file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        NativeOverlapped start = default;
        if (Win32.LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &start) != 0)
        {
            return new WindowsLock(file, path);
        }

        var failure = Marshal.GetLastPInvokeError() == Win32.ERROR_LOCK_VIOLATION ? null : Win32.Failure($"The lock {path} could not be taken");
        file.Dispose();
        return failure is null ? null : throw failure;
    }

    public override void Dispose() => _file.Dispose();
}
