using System.Text;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <summary>Keeps one checkpoint. The two git commands that do it are started at once and wait, so that who makes this before the files are taken in
/// need not wait for them to start. They do nothing until they are told, and are ended when they are told nothing.</summary>
internal sealed class CheckpointKeeping : IAsyncDisposable
{
    /// <summary>Whoever the user is, and signed by nobody.</summary>
    private const string Author = "KanBots <kanbots@localhost>";

    private readonly TimeProvider _time;
    private readonly TaskCompletionSource<ReadOnlyMemory<byte>> _commit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<ReadOnlyMemory<byte>> _refs = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task<CommandResult> _committing;
    private readonly Task<CommandResult> _updating;

    internal CheckpointKeeping(GitRunner git, string worktree, TimeProvider time, CancellationToken cancellation)
    {
        _time = time;
        _committing = git.RunAsync(new GitCommand("hash-object", worktree, ["hash-object", "-t", "commit", "-w", "--stdin"], InputLater: _commit.Task), cancellation);
        _updating = git.RunAsync(new GitCommand("update-ref", worktree, ["update-ref", "-z", "--stdin"], Writes: true, InputLater: _refs.Task), cancellation);
    }

    /// <summary>The commit has the tree, and as parents the worktree's HEAD and the commit before it: nothing that was ever kept goes
    /// because something newer is. Once.</summary>
    /// <param name="parents">As they were when the files were taken in.</param>
    /// <returns>The commit.</returns>
    internal async Task<string> KeepAsync(int cardNumber, long runId, string checkpoint, string tree, IReadOnlyList<string> parents)
    {
        var (run, kept) = (CheckpointRefs.RunOf(cardNumber, runId), CheckpointRefs.TreeOf(cardNumber, runId, checkpoint));
        var now = _time.GetLocalNow();
        var at = FormattableString.Invariant($"{now.ToUnixTimeSeconds()} {(now.Offset < TimeSpan.Zero ? '-' : '+')}{now.Offset:hhmm}");
        _commit.SetResult(Encoding.UTF8.GetBytes($"tree {tree}\n{string.Concat(parents.Select(parent => $"parent {parent}\n"))}author {Author} {at}\ncommitter {Author} {at}\n\n{CheckpointRefs.Subject}{checkpoint}\n"));
        var commit = (await _committing).Text.Trim();
        _refs.SetResult(Encoding.UTF8.GetBytes($"update {kept}\0{tree}\0\0update {run}\0{commit}\0\0"));
        await _updating;
        return commit;
    }

    public async ValueTask DisposeAsync()
    {
        _commit.TrySetCanceled();
        _refs.TrySetCanceled();
        await ((Task)Task.WhenAll(_committing, _updating)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
