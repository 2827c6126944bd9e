using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using KanBots.Sidecar.Git;
using KanBots.Sidecar.Protocol;
using Core = KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Rpc;

/// <summary>Looking at what a run has changed. git is asked in its worktree, with the filters of the user's configuration, so that only
/// who trusts the workspace may.</summary>
internal sealed partial class ClientSession
{
    internal const int FilesPerPage = 1_000;
    internal const int FilesPerPageMax = 10_000;

    /// <summary>Bytes of a file that travel.</summary>
    internal const long BlobBytesMax = 8L << 20;

    private async Task<Core.Run> ReviewedAsync(long runId, CancellationToken cancellation)
    {
        RequireInitialized();
        await SettledAsync(cancellation);
        RequireTrust();
        var run = await _engine.RunAsync(runId) ?? throw NoRun(runId);
        if (Worktrees.IsThere(run.WorktreePath))
        {
            return run;
        }

        var message = run switch
        {
            { Discarded: not null } => $"Run {runId} was discarded. Restore it to look at it.",
            { WorktreePath: "" } => $"Run {runId} has no worktree yet. Wait until it is running.",
            _ => $"The worktree of run {runId}, {run.WorktreePath}, is not there. Put it back, or dispatch the card again.",
        };
        throw new RpcException(ErrorCode.WorktreeMissing, message, new ErrorData("worktreeMissing", RunId: runId));
    }

    private async Task<ReviewChangesResult> ChangesAsync(ReviewChangesParams p, CancellationToken cancellation)
    {
        var run = await ReviewedAsync(p.RunId, cancellation);
        var limit = Between("limit", p.Limit ?? FilesPerPage, FilesPerPageMax);
        var (tree, start) = Place(p.After);
        try
        {
            if (p.To is null && tree is null)
            {
                _looked[run.Id] = _engine.TouchesOf(run.Id); // before the look: what changes meanwhile is told
            }

            var review = await _engine.ReviewAsync(run, p.From, tree ?? p.To, cancellation);
            var page = review.Files.Skip(start).Take(limit).ToList();
            var sizes = await _engine.SizesAsync(run, page.Where(file => file.Status != Git.FileStatus.Deleted).Select(file => file.Blob), cancellation);
            var viewed = run.Viewed.ToHashSet();
            return new ReviewChangesResult(
                review.From,
                review.Tree,
                new DiffStat(review.Files.Count, review.Files.Sum(file => file.Insertions), review.Files.Sum(file => file.Deletions)),
                [.. page.Select(file => Changed(file, sizes, viewed))],
                review.Head,
                review.Left.Count == 0 ? null : review.Left,
                start + page.Count < review.Files.Count ? FormattableString.Invariant($"{review.Tree}-{start + page.Count}") : null);
        }
        catch (GitFailure failure)
        {
            throw Failed(failure, p.RunId);
        }
    }

    private async Task<ReviewBlobResult> BlobAsync(ReviewBlobParams p, CancellationToken cancellation)
    {
        var run = await ReviewedAsync(p.RunId, cancellation);
        if (string.IsNullOrEmpty(p.Path) || p.Path.Contains('\0', StringComparison.Ordinal))
        {
            throw new RpcException(ErrorCode.InvalidArgument, "path is that of a file, from the top of the repository.", new ErrorData("invalidArgument"));
        }

        try
        {
            return await _engine.FileAsync(run, p.From, p.To, p.Side == ReviewSide.Base, p.Path, BlobBytesMax, cancellation) switch
            {
                null => new ReviewBlobResult(true, 0),
                { Content: null } large => new ReviewBlobResult(false, large.Size, large.Mode, large.Blob, TooLarge: true),
                { Content: { } bytes } file when Utf8.IsValid(bytes.Span) && bytes.Span.IndexOf((byte)0) < 0 => new ReviewBlobResult(false, file.Size, file.Mode, file.Blob, Encoding.UTF8.GetString(bytes.Span)),
                var file => new ReviewBlobResult(false, file.Size, file.Mode, file.Blob, Base64: Convert.ToBase64String(file.Content.Value.Span)),
            };
        }
        catch (GitFailure failure)
        {
            throw Failed(failure, p.RunId);
        }
    }

    private async Task<ReviewCommentResult> CommentAsync(ReviewCommentParams p, CancellationToken cancellation)
    {
        var outcome = await AskAsync(new Core.Input.Comment(p.RequestId, p.RunId, p.CommentId, p.Path, p.Line, p.Side == ReviewSide.Base, p.Text, p.Tree));
        var run = await _engine.RunAsync(outcome.Id) ?? throw NoRun(outcome.Id);
        return new ReviewCommentResult(outcome.Text!, [.. run.Comments.Select(ToWire.Comment)]);
    }

    /// <summary>Runs that this client has looked at, with the number that it knows. Told once it looks again and again.</summary>
    private readonly ConcurrentDictionary<long, long> _looked = new();

    private async Task PushLooksAsync()
    {
        while (!_connection.Closed.IsCancellationRequested)
        {
            var touched = _engine.Touched;
            foreach (var (run, known) in _looked)
            {
                // Told once: it asks again if it still shows it.
                if (_engine.TouchesOf(run) != known && _looked.TryRemove(new KeyValuePair<long, long>(run, known)))
                {
                    await _connection.NotifyAsync(Protocol.Methods.ReviewDidChange, new ReviewDidChangeParams(run), ProtocolJson.Default.ReviewDidChangeParams);
                }
            }

            await touched.WaitAsync(_connection.Closed);
        }
    }

    private async Task<Nothing> MarkViewedAsync(ReviewMarkViewedParams p, CancellationToken cancellation)
    {
        await AskAsync(new Core.Input.MarkViewed(p.RequestId, p.RunId, [.. p.Files.Select(file => new Core.ViewedFile(file.Path, file.Blob ?? ""))], p.Viewed ?? true));
        return new Nothing();
    }

    /// <summary>What it could not land on comes before what is foreseen.</summary>
    private async Task<RunReplyResult> ResolveConflictsAsync(RunResolveConflictsParams p, CancellationToken cancellation)
    {
        RequireInitialized();
        await SettledAsync(cancellation);
        var view = _engine.View;
        var failed = view.State.Runs.GetValueOrDefault(p.RunId)?.MoveFailure is { Reason.Kind: "mergeConflict", Branch: { } branch } failure ? (Branch: branch, failure.Paths) : default;
        var foreseen = view.Conflicts.GetValueOrDefault(p.RunId) is { IsDefaultOrEmpty: false } conflicts
            ? conflicts.Select(conflict => (Branch: conflict.Target ?? view.State.Runs.GetValueOrDefault(conflict.OtherRunId ?? 0)?.Branch, conflict.Paths)).FirstOrDefault(known => known.Branch is not null && (p.Branch is null || p.Branch == known.Branch))
            : default;
        var chosen = failed.Branch is not null && (p.Branch is null || p.Branch == failed.Branch) ? failed : foreseen;
        var onto = p.Branch ?? chosen.Branch ?? throw new RpcException(ErrorCode.InvalidArgument, $"Nothing is known that run {p.RunId} conflicts with. Name the branch that it is to be brought together with.", new ErrorData("invalidArgument", RunId: p.RunId));
        return new RunReplyResult((await AskAsync(new Core.Input.ResolveConflicts(p.RequestId, p.RunId, onto, chosen.Paths.IsDefault ? [] : chosen.Paths, NewId()))).Text!);
    }

    private async Task<RunReplyResult> SubmitAsync(ReviewSubmitParams p, CancellationToken cancellation) =>
        new((await AskAsync(new Core.Input.SubmitComments(p.RequestId, p.RunId, p.Text, NewId()))).Text!);

    /// <summary>A page is one of the list that was shown, whatever the agent has written meanwhile.</summary>
    private static (string? Tree, int Start) Place(string? cursor) => cursor is null ? (null, 0)
        : cursor.Split('-') is [var tree, var start] && int.TryParse(start, NumberStyles.None, CultureInfo.InvariantCulture, out var at) ? (tree, at)
        : throw new RpcException(ErrorCode.InvalidArgument, "The cursor is not one that this run gave. Start from the beginning.", new ErrorData("invalidArgument"));

    private static ChangedFile Changed(FileChange file, IReadOnlyDictionary<string, long> sizes, IReadOnlySet<Core.ViewedFile> viewed)
    {
        var isThere = file.Status != Git.FileStatus.Deleted;
        return new ChangedFile(
            file.Path,
            (Protocol.FileStatus)file.Status,
            file.Insertions,
            file.Deletions,
            file.IsBinary,
            file.PreviousPath,
            isThere ? file.Blob : null,
            isThere ? file.Mode : null,
            file.Status != Git.FileStatus.Added && file.PreviousMode != file.Mode ? file.PreviousMode : null,
            isThere && sizes.TryGetValue(file.Blob, out var size) ? size : null,
            viewed.Contains(new Core.ViewedFile(file.Path, isThere ? file.Blob : "")) ? true : null);
    }

    private static RpcException Failed(GitFailure failure, long runId) => failure.Kind switch
    {
        "checkpointUnknown" or "unknownRevision" => new RpcException(ErrorCode.InvalidArgument, failure.Message, new ErrorData("invalidArgument", RunId: runId)),
        Worktrees.Foreign or "worktreeMissing" or "folderMissing" or "notAGitRepository" => new RpcException(ErrorCode.WorktreeMissing, failure.Message, new ErrorData("worktreeMissing", RunId: runId)),
        _ => new RpcException(ErrorCode.GitFailed, failure.Message, new ErrorData("gitFailed", RunId: runId)),
    };
}
