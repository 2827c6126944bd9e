namespace KanBots.Sidecar.Protocol;

/// <summary>Every name of the wire: <c>noun/verb</c> is a request, <c>noun/didPast</c> a notification.
/// No name ever changes meaning; what is new is a new name and a capability.</summary>
public static class Methods
{
    public const string Initialize = "initialize";
    public const string Initialized = "initialized";
    public const string Shutdown = "shutdown";
    public const string Exit = "exit";
    public const string CancelRequest = "$/cancelRequest";
    public const string Progress = "$/progress";

    public const string WorkspaceDidChangeTrust = "workspace/didChangeTrust";

    public const string BoardGet = "board/get";
    public const string BoardDidChange = "board/didChange";

    public const string CardCreate = "card/create";
    public const string CardUpdate = "card/update";
    public const string CardMove = "card/move";
    public const string CardArchive = "card/archive";
    public const string CardDelete = "card/delete";

    public const string RunDispatch = "run/dispatch";
    public const string RunStop = "run/stop";
    public const string RunReply = "run/reply";
    public const string RunResume = "run/resume";
    public const string RunFork = "run/fork";
    public const string RunRewind = "run/rewind";
    public const string RunPromote = "run/promote";
    public const string RunDiscard = "run/discard";
    public const string RunRestore = "run/restore";
    public const string RunResolveConflicts = "run/resolveConflicts";
    public const string RunDetails = "run/details";
    public const string RunEvents = "run/events";
    public const string RunLine = "run/line";
    public const string RunSubscribe = "run/subscribe";
    public const string RunUnsubscribe = "run/unsubscribe";
    public const string RunDidAppend = "run/didAppend";

    public const string ReviewChanges = "review/changes";
    public const string ReviewBlob = "review/blob";
    public const string ReviewDidChange = "review/didChange";
    public const string ReviewMarkViewed = "review/markViewed";
    public const string ReviewComment = "review/comment";
    public const string ReviewSubmit = "review/submit";

    public const string WorktreeList = "worktree/list";
    public const string WorktreeRemove = "worktree/remove";

    public const string DecisionList = "decision/list";
    public const string DecisionAnswer = "decision/answer";
    public const string DecisionDismiss = "decision/dismiss";
    public const string DecisionDidRequest = "decision/didRequest";
    public const string DecisionDidWithdraw = "decision/didWithdraw";

    public const string CostGet = "cost/get";

    public const string AgentList = "agent/list";
    public const string ConfigGet = "config/get";
    public const string ConfigSet = "config/set";
    public const string SidecarStatus = "sidecar/status";
    public const string LogDidAppend = "log/didAppend";
}
