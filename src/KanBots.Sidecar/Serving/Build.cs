using System.Reflection;
using System.Security.Cryptography;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Serving;

/// <summary>This build: its version, and its content-addressed copy in the user's cache, from which everything is started. An
/// extension's update deletes the folder of the old one under running processes, and the next assembly load would fail.</summary>
internal static class Build
{
    internal static string Version { get; } = typeof(Build).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    /// <summary>Version and content, so that two builds of the same version are told apart.</summary>
    internal static string Id { get; } = $"{Version}+{typeof(Build).Module.ModuleVersionId:N}";

    internal static string CacheFolder { get; } = Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } set ? set : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
        "kanbots");

    /// <summary>A newer build asks an older serve to leave; equal versions never do, so that two editors do not push each other out.</summary>
    internal static bool IsNewer(string one, string other) => Number(one) > Number(other);

    private static Version Number(string build) => System.Version.TryParse(build.Split('+')[0], out var version) ? version : new Version(0, 0);

    /// <summary>Places the running build into the cache unless it is there, and says how to start it.</summary>
    /// <returns>The first words of an argv: the executable, and the assembly when it needs the dotnet host.</returns>
    internal static IReadOnlyList<string> Place()
    {
        var source = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar);
        var builds = Path.Combine(CacheFolder, "builds");
        if (source.StartsWith(builds, StringComparison.Ordinal))
        {
            return CommandIn(source);
        }

        var target = Path.Combine(builds, $"{Version}-{Fingerprint(source)}");
        if (!Directory.Exists(target))
        {
            var temporary = $"{target}.{Environment.ProcessId}.tmp";
            try
            {
                PrivateFiles.MakeFolder(builds);
                Copy(source, temporary);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                throw new IOException($"The sidecar keeps a copy of itself in {builds}, and could not: {failure.Message} XDG_CACHE_HOME can name a folder elsewhere.", failure);
            }

            try
            {
                Directory.Move(temporary, target);
            }
            catch (IOException) when (Directory.Exists(target))
            {
                Directory.Delete(temporary, recursive: true); // another relay was faster, with the same content
            }
        }

        return CommandIn(target);
    }

    private static IReadOnlyList<string> CommandIn(string folder)
    {
        var executable = Path.Combine(folder, OperatingSystem.IsWindows() ? "kanbots-sidecar.exe" : "kanbots-sidecar");
        return File.Exists(executable) ? [executable] : [Environment.ProcessPath ?? "dotnet", Path.Combine(folder, "kanbots-sidecar.dll")];
    }

    /// <summary>Over names, sizes and the identity of our own assembly: cheap, and different for every build.</summary>
    private static string Fingerprint(string folder)
    {
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(file => $"{Path.GetRelativePath(folder, file)}:{new FileInfo(file).Length}");
        var text = string.Join('\n', files.Prepend(Id));
        return Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)))[..16];
    }

    private static void Copy(string from, string to)
    {
        PrivateFiles.MakeFolder(to);
        foreach (var file in Directory.EnumerateFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
        }

        foreach (var folder in Directory.EnumerateDirectories(from))
        {
            Copy(folder, Path.Combine(to, Path.GetFileName(folder)));
        }
    }
}
