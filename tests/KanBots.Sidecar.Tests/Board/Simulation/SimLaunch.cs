using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Tests.Board.Simulation;

/// <summary>A launch as it truly is: its folder, its host, its agent, and what each of them knows. Independent of the core.</summary>
internal sealed class SimLaunch(long runId, int number, string worktree, int workMinutesMax, PermissionMode mode, bool resumes, bool echoes)
{
    /// <summary>The host's limit for a launch that waits on a person.</summary>
    internal const int WaitMinutesMax = 24 * 60;

    private readonly HashSet<string> _told = [];
    private readonly HashSet<string> _verdicts = [];
    private readonly HashSet<string> _pending = [];
    private readonly Queue<string> _unread = new();
    private double _workMinutes;
    private double _waitMinutes;
    private int _asked;
    private long _estimate;
    private int _tasks;
    private int _stopSteps;
    private bool _inTurn;
    private bool _ended; // some turn has ended: there is a result

    internal long RunId { get; } = runId;

    internal int Number { get; } = number;

    internal string Worktree { get; } = worktree;

    internal bool Claimed { get; set; }

    internal bool HostAlive { get; private set; }

    /// <summary>The host that was started ended before it claimed the launch.</summary>
    internal bool HostLost { get; private set; }

    /// <summary>Steps until the host is up; negative when no host was started.</summary>
    internal int HostDelay { get; set; } = -1;

    internal bool Lives => HostAlive;

    /// <summary>What exit.json says; null while there is none.</summary>
    internal LaunchEnd? Exit { get; private set; }

    internal bool IsGone => Exit is not null || HostLost || (Claimed && !HostAlive && HostDelay < 0);

    internal bool CloseAsked { get; set; }

    internal bool StopOrdered { get; private set; }

    internal bool Waiting { get; private set; }

    internal bool Dirty { get; private set; }

    internal int LeftRunning { get; set; }

    internal HashSet<string> Read { get; } = [];

    /// <summary>What was written and serve has not read. It survives every crash of serve.</summary>
    internal Queue<Input.Report> Stream { get; } = new();

    /// <summary>What serve was told: the view by which the core may judge.</summary>
    internal Reported Said { get; } = new();

    /// <summary>Waits for nothing that could still come.</summary>
    internal bool IsIdle => HostAlive && _ended && !_inTurn && _tasks == 0 && _unread.Count == 0 && echoes;

    internal bool AsksAPerson => HostAlive && _pending.Count > 0;

    internal void Tell(string messageId)
    {
        if (_told.Add(messageId) && !CloseAsked)
        {
            _unread.Enqueue(messageId);
        }
    }

    internal void Answer(string requestId) => _ = _verdicts.Add(requestId);

    internal void OrderStop(int steps)
    {
        _stopSteps = StopOrdered ? _stopSteps : steps;
        StopOrdered = true;
    }

    internal void SetWaiting(bool waiting)
    {
        Waiting = waiting;
        _waitMinutes = 0;
    }

    internal void StartHost(bool fails)
    {
        HostDelay = -1;
        if (Claimed)
        {
            return; // code 75: recovery or another host has it
        }

        if (fails)
        {
            HostLost = true;
            return;
        }

        Claimed = true;
        HostAlive = true;
    }

    internal void KillHost() => HostAlive = false;

    /// <summary>Time goes on for the host, with serve or without.</summary>
    internal void Advance(TimeSpan elapsed)
    {
        if (!HostAlive || StopOrdered)
        {
            return;
        }

        _workMinutes += Waiting ? 0 : elapsed.TotalMinutes;
        _waitMinutes += Waiting ? elapsed.TotalMinutes : 0;
        if (_workMinutes > workMinutesMax)
        {
            End(LaunchEndKind.MinutesReached, null);
        }
        else if (_waitMinutes > WaitMinutesMax)
        {
            End(LaunchEndKind.WaitedTooLong, null);
        }
    }

    /// <summary>One thing that the agent or its host does.</summary>
    /// <param name="calm">No failures, no questions: it finishes what it has.</param>
    internal void Step(Random random, bool calm)
    {
        if (!HostAlive)
        {
            return;
        }

        if (StopOrdered)
        {
            ClimbDown(random);
        }
        else if (!calm && resumes && !_ended && !_inTurn && random.Next(15) == 0)
        {
            End(LaunchEndKind.Exited, 1, Decider.SessionUnknown);
        }
        else if (!calm && random.Next(100) == 0)
        {
            Die(random);
        }
        else if (_inTurn)
        {
            Work(random, calm);
        }
        else if (_unread.Count > 0)
        {
            BeginTurn(random);
            Take();
        }
        else if (_tasks > 0)
        {
            SetTasks(_tasks - 1);
            if (random.Next(2) == 0)
            {
                BeginTurn(random); // a task that ended wakes the agent: one more result for the same prompt
            }
        }
        else if (CloseAsked)
        {
            LeftRunning = calm || random.Next(6) > 0 ? 0 : random.Next(1, 4);
            End(LaunchEndKind.Exited, 0);
        }
    }

    private void ClimbDown(Random random)
    {
        if (_stopSteps-- > 0)
        {
            if (_inTurn && random.Next(3) == 0)
            {
                EndTurn(random, new TurnOutcome(true, true, null, null));
            }
        }
        else
        {
            LeftRunning = 0;
            End(LaunchEndKind.Stopped, null);
        }
    }

    private void Die(Random random)
    {
        switch (random.Next(5))
        {
            case 0:
                HostAlive = false; // no exit.json; the guard leaves nothing of the tree
                break;
            case 1:
                End(LaunchEndKind.DiskFull, null);
                break;
            case 2 when !_ended && !_inTurn:
                End(LaunchEndKind.SpawnFailed, null);
                break;
            default:
                End(LaunchEndKind.Exited, 1);
                break;
        }
    }

    private void Work(Random random, bool calm)
    {
        _ = _pending.RemoveWhere(_verdicts.Contains);
        if (_pending.Count > 0)
        {
            if (CloseAsked)
            {
                Withdraw(random);
                End(LaunchEndKind.Exited, 1); // nobody can answer any more
            }
            else if (!calm && random.Next(12) == 0)
            {
                Withdraw(random);
            }

            return;
        }

        var dice = random.Next(calm ? 60 : 100);
        if (dice < 20 && _unread.Count > 0)
        {
            Take();
        }
        else if (dice < 40)
        {
            EndTurn(random, calm || random.Next(8) > 0 ? new TurnOutcome(false, false, null, null) : new TurnOutcome(true, false, "apiError", "The model did not answer."));
        }
        else if (dice < 60)
        {
            Dirty |= random.Next(2) == 0;
            _estimate += random.Next(1, 400) * 1000L;
            Stream.Enqueue(new Input.CostEstimated(RunId, Number, _estimate));
        }
        else if (dice < 70)
        {
            SetTasks(random.Next(0, 3));
        }
        else if (dice < 88)
        {
            Ask(random);
            if (random.Next(8) == 0)
            {
                Ask(random);
            }
        }
    }

    private void BeginTurn(Random random)
    {
        _inTurn = true;
        Stream.Enqueue(new Input.TurnStarted(RunId, Number, null, random.Next(3) == 0 ? "model-b" : "model-a"));
    }

    private void EndTurn(Random random, TurnOutcome outcome)
    {
        _inTurn = false;
        _ended = true;
        var exact = random.Next(4) == 0 ? 0 : _estimate + (random.Next(-20, 60) * 1000L);
        _estimate = 0;
        foreach (var id in _pending)
        {
            Stream.Enqueue(new Input.DecisionWithdrawn(RunId, Number, id));
        }

        _pending.Clear();
        if (exact > 0)
        {
            Stream.Enqueue(new Input.CostAdded(RunId, Number, exact));
        }

        var turns = random.Next(0, 4);
        var hasPrice = random.Next(5) > 0;
        Stream.Enqueue(new Input.ModelsUsed(RunId, Number, exact <= 0 ? [] : [new ModelUse($"model-{random.Next(30)}", hasPrice ? exact : 0, hasPrice, exact / 100, 1, 2, 3)], hasPrice ? 0 : turns));
        Stream.Enqueue(new Input.TurnEnded(RunId, Number, outcome, turns));
    }

    private void Take()
    {
        var id = _unread.Dequeue();
        _ = Read.Add(id);
        if (echoes)
        {
            Stream.Enqueue(new Input.MessageEchoed(RunId, Number, id));
        }
    }

    private void SetTasks(int count)
    {
        _tasks = count;
        Stream.Enqueue(new Input.BackgroundTasksChanged(RunId, Number, count));
    }

    private void Ask(Random random)
    {
        var id = $"q{++_asked}";
        var kind = mode == PermissionMode.BypassPermissions ? DecisionKind.Question : (DecisionKind)random.Next(3);
        var tool = kind switch { DecisionKind.Question => "AskUserQuestion", DecisionKind.Plan => "ExitPlanMode", _ => random.Next(2) == 0 ? "Bash" : "Write" };
        _ = _pending.Add(id);
        Stream.Enqueue(new Input.DecisionAsked(RunId, Number, $"{RunId}-{Number}-{id}", kind, id, $"toolu_{id}", tool, "{}", null, kind == DecisionKind.Question ? [new Question("q1", "Which?", null, [new QuestionOption("Left", null), new QuestionOption("Right", null)], false)] : []));
    }

    private void Withdraw(Random random)
    {
        var id = _pending.OrderBy(one => one, StringComparer.Ordinal).ElementAt(random.Next(_pending.Count));
        _ = _pending.Remove(id);
        Stream.Enqueue(new Input.DecisionWithdrawn(RunId, Number, id));
    }

    private void End(LaunchEndKind kind, int? code, string why = "agentFailed")
    {
        HostAlive = false;
        _inTurn = false;
        Exit = new LaunchEnd(kind, code, null, code is null or 0 || _ended ? null : new Reason(why, "It said so."));
    }
}
