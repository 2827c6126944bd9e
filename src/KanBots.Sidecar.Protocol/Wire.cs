using System.Text.Json.Serialization.Metadata;

namespace KanBots.Sidecar.Protocol;

/// <summary>Who sends a message.</summary>
public enum Direction { ClientToServer, ServerToClient, Both }

/// <summary>One method of the wire. <see cref="Result"/> is null for a notification.</summary>
public sealed record WireMethod(string Name, Direction Direction, JsonTypeInfo Params, JsonTypeInfo? Result);

/// <summary>The wire as data: what the schema is generated from and what the server's table is compared with.</summary>
public static class Wire
{
    private static ProtocolJson Json => ProtocolJson.Default;

    public static IReadOnlyList<WireMethod> Methods { get; } =
    [
        Request(Protocol.Methods.Initialize, Json.InitializeParams, Json.InitializeResult),
        FromClient(Protocol.Methods.Initialized, Json.Nothing),
        Request(Protocol.Methods.Shutdown, Json.Nothing, Json.Nothing),
        FromClient(Protocol.Methods.Exit, Json.Nothing),
        new(Protocol.Methods.CancelRequest, Direction.Both, Json.CancelParams, null),
        FromServer(Protocol.Methods.Progress, Json.ProgressParams),
        FromClient(Protocol.Methods.WorkspaceDidChangeTrust, Json.DidChangeTrustParams),
        Request(Protocol.Methods.BoardGet, Json.Nothing, Json.BoardSnapshot),
        FromServer(Protocol.Methods.BoardDidChange, Json.BoardDidChangeParams),
        Request(Protocol.Methods.CardCreate, Json.CardCreateParams, Json.CardResult),
        Request(Protocol.Methods.CardUpdate, Json.CardUpdateParams, Json.CardResult),
        Request(Protocol.Methods.CardMove, Json.CardMoveParams, Json.CardResult),
        Request(Protocol.Methods.CardArchive, Json.CardArchiveParams, Json.CardResult),
        Request(Protocol.Methods.CardDelete, Json.CardDeleteParams, Json.Nothing),
        Request(Protocol.Methods.RunDispatch, Json.RunDispatchParams, Json.RunResult),
        Request(Protocol.Methods.RunStop, Json.RunStopParams, Json.RunResult),
        Request(Protocol.Methods.RunReply, Json.RunReplyParams, Json.RunReplyResult),
        Request(Protocol.Methods.RunResume, Json.RunResumeParams, Json.RunResult),
        Request(Protocol.Methods.RunFork, Json.RunForkParams, Json.RunResult),
        Request(Protocol.Methods.RunRewind, Json.RunRewindParams, Json.RunResult),
        Request(Protocol.Methods.RunPromote, Json.RunPromoteParams, Json.RunPromoteResult),
        Request(Protocol.Methods.RunDiscard, Json.RunDiscardParams, Json.RunDiscardResult),
        Request(Protocol.Methods.RunRestore, Json.RunRestoreParams, Json.RunResult),
        Request(Protocol.Methods.RunResolveConflicts, Json.RunResolveConflictsParams, Json.RunReplyResult),
        Request(Protocol.Methods.RunDetails, Json.RunDetailsParams, Json.RunDetailsResult),
        Request(Protocol.Methods.ReviewChanges, Json.ReviewChangesParams, Json.ReviewChangesResult),
        Request(Protocol.Methods.ReviewBlob, Json.ReviewBlobParams, Json.ReviewBlobResult),
        FromServer(Protocol.Methods.ReviewDidChange, Json.ReviewDidChangeParams),
        Request(Protocol.Methods.ReviewMarkViewed, Json.ReviewMarkViewedParams, Json.Nothing),
        Request(Protocol.Methods.ReviewComment, Json.ReviewCommentParams, Json.ReviewCommentResult),
        Request(Protocol.Methods.ReviewSubmit, Json.ReviewSubmitParams, Json.RunReplyResult),
        Request(Protocol.Methods.RunEvents, Json.RunEventsParams, Json.RunEventsResult),
        Request(Protocol.Methods.RunLine, Json.RunLineParams, Json.RunLineResult),
        Request(Protocol.Methods.RunSubscribe, Json.RunSubscribeParams, Json.Nothing),
        Request(Protocol.Methods.RunUnsubscribe, Json.RunUnsubscribeParams, Json.Nothing),
        FromServer(Protocol.Methods.RunDidAppend, Json.RunDidAppendParams),
        Request(Protocol.Methods.WorktreeList, Json.WorktreeListParams, Json.WorktreeListResult),
        Request(Protocol.Methods.WorktreeRemove, Json.WorktreeRemoveParams, Json.WorktreeRemoveResult),
        Request(Protocol.Methods.DecisionList, Json.Nothing, Json.DecisionListResult),
        Request(Protocol.Methods.DecisionAnswer, Json.DecisionAnswerParams, Json.DecisionResult),
        Request(Protocol.Methods.DecisionDismiss, Json.DecisionDismissParams, Json.DecisionResult),
        FromServer(Protocol.Methods.DecisionDidRequest, Json.DecisionDidRequestParams),
        FromServer(Protocol.Methods.DecisionDidWithdraw, Json.DecisionDidWithdrawParams),
        Request(Protocol.Methods.AgentList, Json.Nothing, Json.AgentListResult),
        Request(Protocol.Methods.CostGet, Json.CostGetParams, Json.CostGetResult),
        Request(Protocol.Methods.ConfigGet, Json.Nothing, Json.ConfigGetResult),
        Request(Protocol.Methods.ConfigSet, Json.ConfigSetParams, Json.ConfigSetResult),
        Request(Protocol.Methods.SidecarStatus, Json.Nothing, Json.SidecarStatusResult),
        FromServer(Protocol.Methods.LogDidAppend, Json.LogDidAppendParams),
    ];

    private static WireMethod Request(string name, JsonTypeInfo parameters, JsonTypeInfo result) => new(name, Direction.ClientToServer, parameters, result);

    private static WireMethod FromClient(string name, JsonTypeInfo parameters) => new(name, Direction.ClientToServer, parameters, null);

    private static WireMethod FromServer(string name, JsonTypeInfo parameters) => new(name, Direction.ServerToClient, parameters, null);
}
