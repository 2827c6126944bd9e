using System.Collections.Immutable;
using KanBots.Sidecar.Agents.Claude;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Journal;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Engine;

/// <summary>Makes a lost board again: from what the broken database still says, from the run folders, whose streams are read a second
/// time, and from git. Nothing is done in the world meanwhile; what lives is found by the recovery that follows.</summary>
internal sealed partial class BoardEngine
{
    /// <summary>How long the board says that it was rebuilt. doctor says it as long as the broken files lie there.</summary>
    private static readonly TimeSpan NoticeKept = TimeSpan.FromDays(7);

    /// <summary>How long a rebuild waits for the client that has started it to say whether it trusts the workspace.</summary>
    private static readonly TimeSpan IntroductionWait = TimeSpan.FromSeconds(5);

    private RebuildNote? _rebuild;

    /// <summary>The database was found broken while it was in use: serve leaves, and the next one rebuilds.</summary>
    internal bool IsDamaged { get; private set; }

    private void Suspect(string why)
    {
        if (!IsDamaged)
        {
            PrivateFiles.Replace(Rescue.NotePath(_paths.Database), Rescue.Write(Rescue.Begin(_paths.Database, why, _time.GetUtcNow())));
            IsDamaged = true;
        }
    }

    private async Task RebuildAsync()
    {
        var next = await OnLoopAsync(() => _state.NextRunId);
        if (_rebuild is null && !_paths.Launches().Any(launch => launch.Run >= next))
        {
            Remind();
            return;
        }

        var found = await FoundRun.FindAsync(_git, _paths, Settings, looksInside: await IsTrustedAsync(), _closing.Token);
        await OnLoopAsync(() =>
        {
            if (_rebuild is { } note)
            {
                var salvaged = Rescue.Salvage(Rescue.Beside(_paths.Database, note.KeptAs));
                Restore(salvaged);
                RestoreRuns(salvaged, found);
                PrivateFiles.Replace(Rescue.NotePath(_paths.Database), Rescue.Write(note with { Done = true }));
                _log.Info($"the board was rebuilt, since {note.Why}: {_state.Cards.Count} cards, {_state.Runs.Count} runs; the broken files are kept as {note.KeptAs}");
            }
            else
            {
                // The journal has never heard of these: it was put back from a copy, or lost its end.
                RestoreRuns(BoardState.Empty(""), [.. found.Where(run => run.Id >= next && run.Launches.Count > 0)]);
                _log.Info($"the journal was behind the run folders: runs from {next} on were taken from there");
            }

            Remind();
            return true;
        });
    }

    private async Task<bool> IsTrustedAsync()
    {
        try
        {
            return await _introduced.Task.WaitAsync(IntroductionWait, _time, _closing.Token);
        }
        catch (TimeoutException)
        {
            return false; // runs are shown without what they changed
        }
    }

    private void Remind()
    {
        if (Rescue.ReadNote(_paths.Database) is { } note && _time.GetUtcNow() - note.At < NoticeKept)
        {
            _view = _view with { Notices = [new Notice("rebuilt", $"The board's database was broken ({note.Why}). The board was rebuilt from the run folders and git: look whether cards and texts are missing. The broken files are kept as {Rescue.Beside(_paths.Database, note.KeptAs)}.")] };
        }
    }

    private void Record(params ImmutableArray<Event> events)
    {
        _database.Append(events, _time.GetUtcNow());
        _state = Evolver.EvolveAll(_state, events);
        Show(_view.Tools);
    }

    private void Restore(BoardState salvaged)
    {
        Record(
        [
            new Event.SettingsChanged(salvaged.Settings),
            new Event.RunIdsSeen(salvaged.NextRunId - 1),
            .. salvaged.Cards.Values.Select(card => new Event.CardCreated(card)),
            .. salvaged.Served.Select(served => new Event.RequestServed(served.Key, served.Value.Outcome, served.Value.At)),
        ]);
    }

    private void RestoreRuns(BoardState salvaged, IReadOnlyList<FoundRun> found)
    {
        var byId = found.ToLookup(run => run.Id);
        foreach (var id in salvaged.Runs.Keys.Union(found.Select(run => run.Id)).Order().ToList())
        {
            var known = salvaged.Runs.GetValueOrDefault(id);
            if ((known is null ? byId[id].FirstOrDefault() : byId[id].FirstOrDefault(run => run.Card == known.CardNumber)) is { } run)
            {
                RestoreRun(known, salvaged.Decisions.Values.Where(decision => decision.RunId == id), run);
                RestoreWork(id, run);
            }
            else
            {
                Record([new Event.RunQueued(known!), .. salvaged.Decisions.Values.Where(decision => decision.RunId == id).Select(decision => new Event.DecisionOpened(decision))]);
            }
        }
    }

    private void RestoreRun(Run? known, IEnumerable<Decision> decisions, FoundRun found)
    {
        var start = known ?? Unknown(found);
        var bare = start with { State = RunState.Interrupted, Launch = 0, LaunchLive = false, Turns = 0, ExactMicroUsd = 0, EstimateMicroUsd = 0, Models = [], UnpricedTurns = 0, WorkedMs = 0 };
        Record([new Event.RunQueued(bare with { Budget = new Budget(long.MaxValue, int.MaxValue, start.Budget.Minutes), WorktreePath = found.WorktreePath.Length > 0 ? found.WorktreePath : start.WorktreePath })]);
        foreach (var launch in found.Launches)
        {
            Replay(start.Id, launch, isLast: launch == found.Launches[^1]);
        }

        // What was decided, and by whom, only the journal knows; that it was answered, the launch's input may know better.
        Record([.. decisions.Where(decision => decision.State != DecisionState.Open || !_state.Decisions.TryGetValue(decision.Id, out var replayed) || replayed.State == DecisionState.Open).Select(decision => new Event.DecisionOpened(decision))]);
        var run = _state.Runs[start.Id];
        var missing = (known?.CostMicroUsd ?? 0) - run.CostMicroUsd; // of streams that are no longer kept
        if (missing > 0)
        {
            Record([new Event.CostAdded(run.Id, missing, (known!.EndedAt ?? known.QueuedAt).UtcDateTime.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture))]);
            run = _state.Runs[run.Id];
        }

        Record([new Event.BudgetRaised(run.Id, known?.Budget ?? Beyond(run, start.Budget))]);
        run = _state.Runs[run.Id];
        if (known is not null && (!known.IsLive || !known.LaunchLive) && known.Launch >= run.Launch)
        {
            // Its end, or its wait, is written down; only what the stream says better is taken from there.
            Record([new Event.RunQueued(known with { ExactMicroUsd = run.CostMicroUsd, EstimateMicroUsd = 0, Models = run.Models, UnpricedTurns = run.UnpricedTurns, Turns = Math.Max(known.Turns, run.Turns), WorktreePath = run.WorktreePath })]);
        }
        else if (known is null && found.Launches.LastOrDefault() is not { } last)
        {
            Record([new Event.RunEnded(run.Id, found.WorktreePath.Length > 0 ? RunState.InReview : RunState.Interrupted, Rebuilt, found.Changes is { IsEmpty: false }, Stat(found), 0, _time.GetUtcNow())]);
        }
        else if (known is null && NeverBegan(found.Launches[^1]))
        {
            Record([new Event.RunEnded(run.Id, RunState.Interrupted, Rebuilt, found.Changes is { IsEmpty: false }, Stat(found), 0, _time.GetUtcNow())]);
        }
    }

    /// <summary>What git and the trash still have of it.</summary>
    private void RestoreWork(long runId, FoundRun found)
    {
        var run = _state.Runs[runId];
        Record([.. found.Checkpoints.Where(mark => run.Checkpoints.All(known => known.Id != mark.Id)).Select(mark => new Event.CheckpointTaken(runId, mark))]);
        if (found.TrashPath.Length > 0 && run.Discarded is null)
        {
            Record([new Event.RunDiscarded(runId, new Discarded(run.IsOver ? run.State : RunState.Interrupted, found.TrashPath, _time.GetUtcNow(), _time.GetUtcNow() + Limits.TrashKept))]);
        }
    }

    private static Reason Rebuilt => new("rebuilt", "The board was rebuilt, and no stream of this run was found. Its branch is kept: review it, or dispatch the card again.");

    private static DiffStat? Stat(FoundRun found) => found.Changes is { } changes ? new DiffStat(changes.Files, changes.Insertions, changes.Deletions) : null;

    /// <summary>And never will: an agent that nobody on this board ordered is not started by a rebuild.</summary>
    private static bool NeverBegan(FoundLaunch launch) =>
        launch.Folder is var folder && !File.Exists(folder.Host) && !File.Exists(folder.Exit) && PrivateFiles.TryClaimFolder(folder.Claim);

    /// <summary>Nobody knows what it was given, so it may go on with as much again.</summary>
    private static Budget Beyond(Run run, Budget defaults) => new(run.CostMicroUsd + defaults.MicroUsd, run.Turns + defaults.Turns, defaults.Minutes);

    private void Replay(long runId, FoundLaunch launch, bool isLast)
    {
        var run = _state.Runs[runId];
        var resumed = run.SessionKnown;
        var events = ImmutableArray.CreateBuilder<Event>();
        events.Add(new Event.LaunchOrdered(runId, launch.Number, launch.At));
        foreach (var (id, text) in launch.Past.Messages)
        {
            if (!run.Messages.Any(message => message.Id == id))
            {
                events.Add(new Event.MessageAdded(runId, new Message(id, text, MessageState.Waiting)));
            }

            events.Add(new Event.MessageTold(runId, id, launch.Number));
        }

        Record(events.ToImmutable());
        var followed = Follow(_state.Runs[runId], launch.Number, launch.Folder, launch.File is null ? resumed : ClaudePast.Option(launch.File.Argv, "--resume") is not null, launch.At);
        while (Ingest(followed, ended: !isLast || File.Exists(launch.Folder.Exit)))
        {
        }

        _ = _live.Remove((runId, launch.Number));
        _watch.Remove(launch.Folder.Path);
        var answered = launch.Past.Answered.ToHashSet();
        var closed = _state.OpenDecisionsOf(runId).Where(decision => decision.Launch == launch.Number && decision.AgentRequestId is { } request && (!isLast || answered.Contains(request)));
        Record([.. closed.Select(decision => new Event.DecisionClosed(decision.Id, answered.Contains(decision.AgentRequestId!) ? DecisionState.Withdrawn : DecisionState.Expired, launch.At, null, null))]);
        if (!isLast)
        {
            Record([new Event.RunEnded(runId, RunState.Interrupted, null, false, null, 0, launch.At)]);
        }
    }

    /// <summary>A run of which only folders and git know: its card has the words of its first message.</summary>
    private Run Unknown(FoundRun found)
    {
        var card = _state.Cards.Values.FirstOrDefault(card => card.Number == found.Card);
        if (card is null)
        {
            var (title, body) = Words(found);
            card = new Card(_state.NextCardId, found.Card, title, body, Column.InProgress, Decider.EndOf(_state, Column.InProgress), [], null, false);
            Record([new Event.CardCreated(card)]);
        }

        var argv = found.Launches.LastOrDefault(launch => launch.File is not null)?.File!.Argv ?? [];
        var mode = ClaudePast.Option(argv, "--permission-mode") switch { "default" => PermissionMode.Ask, "plan" => PermissionMode.Plan, _ => PermissionMode.BypassPermissions };
        var first = found.Launches.FirstOrDefault();
        return new Run(
            found.Id, card.Id, card.Number, RunState.Interrupted, "claude", ClaudePast.Option(argv, "--model"), ClaudePast.Option(argv, "--effort"), null, mode, null, found.BaseRef, found.BaseCommit,
            found.Branch, found.WorktreePath, _state.Settings.Budget, ClaudePast.Option(argv, "--resume") ?? ClaudePast.Option(argv, "--session-id") ?? Guid.NewGuid().ToString(), SessionKnown: false,
            Launch: 0, LaunchLive: false, Turns: 0, ExactMicroUsd: 0, EstimateMicroUsd: 0, first?.At ?? _time.GetUtcNow(), first?.At, first?.At, null, false, false, null, 0, false, null, 0, Rebuilt, []);
    }

    private static (string Title, string Body) Words(FoundRun found)
    {
        var text = found.Launches.SelectMany(launch => launch.Past.Messages).Select(message => message.Text).FirstOrDefault() ?? "";
        var prefix = FormattableString.Invariant($"Issue #{found.Card}: ");
        var parts = text.Split("\n\n", 2);
        return parts[0].StartsWith(prefix, StringComparison.Ordinal) && parts[0].Length > prefix.Length
            ? (Cut(parts[0][prefix.Length..].ReplaceLineEndings(" "), Limits.TitleLengthMax), Cut(parts.ElementAtOrDefault(1) ?? "", Limits.BodyLengthMax))
            : (FormattableString.Invariant($"Issue {found.Card} (its title is lost)"), Cut(text, Limits.BodyLengthMax));
    }

    private static string Cut(string text, int most) => text.Length <= most ? text : text[..most];
}
