using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Tests.Board.Simulation;

/// <summary>What is true whether or not serve lives: worktrees, launches, money. It obeys effects as Engine does and takes nothing
/// else from the core.</summary>
internal sealed class World(Random random)
{
    private readonly List<GitJob> _git = [];

    internal Dictionary<long, string> Worktrees { get; } = [];

    internal Dictionary<long, string> Trash { get; } = [];

    internal SortedDictionary<(long Run, int Launch), SimLaunch> Launches { get; } = [];

    /// <summary>Exact cost that serve was told, by run, micro-dollars.</summary>
    internal SortedDictionary<long, long> Billed { get; } = [];

    /// <summary>What serve was told of models, by run: money, tokens, and turns without a price.</summary>
    internal SortedDictionary<long, (long MicroUsd, long Tokens, int Unpriced)> Used { get; } = [];

    /// <summary>The highest run id among refs of an earlier database.</summary>
    internal long ForeignRunId { get; set; }

    internal bool Calm { get; set; }

    internal long HighestRunId => Worktrees.Keys.Concat(Launches.Keys.Select(key => key.Run)).Append(ForeignRunId).Max();

    private bool Fails(int oneIn) => !Calm && random.Next(oneIn) == 0;

    internal void OrderWorktree(Run run, int serve) => _git.Add(new GitJob(run.Id, $"/w/issue-{run.CardNumber}-{run.Id}", serve) { StepsLeft = random.Next(0, Calm ? 1 : 12), Fails = Fails(8) });

    /// <returns>What git said to the serve that asked; an answer to a dead one reaches nobody.</returns>
    internal IEnumerable<Input.Report> StepGit(int serve)
    {
        if (_git.FirstOrDefault() is not { } job || job.StepsLeft-- > 0)
        {
            return []; // serialised: one at a time
        }

        _git.RemoveAt(0);
        if (job.Fails)
        {
            return job.Serve == serve ? [new Input.PrepareFailed(job.RunId, new Reason("repositoryLocked", "git is locked."))] : [];
        }

        if (Worktrees.FirstOrDefault(one => one.Value == job.Path) is { Value: not null } other && other.Key != job.RunId)
        {
            throw new Violation("worktree-clobber", $"run {job.RunId} was given the worktree of run {other.Key}");
        }

        Worktrees[job.RunId] = job.Path;
        return job.Serve == serve ? [new Input.Prepared(job.RunId, job.Path, "origin/main", "c0ffee")] : [];
    }

    /// <summary>A serve that died takes some of its git processes with it.</summary>
    internal void LoseServe() => _ = _git.RemoveAll(_ => random.Next(2) == 0);

    /// <returns>The launch; null when its folder could not be made or its host could not be started.</returns>
    internal SimLaunch? OrderLaunch(Run run, Effect.StartLaunch start, bool dies)
    {
        EndLeftovers(run.Id);
        var launch = new SimLaunch(run.Id, start.Launch, run.WorktreePath, run.Budget.Minutes, run.PermissionMode, start.Resume, echoes: Calm || random.Next(10) > 0);
        if (!Launches.TryAdd((run.Id, start.Launch), launch))
        {
            throw new Violation("launch-ordered-twice", $"launch {start.Launch} of run {run.Id} was ordered a second time");
        }

        if (!Worktrees.TryGetValue(run.Id, out var path) || path != run.WorktreePath)
        {
            throw new Violation("worktree-missing", $"launch {start.Launch} of run {run.Id} was ordered for '{run.WorktreePath}', which does not exist");
        }

        foreach (var message in start.Messages)
        {
            launch.Tell(message.Id);
            _ = launch.Said.Told.Add(message.Id);
        }

        if (dies)
        {
            return launch; // serve is killed before it starts the host
        }

        if (Fails(25))
        {
            return null;
        }

        launch.HostDelay = random.Next(0, Calm ? 1 : 8);
        return launch;
    }

    internal void EndLeftovers(long runId)
    {
        foreach (var launch in Launches.Values.Where(launch => launch.RunId == runId))
        {
            launch.LeftRunning = 0;
        }
    }

    /// <summary>Done or done already; cut off it goes on where it was.</summary>
    internal void Discard(long runId)
    {
        EndLeftovers(runId);
        if (Launches.Values.FirstOrDefault(launch => launch.RunId == runId && launch.Lives) is { } live)
        {
            throw new Violation("moved-under-an-agent", $"the worktree of run {runId} was put aside while launch {live.Number} lived in it");
        }

        if (Worktrees.Remove(runId, out var path))
        {
            Trash[runId] = path;
        }
    }

    internal void Restore(long runId)
    {
        if (Trash.Remove(runId, out var path))
        {
            Worktrees[runId] = path;
        }
    }

    internal HashSet<long> Freed { get; } = [];

    /// <summary>What is not in the trash is never deleted.</summary>
    internal void Free(long runId)
    {
        if (Worktrees.ContainsKey(runId))
        {
            throw new Violation("work-lost", $"the worktree of run {runId} was deleted from its place");
        }

        _ = Trash.Remove(runId);
        _ = Freed.Add(runId);
    }

    internal void StepLaunch(SimLaunch launch)
    {
        if (launch.HostDelay > 0)
        {
            launch.HostDelay--;
        }
        else if (launch.HostDelay == 0)
        {
            launch.StartHost(Fails(20));
            if (launch.HostAlive && Launches.Values.FirstOrDefault(other => other != launch && other.Worktree == launch.Worktree && other.Lives) is { } other)
            {
                throw new Violation("two-in-one-worktree", $"launch {launch.Number} of run {launch.RunId} started in {launch.Worktree} while launch {other.Number} of run {other.RunId} lives there");
            }
        }
        else
        {
            launch.Step(random, Calm);
        }
    }

    /// <summary>As Engine observes: a launch that no host took is claimed, so that no late host can make it a ghost.</summary>
    internal ObservedKind Observe(Run run)
    {
        if (!Launches.TryGetValue((run.Id, run.Launch), out var launch) || (!launch.Claimed && launch.Exit is null))
        {
            if (launch is not null)
            {
                launch.Claimed = true;
            }

            return ObservedKind.NeverStarted;
        }

        return launch.HostAlive ? ObservedKind.Alive : ObservedKind.Gone;
    }

    /// <summary>A launch whose bill comes after its end was told, and whether it comes even after its card was deleted.</summary>
    internal (SimLaunch Launch, bool Deleted)? BilledLate(IReadOnlySet<SimLaunch> followed, BoardState state)
    {
        var gone = Launches.Values.Where(launch => launch.IsGone && !followed.Contains(launch)).ToLookup(launch => !state.Runs.ContainsKey(launch.RunId) && !state.IsPast(launch.RunId));
        var deleted = gone[true].Any() && (!gone[false].Any() || random.Next(2) == 0);
        var chosen = gone[deleted].ToList();
        return chosen.Count == 0 ? null : (chosen[random.Next(chosen.Count)], deleted);
    }

    private sealed record GitJob(long RunId, string Path, int Serve)
    {
        internal int StepsLeft { get; set; }

        internal bool Fails { get; init; }
    }
}
