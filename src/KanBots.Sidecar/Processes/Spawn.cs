using KanBots.Sidecar.Processes.Unix;
using KanBots.Sidecar.Processes.Windows;

namespace KanBots.Sidecar.Processes;

/// <summary>Where a descriptor of the new process leads.</summary>
internal abstract record Redirect
{
    internal sealed record Null : Redirect;

    /// <summary>A file, opened for append and made private when it is not there.</summary>
    internal sealed record AppendTo(string Path) : Redirect;

    /// <param name="Handle">A file descriptor, or a handle of Windows.</param>
    internal sealed record Inherit(nint Handle) : Redirect;
}

/// <param name="Executable">Absolute path; no search, no shell.</param>
/// <param name="NewSession">Its own session, so that no terminal's signals and no parent's group reach it.</param>
internal sealed record SpawnRequest(string Executable, IReadOnlyList<string> Arguments, IReadOnlyList<string> Environment, string Folder, Redirect Input, Redirect Output, Redirect Error, bool NewSession);

/// <summary>Starts a process that gets its three standard handles and nothing else that is open here.</summary>
internal static class Spawn
{
    /// <returns>The pid of the new process, a child of this one.</returns>
    /// <exception cref="IOException">It could not be started; the message carries the system's reason.</exception>
    internal static int Start(SpawnRequest request) => OperatingSystem.IsWindows() ? CreateProcess.Start(request) : PosixSpawn.Start(request);

    /// <summary>This process's environment as "NAME=value" lines.</summary>
    internal static List<string> OwnEnvironment()
    {
        var lines = new List<string>();
        foreach (System.Collections.DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            lines.Add($"{entry.Key}={entry.Value}");
        }

        return lines;
    }
}
