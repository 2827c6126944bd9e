using KanBots.Sidecar.Protocol;
using Core = KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Rpc;

/// <summary>Promoting, discarding and restoring: answered when it is done, or with what was in the way.</summary>
internal sealed partial class ClientSession
{
    private async Task<RunDiscardResult> DiscardAsync(RunDiscardParams p, CancellationToken cancellation)
    {
        var run = await MovedAsync(await AskAsync(new Core.Input.Discard(p.RequestId, p.RunId)), Core.WorktreeMove.Discard, cancellation);
        return new RunDiscardResult(ToWire.Run(_engine.View, run), run.Discarded!.Until);
    }

    private async Task<RunResult> RestoreAsync(RunRestoreParams p, CancellationToken cancellation) =>
        new(ToWire.Run(_engine.View, await MovedAsync(await AskAsync(new Core.Input.Restore(p.RequestId, p.RunId)), Core.WorktreeMove.Restore, cancellation)));

    private async Task<RunPromoteResult> PromoteAsync(RunPromoteParams p, CancellationToken cancellation)
    {
        var order = new Core.PromoteOrder(p.TargetBranch, (Core.LandingStrategy)(p.Strategy ?? LandingStrategy.Squash), p.Message, [.. p.Paths ?? []], p.ExpectedTree);
        var run = await MovedAsync(await AskAsync(new Core.Input.Promote(p.RequestId, p.RunId, order)), Core.WorktreeMove.Promote, cancellation);
        return new RunPromoteResult(ToWire.Run(_engine.View, run), run.Promoted!.Commit);
    }

    private async Task<RunResult> RewindAsync(RunRewindParams p, CancellationToken cancellation) =>
        new(ToWire.Run(_engine.View, await MovedAsync(await AskAsync(new Core.Input.Rewind(p.RequestId, p.RunId, p.Checkpoint)), Core.WorktreeMove.Rewind, cancellation)));

    private async Task<Core.Run> MovedAsync(Core.Outcome outcome, Core.WorktreeMove move, CancellationToken cancellation)
    {
        for (; ; )
        {
            var changed = _engine.Changed;
            var run = _engine.View.State.Runs.GetValueOrDefault(outcome.Id) ?? throw NoRun(outcome.Id);
            if (run.Moving != move)
            {
                var isDone = run.MoveFailure is null && (run.Discarded is not null) == (move is Core.WorktreeMove.Discard or Core.WorktreeMove.Free) && (move != Core.WorktreeMove.Promote || run.State == Core.RunState.Promoted);
                return isDone ? run : throw NotDone(run);
            }

            await changed.WaitAsync(cancellation);
        }
    }

    private static RpcException NotDone(Core.Run run)
    {
        var failure = run.MoveFailure;
        var code = CodeOf(failure?.Reason.Kind);
        return new RpcException(code, failure?.Reason.Message ?? "Somebody else has done something else with it meanwhile. Look at its card.", new ErrorData(ToWire.NameOf(code), RunId: run.Id, Paths: failure is { Paths.Length: > 0 } ? failure.Paths : null));
    }

    private static ErrorCode CodeOf(string? kind) => kind switch
    {
        "branchExists" => ErrorCode.BranchExists,
        "hookFailed" => ErrorCode.HookFailed,
        "mergeConflict" => ErrorCode.MergeConflict,
        "worktreeDirty" => ErrorCode.WorktreeDirty,
        "worktreeChanged" => ErrorCode.WorktreeChanged,
        "branchInvalid" or "pathUnknown" or "nothingToLand" => ErrorCode.InvalidArgument,
        "worktreeMissing" => ErrorCode.WorktreeMissing,
        _ => ErrorCode.GitFailed,
    };
}
