namespace KanBots.Sidecar.Processes;

/// <summary>Finds a program as a shell would: a path as it is, a bare name on PATH.</summary>
internal static class Executables
{
    internal static string? Find(string name, string folder) => Find(name, folder, Environment.GetEnvironmentVariable("PATH") ?? "");

    /// <summary>The absolute path of an existing, executable file, or null.</summary>
    internal static string? Find(string name, string folder, string searchPath)
    {
        if (name.Contains('/'))
        {
            var path = Path.GetFullPath(name, folder);
            return IsExecutable(path) ? path : null;
        }

        return searchPath.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(entry => Path.Combine(entry, name)).FirstOrDefault(IsExecutable);
    }

    private static bool IsExecutable(string path) =>
        File.Exists(path) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0);
}
