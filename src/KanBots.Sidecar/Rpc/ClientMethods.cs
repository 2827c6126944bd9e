using System.Collections.Immutable;
using System.Text.Json;
using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Protocol;
using Core = KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Rpc;

/// <summary>The methods of the wire, each turned into an input of the core or a read of the view.</summary>
internal sealed partial class ClientSession
{
    private static ProtocolJson Json => ProtocolJson.Default;

    private RpcMethods Methods() => new RpcMethods()
        .Request(Protocol.Methods.Initialize, Json.InitializeParams, Json.InitializeResult, InitializeAsync)
        .Notification(Protocol.Methods.Initialized, Json.Nothing, _ => { })
        .Request(Protocol.Methods.Shutdown, Json.Nothing, Json.Nothing, (_, _) => Task.FromResult(new Nothing()))
        .Notification(Protocol.Methods.Exit, Json.Nothing, Exit)
        .Notification(Protocol.Methods.WorkspaceDidChangeTrust, Json.DidChangeTrustParams, change => Trust(change.Trusted))
        .Request(Protocol.Methods.BoardGet, Json.Nothing, Json.BoardSnapshot, GetBoardAsync)
        .Request(Protocol.Methods.CardCreate, Json.CardCreateParams, Json.CardResult, (p, _) => CardAsync(new Core.Input.CreateCard(p.RequestId, p.Title, p.Body ?? "", p.Number, (Core.Column)(p.Column ?? Column.Todo), [.. p.Labels ?? []], p.ParentNumber)))
        .Request(Protocol.Methods.CardUpdate, Json.CardUpdateParams, Json.CardResult, (p, _) => CardAsync(new Core.Input.UpdateCard(p.RequestId, p.CardId, p.Title, p.Body, p.Labels is null ? null : [.. p.Labels])))
        .Request(Protocol.Methods.CardMove, Json.CardMoveParams, Json.CardResult, (p, _) => CardAsync(new Core.Input.MoveCard(p.RequestId, p.CardId, (Core.Column)p.Column, p.Position)))
        .Request(Protocol.Methods.CardArchive, Json.CardArchiveParams, Json.CardResult, (p, _) => CardAsync(new Core.Input.ArchiveCard(p.RequestId, p.CardId, p.Archived)))
        .Request(Protocol.Methods.CardDelete, Json.CardDeleteParams, Json.Nothing, DeleteCardAsync)
        .Request(Protocol.Methods.RunDispatch, Json.RunDispatchParams, Json.RunResult, DispatchAsync)
        .Request(Protocol.Methods.RunStop, Json.RunStopParams, Json.RunResult, StopAsync)
        .Request(Protocol.Methods.RunReply, Json.RunReplyParams, Json.RunReplyResult, ReplyAsync)
        .Request(Protocol.Methods.RunResume, Json.RunResumeParams, Json.RunResult, async (p, _) => new RunResult(RunOf(await AskAsync(new Core.Input.Resume(p.RequestId, p.RunId, p.Text, NewId())))))
        .Request(Protocol.Methods.RunFork, Json.RunForkParams, Json.RunResult, async (p, _) => new RunResult(RunOf(await AskAsync(new Core.Input.Fork(p.RequestId, p.RunId, p.Checkpoint, p.Prompt, NewId(), NewId())))))
        .Request(Protocol.Methods.RunRewind, Json.RunRewindParams, Json.RunResult, RewindAsync)
        .Request(Protocol.Methods.RunPromote, Json.RunPromoteParams, Json.RunPromoteResult, PromoteAsync)
        .Request(Protocol.Methods.RunDiscard, Json.RunDiscardParams, Json.RunDiscardResult, DiscardAsync)
        .Request(Protocol.Methods.RunRestore, Json.RunRestoreParams, Json.RunResult, RestoreAsync)
        .Request(Protocol.Methods.RunResolveConflicts, Json.RunResolveConflictsParams, Json.RunReplyResult, ResolveConflictsAsync)
        .Request(Protocol.Methods.RunDetails, Json.RunDetailsParams, Json.RunDetailsResult, DetailsAsync)
        .Request(Protocol.Methods.RunEvents, Json.RunEventsParams, Json.RunEventsResult, EventsAsync)
        .Request(Protocol.Methods.RunLine, Json.RunLineParams, Json.RunLineResult, LineAsync)
        .Request(Protocol.Methods.RunSubscribe, Json.RunSubscribeParams, Json.Nothing, (p, _) => SubscribeAsync(p.RunId, ThreadItems.Seq(p.After)))
        .Request(Protocol.Methods.RunUnsubscribe, Json.RunUnsubscribeParams, Json.Nothing, (p, _) => SubscribeAsync(p.RunId, null))
        .Request(Protocol.Methods.ReviewChanges, Json.ReviewChangesParams, Json.ReviewChangesResult, ChangesAsync)
        .Request(Protocol.Methods.ReviewBlob, Json.ReviewBlobParams, Json.ReviewBlobResult, BlobAsync)
        .Request(Protocol.Methods.ReviewMarkViewed, Json.ReviewMarkViewedParams, Json.Nothing, MarkViewedAsync)
        .Request(Protocol.Methods.ReviewComment, Json.ReviewCommentParams, Json.ReviewCommentResult, CommentAsync)
        .Request(Protocol.Methods.ReviewSubmit, Json.ReviewSubmitParams, Json.RunReplyResult, SubmitAsync)
        .Request(Protocol.Methods.WorktreeList, Json.WorktreeListParams, Json.WorktreeListResult, ListWorktreesAsync)
        .Request(Protocol.Methods.WorktreeRemove, Json.WorktreeRemoveParams, Json.WorktreeRemoveResult, RemoveWorktreesAsync)
        .Request(Protocol.Methods.DecisionList, Json.Nothing, Json.DecisionListResult, async (_, cancellation) => new DecisionListResult((await GetBoardAsync(cancellation)).Decisions))
        .Request(Protocol.Methods.DecisionAnswer, Json.DecisionAnswerParams, Json.DecisionResult, AnswerAsync)
        .Request(Protocol.Methods.DecisionDismiss, Json.DecisionDismissParams, Json.DecisionResult, (p, _) => DecideAsync(p.RequestId, p.DecisionId, new Core.Verdict(false, [], p.Reason ?? "The user did not answer.", false)))
        .Request(Protocol.Methods.CostGet, Json.CostGetParams, Json.CostGetResult, GetCostsAsync)
        .Request(Protocol.Methods.AgentList, Json.Nothing, Json.AgentListResult, ListAgentsAsync)
        .Request(Protocol.Methods.ConfigGet, Json.Nothing, Json.ConfigGetResult, GetConfigAsync)
        .Request(Protocol.Methods.ConfigSet, Json.ConfigSetParams, Json.ConfigSetResult, SetConfigAsync)
        .Request(Protocol.Methods.SidecarStatus, Json.Nothing, Json.SidecarStatusResult, StatusAsync);

    private void Exit(Nothing nothing) => _connection.Stop();

    private static string NewId() => Guid.NewGuid().ToString();

    private Task<InitializeResult> InitializeAsync(InitializeParams parameters, CancellationToken cancellation)
    {
        (_name, _initialized) = (parameters.ClientName, true);
        Trust(parameters.Trusted);
        return Task.FromResult(new InitializeResult(_server.Version, _server.RepositoryRoot, Capabilities));
    }

    private void Trust(bool trusted)
    {
        _trusted = trusted;
        _engine.Introduce(trusted);
    }

    /// <summary>Nothing is answered from a board that is not settled.</summary>
    private async Task SettledAsync(CancellationToken cancellation)
    {
        try
        {
            await _engine.SettledAsync(cancellation);
        }
        catch (BoardUnavailableException none)
        {
            throw Unavailable(none);
        }
    }

    private static RpcException Unavailable(BoardUnavailableException none) =>
        new(none.Kind == "storageNewer" ? ErrorCode.StorageNewer : ErrorCode.StorageFailed, none.Message, new ErrorData(none.Kind));

    private void RequireInitialized()
    {
        if (!_initialized)
        {
            throw new RpcException(ErrorCode.NotInitialized, "The first request is initialize.", new ErrorData("notInitialized"));
        }
    }

    private async Task<BoardSnapshot> GetBoardAsync(Nothing nothing, CancellationToken cancellation)
    {
        var isFirst = _sent is null;
        RequireInitialized();
        await SettledAsync(cancellation);
        var view = _engine.View;
        _sent = view;
        if (isFirst)
        {
            _ = PushAsync(PushBoardAsync);
        }

        return ToWire.Snapshot(view, TimeProvider.System.GetUtcNow());
    }

    private async Task<BoardSnapshot> GetBoardAsync(CancellationToken cancellation)
    {
        RequireInitialized();
        await SettledAsync(cancellation);
        return ToWire.Snapshot(_engine.View, TimeProvider.System.GetUtcNow());
    }

    private async Task<Core.Outcome> AskAsync(Core.Input.Request request)
    {
        RequireInitialized();
        RequireTrust();
        if (string.IsNullOrWhiteSpace(request.RequestId) || request.RequestId.Length > 100)
        {
            throw new RpcException(ErrorCode.InvalidArgument, "requestId is a UUID that the client makes up.", new ErrorData("invalidArgument"));
        }

        try
        {
            var (outcome, refusal) = await _engine.AskAsync(request, new RunClient(_preamble.Environment, () => _trusted));
            return refusal is null ? outcome! : throw ToWire.Error(refusal);
        }
        catch (BoardUnavailableException none)
        {
            throw Unavailable(none);
        }
    }

    private void RequireTrust()
    {
        if (!_trusted)
        {
            throw new RpcException(ErrorCode.NotTrusted, "This workspace is not trusted, so it may only look at the board. Trust it in the editor, then try again.", new ErrorData("notTrusted"));
        }
    }

    private async Task<CardResult> CardAsync(Core.Input.Request request)
    {
        var outcome = await AskAsync(request);
        var state = _engine.View.State;
        return state.Cards.TryGetValue(outcome.Id, out var card) ? new CardResult(ToWire.Card(state, card)) : throw new RpcException(ErrorCode.CardNotFound, "The card was deleted meanwhile.", new ErrorData("cardNotFound", CardId: outcome.Id));
    }

    private async Task<Nothing> DeleteCardAsync(CardDeleteParams parameters, CancellationToken cancellation)
    {
        await AskAsync(new Core.Input.DeleteCard(parameters.RequestId, parameters.CardId));
        return new Nothing();
    }

    private async Task<RunResult> DispatchAsync(RunDispatchParams p, CancellationToken cancellation)
    {
        if (p.Agent is not (null or "claude"))
        {
            throw new RpcException(ErrorCode.AgentNotFound, $"There is no agent '{p.Agent}'. Known: claude.", new ErrorData("agentNotFound"));
        }

        return new RunResult(RunOf(await AskAsync(new Core.Input.Dispatch(
            p.RequestId,
            p.CardId,
            p.Agent ?? "claude",
            p.Model,
            p.Effort,
            p.Persona,
            (Core.PermissionMode)(p.PermissionMode ?? PermissionMode.BypassPermissions),
            p.BaseRef,
            p.Budget?.MicroUsd,
            p.Budget?.Turns,
            p.Budget?.Minutes,
            p.Prompt,
            NewId(),
            NewId()))));
    }

    private Run RunOf(Core.Outcome outcome)
    {
        var view = _engine.View;
        return view.State.Runs.TryGetValue(outcome.Id, out var run) ? ToWire.Run(view, run) : throw new RpcException(ErrorCode.RunNotFound, "The run was deleted with its card.", new ErrorData("runNotFound", RunId: outcome.Id));
    }

    /// <summary>Answered when the process tree is confirmed gone.</summary>
    private async Task<RunResult> StopAsync(RunStopParams p, CancellationToken cancellation)
    {
        var outcome = await AskAsync(new Core.Input.Stop(p.RequestId, p.RunId, "user"));
        for (; ; )
        {
            var changed = _engine.Changed;
            if (!_engine.View.State.Runs.TryGetValue(outcome.Id, out var run) || run.IsOver)
            {
                if (run is { LeftRunning: > 0 })
                {
                    await _engine.EndLeftoversAsync(run);
                }

                return new RunResult(RunOf(outcome));
            }

            await changed.WaitAsync(cancellation);
        }
    }

    private async Task<RunReplyResult> ReplyAsync(RunReplyParams p, CancellationToken cancellation) =>
        new((await AskAsync(new Core.Input.Reply(p.RequestId, p.RunId, p.Text, NewId(), p.Replaces))).Text!);

    private async Task<RunDetailsResult> DetailsAsync(RunDetailsParams p, CancellationToken cancellation)
    {
        RequireInitialized();
        await SettledAsync(cancellation);
        var run = await _engine.RunAsync(p.RunId) ?? throw NoRun(p.RunId);
        return ToWire.Details(_engine.View, run, _engine.SetupLogOf(run));
    }

    private static RpcException NoRun(long runId) => new(ErrorCode.RunNotFound, $"There is no run {runId} on this board.", new ErrorData("runNotFound", RunId: runId));

    private async Task<Nothing> SubscribeAsync(long runId, long? after)
    {
        RequireInitialized();
        if (after is not null)
        {
            await RequireRunAsync(runId); // at once for a run that is in memory: subscriptions keep their order
        }

        lock (_subscriptions)
        {
            if (after is { } seq)
            {
                if (_connection.Closed.IsCancellationRequested)
                {
                    return new Nothing(); // what it watches has been forgotten already
                }

                _subscriptions[runId] = seq;
                _engine.Recent.Watch(runId, this, seq);
            }
            else
            {
                _subscriptions.Remove(runId);
                _engine.Recent.Unwatch(runId, this);
            }
        }

        Interlocked.Exchange(ref _subscribed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
        return new Nothing();
    }

    private Task<DecisionResult> AnswerAsync(DecisionAnswerParams p, CancellationToken cancellation)
    {
        ImmutableArray<Core.Answer> answers = [.. (p.Answers ?? []).Select(answer => new Core.Answer(answer.QuestionId, [.. answer.Values]))];
        return DecideAsync(p.RequestId, p.DecisionId, new Core.Verdict(p.Allow ?? answers.Length > 0, answers, p.Reason, p.Remember == Remember.Card));
    }

    private async Task<DecisionResult> DecideAsync(string requestId, string decisionId, Core.Verdict verdict)
    {
        var outcome = await AskAsync(new Core.Input.Decide(requestId, decisionId, verdict, _name, NewId()));
        return new DecisionResult(ToWire.Decision(_engine.View.State.Decisions[outcome.Text!]));
    }

    private async Task<CostGetResult> GetCostsAsync(CostGetParams p, CancellationToken cancellation)
    {
        RequireInitialized();
        await SettledAsync(cancellation);
        var state = _engine.View.State;
        if (p.CardId is { } card && !state.Cards.ContainsKey(card))
        {
            throw new RpcException(ErrorCode.CardNotFound, $"There is no card with the id {card}. It may have been deleted; look at the board again.", new ErrorData("cardNotFound", CardId: card));
        }

        return ToWire.Costs(state, p.CardId, Between("days", p.Days ?? ToWire.CostDays, ToWire.CostDaysMax), Between("limit", p.Limit ?? ToWire.CostLines, ToWire.CostLinesMax), TimeProvider.System.GetUtcNow());
    }

    private static int Between(string name, int value, int most) =>
        value >= 1 && value <= most ? value : throw new RpcException(ErrorCode.InvalidArgument, $"{name} is between 1 and {most}.", new ErrorData("invalidArgument"));

    private async Task<AgentListResult> ListAgentsAsync(Nothing _, CancellationToken cancellation)
    {
        RequireInitialized();
        var found = await AgentDetection.ClaudeAsync(_trusted ? _engine.Settings.ClaudePath : null, // settings lie in the repository
             _preamble.Environment, cancellation);
        var status = found switch
        {
            { Path: null } => AgentStatus.NotInstalled,
            { Problem: not null } => AgentStatus.Broken,
            { SignedIn: false } => AgentStatus.NotSignedIn,
            _ => AgentStatus.Ready,
        };
        var message = found.Problem ?? (status == AgentStatus.NotSignedIn ? "Run `claude` once in a terminal and sign in, or set ANTHROPIC_API_KEY." : null);
        return new AgentListResult([new AgentInfo("claude", "Claude Code", status, [], found.Path, found.Version, message)]);
    }

    private KeptSettings KeptNow => new(_engine.View.State.Settings, _engine.Settings);

    private async Task<ConfigGetResult> GetConfigAsync(Nothing nothing, CancellationToken cancellation)
    {
        RequireInitialized();
        await SettledAsync(cancellation);
        return Config.Read(KeptNow);
    }

    private async Task<ConfigSetResult> SetConfigAsync(ConfigSetParams p, CancellationToken cancellation)
    {
        RequireInitialized();
        await SettledAsync(cancellation);
        var (core, file) = Config.Change(KeptNow, p.Values, _server.RepositoryRoot);
        await AskAsync(new Core.Input.SetSettings(p.RequestId, core));
        await _engine.SetSettingsAsync(file);
        return new ConfigSetResult(Config.Read(KeptNow).Values);
    }

    private async Task<SidecarStatusResult> StatusAsync(Nothing _, CancellationToken cancellation)
    {
        RequireInitialized();
        await SettledAsync(cancellation);
        var launches = await _engine.LaunchesAsync();
        return new SidecarStatusResult(
            _server.Version,
            _server.BuildId,
            Environment.ProcessId,
            _server.RepositoryRoot,
            _server.StateFolder,
            [.. _clients().Select(client => client.Status)],
            [.. launches.Select(launch => new RunStatus(launch.RunId, launch.Launch, launch.StreamBytes, launch.IngestedBytes, launch.HostPid, launch.AgentPid))],
            new Dictionary<string, long>
            {
                ["cards"] = Core.Limits.CardsMax,
                ["queuedRuns"] = Core.Limits.QueuedRunsMax,
                ["parallelRuns"] = Core.Limits.ParallelMax,
                ["messageBytes"] = HeaderFraming.MaxMessageBytes,
                ["requestsInFlight"] = InFlight.RequestsMax,
                ["requestBytesInFlight"] = InFlight.BytesMax,
                ["outgoingMessages"] = OutgoingQueue.MessagesMax,
                ["outgoingBytes"] = OutgoingQueue.BytesMax,
                ["threadPage"] = ThreadReader.PageMax,
                ["engineInbox"] = BoardEngine.InboxMax,
            },
            Environment.WorkingSet,
            ToWire.Notices(_engine.View));
    }
}
