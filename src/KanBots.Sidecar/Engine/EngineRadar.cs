using System.Collections.Immutable;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Engine;

/// <summary>Two that would not go together: a run with another, or with the branch on which it began.</summary>
/// <param name="OtherRunId">Null when it is the target.</param>
/// <param name="Paths">From the top, with slashes; at most <see cref="PathsMax"/>.</param>
internal sealed record RunConflict(long RunId, long? OtherRunId, string? Target, ImmutableArray<string> Paths)
{
    internal const int PathsMax = 10;
}

/// <summary>Looks ahead, off the loop: which runs would conflict if they landed now, by what their last checkpoints hold. Files that only one
/// of two has touched prove that they go together; only where both have is git asked to merge, and each pair of commits once.</summary>
internal sealed partial class BoardEngine
{
    /// <summary>Runs that are compared with each other: the newest.</summary>
    internal const int RadarRunsMax = 12;

    /// <summary>Answers of git that are kept.</summary>
    private const int RadarAnswersMax = 500;

    /// <summary>Conflicts of one run that are said.</summary>
    private const int ConflictsMax = 5;

    /// <summary>From the end of a look to the next, which sees all that has changed meanwhile.</summary>
    private static readonly TimeSpan RadarPause = TimeSpan.FromSeconds(5);

    private readonly Dictionary<long, string> _radarCommits = []; // of each run the commit of its last checkpoint, as far as it was taken here; touched by the loop alone
    private readonly Dictionary<(string, string), ImmutableArray<string>> _radarAnswers = [];
    private readonly Dictionary<(string, string), HashSet<string>> _radarTouched = [];
    private bool _radarRuns; // touched by the loop alone
    private bool _radarAgain;

    /// <summary>Something that it looks at has changed. One look is taken at a time, and what changes meanwhile is seen by the next.</summary>
    private void LookAhead()
    {
        if (_radarRuns)
        {
            _radarAgain = true;
            return;
        }

        _radarAgain = false;
        var runs = _state.Runs.Values.Where(run => run.HoldsWorktree && !run.Checkpoints.IsEmpty && (run.IsLive || run.State == RunState.InReview)).TakeLast(RadarRunsMax).ToList();
        foreach (var gone in _radarCommits.Keys.Except(runs.Select(run => run.Id)).ToList())
        {
            _radarCommits.Remove(gone);
        }

        if (runs.Count == 0)
        {
            if (!_view.Conflicts.IsEmpty)
            {
                Show(_view with { Conflicts = _view.Conflicts.Clear() });
            }

            return;
        }

        _radarRuns = true;
        _ = LookAheadAsync(runs, _radarCommits.ToDictionary());
    }

    private async Task LookAheadAsync(IReadOnlyList<Run> runs, Dictionary<long, string> commits)
    {
        var found = ImmutableDictionary<long, ImmutableArray<RunConflict>>.Empty;
        var isKnown = false;
        try
        {
            found = await ConflictsAsync(runs, commits);
            isKnown = true;
        }
        catch (OperationCanceledException)
        {
            return; // serve leaves
        }
        catch (GitFailure gone) when (gone.Kind == "folderMissing")
        {
            _log.Info($"conflicts: {gone.Message}"); // somebody removes a worktree while it is looked at; the next look goes without it
        }
        catch (Exception failure)
        {
            _log.Error("conflicts", failure); // nothing is said rather than something old
        }

        Post(() =>
        {
            if (!Same(found, _view.Conflicts))
            {
                Show(_view with { Conflicts = found });
            }

            if (!isKnown)
            {
                _radarCommits.Clear(); // one may be gone
            }
        });
        try
        {
            await _git.PauseAsync(RadarPause, _closing.Token);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        Post(() =>
        {
            _radarRuns = false;
            if (_radarAgain)
            {
                LookAhead();
            }
        });
    }

    private async Task<ImmutableDictionary<long, ImmutableArray<RunConflict>>> ConflictsAsync(IReadOnlyList<Run> runs, Dictionary<long, string> commits)
    {
        if (runs.Where(run => !commits.ContainsKey(run.Id)).ToDictionary(run => CheckpointRefs.RunOf(run.CardNumber, run.Id), run => run.Id) is { Count: > 0 } unknown)
        {
            foreach (var words in (await GitAsync("for-each-ref", ["for-each-ref", "--format=%(refname) %(objectname)", .. unknown.Keys])).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')))
            {
                commits[unknown[words[0]]] = words[1];
            }
        }

        var seen = new List<Ahead>();
        foreach (var run in runs.Where(run => Worktrees.IsOwn(_paths.Repository, run.WorktreePath)))
        {
            if (commits.TryGetValue(run.Id, out var commit))
            {
                seen.Add(new Ahead(run, commit, await TouchedAsync(run, run.Checkpoints[^1].Tree)));
            }
        }

        var pairs = new List<Pair>();
        var targets = new Dictionary<string, Base?>();
        for (var i = 0; i < seen.Count; i++)
        {
            pairs.AddRange(seen.Skip(i + 1).Where(other => other.Touched.Overlaps(seen[i].Touched)).Select(other => new Pair(seen[i], other, other.Commit, null)));
            if (await TargetAsync(seen[i].Run, targets) is { } target && target.Commit != seen[i].Run.BaseCommit)
            {
                pairs.Add(new Pair(seen[i], null, target.Commit, target.Ref));
            }
        }

        await AskAsync(pairs);
        return pairs.SelectMany(Found).GroupBy(conflict => conflict.RunId).ToImmutableDictionary(same => same.Key, same => same.Take(ConflictsMax).ToImmutableArray());
    }

    private IEnumerable<RunConflict> Found(Pair pair)
    {
        var paths = _radarAnswers[pair.Commits];
        return paths.IsEmpty ? []
            : pair.Other is { Run.Id: var other } ? [new RunConflict(pair.One.Run.Id, other, null, paths), new RunConflict(other, pair.One.Run.Id, null, paths)]
            : [new RunConflict(pair.One.Run.Id, null, pair.Target, paths)];
    }

    /// <summary>Each pair of commits is asked once, and all of one run together, of the run that has most: as a rule the one that has changed.</summary>
    private async Task AskAsync(IReadOnlyList<Pair> pairs)
    {
        if (_radarAnswers.Count >= RadarAnswersMax)
        {
            _radarAnswers.Clear();
        }

        var open = pairs.Where(pair => !_radarAnswers.ContainsKey(pair.Commits)).ToList();
        while (open.Count > 0)
        {
            var most = open.SelectMany(pair => pair.Runs).GroupBy(run => run.Id).MaxBy(same => same.Count())!.First();
            var asked = open.Where(pair => pair.Runs.Contains(most)).ToList();
            var answers = await Conflicts.BetweenAsync(_git, most.WorktreePath, [.. asked.Select(pair => pair.Commits)], _closing.Token);
            foreach (var (pair, paths) in asked.Zip(answers))
            {
                _radarAnswers[pair.Commits] = [.. paths.Take(RunConflict.PathsMax)];
            }

            open.RemoveAll(asked.Contains);
        }
    }

    private async Task<HashSet<string>> TouchedAsync(Run run, string tree)
    {
        if (!_radarTouched.TryGetValue((run.BaseCommit, tree), out var known))
        {
            if (_radarTouched.Count >= 2 * RadarRunsMax)
            {
                _radarTouched.Clear();
            }

            _radarTouched[(run.BaseCommit, tree)] = known = [.. await TreeChanges.PathsAsync(_git, run.WorktreePath, run.BaseCommit, tree, _closing.Token)];
        }

        return known;
    }

    /// <summary>Where the branch on which it began stands now; null when it is gone.</summary>
    private async Task<Base?> TargetAsync(Run run, Dictionary<string, Base?> known)
    {
        var wanted = run.BaseWanted ?? "";
        if (!known.TryGetValue(wanted, out var target))
        {
            try
            {
                target = await Base.ChooseAsync(_git, _paths.Repository, run.BaseWanted, Settings.WorktreeBaseRef, _closing.Token);
            }
            catch (GitFailure)
            {
                target = null;
            }

            known[wanted] = target;
        }

        return target;
    }

    private static bool Same(ImmutableDictionary<long, ImmutableArray<RunConflict>> one, ImmutableDictionary<long, ImmutableArray<RunConflict>> other) =>
        one.Count == other.Count && one.All(entry => other.TryGetValue(entry.Key, out var same) && entry.Value.Length == same.Length && entry.Value.Zip(same).All(pair => pair.First with { Paths = [] } == pair.Second with { Paths = [] } && pair.First.Paths.SequenceEqual(pair.Second.Paths)));

    /// <summary>A run as it stands, and what it has touched since it began.</summary>
    private sealed record Ahead(Run Run, string Commit, HashSet<string> Touched);

    /// <summary>A run and another one, or its target.</summary>
    private sealed record Pair(Ahead One, Ahead? Other, string Commit, string? Target)
    {
        internal (string One, string Other) Commits => (One.Commit, Commit);

        internal IEnumerable<Run> Runs => Other is null ? [One.Run] : [One.Run, Other.Run];
    }
}
