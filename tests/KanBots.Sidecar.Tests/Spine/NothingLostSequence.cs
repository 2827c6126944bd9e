using System.Text.Json.Nodes;
using KanBots.Sidecar.Tests.Git;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>One card and its run, over random steps of its agent, of the user and of chance.</summary>
internal sealed class NothingLostSequence(NothingLostWorld world, NothingLostCounts counts, int seed, int card)
{
    private const int Steps = 10;

    /// <summary>How often a run is begun again that was stopped before its agent had begun.</summary>
    private const int BeginsMax = 10;

    private static readonly string[] Over = ["inReview", "finished", "failed", "stopped", "interrupted", "promoted", "discarded"];
    private static readonly string[] Existing = ["main", "other", "next"];

    private readonly Random _random = new(seed);
    private readonly Dictionary<string, (string Tree, SortedDictionary<string, string> Files)> _kept = [];
    private readonly List<(string Branch, string Commit, string Tree)> _landed = [];
    private long _run;
    private int _scripts;
    private string _worktree = "";
    private string _branch = "";
    private bool _discarded;
    private bool _promoted;
    private Whole _atDiscard = new([], "", "", "");

    /// <summary>All of a worktree: its files, also those that git ignores, its index, where HEAD is and the commit of its branch.</summary>
    private sealed record Whole(SortedDictionary<string, string> Files, string Index, string Head, string Commit)
    {
        internal static void AssertSame(Whole expected, Whole actual)
        {
            Assert.Equal(expected.Files, actual.Files);
            Assert.Equal(expected.Index.Split('\n'), actual.Index.Split('\n'));
            Assert.Equal((expected.Head, expected.Commit), (actual.Head, actual.Commit));
        }
    }

    internal List<string> Done { get; } = [];

    internal int Seed => seed;

    private string Repository => world.Place.Repository;

    private string TrashPath => Path.Combine(world.Place.State, "trash", $"issue-{card}-{_run}");

    internal void Play()
    {
        Together(Begin);
        for (var step = 0; step < Steps; step++)
        {
            Interlocked.Increment(ref counts.Steps);
            Step();
        }

        Together(() =>
        {
            if (_discarded)
            {
                Restore(alone: false);
            }

            Check();
            lock (world.Active)
            {
                world.Active.Remove(this);
            }
        });
    }

    private void Together(Action step)
    {
        world.Steps.EnterReadLock();
        try
        {
            step();
        }
        finally
        {
            world.Steps.ExitReadLock();
        }
    }

    private void Alone(Action step)
    {
        world.Steps.EnterWriteLock();
        try
        {
            step();
        }
        finally
        {
            world.Steps.ExitWriteLock();
        }
    }

    private void Step()
    {
        var (what, alone) = (_random.Next(20), _random.Next(30) == 0);
        switch (what)
        {
            case < 6 when !_discarded:
                Together(() => Hand(Work()));
                break;
            case < 8 when !_discarded && !_promoted:
                Together(Turn);
                break;
            case < 11 when !_discarded:
                Moves(alone, () => Promote(alone));
                break;
            case < 13 when !_discarded:
                Moves(alone, () => Rewind(alone));
                break;
            case < 15 when !_discarded:
                Moves(alone, () => Discard(alone));
                break;
            case < 15:
                Moves(alone, () => Restore(alone));
                break;
            case 15:
                Together(() => Note("worktree prune", () => TestRepository.PlainGit(Repository, "worktree", "prune", "--expire", "now")));
                break;
            case 16 when alone:
                Alone(Clean);
                break;
            case 17 when alone:
                Alone(() => Note("gc", Housekeeping));
                break;
            default:
                Together(() => Done.Add(world.Person.Work(_random)));
                break;
        }
    }

    private void Moves(bool alone, Action step)
    {
        Action<Action> held = alone ? Alone : Together;
        held(step);
        Together(Learn);
    }

    private void Note(string what, Action work)
    {
        Done.Add(what);
        work();
    }

    private void Housekeeping()
    {
        TestRepository.PlainGit(Repository, "worktree", "prune", "--expire", "now");
        TestRepository.PlainGit(Repository, "gc", "-q", "--prune=now");
    }

    /// <summary>A request of this run. Now and then serve dies while it is under way; who is alone does its housekeeping before the next one comes.</summary>
    private JsonObject Ask(string method, bool alone, params (string Name, JsonNode? Value)[] more)
    {
        var parameters = new JsonObject([.. more.Select(one => KeyValuePair.Create(one.Name, one.Value)), new("requestId", $"{seed}-{Guid.NewGuid()}"), new("runId", _run)]);
        var (dies, moment) = (alone || _random.Next(30) == 0, _random.Next(0, 200));
        Done.Add($"{method}{(dies ? $", serve killed after {moment} ms" : "")}{(alone ? ", housekeeping" : "")}");
        return world.Call(method, parameters, dies ? () => KillServe(moment, alone) : null);
    }

    private void KillServe(int moment, bool alone)
    {
        Interlocked.Increment(ref counts.Kills);
        Place.Moment(moment);
        world.KillServe(alone ? Down : null);
        void Down()
        {
            world.AwaitGits();
            Housekeeping();
        }
    }

    private JsonObject Details() => world.Call("run/details", new JsonObject { ["runId"] = _run });

    private List<string> Ids() => [.. Details()["checkpoints"]!.AsArray().Select(one => (string)one!["id"]!)];

    /// <summary>What is listed now is read now, and is to be read ever after.</summary>
    private void Learn()
    {
        var listed = Details()["checkpoints"]!.AsArray().ToDictionary(one => (string)one!["id"]!, one => (string)one!["tree"]!);
        Assert.Empty(_kept.Keys.Except(listed.Keys));
        foreach (var (id, tree) in listed.Where(one => !_kept.ContainsKey(one.Key)))
        {
            _kept[id] = (tree, PlainFiles.OfTree(Repository, tree));
        }
    }

    private void AssertLastIs(SortedDictionary<string, string> files)
    {
        var details = Details();
        var last = details["checkpoints"]!.AsArray().LastOrDefault();
        Assert.True(last is not null, $"nothing was kept: {details.ToJsonString()}");
        Assert.Equal(files, PlainFiles.OfTree(Repository, (string)last!["tree"]!));
    }

    private SortedDictionary<string, string> Files() => PlainFiles.Of(_worktree, ".git", "ignored");

    private Whole Everything(string folder, string branch) => new(
        PlainFiles.Of(folder, ".git"),
        TestRepository.PlainGit(folder, "ls-files", "--stage"),
        File.ReadAllText(Path.Combine(RecordOf(folder), "HEAD")),
        TestRepository.PlainGit(Repository, "rev-parse", branch));

    private static string RecordOf(string worktree) => File.ReadAllText(Path.Combine(worktree, ".git"))["gitdir: ".Length..].TrimEnd('\n');

    private void Begin()
    {
        lock (world.Active)
        {
            world.Active.Add(this);
        }

        Script("first", [Sh(Work())]);
        var created = world.Call("card/create", new JsonObject { ["requestId"] = $"{seed}-card", ["title"] = $"card {card}", ["number"] = card, ["body"] = $"[[fake:{Named}]]" });
        Done.Add("dispatch");
        var run = world.Call("run/dispatch", new JsonObject { ["requestId"] = $"{seed}-run", ["cardId"] = (long)created["card"]!["id"]! })["run"]!;
        _run = (long)run["id"]!;
        _branch = (string)run["branch"]!;
        Settle(0);
        var begun = Details()["run"]!;
        Assert.True((string)begun["worktreePath"]! is { Length: > 0 }, $"no worktree: {begun.ToJsonString()}");
        _worktree = (string)begun["worktreePath"]!;
        for (var again = 0; again < BeginsMax && Ids().Count == 0; again++)
        {
            BeginAgain();
        }

        Learn();
        AssertLastIs(Files());
    }

    /// <summary>A serve that dies before an agent was begun, and a stop before the next one begins it, leave a worktree in which nobody has worked: there is nothing to keep.</summary>
    private void BeginAgain()
    {
        var run = Details()["run"]!;
        Assert.Equal(("stopped", 0), ((string)run["state"]!, (int)run["turns"]!));
        Assert.Equal(PlainFiles.OfTree(Repository, (string)run["baseCommit"]!), Files());
        Ask("run/resume", false, ("text", $"[[fake:{Named}]]"));
        Settle((int)run["launch"]!);
    }

    private string Named => $"s{seed}-{_scripts}";

    private static JsonObject Sh(string commands) => new() { ["sh"] = commands };

    private void Script(string what, JsonArray steps)
    {
        _scripts++;
        steps.Add(new JsonObject { ["say"] = what });
        world.Place.Script(Named, steps.ToJsonString());
    }

    private string Work() => NothingLostAgent.Work(_random, card, _branch);

    private void Hand(string commands)
    {
        Done.Add($"by hand: {commands}");
        using var shell = TestRepository.Start(_worktree, "/bin/sh", "-c", commands);
        shell.WaitForExit();
    }

    /// <summary>One more launch, which ends by itself, is killed, stopped, or discarded with all that it has running.</summary>
    private void Turn()
    {
        var (before, hosts, agents, end) = ((int)Details()["run"]!["launch"]!, world.Place.HostPids(card, _run).Count, world.Place.AgentPids(card, _run).Count, _random.Next(6));
        JsonArray steps = [Sh(Work())];
        if (end >= 2)
        {
            steps.Add(Sh("setsid sleep 600 > /dev/null 2>&1 & sleep 0.05"));
            steps.Add(Sh(Work()));
            steps.Add(new JsonObject { ["tool"] = "Bash", ["ms"] = 600_000 });
        }

        Script("next", steps);
        Done.Add($"turn: {steps.ToJsonString()}");
        _ = _random.Next(2) == 0 ? Ask("run/reply", false, ("text", $"[[fake:{Named}]]")) : Ask("run/resume", false, ("text", $"[[fake:{Named}]]"));
        if (end >= 2)
        {
            End(end, hosts, agents);
        }

        if (_discarded)
        {
            return;
        }

        var whole = Settle(before);
        Learn();
        if (whole)
        {
            AssertLastIs(Files());
        }
    }

    private void End(int how, int hosts, int agents)
    {
        Place.Until($"seed {seed}: a host has begun", () => world.Place.HostPids(card, _run).Count > hosts);
        var moment = _random.Next(0, 400);
        Place.Moment(moment);
        Done.Add($"{how switch { 2 => "agent killed", 3 => "host killed", 4 => "stop", _ => "discard" }} after {moment} ms");
        switch (how)
        {
            case 2:
                Place.Until($"seed {seed}: an agent has begun", () => world.Place.AgentPids(card, _run).Count > agents);
                Kill(world.Place.AgentPids(card, _run)[^1]);
                break;
            case 3:
                Kill(world.Place.HostPids(card, _run)[^1]);
                break;
            case 4:
                Ask("run/stop", false);
                break;
            default:
                DiscardLive();
                break;
        }
    }

    /// <summary>One that has ended of itself may have left its pid to somebody else.</summary>
    private void Kill(int pid)
    {
        if (world.IsOfOurs(pid))
        {
            Interlocked.Increment(ref counts.Kills);
            Place.Kill(pid);
        }
    }

    /// <summary>Until the run is over. What was told and not heard before a kill is told again by a launch of its own, which nobody ends but a person.</summary>
    /// <returns>Whether all had ended with it: what an agent that died has left running writes on until a person ends it, after the last checkpoint too.</returns>
    private bool Settle(int before)
    {
        JsonNode run = new JsonObject();
        Place.Until($"seed {seed}: run {_run} is over", () => Over.Contains((string)(run = Details()["run"]!)["state"]!) || (int)run["launch"]! > before + 1);
        var whole = (int)run["leftRunning"]! == 0;
        if (!Over.Contains((string)run["state"]!) || !whole)
        {
            Ask("run/stop", false);
        }

        ClearLocks();
        return whole;
    }

    /// <summary>A git that was killed leaves its lock, and says whose hand is to take it away.</summary>
    private void ClearLocks()
    {
        string[] places = [.. File.Exists(Path.Combine(_worktree, ".git")) ? Directory.GetFiles(RecordOf(_worktree), "*.lock", SearchOption.AllDirectories) : [], Path.Combine(Repository, ".git", "refs", "heads", $"{_branch}.lock")];
        foreach (var file in places.Where(File.Exists))
        {
            File.Delete(file);
        }
    }

    private void Promote(bool alone)
    {
        var review = world.Call("review/changes", new JsonObject { ["runId"] = _run });
        var tree = (string)review["tree"]!;
        Assert.Equal(Files(), PlainFiles.OfTree(Repository, tree));
        var isNew = _random.Next(2) == 0;
        var branch = isNew ? $"landed/{card}-{_landed.Count}" : Existing[_random.Next(Existing.Length)];
        if (isNew)
        {
            if (Landing(branch, tree, alone) is { } commit)
            {
                Assert.Equal(tree, TestRepository.PlainGit(Repository, "rev-parse", $"{branch}^{{tree}}").Trim());
                _landed.Add((branch, commit, tree));
            }
            else
            {
                Assert.NotEqual(0, TestRepository.TryGit(Repository, "rev-parse", "--verify", "--quiet", branch).Code);
            }
        }
        else
        {
            world.Person.Lands(branch, () => Landing(branch, tree, alone));
        }
    }

    private string? Landing(string branch, string tree, bool alone)
    {
        try
        {
            var strategy = _random.Next(3) switch { 0 => "squash", 1 => "merge", _ => "rebase" };
            Done.Add($"onto {branch} by {strategy}");
            var commit = (string)Ask("run/promote", alone, ("targetBranch", branch), ("expectedTree", tree), ("strategy", strategy))["commit"]!;
            Assert.Equal(commit, TestRepository.PlainGit(Repository, "rev-parse", $"refs/heads/{branch}").Trim());
            Interlocked.Increment(ref counts.Promotes);
            _promoted = true;
            return commit;
        }
        catch (WireError refused) when (refused.Kind is "mergeConflict" or "worktreeDirty" || refused.Message.Contains("has all of it already"))
        {
            Done.Add($"refused: {refused.Kind}");
            return null;
        }
    }

    private void Rewind(bool alone)
    {
        var ids = Ids();
        var to = ids[_random.Next(ids.Count)];
        var (before, whole) = (Files(), Everything(_worktree, _branch));
        Ask("run/rewind", alone, ("checkpoint", to));
        Interlocked.Increment(ref counts.Rewinds);
        Learn();
        Assert.Equal(_kept[to].Files, Files());
        Assert.Contains(_kept.Values, one => one.Files.SequenceEqual(before));
        var after = Everything(_worktree, _branch);
        Assert.Equal((whole.Index, whole.Head, whole.Commit), (after.Index, after.Head, after.Commit));
        Assert.Equal(whole.Files.Where(file => file.Key.StartsWith("ignored/", StringComparison.Ordinal)), after.Files.Where(file => file.Key.StartsWith("ignored/", StringComparison.Ordinal)));
    }

    private void Discard(bool alone)
    {
        var whole = Everything(_worktree, _branch);
        Ask("run/discard", alone);
        Discarded();
        Whole.AssertSame(whole, _atDiscard);
    }

    /// <summary>An agent that is ended in the middle of a commit leaves git's lock on its branch: then the answer says so, and nothing has changed.</summary>
    private void DiscardLive()
    {
        try
        {
            Ask("run/discard", false);
        }
        catch (WireError locked) when (locked.Message.Contains(".lock"))
        {
            Done.Add(locked.Message);
            ClearLocks();
            Ask("run/discard", false);
        }

        Discarded();
        Assert.All(world.Place.HostPids(card, _run).Concat(world.Place.AgentPids(card, _run)), pid => Place.Until($"seed {seed}: {pid} is gone", () => !world.IsOfOurs(pid)));
    }

    private void Discarded()
    {
        Interlocked.Increment(ref counts.Discards);
        _discarded = true;
        Assert.False(Directory.Exists(_worktree));
        Assert.NotEqual(0, TestRepository.TryGit(Repository, "rev-parse", "--verify", "--quiet", $"refs/heads/{_branch}").Code);
        _atDiscard = Everything(TrashPath, $"refs/kanbots/trash/issue-{card}-{_run}");
    }

    private void Restore(bool alone)
    {
        Ask("run/restore", alone);
        Interlocked.Increment(ref counts.Restores);
        _discarded = false;
        Whole.AssertSame(_atDiscard, Everything(_worktree, _branch));
        Check();
    }

    /// <summary>`git clean -ffdx` takes every worktree below the main checkout, and the user makes them anew as the board says; what was discarded it does not find.</summary>
    private void Clean()
    {
        Done.Add("user: clean -ffdx");
        world.Person.Clean();
        lock (world.Active)
        {
            foreach (var one in world.Active.Where(one => one._worktree.Length > 0 && !one._discarded))
            {
                one.Done.Add($"cleaned away by {seed}");
                Directory.CreateDirectory(Path.GetDirectoryName(one._worktree)!); // without it git 2.39 does not know the path again, and makes a second record beside the first
                TestRepository.PlainGit(Repository, "worktree", "add", "-q", "-f", one._worktree, one._branch);
            }
        }
    }

    private void Check()
    {
        Learn();
        PlainFiles.AssertReadable(Repository, _kept.Values);
        Assert.All(_landed, one => Assert.Equal((one.Commit, one.Tree), (TestRepository.PlainGit(Repository, "rev-parse", $"refs/heads/{one.Branch}").Trim(), TestRepository.PlainGit(Repository, "rev-parse", $"refs/heads/{one.Branch}^{{tree}}").Trim())));
    }

    /// <summary>A move that still waits would be in the way of this one.</summary>
    internal void CheckSettled()
    {
        Check();
        var state = (string)Details()["run"]!["state"]!;
        Assert.Contains(state, Over);
        Assert.Contains("no checkpoint 'none'", Assert.Throws<WireError>(() => world.Call("run/rewind", new JsonObject { ["requestId"] = $"{seed}-settled", ["runId"] = _run, ["checkpoint"] = "none" })).Message);
    }
}
