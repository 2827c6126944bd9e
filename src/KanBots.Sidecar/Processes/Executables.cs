using KanBots.Sidecar.Processes.Windows;

namespace KanBots.Sidecar.Processes;

/// <summary>Finds a program as a shell would: a path as it is, a bare name on PATH.</summary>
internal static class Executables
{
    internal static string? Find(string name, string folder) => Find(name, folder, Environment.GetEnvironmentVariable("PATH") ?? "");

    /// <summary>The absolute path of an existing, executable file, or null.</summary>
    internal static string? Find(string name, string folder, string searchPath)
    {
        // A program is preferred to a batch file, wherever on PATH either stands: cmd.exe reads a batch file's arguments a second time.
        IReadOnlyList<string> names = OperatingSystem.IsWindows() ? CommandLine.FileNames(name) : [name];
        if (name.Contains('/') || name.Contains(Path.DirectorySeparatorChar))
        {
            return names.Select(file => Path.GetFullPath(file, folder)).FirstOrDefault(IsExecutable);
        }

        var folders = searchPath.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return names.SelectMany(file => folders.Select(entry => Path.Combine(entry, file))).FirstOrDefault(IsExecutable);
    }

    /// <summary>How many processes other than this one run a program of the folder. Only Linux shows it; elsewhere the system itself
    /// keeps files that are in use.</summary>
    internal static int RunningFrom(string folder)
    {
        var count = 0;
        if (OperatingSystem.IsLinux())
        {
            foreach (var pid in ProcessTable.Pids())
            {
                count += pid != Environment.ProcessId && Linux.Proc.Executable(pid)?.StartsWith($"{folder}/", StringComparison.Ordinal) == true ? 1 : 0;
            }
        }

        return count;
    }

    private static bool IsExecutable(string path) =>
        File.Exists(path) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0);
}
