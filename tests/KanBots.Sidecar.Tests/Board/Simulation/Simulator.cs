using KanBots.Sidecar.Board;
using KanBots.Sidecar.Journal;

namespace KanBots.Sidecar.Tests.Board.Simulation;

/// <summary>One seed: the core against people, git, hosts and agents, with crashes of serve at every point. It is Engine without
/// threads and files: the same order of journal, state and effects, the same things lost with the process and kept on disk.</summary>
internal sealed class Simulator
{
    private const int StepsWild = 260;
    private const int StepsCalmMax = 3_000;

    private readonly Core _core;
    private readonly Reach _reach;
    private readonly Random _random;
    private readonly World _world;
    private readonly People _people;
    private readonly Invariants _invariants;
    private readonly List<(string Kind, byte[] Json)> _journal = [];
    private readonly Trace _trace = new();
    private readonly List<Input.Request> _unanswered = [];
    private readonly Dictionary<Input.Request, DateTimeOffset> _asked = [];
    private readonly List<Input.Report> _heard = [];
    private DateTimeOffset _now = new(2026, 11, 25, 8, 0, 0, TimeSpan.Zero);
    private (byte[] Json, int At)? _kept;
    private int _step;

    // What dies with serve.
    private readonly List<Input.Report> _inbox = [];
    private readonly HashSet<SimLaunch> _followed = [];
    private readonly HashSet<SimLaunch> _ending = [];
    private BoardState _state = BoardState.Empty("epoch");
    private bool _serves = true;
    private int _serve = 1;

    private Simulator(int seed, Core core, Reach reach)
    {
        _core = core;
        _reach = reach;
        _random = new Random(seed);
        _world = new World(_random);
        _people = new People(_random);
        _invariants = new Invariants(_world);
    }

    /// <exception cref="Violation">An invariant did not hold; the message says where.</exception>
    internal static void Run(int seed, Core core, Reach reach)
    {
        var simulator = new Simulator(seed, core, reach);
        try
        {
            for (; simulator._step < StepsWild; simulator._step++)
            {
                simulator.StepWild();
            }

            simulator.Calm();
        }
        catch (Violation violation)
        {
            throw violation.At(seed, simulator._step, simulator._trace.Lines);
        }
    }

    private bool Chance(int oneIn) => _random.Next(oneIn) == 0;

    private void StepWild()
    {
        Elapse(Chance(400) ? TimeSpan.FromDays(8) : Chance(60) ? TimeSpan.FromHours(3) : TimeSpan.FromSeconds(_random.Next(1, 60)));
        if (Chance(80))
        {
            _now += TimeSpan.FromMinutes(_random.Next(-4_000, 4_000)); // the clock was set: hosts count by another that only goes on
        }

        StepWorld();
        if (!_serves)
        {
            if (Chance(4))
            {
                Restart();
            }

            return;
        }

        switch (_random.Next(10))
        {
            case < 3:
                Ask(_people.Wish(_state));
                break;
            case 3 when _asked.Count > 0: // an answer was lost on the way, or a button pressed twice
                Ask(_asked.Keys.ElementAt(_random.Next(_asked.Count)));
                break;
            case 4 when Chance(3):
                HearAgain();
                break;
            case 5 when Chance(6):
                Bill();
                break;
            case 7 when Chance(5) && _state.Runs.Values.Where(run => run.WorktreePath.Length > 0).ToList() is { Count: > 0 } runs:
                var run = runs[_random.Next(runs.Count)];
                _ = Apply(Chance(2) ? new Input.WorktreeSeen(run.Id, _world.Trash.ContainsKey(run.Id) ? "/trash" : run.WorktreePath, null) : new Input.WorktreeSeen(run.Id, null, "It is gone."), null);
                break;
            case 7 when _state.Runs.Count > 0:
                _ = Apply(new Input.Noticed(_state.Runs.Keys.ElementAt(_random.Next(_state.Runs.Count)), new Reason($"notice{_random.Next(25)}", $"Thing {_random.Next(3)}.")), null);
                break;
            case 8 when Chance(4) && _state.Runs.Values.Where(run => run.LaunchLive).ToList() is { Count: > 0 } lives:
                var limited = lives[_random.Next(lives.Count)];
                _ = Apply(Chance(3) ? new Input.RateAllowed(limited.Id, limited.Launch, "five_hour") : new Input.RateLimited(limited.Id, limited.Launch, "five_hour", Chance(3) ? null : _now.AddMinutes(_random.Next(-5, 90))), null);
                break;
            case 6 when Chance(3):
                _ = Apply(new Input.Tick(), null);
                break;
            case 6 when Chance(4):
                _ = Apply(new Input.Archive(_random.Next(3)), null);
                break;
        }

        if (_serves && _unanswered.Count > 0 && Chance(2))
        {
            Ask(_unanswered[0]);
        }

        Listen(all: false);
        Check();
        if (Chance(60))
        {
            _kept = (Snapshot.Write(_state), _journal.Count);
        }
    }

    private void Elapse(TimeSpan elapsed)
    {
        _now += elapsed;
        foreach (var launch in _world.Launches.Values)
        {
            var idle = _serves && launch is { IsIdle: true, CloseAsked: false, StopOrdered: false, Stream.Count: 0 } && _followed.Contains(launch) && launch.Said.Told.IsSubsetOf(launch.Said.Echoed);
            launch.Advance(elapsed);
            if (idle && launch.Exit is not null)
            {
                throw new Violation("kept-open-for-nothing", $"launch {launch.Number} of run {launch.RunId} had nothing to do and was kept until its time limit");
            }
        }
    }

    /// <summary>Git, hosts and agents go on, whether or not serve lives.</summary>
    private void StepWorld()
    {
        _inbox.AddRange(_world.StepGit(_serves ? _serve : 0));
        foreach (var launch in _world.Launches.Values)
        {
            if (_world.Calm || Chance(2))
            {
                _world.StepLaunch(launch);
            }
        }
    }

    /// <summary>Reads streams in order, each line once; notices ends; takes what asynchronous work has brought.</summary>
    private void Listen(bool all)
    {
        foreach (var launch in _followed.OrderBy(launch => (launch.RunId, launch.Number)).ToList())
        {
            for (var lines = all ? int.MaxValue : _random.Next(0, 4); lines > 0 && _serves && launch.Stream.TryPeek(out var report); lines--)
            {
                _ = Apply(report, () =>
                {
                    _ = launch.Stream.Dequeue();
                    launch.Said.Hear(report);
                    Remember(report);
                });
            }

            if (_serves && launch.Stream.Count == 0 && launch.IsGone && _ending.Add(launch))
            {
                _inbox.Add(new Input.LaunchEnded(launch.RunId, launch.Number, launch.Exit ?? new LaunchEnd(LaunchEndKind.HostDied, null, null, null), launch.Dirty, new DiffStat(launch.Dirty ? 1 : 0, 0, 0), launch.LeftRunning));
            }
        }

        while (_serves && _inbox.Count > 0 && (all || Chance(2)))
        {
            var at = _random.Next(_inbox.Count);
            var report = _inbox[at];
            _inbox.RemoveAt(at);
            if (report is Input.LaunchEnded ended)
            {
                _ = _followed.RemoveWhere(launch => launch.RunId == ended.RunId && launch.Number == ended.Launch);
            }

            if (Apply(report, () => Remember(report)) && Chance(10))
            {
                _ = Apply(report, null);
            }
        }
    }

    private void Remember(Input.Report report)
    {
        var billed = report switch
        {
            Input.CostAdded cost => cost.MicroUsd,
            Input.LaunchEnded ended => _world.Launches[(ended.RunId, ended.Launch)].Said.Estimate,
            _ => 0,
        };
        _world.Billed[report.RunId] = _world.Billed.GetValueOrDefault(report.RunId) + billed;
        if (report is Input.ModelsUsed used)
        {
            var (micro, tokens, unpriced) = _world.Used.GetValueOrDefault(report.RunId);
            _world.Used[report.RunId] = (micro + used.Models.Sum(model => model.MicroUsd), tokens + used.Models.Sum(model => model.InputTokens), unpriced + used.UnpricedTurns);
        }

        if (report is not (Input.CostAdded or Input.ModelsUsed))
        {
            _heard.Add(report);
        }
    }

    /// <summary>A report comes late or a second time. What a live launch's own stream says comes once, so that only reports of
    /// earlier launches are repeated at will.</summary>
    private void HearAgain()
    {
        if (_heard.Count == 0)
        {
            return;
        }

        var report = _heard[_random.Next(_heard.Count)];
        var launch = Reported.LaunchOf(report);
        var isOld = !_state.Runs.TryGetValue(report.RunId, out var run) || launch < run.Launch || !run.LaunchLive;
        if (isOld || report is Input.Prepared or Input.PrepareFailed or Input.DecisionAsked)
        {
            _ = Apply(report, null);
        }
    }

    private void Bill()
    {
        if (_world.BilledLate(_followed, _state) is (var launch, var deleted))
        {
            _ = deleted && _reach.Seen.Add(Reach.DeletedCardBilled);
            var bill = new Input.CostAdded(launch.RunId, launch.Number, _random.Next(1, 300) * 1000L);
            _ = Apply(bill, () => Remember(bill));
        }
    }

    private void Ask(Input.Request request)
    {
        _ = _unanswered.Remove(request);
        if (_now - _asked.GetValueOrDefault(request, _now) > Limits.ServedRequestsKept - TimeSpan.FromHours(1))
        {
            _ = _asked.Remove(request); // no client repeats a wish for longer than its outcome is kept
            return;
        }

        _ = _asked.TryAdd(request, _now);
        if (!Apply(request, null))
        {
            _unanswered.Add(request); // the connection broke before the answer: the client asks again
        }
    }

    /// <summary>Decide, journal, fold, carry out; serve may die in between.</summary>
    /// <param name="committed">What is committed together with the events.</param>
    /// <returns>False when serve died on the way.</returns>
    private bool Apply(Input input, Action? committed)
    {
        if (_state.Recalls(input) is { } left && !Apply(Archived(left), null))
        {
            return false;
        }

        _now += TimeSpan.FromMilliseconds(1);
        var decided = _core.Decide(_state, input, _now);
        _trace.Add(_step, input, decided);
        _invariants.Decided(input, decided, _now);
        var dies = !_world.Calm && Chance(45) ? _random.Next(-1, decided.Effects.Length + 1) : int.MaxValue;
        if (dies < 0)
        {
            Crash("before the journal");
            return false;
        }

        _journal.AddRange(decided.Events.Select(EventJson.Write));
        committed?.Invoke();
        _reach.Note(input, decided);
        var before = _state;
        _state = decided.Events.Aggregate(_state, _core.Evolve);
        _invariants.Stepped(before, input, decided, _state, _now);
        for (var i = 0; i < decided.Effects.Length; i++)
        {
            if (i == dies && decided.Effects[i] is not Effect.StartLaunch)
            {
                Crash($"before effect {i + 1}");
                return false;
            }

            Carry(decided.Effects[i], dies: i == dies);
            if (!_serves)
            {
                return false; // it died on the way
            }

            if (i == dies)
            {
                Crash($"in effect {i + 1}");
                return false;
            }
        }

        if (dies == decided.Effects.Length)
        {
            Crash("before the answer");
            return false;
        }

        return true;
    }

    private Input.Recalled Archived(long run) => _journal.Where(line => line.Kind == nameof(Event.RunArchived)).Select(line => (Event.RunArchived)EventJson.Read(line.Kind, line.Json))
        .Where(archived => archived.Run.Id == run).Select(archived => new Input.Recalled(archived.Run, archived.Decisions)).Last();

    private void Carry(Effect effect, bool dies)
    {
        var launch = effect is not Effect.StartLaunch && Invariants.About(effect) is (var runId, { } number) ? _world.Launches[(runId, number)] : null;
        switch (effect)
        {
            case Effect.Prepare prepare:
                var chosen = new Input.BaseChosen(prepare.RunId, "origin/main", "c0ffee");
                if (Apply(chosen, () => Remember(chosen))) // nothing is made before it is known
                {
                    _world.OrderWorktree(_state.Runs[prepare.RunId], _serve);
                }

                break;
            case Effect.StartLaunch when dies && Chance(2):
                break; // not even its folder was made
            case Effect.StartLaunch start:
                if (_world.OrderLaunch(_state.Runs[start.RunId], start, dies) is { } begun)
                {
                    _ = _followed.Add(begun);
                }
                else
                {
                    _inbox.Add(new Input.LaunchFailed(start.RunId, start.Launch, new Reason("launchFailed", "The folder could not be made.")));
                }

                break;
            case Effect.SendMessage send:
                launch!.Tell(send.Message.Id);
                break;
            case Effect.SendVerdict verdict:
                launch!.Answer(_state.Decisions[verdict.DecisionId].AgentRequestId!);
                break;
            case Effect.StopLaunch:
                launch!.OrderStop(_random.Next(0, 6));
                break;
            case Effect.CloseInput:
                launch!.CloseAsked = true;
                break;
            case Effect.KeepInput:
                launch!.CloseAsked = false;
                break;
            case Effect.SetWaiting waiting:
                launch!.SetWaiting(waiting.Waiting);
                break;
            case Effect.Discard discard:
                _world.Discard(discard.RunId);
                if (Chance(6))
                {
                    _world.Restore(discard.RunId); // what is not done leaves all as it was
                    _inbox.Add(new Input.WorktreeMoveFailed(discard.RunId, _state.Runs[discard.RunId].Moves, new Reason("folderNotMoved", "Somebody stands in it."), []));
                    break;
                }

                _inbox.Add(new Input.WorktreeDiscarded(discard.RunId, _state.Runs[discard.RunId].Moves, _world.Trash.GetValueOrDefault(discard.RunId, "")));
                break;
            case Effect.Restore restore when Chance(6):
                _world.Discard(restore.RunId);
                _inbox.Add(new Input.WorktreeMoveFailed(restore.RunId, _state.Runs[restore.RunId].Moves, new Reason("folderExists", "It is taken."), []));
                break;
            case Effect.Restore restore:
                _world.Restore(restore.RunId);
                _inbox.Add(new Input.WorktreeRestored(restore.RunId, _state.Runs[restore.RunId].Moves));
                break;
            case Effect.Free free:
                _world.Free(free.RunId);
                _inbox.Add(Chance(5) ? new Input.WorktreeMoveFailed(free.RunId, _state.Runs[free.RunId].Moves, new Reason("gitFailed", "One file may not be deleted."), []) : new Input.WorktreeFreed(free.RunId, _state.Runs[free.RunId].Moves));
                break;
            case Effect.Rewind rewind:
                _inbox.Add(Chance(4) ? new Input.WorktreeMoveFailed(rewind.RunId, _state.Runs[rewind.RunId].Moves, new Reason("folderExists", "It is in the way."), []) : new Input.WorktreeRewound(rewind.RunId, _state.Runs[rewind.RunId].Moves, new DiffStat(1, 1, 0)));
                break;
            case Effect.Promote promote:
                _inbox.Add(Chance(3) ? new Input.WorktreeMoveFailed(promote.RunId, _state.Runs[promote.RunId].Moves, new Reason("mergeConflict", "It conflicts."), ["a.txt"]) : new Input.WorkLanded(promote.RunId, _state.Runs[promote.RunId].Moves, "main", "c0ffee"));
                break;
            case Effect.TakeCheckpoint take:
                if (_state.Runs[take.RunId].Checkpoints is [var oldest, _, ..] && Chance(4))
                {
                    _inbox.Add(new Input.CheckpointsPruned(take.RunId, [oldest.Id]));
                }

                // Taken at some later moment, of whatever lies there then.
                var tree = $"{_random.Next(3)}";
                _inbox.Add(new Input.CheckpointTaken(take.RunId, new CheckpointMark($"{_step}-{tree}", tree, _now, take.Why, 0)));
                break;
            case Effect.EndLeftovers end:
                _world.EndLeftovers(end.RunId);
                _inbox.Add(new Input.LeftoversCounted(end.RunId, 0));
                break;
        }
    }

    private void Crash(string where)
    {
        _trace.Add(_step, $"serve dies {where}");
        _reach.Crashes++;
        _serves = false;
        _serve++;
        _inbox.Clear();
        _followed.Clear();
        _ending.Clear();
        _world.LoseServe();
    }

    /// <summary>Starting is recovering: the journal is folded, with or without a snapshot, and the first input is what the world truly shows.</summary>
    private void Restart()
    {
        var (kept, from) = _kept is { } snapshot && Chance(2) ? (Snapshot.Read(snapshot.Json, "epoch") ?? throw new Violation("replay-differs", "a snapshot cannot be read"), snapshot.At) : (BoardState.Empty("epoch"), 0);
        var replayed = _journal.Skip(from).Select(line => EventJson.Read(line.Kind, line.Json)).Aggregate(kept, _core.Evolve);
        Invariants.Replayed(_state, replayed);
        _state = replayed;
        _serves = true;
        if (Chance(12))
        {
            _world.ForeignRunId = _world.HighestRunId + _random.Next(1, 4);
        }

        var observed = new List<ObservedLaunch>();
        foreach (var run in _state.Runs.Values.Where(run => run is { IsLive: true, LaunchLive: true }))
        {
            var kind = _world.Observe(run);
            observed.Add(new ObservedLaunch(run.Id, run.Launch, kind));
            _reach.Seen.Add($"observed {kind}");
            if (kind != ObservedKind.NeverStarted)
            {
                _ = _followed.Add(_world.Launches[(run.Id, run.Launch)]);
            }
        }

        if (Apply(new Input.Recovered(_world.HighestRunId, [.. observed]), null))
        {
            Check();
        }
    }

    private void Check()
    {
        if (_serves)
        {
            _invariants.Settled(_state);
        }
    }

    /// <summary>Left alone, with nothing failing any more, everything comes to its end.</summary>
    private void Calm()
    {
        _world.Calm = true;
        for (var steps = 0; steps < StepsCalmMax; steps++, _step++)
        {
            if (!_serves)
            {
                Restart();
            }

            while (_unanswered.Count > 0)
            {
                Ask(_unanswered[0]);
            }

            if (_state.Runs.Values.Any(run => run.State == RunState.Queued && run.Budget.MicroUsd - run.CostMicroUsd > _state.Settings.DayBudgetMicroUsd))
            {
                Ask(new Input.SetSettings($"calm-{_step}", _state.Settings with { DayBudgetMicroUsd = 1_000_000_000 })); // no day could ever pay it, and the board says so
            }

            Elapse(_world.Launches.Values.Any(launch => launch is { Lives: true, AsksAPerson: false }) ? TimeSpan.FromSeconds(10) : TimeSpan.FromMinutes(40));
            StepWorld();
            _ = Apply(new Input.Tick(), null);
            Listen(all: true);
            Check();
            if (_state.Runs.Values.All(run => run.IsOver) && _inbox.Count == 0 && _followed.Count == 0)
            {
                return;
            }
        }

        var stuck = _state.Runs.Values.First(run => !run.IsOver);
        throw new Violation("liveness", $"left alone for {StepsCalmMax} steps, run {stuck.Id} is still {stuck.State}, stop asked: {stuck.StopAsked ?? "no"}");
    }
}
