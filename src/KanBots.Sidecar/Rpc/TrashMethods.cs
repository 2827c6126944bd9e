using KanBots.Sidecar.Protocol;
using Core = KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Rpc;

/// <summary>Discarding and restoring: answered when it is done, or with what was in the way.</summary>
internal sealed partial class ClientSession
{
    private async Task<RunDiscardResult> DiscardAsync(RunDiscardParams p, CancellationToken cancellation)
    {
        var run = await MovedAsync(await AskAsync(new Core.Input.Discard(p.RequestId, p.RunId)), Core.WorktreeMove.Discard, cancellation);
        return new RunDiscardResult(ToWire.Run(_engine.View, run), run.Discarded!.Until);
    }

    private async Task<RunResult> RestoreAsync(RunRestoreParams p, CancellationToken cancellation) =>
        new(ToWire.Run(_engine.View, await MovedAsync(await AskAsync(new Core.Input.Restore(p.RequestId, p.RunId)), Core.WorktreeMove.Restore, cancellation)));

    private async Task<Core.Run> MovedAsync(Core.Outcome outcome, Core.WorktreeMove move, CancellationToken cancellation)
    {
        for (; ; )
        {
            var changed = _engine.Changed;
            var run = _engine.View.State.Runs.GetValueOrDefault(outcome.Id) ?? throw NoRun(outcome.Id);
            if (run.Moving != move)
            {
                var isDone = (run.Discarded is not null) == (move == Core.WorktreeMove.Discard);
                return isDone ? run : throw new RpcException(CodeOf(run.MoveFailure?.Kind), run.MoveFailure?.Message ?? "Somebody else has done something else with it meanwhile. Look at its card.", new ErrorData(ToWire.NameOf(CodeOf(run.MoveFailure?.Kind)), RunId: run.Id));
            }

            await changed.WaitAsync(cancellation);
        }
    }

    private static ErrorCode CodeOf(string? kind) => kind switch
    {
        "branchExists" => ErrorCode.BranchExists,
        "worktreeMissing" => ErrorCode.WorktreeMissing,
        _ => ErrorCode.GitFailed,
    };
}
