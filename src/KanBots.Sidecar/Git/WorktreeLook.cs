using System.Globalization;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <summary>What a worktree holds, for somebody who looks at it again and again: it is watched meanwhile, and git is asked about nothing that has not
/// changed. One look at a time. What lands, and what is kept, does not rely on it.</summary>
/// <param name="touched">Something may have changed; called on another thread.</param>
internal sealed class WorktreeLook(GitRunner git, Repository repository, string worktree, string index, Action touched) : IDisposable
{
    /// <summary>Files that are taken in by name; with more it is faster to go through all.</summary>
    private const int NamedMax = 200;

    /// <summary>Looks without a watch after one could not be had, before it is tried again.</summary>
    private const int UnwatchedLooks = 50;

    private readonly Lock _gate = new();
    private bool _isReading;
    private bool _isLeft;
    private TreeWatch? _watch;
    private int _unwatched;
    private Checkpoint? _last;
    private string _stamp = "";
    private (string Stamp, string? Commit) _head = ("", null);

    internal string Worktree => worktree;

    /// <summary>Bytes by blob, of files that the last look has taken in by name.</summary>
    internal IReadOnlyDictionary<string, long> Sizes { get; private set; } = new Dictionary<string, long>();

    /// <param name="placed">What was put there for the agent.</param>
    internal async Task<Checkpoint> ReadAsync(IReadOnlyList<string> placed, CancellationToken cancellation) => (await ReadAsync(placed, null, cancellation)).Shown;

    /// <param name="from">A commit or a tree, for what differs from it as well.</param>
    /// <returns>The files that differ, where they came along with the look; else they are to be asked for.</returns>
    internal async Task<(Checkpoint Shown, IReadOnlyList<FileChange>? Files)> ReadAsync(IReadOnlyList<string> placed, string? from, CancellationToken cancellation)
    {
        bool isLeft;
        lock (_gate)
        {
            isLeft = _isLeft;
            _isReading = !isLeft;
        }

        try
        {
            return isLeft ? (await Checkpoint.WriteAsync(git, worktree, placed, Path.GetDirectoryName(index)!, cancellation), null) : await ReadOnceAsync(placed, from, cancellation);
        }
        finally
        {
            lock (_gate)
            {
                _isReading = false;
                if (_isLeft)
                {
                    Clear();
                }
            }
        }
    }

    private async Task<(Checkpoint Shown, IReadOnlyList<FileChange>? Files)> ReadOnceAsync(IReadOnlyList<string> placed, string? from, CancellationToken cancellation)
    {
        var change = await TakeAsync(cancellation);
        var stamp = Stamp(placed);
        // After what .gitignore may say now, what an earlier look has taken in is not in it for good.
        var isKept = _last is not null && stamp == _stamp && !change.IsBlind;
        if (isKept && !change.IsAll && change.Paths.Count == 0)
        {
            return (_last!, null);
        }

        var known = _last;
        _last = null; // until it is known again: what was taken from the watch is not said twice
        var named = change.Paths.Where(path => !placed.Any(ours => path == ours || path.StartsWith($"{ours}/", StringComparison.Ordinal))).ToList();
        Task<IReadOnlyList<FileChange>>? differing = null;
        string? tree = null;
        if (isKept && !change.IsAll && named.Count <= NamedMax && known!.Left.Count == 0 && await Checkpoint.TakeChangedAsync(git, worktree, index, named, cancellation))
        {
            differing = from is null ? null : TreeChanges.ToIndexAsync(git, worktree, from, index, cancellation);
            var sizes = from is null ? null : TreeFile.SizesInIndexAsync(git, worktree, named, index, cancellation);
            tree = await Checkpoint.TreeOfAsync(git, worktree, index, cancellation);
            Sizes = sizes is null ? Sizes : await sizes;
        }

        var files = differing is null ? null : await differing;
        _last = tree is not null ? new Checkpoint(tree, []) : await Checkpoint.ReadAsync(git, worktree, placed, index, isKept, cancellation);
        _stamp = stamp;
        return (_last, tree is not null ? files : null);
    }

    /// <summary>Files say it as long as the branch's ref is one; else git does.</summary>
    /// <returns>The commit on which the worktree stands; null when none.</returns>
    internal async Task<string?> HeadAsync(CancellationToken cancellation)
    {
        var stamp = "";
        try
        {
            var head = await File.ReadAllTextAsync(Path.Combine(Worktrees.RecordIn(worktree), "HEAD"), cancellation);
            var branch = head.StartsWith("ref: ", StringComparison.Ordinal) ? Path.Combine(repository.CommonFolder, head["ref: ".Length..].TrimEnd('\n')) : null;
            stamp = string.Concat(head, branch is not null && File.Exists(branch) ? await File.ReadAllTextAsync(branch, cancellation) : "", Facts(Path.Combine(repository.CommonFolder, "packed-refs")));
        }
        catch (Exception unread) when (unread is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // git says what is wrong, if anything is
        }

        if (stamp.Length == 0 || stamp != _head.Stamp)
        {
            _head = (stamp, await HeadOfAsync(git, worktree, cancellation));
        }

        return _head.Commit;
    }

    internal static async Task<string?> HeadOfAsync(GitRunner git, string worktree, CancellationToken cancellation)
    {
        var said = await git.RunAsync(new GitCommand("rev-parse", worktree, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], ExitCodes: [1, 128]), cancellation);
        return said.ExitCode == 0 ? said.Text.Trim() : null;
    }

    private async Task<TreeChange> TakeAsync(CancellationToken cancellation)
    {
        if (_watch?.Take() is { IsBlind: false } change)
        {
            return change;
        }

        _watch?.Dispose();
        _watch = null;
        if (_unwatched-- > 0)
        {
            return TreeChange.Blind;
        }

        var ignored = await git.RunAsync(new GitCommand("ls-files", worktree, ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"]), cancellation);
        _watch = TreeWatch.Start(worktree, ignored.Text.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(path => path.EndsWith('/')).Select(path => path.TrimEnd('/')).ToHashSet(StringComparer.Ordinal), touched);
        _unwatched = _watch is null ? UnwatchedLooks : 0;
        return TreeChange.Blind;
    }

    /// <summary>What else decides what is taken in: the agent's index, for what it has added against the rules or left out, and the rules beside the tree.</summary>
    private string Stamp(IReadOnlyList<string> placed) => string.Concat(
        Facts(Path.Combine(Worktrees.RecordIn(worktree), "index")),
        Facts(Path.Combine(repository.CommonFolder, "info", "exclude")),
        Facts(Path.Combine(repository.CommonFolder, "info", "attributes")),
        Facts(Path.Combine(repository.CommonFolder, "config")),
        string.Join('\0', placed));

    private static string Facts(string path) => new FileInfo(path) is { Exists: true } file ? string.Create(CultureInfo.InvariantCulture, $"{file.LastWriteTimeUtc.Ticks} {file.Length}\n") : "none\n";

    /// <summary>A look that is under way ends first.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isLeft = true;
            if (!_isReading)
            {
                Clear();
            }
        }
    }

    private void Clear()
    {
        _watch?.Dispose();
        _watch = null;
        File.Delete(index);
    }
}
