using System.Collections.Concurrent;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Engine;

/// <summary>Worktrees that somebody looks at: for as long, and only for as long, they are watched.</summary>
internal sealed partial class BoardEngine
{
    /// <summary>Worktrees that are watched at once; of more the one that nobody has asked for longest is let go.</summary>
    private const int WatchedMax = 4;

    /// <summary>After the last question.</summary>
    internal static TimeSpan LookKept { get; } = TimeSpan.FromMinutes(5);

    /// <summary>Blobs whose size is remembered.</summary>
    private const int SizesMax = 20_000;

    private readonly Dictionary<long, (WorktreeLook Look, DateTimeOffset At)> _looks = [];
    private readonly ConcurrentDictionary<long, long> _touches = new();
    private readonly ConcurrentDictionary<string, long> _sizes = new(StringComparer.Ordinal);
    private TaskCompletionSource _touched = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when a worktree that is looked at may have changed. Take it before asking for the number.</summary>
    internal Task Touched => Volatile.Read(ref _touched).Task;

    /// <returns>Another number than before when the run's worktree may have changed.</returns>
    internal long TouchesOf(long runId) => _touches.GetValueOrDefault(runId);

    private void Touch(long runId)
    {
        _touches.AddOrUpdate(runId, 1, (_, before) => before + 1);
        Interlocked.Exchange(ref _touched, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    /// <summary>The agent has used a tool, or a turn has ended: where there is no watch, that is when to look again.</summary>
    private void TouchIfLookedAt(long runId)
    {
        lock (_looks)
        {
            if (!_looks.ContainsKey(runId))
            {
                return;
            }
        }

        Touch(runId);
    }

    private WorktreeLook LookAtWorktree(Run run)
    {
        var left = new List<WorktreeLook>();
        lock (_looks)
        {
            if (_looks.TryGetValue(run.Id, out var known) && known.Look.Worktree != run.WorktreePath)
            {
                _looks.Remove(run.Id);
                left.Add(known.Look);
                known = default;
            }

            var look = known.Look ?? new WorktreeLook(_git, _paths.Repository, run.WorktreePath, Path.Combine(_paths.Scratch, $"look-{Guid.NewGuid():N}"), () => Touch(run.Id));
            _looks[run.Id] = (look, _time.GetUtcNow());
            while (_looks.Count > WatchedMax)
            {
                var oldest = _looks.MinBy(entry => entry.Value.At);
                _looks.Remove(oldest.Key);
                left.Add(oldest.Value.Look);
                Touch(oldest.Key);
            }

            left.ForEach(gone => gone.Dispose());
            return look;
        }
    }

    /// <summary>Also told to who looked: whoever still shows it asks again, and it goes on.</summary>
    private void ForgetLooks()
    {
        lock (_looks)
        {
            foreach (var (run, (look, _)) in _looks.Where(entry => _time.GetUtcNow() - entry.Value.At > LookKept).ToList())
            {
                _looks.Remove(run);
                look.Dispose();
                Touch(run);
            }
        }
    }

    internal async Task<IReadOnlyDictionary<string, long>> SizesAsync(Run run, IEnumerable<string> blobs, CancellationToken cancellation)
    {
        var wanted = blobs.ToHashSet(StringComparer.Ordinal);
        var unknown = wanted.Where(blob => !_sizes.ContainsKey(blob)).ToList();
        var sizes = new Dictionary<string, long>(await TreeFile.SizesAsync(_git, run.WorktreePath, unknown, cancellation));
        foreach (var blob in wanted.Except(unknown))
        {
            if (_sizes.TryGetValue(blob, out var size))
            {
                sizes[blob] = size;
            }
        }

        KeepSizes(sizes);
        return sizes;
    }

    private void KeepSizes(IReadOnlyDictionary<string, long> sizes)
    {
        if (_sizes.Count + sizes.Count > SizesMax)
        {
            _sizes.Clear();
        }

        foreach (var (blob, size) in sizes.Take(SizesMax))
        {
            _sizes[blob] = size;
        }
    }
}
