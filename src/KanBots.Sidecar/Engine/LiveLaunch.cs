using KanBots.Sidecar.Agents.Claude;
using KanBots.Sidecar.Journal;
using KanBots.Sidecar.Processes;
using KanBots.Sidecar.RunHost;

namespace KanBots.Sidecar.Engine;

/// <summary>How a live launch stands: bytes that the agent wrote and bytes that were read, and its processes.</summary>
internal sealed record LaunchFacts(long RunId, int Launch, long StreamBytes, long IngestedBytes, int? HostPid, int? AgentPid);

/// <summary>A launch that the engine follows: its folder, how far its stream was read, and who hosts it.</summary>
internal sealed class LiveLaunch(long runId, int launch, RunFolder folder, StreamPosition position, ClaudeState decoder)
{
    internal long RunId { get; } = runId;

    internal int Launch { get; } = launch;

    internal RunFolder Folder { get; } = folder;

    internal StreamTail Tail { get; } = new(folder.Stdout);

    internal StreamPosition Position { get; set; } = position;

    internal ClaudeState Decoder { get; set; } = decoder;

    internal ProcessIdentity? Host { get; set; }

    /// <summary>Its end is being dealt with: it is reported once.</summary>
    internal bool IsEnding { get; set; }

    /// <summary>Its stream was read up to the size of one piece; the next look has been posted.</summary>
    internal bool HasMore { get; set; }

    /// <summary>A timestamp of when its host was first told to stop it.</summary>
    internal long? StopOrderedAt { get; set; }

    /// <summary>Its setup command may still be under way.</summary>
    internal bool HasSetup { get; set; } = true;

    internal DateTimeOffset SetupShownAt { get; set; }

    internal bool InTurn { get; set; }

    /// <summary>When its stream last grew.</summary>
    internal DateTimeOffset HeardAt { get; set; }

    /// <summary>Its stream is read a second time, for a board that was lost: what it says is dated so and causes nothing in the world.</summary>
    internal DateTimeOffset? ReplayedAt { get; init; }

    /// <summary>It has spent what nobody has asked for yet.</summary>
    internal bool WantsUsage { get; set; }

    internal long UsageAsked { get; set; }

    internal DateTimeOffset UsageAskedAt { get; set; }

    internal LaunchFacts Facts() =>
        new(RunId, Launch, new FileInfo(Folder.Stdout) is { Exists: true } file ? file.Length : 0, Position.Offset, Host?.Pid, Folder.ReadHost()?.AgentPid);
}
