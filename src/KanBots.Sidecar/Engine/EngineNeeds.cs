using KanBots.Sidecar.Board;
using KanBots.Sidecar.Git;

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

    private bool IsTrusted(long runId) => _clients.GetValueOrDefault(runId)?.IsTrusted() ?? true;

    /// <summary>Asked again after a crash it finds what it has placed already. What cannot be placed is said, and is no reason not to begin.</summary>
    private async Task<RunNeeds> EquipAsync(string worktree, string commit, RunClient? client)
    {
        var (repository, settings) = (_paths.Repository, Settings);
        var isTrusted = client?.IsTrusted() ?? true;
        var needs = RunNeeds.None;
        try
        {
            var missing = await Submodules.FillAsync(_git, repository, worktree, client?.Environment ?? [], _closing.Token);
            needs = missing.Count > 0 ? needs.Say(new Notice("submodules", string.Join(' ', missing))) : needs;
            needs = await LargeFiles.MissingAsync(_git, worktree, _closing.Token) is { } pointers ? needs.Say(new Notice("lfs", pointers)) : needs;
        }
        catch (Exception failure) when (failure is GitFailure or IOException or UnauthorizedAccessException)
        {
            needs = needs.Say(new Notice("submodules", $"Whether submodules and files of Git LFS are there is not known: {failure.Message}"));
        }

        try
        {
            var copied = await IgnoredFiles.CopyAsync(_git, repository, worktree, settings.WorktreeInclude ?? [], isTrusted, _paths.Scratch, _closing.Token);
            needs = needs with { Placed = [.. copied.Files.Select(file => new Placed(file.Path, Placed.File, file.Bytes))] };
            needs = copied.Said.Count > 0 ? needs.Say(new Notice("include", string.Join(' ', copied.Said))) : needs;
        }
        catch (Exception failure) when (failure is GitFailure or IOException or UnauthorizedAccessException)
        {
            needs = needs.Say(new Notice("include", $"Ignored files could not be copied: {failure.Message}"));
        }

        try
        {
            needs = await GiveNodeModulesAsync(needs, worktree, commit, isTrusted);
        }
        catch (Exception failure) when (failure is GitFailure or IOException or UnauthorizedAccessException)
        {
            needs = needs.Say(new Notice("nodeModules", $"Nothing was done for node_modules: {failure.Message}"));
        }

        return needs;
    }

    private async Task<RunNeeds> GiveNodeModulesAsync(RunNeeds needs, string worktree, string commit, bool isTrusted)
    {
        var (repository, settings) = (_paths.Repository, Settings);
        if (await NodeModules.ChooseAsync(_git, repository, worktree, commit, settings.WorktreeNodeModules, isTrusted && settings.SetupArgv is not null, _closing.Token) is not { } modules)
        {
            return needs;
        }

        if (modules.Strategy == NodeModules.Symlink)
        {
            if (await NodeModules.LinkAsync(_git, repository, worktree, _closing.Token) is { } links)
            {
                needs = needs with { Placed = [.. needs.Placed, new Placed(NodeModules.FolderName, Placed.Links, links)] };
            }
            else
            {
                modules = new NodeModules(NodeModules.Nobody, "worktree.nodeModules is `symlink`, but the main working tree has no node_modules, or the run's base does not ignore `node_modules/`, so that the links would show as changes. Ignore it, or choose another strategy.");
            }
        }

        return (needs with { NodeModules = new ModulesFrom(modules.Strategy, modules.Reason) }).Say(new Notice("nodeModules", $"node_modules: {modules.Strategy}. {modules.Reason}"));
    }
}
