using System.Collections.Immutable;
using System.Text.Json;
using KanBots.Sidecar.Agents;
using KanBots.Sidecar.Agents.Claude;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Git;
using KanBots.Sidecar.Journal;
using KanBots.Sidecar.Processes;
using KanBots.Sidecar.RunHost;

namespace KanBots.Sidecar.Engine;

/// <summary>Follows the streams of live launches, and finds out how launches ended.</summary>
internal sealed partial class BoardEngine
{
    private const int LinesPerTransaction = 1024;
    private const long BytesPerTransaction = 2 << 20;
    private static readonly TimeSpan UsageInterval = TimeSpan.FromSeconds(1);

    /// <summary>After the order to stop; a host needs about two seconds for its whole ladder.</summary>
    private static readonly TimeSpan HostStopWait = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan HostStartWait = TimeSpan.FromSeconds(10);

    private void LookAt(string folder)
    {
        foreach (var launch in _live.Values.Where(launch => launch.Folder.Path == folder).ToList())
        {
            Look(launch);
        }
    }

    /// <summary>A host that does not do its work is ended: its guard, and we at the end of the launch, take the agent's tree with it.</summary>
    private void EndStill(LiveLaunch launch)
    {
        if (launch is { StopOrderedAt: { } ordered, IsEnding: false, Host: { IsAlive: true } host } && _time.GetElapsedTime(ordered) > HostStopWait)
        {
            _log.Info($"the host {host.Pid} of run {launch.RunId} did not stop its agent in {HostStopWait.TotalSeconds} s and is ended");
            host.Kill();
        }
    }

    /// <summary>Reads what is new; when the launch has ended, deals with its end. Long streams are read in pieces between which other
    /// inputs get their turn.</summary>
    private void Look(LiveLaunch launch)
    {
        if (launch.IsEnding || launch.HasMore)
        {
            return; // one that is read in pieces sees with its next piece what is new
        }

        ShowSetup(launch);
        var exit = launch.Folder.ReadExit();
        var hostGone = exit is null && launch.Host is { IsAlive: false };
        exit ??= hostGone ? launch.Folder.ReadExit() : null; // it may have been written between the two looks
        if (Ingest(launch, ended: exit is not null || hostGone))
        {
            launch.HasMore = true;
            Post(() =>
            {
                launch.HasMore = false;
                Look(launch);
            });
        }
        else if ((exit is not null || hostGone) && _untrusted is null)
        {
            launch.IsEnding = true;
            _ = EndAsync(launch, _state.Runs[launch.RunId], exit);
        }
    }

    /// <returns>True when there may be more to read at once.</returns>
    private bool Ingest(LiveLaunch launch, bool ended)
    {
        var read = launch.Tail.Read(launch.Position.Offset, ended, LinesPerTransaction, BytesPerTransaction);
        if (read.Count == 0)
        {
            return false;
        }

        var now = launch.ReplayedAt ?? _time.GetUtcNow();
        var state = _state;
        var decoder = launch.Decoder;
        var tools = _view.Tools;
        var lines = new List<IndexedLine>();
        var events = new List<Event>();
        var effects = new List<Effect>();
        var seq = launch.Position.NextSeq;
        var wantsUsage = false;
        var mayHaveWritten = false;
        List<PlacedItem>? items = Recent.IsWatched(launch.RunId) ? [] : null;
        foreach (var line in read)
        {
            AgentLine decoded;
            (decoded, decoder) = line.Length > StreamTail.LineBytesMax
                ? (new AgentLine([], [ClaudeDecoder.TooLong(line.Length)]), decoder)
                : ClaudeDecoder.Decode(line.Content, decoder);
            lines.Add(new IndexedLine(launch.Launch, line.From, line.To, seq, decoded.Items.Length, decoded.Items.Sum(item => item.MicroUsd), now, decoded.Items is [{ Kind: ItemKind.Result, IsError: true } failed] ? failed.Name : null));
            foreach (var item in decoded.Items)
            {
                items?.Add(new PlacedItem(launch.RunId, seq, now, launch.Launch, line.From, line.To, item));
                seq++;
            }

            foreach (var signal in decoded.Signals)
            {
                switch (signal)
                {
                    case AgentSignal.Tool tool:
                        tools = tool.Summary is null ? tools.Remove(launch.RunId) : tools.SetItem(launch.RunId, tool.Summary);
                        break;
                    case AgentSignal.Spent:
                        wantsUsage = true;
                        break;
                    case AgentSignal.Unserved unserved when launch.ReplayedAt is null:
                        WithFolder(launch.RunId, launch.Launch, folder => Tell(folder, unserved.RequestId, ClaudeControl.Refuse(unserved.RequestId, $"{unserved.What} is not served here.")));
                        break;
                }

                launch.InTurn = signal switch { AgentSignal.TurnStarted => true, AgentSignal.TurnEnded => false, _ => launch.InTurn };
                mayHaveWritten |= signal is AgentSignal.Tool { Summary: null } or AgentSignal.TurnEnded;
                wantsUsage |= signal is AgentSignal.TurnStarted && decoder.Baseline is null;
                if (Converted(launch, signal) is { } input && TryDecide(state, input, now) is { } decided)
                {
                    events.AddRange(decided.Events);
                    effects.AddRange(decided.Effects);
                    state = Evolver.EvolveAll(state, decided.Events);
                }
            }
        }

        _database.Ingest(launch.RunId, launch.Launch, read[^1].To, JsonSerializer.Serialize(decoder, ClaudeJson.Default.ClaudeState), lines, events, now);
        launch.Position = new StreamPosition(read[^1].To, null, seq);
        launch.Decoder = decoder;
        launch.HeardAt = HeardAt(launch.Folder);
        _state = state;
        _database.KeepSnapshot(_state);
        Show(tools);
        Recent.Add(launch.RunId, seq - 1, items ?? [], items is null ? 0 : read[^1].To - read[0].From);
        if (mayHaveWritten)
        {
            TouchIfLookedAt(launch.RunId);
        }

        Interlocked.Exchange(ref _appended, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
        foreach (var effect in launch.ReplayedAt is null ? effects : [])
        {
            Carry(effect);
        }

        launch.WantsUsage |= wantsUsage;
        if (!ended)
        {
            AskUsage(launch);
        }

        return true;
    }

    /// <summary>What it has spent in this turn. Asked at most once in an interval; what is spent in the rest of one is asked for when that is over,
    /// since the agent may say nothing for long after it.</summary>
    private void AskUsage(LiveLaunch launch)
    {
        launch.WantsUsage &= launch.InTurn;
        var now = _time.GetUtcNow();
        if (launch is { WantsUsage: true, ReplayedAt: null, IsEnding: false } && now - launch.UsageAskedAt >= UsageInterval)
        {
            (launch.UsageAskedAt, launch.WantsUsage) = (now, false);
            PrivateFiles.Append(launch.Folder.Stdin, ClaudeControl.GetUsage(++launch.UsageAsked));
            launch.Folder.Poke();
        }
    }

    /// <summary>Deciding changes nothing, so that after a bug in it the state is still known: the input is left out and said to be, and
    /// the stream goes on. Otherwise one line would stop its run for ever.</summary>
    private Decided? TryDecide(BoardState state, Input input, DateTimeOffset now)
    {
        try
        {
            return Decider.Decide(state, input, now);
        }
        catch (Exception bug)
        {
            _log.Error($"decide {input.GetType().Name}", bug);
            return null;
        }
    }

    private static Input? Converted(LiveLaunch launch, AgentSignal signal)
    {
        var (run, number) = (launch.RunId, launch.Launch);
        return signal switch
        {
            AgentSignal.TurnStarted started => new Input.TurnStarted(run, number, started.SessionId, started.Model),
            AgentSignal.TurnEnded ended => new Input.TurnEnded(run, number, new TurnOutcome(ended.IsError, ended.Interrupted, ended.Kind, ended.Message), ended.NumTurns),
            AgentSignal.CostAdded cost => new Input.CostAdded(run, number, cost.MicroUsd),
            AgentSignal.Used used => new Input.ModelsUsed(run, number, [.. used.Models.Select(model => new ModelUse(model.Model, model.MicroUsd ?? 0, model.MicroUsd is not null, model.InputTokens, model.OutputTokens, model.CacheReadTokens, model.CacheWriteTokens))], used.UnpricedTurns),
            AgentSignal.RateLimited limited => new Input.RateLimited(run, number, limited.Limit, limited.Until),
            AgentSignal.RateAllowed allowed => new Input.RateAllowed(run, number, allowed.Limit),
            AgentSignal.CostEstimated estimate => new Input.CostEstimated(run, number, estimate.MicroUsd),
            AgentSignal.Withdrawn withdrawn => new Input.DecisionWithdrawn(run, number, withdrawn.RequestId),
            AgentSignal.Echoed echoed => new Input.MessageEchoed(run, number, echoed.MessageId),
            AgentSignal.BackgroundTasks tasks => new Input.BackgroundTasksChanged(run, number, tasks.Count),
            AgentSignal.Asked asked => new Input.DecisionAsked(
                run,
                number,
                FormattableString.Invariant($"{run}-{number}-{asked.RequestId}"),
                asked.Kind switch { AskKind.Question => DecisionKind.Question, AskKind.Plan => DecisionKind.Plan, _ => DecisionKind.Permission },
                asked.RequestId,
                asked.ToolUseId,
                asked.ToolName,
                asked.ToolInput,
                asked.Description,
                [.. asked.Questions.Select((question, index) => new Question(FormattableString.Invariant($"q{index + 1}"), question.Text, question.Header, [.. question.Options.Select(option => new QuestionOption(option.Label, option.Description))], question.MultiSelect))]),
            _ => null,
        };
    }

    /// <summary>"Stopped" and "interrupted" are said only when the tree is confirmed gone. An agent that ended by itself may leave something running, but
    /// not where a stop was asked meanwhile.</summary>
    private async Task EndAsync(LiveLaunch launch, Run run, ExitFile? exit)
    {
        try
        {
            var stops = run.StopAsked is not null;
            var left = await Task.Run(() => ConfirmTree(launch, exit, stops));
            var seen = Worktrees.IsThere(run.WorktreePath) ? new Input.WorktreeSeen(run.Id, run.WorktreePath, null) : Whereabouts(run, await WorktreesAsync());
            if (seen.Path is { } there)
            {
                Worktrees.RequireOwn(_paths.Repository, there);
            }

            var changes = seen.Path is { } tree ? await CountAsync(run, tree) : new Changes(0, 0, 0);
            var failure = run.Outcome is null && exit is not { Reason: "stopped" or "killed" } ? StartupFailure(launch, exit) : null;
            var kind = exit?.Reason switch
            {
                null => LaunchEndKind.HostDied,
                "stopped" or "killed" => LaunchEndKind.Stopped,
                "minutes" => LaunchEndKind.MinutesReached,
                "waited" => LaunchEndKind.WaitedTooLong,
                "diskFull" => LaunchEndKind.DiskFull,
                "spawnFailed" or "setupFailed" => LaunchEndKind.SpawnFailed,
                _ => LaunchEndKind.Exited,
            };
            await CompareSharedAsync(launch, run);
            var end = new LaunchEnd(kind, exit?.ExitCode, exit?.Signal, kind == LaunchEndKind.HostDied ? DiedInSetup(launch) : failure);
            Post(() =>
            {
                if (left > 0 && !stops && _state.Runs.GetValueOrDefault(run.Id) is { StopAsked: not null } stopped)
                {
                    _ = EndAsync(launch, stopped, exit); // asked while this was on its way: what was left may have written since
                    return;
                }

                Finish(launch, new Input.LaunchEnded(run.Id, launch.Launch, end, !changes.IsEmpty, seen.Path is null ? null : new DiffStat(changes.Files, changes.Insertions, changes.Deletions), left));
                Report(seen);
            });
        }
        catch (OperationCanceledException)
        {
            // serve leaves: the next one finds the same end
        }
        catch (Exception failure)
        {
            // The worktree cannot be read, for example because somebody removed it: the run has ended all the same, whatever it was.
            _log.Error($"end of run {run.Id}", failure);
            if (failure is GitFailure { Kind: Worktrees.Foreign } foreign)
            {
                Post(new Input.Noticed(run.Id, new Reason(foreign.Kind, foreign.Message)));
            }

            var kind = exit is null ? LaunchEndKind.HostDied : exit.Reason is "stopped" or "killed" ? LaunchEndKind.Stopped : LaunchEndKind.Exited;
            Post(() => Finish(launch, new Input.LaunchEnded(run.Id, launch.Launch, new LaunchEnd(kind, exit?.ExitCode, exit?.Signal, null), Directory.Exists(run.WorktreePath), null, 0)));
        }
    }

    /// <summary>Of what an agent or its setup did to shared configuration and hooks: it cannot be refused, so it is said.</summary>
    private async Task CompareSharedAsync(LiveLaunch launch, Run run)
    {
        if (SharedState.Read(launch.Folder.Shared) is { } before)
        {
            var client = _clients.GetValueOrDefault(run.Id)?.Environment ?? Spawn.OwnEnvironment();
            foreach (var (kind, message) in SharedState.Compare(before, await SharedState.ReadAsync(_git, _paths.Repository, client, _closing.Token)))
            {
                Post(new Input.Noticed(run.Id, new Reason(kind, message)));
            }
        }
    }

    private void Finish(LiveLaunch launch, Input.LaunchEnded ended)
    {
        _live.Remove((launch.RunId, launch.Launch));
        _watch.Remove(launch.Folder.Path);
        Show(_view with { Tools = _view.Tools.Remove(launch.RunId), Setups = _view.Setups.Remove(launch.RunId) });
        Report(ended);
    }

    /// <returns>How many processes the agent has left running on purpose.</returns>
    private static int ConfirmTree(LiveLaunch launch, ExitFile? exit, bool stops)
    {
        var token = launch.Folder.ReadLaunch()?.Token;
        if (token is null)
        {
            return 0;
        }

        var none = new HashSet<int>();
        if (exit is { Reason: "exited" } && !stops)
        {
            return ProcessTree.Find(token, none, none).Count;
        }

        return ProcessTree.KillAll(token, none, none).Count;
    }

    private static Reason? StartupFailure(LiveLaunch launch, ExitFile? exit)
    {
        if (exit?.Error is { } error)
        {
            if (exit.Reason == "setupFailed")
            {
                return new Reason("setupFailed", error);
            }

            return new Reason(error.Contains("was not found", StringComparison.Ordinal) ? "agentNotFound" : "spawnFailed", error);
        }

        var stderr = File.Exists(launch.Folder.Stderr) ? File.ReadAllText(launch.Folder.Stderr) : "";
        var (kind, message) = ClaudeFailure.OfStartup(stderr.Length > 64 * 1024 ? stderr[..(64 * 1024)] : stderr, exit?.ExitCode, exit?.Signal);
        return new Reason(kind, message);
    }

    /// <summary>Starting is recovering: there is no other start-up path.</summary>
    private async Task RecoverAsync()
    {
        try
        {
            var highest = Math.Max(HighestFolder(), await HighestInGitAsync());
            await RebuildAsync();
            await OnLoopAsync(ReadNeeds);
            await OnLoopAsync(() => Settle(highest));
            await SeeWorktreesAsync();
            _recovered.TrySetResult();
        }
        catch (Exception failure)
        {
            _log.Error("recovery", failure);
            _recovered.TrySetException(new BoardUnavailableException("storageFailed", $"The board could not be recovered: {failure.Message}"));
            _ = _recovered.Task.Exception; // seen: nobody may be there to await it
            Post(() => ReleaseEarly(Unavailable));
        }
    }

    private async Task<long> HighestInGitAsync()
    {
        try
        {
            return await RunIds.HighestAsync(_git, _paths.Repository, _closing.Token);
        }
        catch (GitFailure failure)
        {
            _log.Error("run ids", failure);
            return 0;
        }
    }

    private long HighestFolder() => Directory.EnumerateDirectories(_paths.Runs).Select(folder => RunIds.Of($"issue-{Path.GetFileName(folder)}")).DefaultIfEmpty(0).Max();

    private bool Settle(long highest)
    {
        var observed = ImmutableArray.CreateBuilder<ObservedLaunch>();
        foreach (var run in _state.Runs.Values.Where(run => run is { IsLive: true, LaunchLive: true }))
        {
            observed.Add(new ObservedLaunch(run.Id, run.Launch, Observe(run)));
        }

        _ = Apply(new Input.Recovered(highest, observed.ToImmutable()), null);
        // What agents were at when the last serve died, they are still at: their streams say nothing new until it ends.
        Show(_view.Tools.SetItems(_live.Values.Where(launch => launch.Decoder.Tool is not null).Select(launch => KeyValuePair.Create(launch.RunId, launch.Decoder.Tool!))));
        Tick();
        ReleaseEarly(null);
        return true;
    }

    private ObservedKind Observe(Run run)
    {
        var folder = _paths.Launch(run.CardNumber, run.Id, run.Launch);
        var host = folder.ReadHost();
        if (host is null && folder.ReadExit() is null)
        {
            if (!Directory.Exists(folder.Path) || folder.ReadLaunch() is null || PrivateFiles.TryClaimFolder(folder.Claim))
            {
                return ObservedKind.NeverStarted; // and with the claim taken no late host can make it a ghost
            }

            for (var waited = TimeSpan.Zero; folder.ReadHost() is null && waited < HostStartWait; waited += TimeSpan.FromMilliseconds(20))
            {
                Thread.Sleep(20); // a host has the claim and is about to say who it is
            }

            host = folder.ReadHost();
        }

        CutTornTail(folder.Stdin);
        CutBack(run, folder);
        var launch = Follow(run, run.Launch, folder, resumed: run.Launch > 1);
        var identity = host is null ? default : new ProcessIdentity(host.HostPid, host.HostStart);
        if (host is not null && host.BootId == ProcessIdentity.BootId && identity.IsAlive)
        {
            Adopt(launch, identity);
            launch.InTurn = run.InTurn; // the line that says so was read by the last serve
            return ObservedKind.Alive;
        }

        launch.Host = new ProcessIdentity(0, ""); // never alive: the next look finds exit.json or reports it dead
        if (folder.ReadExit() is null && folder.ReadLaunch() is { } file)
        {
            ProcessTree.KillAll(file.Token, new HashSet<int>(), new HashSet<int>());
        }

        return ObservedKind.Gone;
    }

    /// <summary>Power loss can take the end of a stream that was read already: what is gone is taken off the index, and said. What it
    /// cost is kept, since it was spent.</summary>
    private void CutBack(Run run, RunFolder folder)
    {
        var length = new FileInfo(folder.Stdout) is { Exists: true } file ? file.Length : 0;
        if (_database.Position(run.Id, run.Launch).Offset > length)
        {
            var lines = _database.CutBack(run.Id, run.Launch, length);
            _log.Info($"run {run.Id}, launch {run.Launch}: the stream has lost its end; {lines} lines are gone");
        }
    }

    /// <summary>A crash can leave half a line for the agent; the other half will never come.</summary>
    private static void CutTornTail(string path)
    {
        if (File.Exists(path))
        {
            PrivateFiles.Truncate(path, Array.LastIndexOf(PrivateFiles.ReadAll(path), (byte)'\n') + 1);
        }
    }
}
