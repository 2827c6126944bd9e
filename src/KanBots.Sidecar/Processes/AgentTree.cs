using KanBots.Sidecar.Processes.Unix;
using KanBots.Sidecar.Processes.Windows;

namespace KanBots.Sidecar.Processes;

/// <param name="Executable">Absolute path.</param>
/// <param name="Arguments">Without the executable.</param>
/// <param name="Output">The file that standard output is appended to.</param>
/// <param name="Error">The file that standard error is appended to.</param>
internal sealed record AgentStart(string Executable, IReadOnlyList<string> Arguments, IReadOnlyList<string> Environment, string Folder, string Output, string Error);

/// <summary>How a process ended: by itself with a code, or by a signal. Windows has no signals.</summary>
internal readonly record struct ProcessEnd(int? ExitCode, int? Signal);

/// <summary>The one agent of a run host, its stdin, and what it starts. All is called on the host's main thread, which must also be the
/// one that starts the agent: on Linux the parent-death signal fires when the spawning thread ends.
/// Linux: child subreaper, token sweep, and a guard that outlives the host. macOS: token sweep and guard. Windows: a job that ends all
/// of its processes when the host is gone.</summary>
internal abstract class AgentTree
{
    /// <summary>Makes this process the one that a whole tree can hang on, before anything is started.</summary>
    /// <returns>Why it cannot be, or null.</returns>
    internal static string? Prepare() =>
        OperatingSystem.IsLinux() && !Linux.Kernel.BecomeSubreaper() ? "This system has no child subreaper." : null;

    /// <param name="wake">Where <see cref="WakeSignal"/> is sent to.</param>
    /// <exception cref="IOException">The wake signal cannot be heard.</exception>
    internal static AgentTree Open(string token, string wake) => OperatingSystem.IsWindows() ? new JobTree(token, wake) : new UnixTree(token, wake);

    /// <summary>Once more is allowed when the one before has ended: a setup command comes before the agent.</summary>
    /// <exception cref="IOException">It could not be started.</exception>
    internal abstract void Start(AgentStart start);

    internal abstract int AgentPid { get; }

    /// <summary>Null while the agent lives.</summary>
    internal abstract ProcessEnd? End { get; }

    /// <summary>Writes into the agent's stdin what fits now.</summary>
    /// <returns>The number of bytes taken, 0 when it is full, -1 when the agent has closed its end.</returns>
    internal abstract int WriteInput(ReadOnlySpan<byte> bytes);

    internal abstract void CloseInput();

    /// <summary>Until the wake signal comes, the agent ends, its stdin has room (when asked for), or the time is over.</summary>
    internal abstract void Wait(int timeoutMs, bool untilRoom);

    /// <summary>SIGINT. Nothing on Windows, where only a process of the same console could send it.</summary>
    internal abstract void Interrupt();

    /// <summary>SIGTERM. Nothing on Windows, where the next step ends the whole tree.</summary>
    internal abstract void Terminate();

    /// <summary>Ends the agent and all of its descendants.</summary>
    /// <param name="silent">The agent itself is to say nothing more. On Unix all others are asked first.</param>
    /// <returns>What is still alive; empty when the tree is confirmed gone.</returns>
    internal abstract IReadOnlyList<ProcessIdentity> Kill(bool silent = false);

    /// <summary>What outlives an agent that ended by itself. On Windows nothing may, since the job ends with the host: it is killed.</summary>
    internal abstract IReadOnlyList<ProcessIdentity> Leftovers();

    /// <summary>The host is about to end in good order: whoever guards the tree against its death may go.</summary>
    internal abstract void Release();
}
