using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Engine;

/// <summary>What worktrees are given besides git's files.</summary>
internal sealed partial class BoardEngine
{
    private RunNeeds NeedsOf(long runId) => _view.Needs.GetValueOrDefault(runId) ?? RunNeeds.None;

    /// <summary>On the loop, which is the only writer.</summary>
    private void Keep(Run run, RunNeeds needs)
    {
        try
        {
            needs.Write(_paths.Needs(run.CardNumber, run.Id));
        }
        catch (IOException failure)
        {
            _log.Error($"needs of run {run.Id}", failure); // shown all the same; the next serve does not know them
        }

        Show(_view with { Needs = _view.Needs.SetItem(run.Id, needs) });
    }

    private bool ReadNeeds()
    {
        var needs = _view.Needs.ToBuilder();
        foreach (var run in _state.Runs.Values.Where(run => IsResumable(run) && !needs.ContainsKey(run.Id)))
        {
            if (RunNeeds.Read(_paths.Needs(run.CardNumber, run.Id)) is { } known)
            {
                needs[run.Id] = known;
            }
        }

        Show(_view with { Needs = needs.ToImmutable() });
        return true;
    }

    private static bool IsResumable(Run run) => run.State is not (RunState.Discarded or RunState.Promoted);

    /// <summary>The same for every launch of a run, unless another run that is live has it by now.</summary>
    private int PortOf(Run run)
    {
        HashSet<int> Ports(Func<Run, bool> which) => [.. _view.Needs.Where(entry => entry.Key != run.Id && _state.Runs.TryGetValue(entry.Key, out var other) && which(other)).Select(entry => entry.Value.PortBase)];
        var live = Ports(other => other.LaunchLive);
        if (NeedsOf(run.Id).PortBase is var known && known > 0 && !live.Contains(known))
        {
            return known;
        }

        var port = PortBlocks.Choose(_paths.Repository.CommonFolder, run.Id, live, Ports(IsResumable));
        Keep(run, NeedsOf(run.Id) with { PortBase = port });
        return port;
    }

    /// <summary>What the agent and the setup command find in their environment. None of it is a secret: it stands in launch.json.</summary>
    private Dictionary<string, string> VariablesOf(Run run)
    {
        var variables = new Dictionary<string, string>
        {
            ["KANBOTS_PORT"] = FormattableString.Invariant($"{PortOf(run)}"),
            ["KANBOTS_WORKTREE"] = run.WorktreePath,
        };
        if (!_paths.Repository.IsBare)
        {
            variables["KANBOTS_MAIN_WORKTREE"] = _paths.Repository.Root;
        }

        if (NeedsOf(run.Id).NodeModules is { } modules)
        {
            variables["KANBOTS_NODE_MODULES"] = modules.Strategy;
        }

        return variables;
    }
}
