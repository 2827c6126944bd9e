using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using KanBots.Sidecar.Agents.Claude;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Git;
using KanBots.Sidecar.Journal;
using KanBots.Sidecar.Processes;
using KanBots.Sidecar.RunHost;

namespace KanBots.Sidecar.Engine;

/// <summary>Carries effects out. Each may be asked for again after a crash and then does nothing twice: worktrees are recognised,
/// lines in stdin by their id, ops of control by their meaning.</summary>
internal sealed partial class BoardEngine
{
    private void Carry(Effect effect) => Carry(effect, null);

    /// <param name="client">Whose wish it is; null when it is nobody's, or was one of before a restart.</param>
    private void Carry(Effect effect, RunClient? client)
    {
        switch (effect)
        {
            case Effect.Prepare or Effect.StartLaunch or Effect.TakeCheckpoint or Effect.Discard or Effect.Restore or Effect.Promote or Effect.Rewind or Effect.Free or Effect.EndLeftovers when _untrusted is not null:
                _untrusted.Add(effect);
                break;
            case Effect.Prepare prepare:
                _ = PrepareAsync(_state.Runs[prepare.RunId], _clients.GetValueOrDefault(prepare.RunId));
                break;
            case Effect.StartLaunch { Launch: > 1 } next when !Worktrees.IsThere(_state.Runs[next.RunId].WorktreePath):
                _ = FindThenLaunchAsync(next, _state.Runs[next.RunId]);
                break;
            case Effect.StartLaunch start:
                StartLaunch(start);
                break;
            case Effect.SendMessage send:
                WithFolder(send.RunId, send.Launch, folder => Tell(folder, send.Message.Id, ClaudeControl.UserMessage(send.Message.Id, send.Message.Text)));
                break;
            case Effect.SendVerdict verdict:
                SendVerdict(verdict);
                break;
            case Effect.StopLaunch stop:
                WithFolder(stop.RunId, stop.Launch, folder =>
                {
                    Tell(folder, $"stop-{stop.Launch}", ClaudeControl.Interrupt($"stop-{stop.Launch}"));
                    Order(folder, new ControlLine("stop"));
                });
                if (_live.TryGetValue((stop.RunId, stop.Launch), out var stopped))
                {
                    stopped.StopOrderedAt ??= _time.GetTimestamp();
                }

                break;
            case Effect.CloseInput close:
                WithFolder(close.RunId, close.Launch, folder => Order(folder, new ControlLine("closeStdin")));
                break;
            case Effect.KeepInput keep:
                WithFolder(keep.RunId, keep.Launch, folder => Order(folder, new ControlLine("keepStdin")));
                break;
            case Effect.SetWaiting waiting:
                WithFolder(waiting.RunId, waiting.Launch, folder => Order(folder, new ControlLine("waiting", waiting.Waiting)));
                break;
            case Effect.Discard discard:
                _ = DiscardAsync(_state.Runs[discard.RunId]);
                break;
            case Effect.Restore restore:
                _ = RestoreAsync(_state.Runs[restore.RunId]);
                break;
            case Effect.Free free:
                _ = FreeAsync(_state.Runs[free.RunId]);
                break;
            case Effect.Rewind rewind:
                _ = RewindAsync(_state.Runs[rewind.RunId]);
                break;
            case Effect.Promote promote:
                _ = PromoteAsync(_state.Runs[promote.RunId], client?.Environment);
                break;
            case Effect.TakeCheckpoint take:
                _ = TakeAsync(_state.Runs[take.RunId], take.Why);
                break;
            case Effect.EndLeftovers end:
                _ = EndLeftoversAsync(_state.Runs[end.RunId]);
                break;
        }
    }

    private async Task PrepareAsync(Run run, RunClient? client)
    {
        try
        {
            await _git.RequireRecentAsync(_closing.Token);
            var repository = _paths.Repository;
            var from = run.Fork is { } fork ? new Base(fork.BaseRef, fork.BaseCommit) : await BaseOfAsync(run);
            var start = run.Fork is null ? from.Commit : await ForkedAtAsync(run);
            var path = Worktrees.PathOf(repository, Settings.WorktreeRoot, run.CardNumber, run.Id);
            await _preparing.WaitAsync(_closing.Token);
            try
            {
                await Worktrees.AddAsync(_git, repository, path, run.Branch, start, _closing.Token);
            }
            finally
            {
                _preparing.Release();
            }

            if (run.Fork is { Tree: var tree })
            {
                await Rewind.LayAsync(_git, path, tree, _paths.Scratch, _closing.Token);
            }

            var needs = await EquipAsync(path, start, client);
            Post(() =>
            {
                Keep(run, needs with { PortBase = NeedsOf(run.Id).PortBase });
                _ = Apply(new Input.Prepared(run.Id, path, from.Ref, from.Commit), null);
            });
        }
        catch (GitFailure failure)
        {
            Post(new Input.PrepareFailed(run.Id, new Reason(failure.Kind, failure.Message)));
        }
        catch (OperationCanceledException)
        {
            // serve leaves: the next one orders it again
        }
        catch (Exception bug)
        {
            var reference = _log.Error($"prepare run {run.Id}", bug);
            Post(new Input.PrepareFailed(run.Id, new Reason("internal", $"The worktree could not be made: {bug.Message} (log {reference})")));
        }
    }

    /// <summary>Written down before anything is made of it: whoever goes on after a crash would find another one where the user has committed or
    /// switched branches meanwhile, and a branch of ours that is not there.</summary>
    private async Task<Base> BaseOfAsync(Run run)
    {
        if (run.BaseCommit.Length > 0)
        {
            return new Base(run.BaseRef, run.BaseCommit);
        }

        var chosen = await Base.ChooseAsync(_git, _paths.Repository, run.BaseWanted, Settings.WorktreeBaseRef, _closing.Token);
        await OnLoopAsync(() =>
        {
            Report(new Input.BaseChosen(run.Id, chosen.Ref, chosen.Commit));
            return true;
        });
        return chosen;
    }

    /// <summary>In two steps, since git is asked between them and the loop must not wait for it. The folder is there after the first, so
    /// that a stop or a message finds its place meanwhile.</summary>
    private void StartLaunch(Effect.StartLaunch start)
    {
        var run = _state.Runs[start.RunId];
        EndLeftovers(run);
        var folder = _paths.Launch(run.CardNumber, run.Id, start.Launch);
        try
        {
            PrivateFiles.MakeFolder(folder.Path);
            WakeSignal.Make(folder.Wake);
            var texts = start.Messages.Any(message => message.Text.Length == 0) ? ToldBefore(run, start.Launch) : null;
            foreach (var message in start.Messages)
            {
                Tell(folder, message.Id, ClaudeControl.UserMessage(message.Id, message.Text.Length > 0 ? message.Text : texts!.GetValueOrDefault(message.Id, Forgotten)));
            }
        }
        catch (IOException failure)
        {
            Post(new Input.LaunchFailed(run.Id, start.Launch, new Reason("launchFailed", failure.Message)));
            return;
        }

        var client = _clients.GetValueOrDefault(run.Id)?.Environment ?? AgentEnvironment.Of(Spawn.OwnEnvironment(), Settings.PassCredentials ?? false);
        _ = GuardAsync(run, start, folder, client);
    }

    /// <summary>For an agent that has lost its conversation, in place of what nobody holds any more.</summary>
    private const string Forgotten = "What was said here is no longer kept. Look at the worktree and its history to see what was done.";

    /// <summary>What earlier launches were told, by the id of the message: when the agent has lost its conversation it is told again.</summary>
    private Dictionary<string, string> ToldBefore(Run run, int launch) => Enumerable.Range(1, launch - 1)
        .Select(number => _paths.Launch(run.CardNumber, run.Id, number).Stdin).Where(File.Exists)
        .SelectMany(stdin => ClaudePast.Of(PrivateFiles.ReadAll(stdin)).Messages)
        .GroupBy(message => message.Id, message => message.Text, StringComparer.Ordinal).ToDictionary(same => same.Key, same => same.Last(), StringComparer.Ordinal);

    private async Task GuardAsync(Run run, Effect.StartLaunch start, RunFolder folder, IReadOnlyList<string> client)
    {
        try
        {
            Worktrees.RequireOwn(_paths.Repository, run.WorktreePath);
            var place = Guard.FolderOf(folder.Path);
            var guard = await Guard.ReadAsync(_git, _paths.Repository, run.WorktreePath, run.Branch, place, client, _closing.Token);
            guard.Write();
            (await SharedState.ReadAsync(_git, _paths.Repository, client, _closing.Token)).Write(folder.Shared);
            Post(() => StartHost(start, folder, client));
        }
        catch (OperationCanceledException)
        {
            // serve leaves: the next one starts the launch
        }
        catch (Exception failure)
        {
            if (failure is not (GitFailure or IOException or UnauthorizedAccessException))
            {
                _log.Error($"guard of run {run.Id}", failure);
            }

            var kind = failure is GitFailure git ? git.Kind : "launchFailed";
            Post(new Input.LaunchFailed(run.Id, start.Launch, new Reason(kind, failure.Message)));
        }
    }

    /// <summary>The client's environment is gone when serve has restarted since the dispatch; then it is serve's own.</summary>
    private void SayDifferingEnvironment(Run run, int launch, IReadOnlyList<string> client)
    {
        if (launch > 1 && _paths.Launch(run.CardNumber, run.Id, launch - 1).ReadLaunch() is { } before && AgentEnvironment.Differing(client, before) is { Count: > 0 } names)
        {
            var message = $"Launch {launch} has another environment than launch {launch - 1}: {string.Join(", ", names)}. If it fails or talks to the wrong provider, stop it and resume it from the window that has the right one.";
            Post(new Input.Noticed(run.Id, new Reason("environmentDiffers", message)));
        }
    }

    private void StartHost(Effect.StartLaunch start, RunFolder folder, IReadOnlyList<string> client)
    {
        var run = _state.Runs[start.RunId];
        var environment = Guard.Into(client, Guard.FolderOf(folder.Path), _paths.Repository.CommonFolder);
        try
        {
            var ours = environment.Any(line => line.StartsWith("DOTNET_EnableDiagnostics=", StringComparison.Ordinal)) ? [] : new[] { "DOTNET_EnableDiagnostics" };
            var mode = run.PermissionMode switch { PermissionMode.Ask => "ask", PermissionMode.Plan => "plan", _ => "bypassPermissions" };
            var argv = new ClaudeLaunch(Settings.ClaudePath ?? "claude", run.SessionId, start.Resume, mode, run.Launch > 1 ? null : run.Model, run.Effort).ToArgv();
            var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
            var described = AgentEnvironment.Describe(client, token) with { Remove = ours };
            folder.Write(new LaunchFile(RunFolder.Format, token, run.Id, run.CardNumber, start.Launch, argv, run.WorktreePath, described, [.. NeedsOf(run.Id).Placed.Select(placed => placed.Path)], new LaunchLimits(run.Budget.Minutes), VariablesOf(run), SetupOf(run, start.Launch)));
            var launch = Follow(run, start.Launch, folder, start.Resume);
            var command = _hostCommand(folder.Path);
            var pid = Spawn.Start(new SpawnRequest(command[0], command, [.. environment, .. ours.Select(name => $"{name}=0")], "/", new Redirect.Null(), new Redirect.Null(), new Redirect.AppendTo(folder.HostLog), NewSession: true));
            Adopt(launch, ProcessIdentity.Of(pid) ?? new ProcessIdentity(pid, ""));
            SayDifferingEnvironment(run, start.Launch, client);
            ShowSetup(launch);
        }
        catch (IOException failure)
        {
            _live.Remove((run.Id, start.Launch));
            Post(new Input.LaunchFailed(run.Id, start.Launch, new Reason("launchFailed", failure.Message)));
        }
    }

    private LiveLaunch Follow(Run run, int number, RunFolder folder, bool resumed, DateTimeOffset? replayedAt = null)
    {
        var position = _database.Position(run.Id, number);
        var decoder = position.Decoder is null ? ClaudeState.Start(resumed) : JsonSerializer.Deserialize(position.Decoder, ClaudeJson.Default.ClaudeState)!;
        var launch = new LiveLaunch(run.Id, number, folder, position, decoder) { ReplayedAt = replayedAt, HeardAt = HeardAt(folder) };
        _live[(run.Id, number)] = launch;
        _watch.Add(folder.Path);
        return launch;
    }

    /// <summary>The agent writes the file itself, so that its time is the agent's even when serve reads later.</summary>
    private DateTimeOffset HeardAt(RunFolder folder)
    {
        var now = _time.GetUtcNow();
        return new FileInfo(folder.Stdout) is { Exists: true, Length: > 0 } file && file.LastWriteTimeUtc is var wrote && wrote < now.UtcDateTime ? new DateTimeOffset(wrote, TimeSpan.Zero) : now;
    }

    private void Adopt(LiveLaunch launch, ProcessIdentity host)
    {
        launch.Host = host;
        PidWatch.WhenGone(host, () => Post(() => Look(launch)));
    }

    private void WithFolder(long runId, int launch, Action<RunFolder> work)
    {
        var folder = _paths.Launch(_state.Runs[runId].CardNumber, runId, launch);
        try
        {
            work(folder);
        }
        catch (IOException failure)
        {
            _log.Error($"run {runId}, launch {launch}", failure);
        }

        folder.Poke();
    }

    /// <summary>Appends a line for the agent unless one with this id stands there already.</summary>
    private static void Tell(RunFolder folder, string id, byte[] line)
    {
        if (!File.Exists(folder.Stdin) || PrivateFiles.ReadAll(folder.Stdin).AsSpan().IndexOf(Encoding.UTF8.GetBytes($"\"{id}\"")) < 0)
        {
            PrivateFiles.Append(folder.Stdin, line);
        }
    }

    private static void Order(RunFolder folder, ControlLine control) => PrivateFiles.Append(folder.Control, [.. JsonSerializer.SerializeToUtf8Bytes(control, RunFolderJson.Default.ControlLine), (byte)'\n']);

    private void SendVerdict(Effect.SendVerdict effect)
    {
        var decision = _state.Decisions[effect.DecisionId];
        var request = decision.AgentRequestId!;
        var verdict = effect.Verdict;
        var line = decision.Kind switch
        {
            DecisionKind.Question when verdict.Allow => ClaudeControl.Answer(request, decision.ToolInput ?? "{}", decision.Questions.Select(question =>
                (question.Text, (IReadOnlyList<string>)[.. verdict.Answers.Where(answer => answer.QuestionId == question.Id).SelectMany(answer => answer.Values)]))),
            _ when verdict.Allow => ClaudeControl.Allow(request, decision.ToolInput ?? "{}"),
            _ => ClaudeControl.Deny(request, string.IsNullOrWhiteSpace(verdict.Reason) ? "The user said no." : verdict.Reason),
        };
        WithFolder(effect.RunId, effect.Launch, folder => Tell(folder, request, line));
    }

    internal async Task EndLeftoversAsync(Run run)
    {
        var left = await Task.Run(() => EndLeftovers(run));
        await OnLoopAsync(() =>
        {
            Report(new Input.LeftoversCounted(run.Id, left));
            return true;
        });
    }

    /// <summary>Ends what earlier launches of the run left running. Only what carries their tokens.</summary>
    /// <returns>How many live on.</returns>
    private int EndLeftovers(Run run)
    {
        var left = 0;
        for (var number = 1; number <= run.Launch; number++)
        {
            if (_paths.Launch(run.CardNumber, run.Id, number).ReadLaunch() is { } launch)
            {
                left += ProcessTree.KillAll(launch.Token, new HashSet<int>(), new HashSet<int>()).Count;
            }
        }

        return left;
    }
}
