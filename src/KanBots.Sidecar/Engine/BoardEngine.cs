using System.Collections.Immutable;
using System.Threading.Channels;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Git;
using KanBots.Sidecar.Journal;
using KanBots.Sidecar.Processes;
using Microsoft.Data.Sqlite;

namespace KanBots.Sidecar.Engine;

/// <summary>There is no board to be had from this process.</summary>
internal sealed class BoardUnavailableException(string kind, string message) : Exception(message)
{
    /// <summary>storageNewer or storageFailed.</summary>
    internal string Kind { get; } = kind;
}

/// <summary>The loop: one thread of decisions. An input comes in, the core decides, the events go to the journal, the state is folded,
/// and only then the effects are carried out. Whatever the world answers comes back as an input.</summary>
internal sealed partial class BoardEngine : IAsyncDisposable
{
    /// <summary>Inputs that wait. A sender waits when it is full; nothing is dropped.</summary>
    internal const int InboxMax = 10_000;

    /// <summary>Runs that come before the old ones are looked through again.</summary>
    internal const int RunsPerArchive = 50;

    private readonly Channel<Action> _inbox = Channel.CreateBounded<Action>(new BoundedChannelOptions(InboxMax) { SingleReader = true });
    private readonly Dictionary<(long Run, int Launch), LiveLaunch> _live = [];
    private readonly Dictionary<long, RunClient> _clients = [];
    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource<bool> _introduced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<Effect>? _untrusted = []; // what waits for a client that trusts the workspace; null once one has come

    /// <summary>One worktree is made at a time: between the look and the making nobody else of ours makes one.</summary>
    private readonly SemaphoreSlim _preparing = new(1, 1);
    private readonly GitRunner _git;

    private readonly FreshIndexes _fresh;

    /// <summary>For what runs programs of the user's that may take long.</summary>
    private readonly GitRunner _patientGit;
    private readonly Paths _paths;
    private readonly Func<(Database, RebuildNote?)> _open;
    private readonly FolderWatch _watch;
    private readonly TimeProvider _time;
    private readonly Log _log;
    private readonly Func<string, IReadOnlyList<string>> _hostCommand;
    private readonly TaskCompletionSource _recovered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<Action<Exception?>>? _early = []; // null once the board is settled, or will never be
    private Task _loop = Task.CompletedTask;
    private Database _database = null!; // opened by the loop before its first step
    private BoardState _state = BoardState.Empty("");
    private int _runsSettled; // how many were in memory when the old ones had left
    private BoardView _view;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _appended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="open">Opens the database; called once, on the loop, so that nobody waits for it who only says hello.</param>
    /// <param name="hostCommand">From a run folder to the argv that starts a run host of this very build.</param>
    internal BoardEngine(Paths paths, GitRunner git, Func<(Database, RebuildNote?)> open, TimeProvider time, Log log, Func<string, IReadOnlyList<string>> hostCommand)
    {
        _paths = paths;
        _git = git;
        _fresh = new FreshIndexes(git, paths.Scratch);
        _patientGit = new GitRunner(time, CommitHooks.HookLimits);
        _open = open;
        _time = time;
        _log = log;
        _hostCommand = hostCommand;
        _view = BoardView.Of("", _state);
        Settings = FileSettings.Read(paths.Settings);
        _watch = FolderWatch.Start(folder => Post(() => LookAt(folder)), () => Post(Tick));
    }

    internal FileSettings Settings { get; private set; }

    /// <summary>For those who watch runs.</summary>
    internal RecentItems Recent { get; } = new();

    /// <summary>The board as it is now. Read from any thread.</summary>
    internal BoardView View => Volatile.Read(ref _view);

    /// <summary>Completes at the next change of the view. Take it before reading the view.</summary>
    internal Task Changed => Volatile.Read(ref _changed).Task;

    /// <summary>Completes when some run's thread has grown.</summary>
    internal Task Appended => Volatile.Read(ref _appended).Task;

    /// <summary>The board is open and the liveness of every open launch is settled.</summary>
    internal bool IsSettled => _recovered.Task.IsCompletedSuccessfully;

    /// <summary>Why there is no board; null while there is one, or may still be.</summary>
    internal BoardUnavailableException? Unavailable => _recovered.Task.Exception?.InnerException as BoardUnavailableException;

    /// <summary>Completes when the board may be read and written.</summary>
    /// <exception cref="BoardUnavailableException">It never will.</exception>
    internal Task SettledAsync(CancellationToken cancellation) => _recovered.Task.WaitAsync(cancellation);

    internal void Start()
    {
        PrivateFiles.MakeFolder(_paths.Runs);
        PrivateFiles.MakeEmptyFolder(_paths.Scratch); // what a serve that was killed had begun there is begun anew
        _loop = Task.Run(RunAsync);
        Post(() => _ = RecoverAsync());
    }

    /// <summary>A client says whether it trusts the workspace. Until one does nothing is started and no worktree looked into: a board can come
    /// with a copied repository, and looking at it must run nothing of it.</summary>
    internal void Introduce(bool trusted)
    {
        _introduced.TrySetResult(trusted);
        if (trusted)
        {
            Post(() =>
            {
                var held = _untrusted ?? [];
                _untrusted = null;
                held.ForEach(Carry);
                WhenSettled(none =>
                {
                    if (none is null)
                    {
                        LookAhead();
                    }
                });
            });
        }
    }

    /// <summary>A board that nobody trusts keeps no serve alive.</summary>
    internal bool IsIdle => View.IsIdle || Volatile.Read(ref _untrusted) is not null;

    /// <summary>A client's wish. Answered after its events are on the disk and its effects are ordered.</summary>
    /// <param name="client">Whose wish it is, for the run that the wish starts or resumes.</param>
    internal async Task<(Outcome? Outcome, Refusal? Refusal)> AskAsync(Input.Request request, RunClient client)
    {
        var done = new TaskCompletionSource<(Outcome?, Refusal?)>(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            // Into the inbox at once, so that wishes are granted in the order of their arrival, those before the recovery too.
            await _inbox.Writer.WriteAsync(() => WhenSettled(none => Grant(request, client, none, done)));
        }
        catch (ChannelClosedException)
        {
            await _recovered.Task; // says why there is no board
            throw;
        }

        return await done.Task;
    }

    /// <summary>Now, or in its turn when the board is settled; with the reason when it never will be.</summary>
    private void WhenSettled(Action<Exception?> work)
    {
        if (_early is null)
        {
            work(null);
        }
        else
        {
            _early.Add(work);
        }
    }

    private void ReleaseEarly(Exception? none)
    {
        var early = _early ?? [];
        _early = null;
        early.ForEach(work => work(none));
    }

    private void Grant(Input.Request request, RunClient client, Exception? none, TaskCompletionSource<(Outcome?, Refusal?)> done)
    {
        try
        {
            if (none is not null)
            {
                throw none;
            }

            var decided = Apply(request, client);
            done.SetResult((decided.Outcome, decided.Refusal));
        }
        catch (SqliteException failure) when (!Rescue.IsDamage(failure))
        {
            SayUnwritten(failure);
            done.SetException(Unwritten(failure));
        }
        catch (Exception failure)
        {
            done.SetException(failure);
        }
    }

    /// <summary>Reads something that only the loop may touch, such as the database.</summary>
    internal async Task<T> OnLoopAsync<T>(Func<T> read)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _inbox.Writer.WriteAsync(() =>
        {
            try
            {
                done.SetResult(read());
            }
            catch (Exception failure)
            {
                done.SetException(failure);
            }
        });
        return await done.Task;
    }

    /// <summary>The run, also one that has left the memory; null when there is none.</summary>
    internal async Task<Run?> RunAsync(long id) =>
        View.State.Runs.GetValueOrDefault(id) ?? await OnLoopAsync(() => _state.Runs.GetValueOrDefault(id) ?? (_state.IsPast(id) ? _database.Archived(id)?.Run : null));

    internal Task<IReadOnlyList<IndexedLine>> LinesAsync(long run, long afterSeq, int limit) => OnLoopAsync(() => _database.Lines(run, afterSeq, limit));

    /// <summary>The lines that hold the items before a sequence number, or the last ones, from the newest; and whether the run has none after them.</summary>
    internal Task<(IReadOnlyList<IndexedLine> Lines, bool AtEnd)> LinesBackAsync(long run, long? beforeSeq, int limit) =>
        OnLoopAsync(() => (_database.LinesBack(run, beforeSeq ?? long.MaxValue, limit), beforeSeq is not { } before || _database.Lines(run, before - 1, 1).Count == 0));

    internal Task<List<LaunchFacts>> LaunchesAsync() => OnLoopAsync(() => _live.Values.Select(launch => launch.Facts()).ToList());

    internal Task SetSettingsAsync(FileSettings settings) => OnLoopAsync(() =>
    {
        settings.Write(_paths.Settings);
        return Settings = settings;
    });

    private void Post(Action work)
    {
        if (!_inbox.Writer.TryWrite(work))
        {
            _ = _inbox.Writer.WriteAsync(work).AsTask();
        }
    }

    private async Task RunAsync()
    {
        try
        {
            (_database, _rebuild) = _open();
            _state = _database.Load();
            _view = BoardView.Of($"{_database.Epoch}-{Guid.NewGuid():N}", _state);
        }
        catch (Exception failure)
        {
            var reference = _log.Error("open", failure);
            _recovered.TrySetException(failure is StorageNewerException
                ? new BoardUnavailableException("storageNewer", failure.Message)
                : new BoardUnavailableException("storageFailed", $"The board could not be opened: {failure.Message} (log {reference})"));
            _ = _recovered.Task.Exception; // seen: nobody may be there to await it
            _inbox.Writer.TryComplete();
            while (_inbox.Reader.TryRead(out var waiting))
            {
                waiting();
            }

            ReleaseEarly(Unavailable);
            return;
        }

        await foreach (var work in _inbox.Reader.ReadAllAsync())
        {
            try
            {
                work();
            }
            catch (SqliteException failure) when (!Rescue.IsDamage(failure))
            {
                SayUnwritten(failure); // a stream is read again from where its lines were written
            }
            catch (Exception bug)
            {
                // A bug in one step must not take the board with it.
                _log.Error("engine", bug);
                if (bug is SqliteException && Rescue.IsDamage(bug))
                {
                    Suspect(bug.Message);
                }
            }
        }
    }

    private Decided Apply(Input input, RunClient? client)
    {
        if (_state.Recalls(input) is { } left && _database.Archived(left) is { } archived)
        {
            _ = Apply(new Input.Recalled(archived.Run, archived.Decisions), null);
            _ = ReadNeeds();
        }

        var decided = Decider.Decide(_state, input, _time.GetUtcNow());
        _database.Append(decided.Events, _time.GetUtcNow());
        Commit(decided, client);
        return decided;
    }

    /// <summary>The events are in the journal already.</summary>
    private void Commit(Decided decided, RunClient? client)
    {
        if (decided.Outcome is { Id: > 0 } outcome && client is not null && outcome.Kind is not OutcomeKind.Card)
        {
            Remember(outcome.Id, client);
        }

        if (decided.Events.Length > 0)
        {
            SayWritten();
        }

        _state = Evolver.EvolveAll(_state, decided.Events);
        foreach (var over in _clients.Keys.Where(run => !_state.Runs.TryGetValue(run, out var known) || known.IsOver).ToList())
        {
            _ = _clients.Remove(over); // whoever lets it go on brings one
        }

        _database.KeepSnapshot(_state);
        Show(_view.Tools);
        if (decided.Events.Any(happened => happened is Event.RunDiscarded or Event.RunRestored or Event.RunPromoted or Event.RunRewound))
        {
            LookAhead();
        }

        foreach (var effect in decided.Effects)
        {
            Carry(effect, client);
        }
    }

    /// <summary>Runs of one window share one list: a week of runs must not cost a list each.</summary>
    private void Remember(long runId, RunClient client)
    {
        var environment = AgentEnvironment.Of(client.Environment, Settings.PassCredentials ?? false);
        _clients[runId] = client with { Environment = _clients.Values.FirstOrDefault(known => known.Environment.SequenceEqual(environment))?.Environment ?? environment };
    }

    private void Show(ImmutableDictionary<long, string> tools) => Show(_view with { Tools = tools });

    private void Show(BoardView next)
    {
        var waits = Waiting.Reasons(_state, _time.GetUtcNow());
        waits = waits.SequenceEqual(_view.Waits) ? _view.Waits : waits;
        var stalls = StallsNow();
        stalls = stalls.SequenceEqual(_view.Stalls) ? _view.Stalls : stalls;
        if (ReferenceEquals(_view.State, _state) && ReferenceEquals(_view.Waits, waits) && ReferenceEquals(_view.Stalls, stalls) && next.HasSameFacts(_view))
        {
            return;
        }

        Volatile.Write(ref _view, next with { State = _state, Waits = waits, Stalls = stalls, Revision = _view.Revision + 1 });
        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    private ImmutableSortedDictionary<long, Stall> StallsNow()
    {
        var stalls = ImmutableSortedDictionary.CreateBuilder<long, Stall>();
        foreach (var launch in _live.Values.Where(launch => launch is { IsEnding: false, ReplayedAt: null }))
        {
            if (_state.Runs.TryGetValue(launch.RunId, out var run) && run.Launch == launch.Launch && Stalls.Of(_state, run, launch.HeardAt, launch.Decoder.Tool, Settings.Stalls, _time.GetUtcNow()) is { } stall)
            {
                stalls[run.Id] = stall;
            }
        }

        return stalls.ToImmutable();
    }

    private void Tick()
    {
        ReleaseHeld();
        ForgetLooks();
        if (_untrusted is null)
        {
            KeepHouse();
        }

        if (_early is null && _state.Runs.Count - _runsSettled > RunsPerArchive)
        {
            if (TryApply(new Input.Archive(Limits.EndedRunsKept)))
            {
                _runsSettled = _state.Runs.Count;
                Show(_view with { Needs = _view.Needs.RemoveRange(_view.Needs.Keys.Where(run => !_state.Runs.ContainsKey(run))) });
            }
        }

        foreach (var launch in _live.Values.ToList())
        {
            EndStill(launch);
            Look(launch);
            AskUsage(launch);
        }

        if (_early is null && _state.Runs.Values.Any(run => !run.IsOver))
        {
            _ = TryApply(new Input.Tick()); // time alone can let them start, and bring them near their limit
        }
    }

    public async ValueTask DisposeAsync()
    {
        _watch.Dispose();
        lock (_looks)
        {
            _looks.Values.ToList().ForEach(entry => entry.Look.Dispose());
            _looks.Clear();
        }

        await _closing.CancelAsync();
        _inbox.Writer.TryComplete();
        await _loop;
        _database?.Dispose();
        _closing.Dispose();
    }
}
