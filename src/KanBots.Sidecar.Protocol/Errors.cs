using System.Text.Json.Serialization;

namespace KanBots.Sidecar.Protocol;

/// <summary>Error codes of the wire. JSON-RPC's own are negative, the application's are positive.</summary>
public enum ErrorCode
{
    ParseError = -32700,
    InvalidRequest = -32600,
    MethodNotFound = -32601,
    InvalidParams = -32602,
    InternalError = -32603,
    RequestCancelled = -32800,

    InvalidArgument = 1,
    NotTrusted = 2,
    NotInitialized = 3,
    LimitExceeded = 4,
    CardNotFound = 5,
    RunNotFound = 6,
    DecisionNotFound = 7,
    RunNotLive = 8,
    RunLive = 9,
    DecisionAlreadyAnswered = 10,
    IllegalTransition = 11,
    BudgetExceeded = 12,
    AgentNotFound = 13,
    NotAGitRepository = 14,
    GitFailed = 15,
    BranchExists = 16,
    BranchNamespaceTaken = 17,
    WorktreeDirty = 18,
    WorktreeMissing = 19,
    MergeConflict = 20,
    StorageNewer = 21,
    ServeLeaving = 22,
    InsideARun = 23,
    SettingUnknown = 24,
    StorageFailed = 25,
    WorktreeChanged = 26,
    HookFailed = 27,
    NotKept = 28,
}

/// <summary>What a plugin branches on. <see cref="Kind"/> is the camelCase name of the <see cref="ErrorCode"/>;
/// the rest is present where the plugin can act on it.</summary>
public sealed record ErrorData(
    string Kind,
    string? NextStep = null,
    long? CardId = null,
    long? RunId = null,
    string? DecisionId = null,
    string? State = null,
    IReadOnlyList<string>? Paths = null,
    string? LogReference = null);

/// <summary>An enum as its camelCase name; numbers are refused.</summary>
public sealed class CamelCaseEnumConverter<T>() : JsonStringEnumConverter<T>(System.Text.Json.JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
