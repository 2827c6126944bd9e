using System.Security.Cryptography;
using System.Text;
using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Git;
using KanBots.Sidecar.Protocol;
using Core = KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Rpc;

/// <summary>All worktrees of the repository, and removing them: shown first, and then only what was shown.</summary>
internal sealed partial class ClientSession
{
    internal const int RemovedMax = 1_000;

    private async Task<WorktreeListResult> ListWorktreesAsync(WorktreeListParams p, CancellationToken cancellation)
    {
        var entries = await SurveyAsync(null, p.ProgressToken, cancellation);
        return new WorktreeListResult([.. entries.Select(Item)], entries.Where(entry => entry.Class == Engine.WorktreeClass.Trash).Sum(entry => entry.Bytes));
    }

    private async Task<IReadOnlyList<WorktreeEntry>> SurveyAsync(IReadOnlyCollection<string>? only, System.Text.Json.JsonElement? token, CancellationToken cancellation)
    {
        RequireInitialized();
        await SettledAsync(cancellation);
        RequireTrust();
        try
        {
            return await _engine.SurveyAsync(only, Say, cancellation);
        }
        catch (GitFailure failure)
        {
            throw new RpcException(ErrorCode.GitFailed, failure.Message, new ErrorData("gitFailed"));
        }

        void Say(int done, int all)
        {
            if (token is { } told)
            {
                _ = PumpAsync(() => _connection.NotifyAsync(Protocol.Methods.Progress, new ProgressParams(told, $"{done} of {all} worktrees", 100 * done / all, done == all ? true : null), ProtocolJson.Default.ProgressParams));
            }
        }
    }

    private async Task<WorktreeRemoveResult> RemoveWorktreesAsync(WorktreeRemoveParams p, CancellationToken cancellation)
    {
        if (p.Paths.Count is 0 or > RemovedMax)
        {
            throw new RpcException(ErrorCode.InvalidArgument, $"paths names 1 to {RemovedMax} worktrees, as worktree/list has them.", new ErrorData("invalidArgument"));
        }

        var entries = await SurveyAsync(p.Paths.ToHashSet(StringComparer.Ordinal), null, cancellation);
        if (p.Paths.FirstOrDefault(path => entries.All(entry => entry.Tree.Path != path)) is { } unknown)
        {
            throw new RpcException(ErrorCode.InvalidArgument, $"{unknown} is not a worktree of this repository. Look at the list again.", new ErrorData("invalidArgument"));
        }

        var shown = entries.Select(entry => Shown(entry, p.Foreign ?? false)).ToList();
        var plan = PlanOf(shown);
        if (p.Plan is null)
        {
            return new WorktreeRemoveResult(shown, plan);
        }

        if (p.Plan != plan)
        {
            throw new RpcException(ErrorCode.WorktreeChanged, "The worktrees are not what was shown any more, so nothing was removed. Look at what would be removed now, then do it again.", new ErrorData("worktreeChanged"));
        }

        var removed = new List<RemovedWorktree>();
        foreach (var (one, entry) in shown.Zip(entries))
        {
            removed.Add(one.Removal == Protocol.WorktreeRemoval.Nothing ? one : await RemoveOneAsync(p.RequestId, one, entry, cancellation));
        }

        return new WorktreeRemoveResult(removed);
    }

    private async Task<RemovedWorktree> RemoveOneAsync(string requestId, RemovedWorktree one, WorktreeEntry entry, CancellationToken cancellation)
    {
        try
        {
            switch (entry.Removal)
            {
                case Engine.WorktreeRemoval.Discard:
                    await MovedAsync(await AskAsync(new Core.Input.Discard($"{requestId}-{entry.Run!.Id}", entry.Run.Id)), Core.WorktreeMove.Discard, cancellation);
                    break;
                case Engine.WorktreeRemoval.Free:
                    await MovedAsync(await AskAsync(new Core.Input.Free($"{requestId}-{entry.Run!.Id}", entry.Run.Id)), Core.WorktreeMove.Free, cancellation);
                    break;
                default:
                    await _engine.RemoveAsync(entry);
                    break;
            }

            return one with { Done = true };
        }
        catch (Exception failure) when (failure is GitFailure or RpcException)
        {
            return one with { Why = failure.Message }; // the others are removed all the same
        }
    }

    private static RemovedWorktree Shown(WorktreeEntry entry, bool foreign) => entry.Class == Engine.WorktreeClass.Foreign && !foreign
        ? new RemovedWorktree(entry.Tree.Path, Protocol.WorktreeClass.Foreign, Protocol.WorktreeRemoval.Nothing, 0, [], false, "It is not of the sidecar's making. Ask for foreign worktrees to remove it all the same.")
        : new RemovedWorktree(entry.Tree.Path, (Protocol.WorktreeClass)entry.Class, (Protocol.WorktreeRemoval)entry.Removal, entry.Removal is Engine.WorktreeRemoval.Discard or Engine.WorktreeRemoval.Nothing ? 0 : entry.Bytes, entry.Loses, false, entry.Why);

    /// <summary>The same as long as the same would be done and the same be lost.</summary>
    private static string PlanOf(IEnumerable<RemovedWorktree> shown) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(shown.OrderBy(one => one.Path, StringComparer.Ordinal).Select(one => $"{one.Path}\0{one.Class}\0{one.Removal}\0{string.Join('\0', one.Loses)}\0{one.Why}\0\0")))));

    private static WorktreeItem Item(WorktreeEntry entry) => new(
        entry.Tree.Path,
        (Protocol.WorktreeClass)entry.Class,
        (Protocol.WorktreeRemoval)entry.Removal,
        entry.Bytes,
        entry.Loses,
        entry.Tree.Branch,
        entry.Tree.Commit,
        entry.Run?.Id,
        entry.Run?.CardNumber,
        entry.MergedInto,
        entry.Run?.Discarded?.Until,
        entry.Why);
}
