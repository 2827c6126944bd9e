using System.Text.Json;
using System.Text.Json.Serialization;

namespace KanBots.Sidecar.Protocol;

[JsonConverter(typeof(CamelCaseEnumConverter<AgentStatus>))]
public enum AgentStatus { Ready, NotInstalled, NotSignedIn, Broken }

public sealed record AgentInfo(string Id, string Name, AgentStatus Status, IReadOnlyList<string> Models, string? Path = null, string? Version = null, string? StatusMessage = null);

public sealed record AgentListResult(IReadOnlyList<AgentInfo> Agents);

/// <summary>Settings by name, and where each value comes from: "default", "user" or "repository".</summary>
public sealed record ConfigGetResult(IReadOnlyDictionary<string, JsonElement> Values, IReadOnlyDictionary<string, string> Origins);

/// <summary>Sets values; null takes a setting back to its default.</summary>
public sealed record ConfigSetParams(string RequestId, IReadOnlyDictionary<string, JsonElement?> Values);

public sealed record ConfigSetResult(IReadOnlyDictionary<string, JsonElement> Values);

public sealed record ClientStatus(string Name, int Pid, bool Trusted, int QueuedMessages, long QueuedBytes);

public sealed record RunStatus(long RunId, int Launch, long StreamBytes, long IngestedBytes, int? HostPid = null, int? AgentPid = null);

public sealed record SidecarStatusResult(
    string ServerVersion,
    string Build,
    int Pid,
    string RepositoryRoot,
    string StateFolder,
    IReadOnlyList<ClientStatus> Clients,
    IReadOnlyList<RunStatus> Runs,
    IReadOnlyDictionary<string, long> Limits,
    long MemoryBytes,
    IReadOnlyList<BoardNotice>? Notices = null);

[JsonConverter(typeof(CamelCaseEnumConverter<LogLevel>))]
public enum LogLevel { Debug, Info, Warning, Error }

public sealed record LogDidAppendParams(LogLevel Level, string Message, DateTimeOffset At, string? Reference = null);
