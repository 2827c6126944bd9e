using System.Collections.Immutable;
using System.Threading.Channels;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Git;
using KanBots.Sidecar.Journal;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Engine;

/// <summary>The loop: one thread of decisions. An input comes in, the core decides, the events go to the journal, the state is folded,
/// and only then the effects are carried out. Whatever the world answers comes back as an input.</summary>
internal sealed partial class BoardEngine : IAsyncDisposable
{
    /// <summary>Inputs that wait. A sender waits when it is full; nothing is dropped.</summary>
    internal const int InboxMax = 10_000;

    private readonly Channel<Action> _inbox = Channel.CreateBounded<Action>(new BoundedChannelOptions(InboxMax) { SingleReader = true });
    private readonly Dictionary<(long Run, int Launch), LiveLaunch> _live = [];
    private readonly Dictionary<long, IReadOnlyList<string>> _environments = [];
    private readonly CancellationTokenSource _closing = new();
    private readonly GitRunner _git;
    private readonly Paths _paths;
    private readonly Database _database;
    private readonly FolderWatch _watch;
    private readonly TimeProvider _time;
    private readonly Log _log;
    private readonly Func<string, IReadOnlyList<string>> _hostCommand;
    private readonly TaskCompletionSource _recovered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loop = Task.CompletedTask;
    private BoardState _state;
    private BoardView _view;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _appended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="hostCommand">From a run folder to the argv that starts a run host of this very build.</param>
    internal BoardEngine(Paths paths, GitRunner git, Database database, TimeProvider time, Log log, Func<string, IReadOnlyList<string>> hostCommand)
    {
        _paths = paths;
        _git = git;
        _database = database;
        _time = time;
        _log = log;
        _hostCommand = hostCommand;
        _state = database.Load();
        _view = new BoardView($"{database.Epoch}-{Guid.NewGuid():N}", _state.Revision, _state, ImmutableDictionary<long, string>.Empty);
        Settings = FileSettings.Read(paths.Settings);
        _watch = FolderWatch.Start(folder => Post(() => LookAt(folder)), () => Post(Tick));
    }

    internal FileSettings Settings { get; private set; }

    /// <summary>The board as it is now. Read from any thread.</summary>
    internal BoardView View => Volatile.Read(ref _view);

    /// <summary>Completes at the next change of the view. Take it before reading the view.</summary>
    internal Task Changed => Volatile.Read(ref _changed).Task;

    /// <summary>Completes when some run's thread has grown.</summary>
    internal Task Appended => Volatile.Read(ref _appended).Task;

    /// <summary>The liveness of every open launch is settled.</summary>
    internal Task Recovered => _recovered.Task;

    internal void Start()
    {
        PrivateFiles.MakeFolder(_paths.Runs);
        PrivateFiles.MakeFolder(_paths.Scratch);
        _loop = Task.Run(RunAsync);
        Post(() => _ = RecoverAsync());
    }

    /// <summary>A client's wish. Answered after its events are on the disk and its effects are ordered.</summary>
    /// <param name="environment">The client's, for the run that the wish starts or resumes.</param>
    internal async Task<(Outcome? Outcome, Refusal? Refusal)> AskAsync(Input.Request request, IReadOnlyList<string> environment)
    {
        await Recovered;
        return await OnLoopAsync(() =>
        {
            var decided = Apply(request, environment);
            return (decided.Outcome, decided.Refusal);
        });
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

    internal Task<IReadOnlyList<IndexedLine>> LinesAsync(long run, long afterSeq, int limit) => OnLoopAsync(() => _database.Lines(run, afterSeq, limit));

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

    private void Post(Input input) => Post(() => _ = Apply(input, null));

    private async Task RunAsync()
    {
        await foreach (var work in _inbox.Reader.ReadAllAsync())
        {
            try
            {
                work();
            }
            catch (Exception bug)
            {
                // A bug in one step must not take the board with it.
                _log.Error("engine", bug);
            }
        }
    }

    private Decided Apply(Input input, IReadOnlyList<string>? environment)
    {
        var decided = Decider.Decide(_state, input, _time.GetUtcNow());
        _database.Append(decided.Events, _time.GetUtcNow());
        Commit(decided, environment);
        return decided;
    }

    /// <summary>The events are in the journal already.</summary>
    private void Commit(Decided decided, IReadOnlyList<string>? environment)
    {
        if (decided.Outcome is { Id: > 0 } outcome && environment is not null && outcome.Kind is not OutcomeKind.Card)
        {
            _environments[outcome.Id] = AgentEnvironment.Of(environment);
        }

        _state = Evolver.EvolveAll(_state, decided.Events);
        Show(_view.Tools);
        foreach (var effect in decided.Effects)
        {
            Carry(effect);
        }
    }

    private void Show(ImmutableDictionary<long, string> tools)
    {
        if (ReferenceEquals(_view.State, _state) && ReferenceEquals(_view.Tools, tools))
        {
            return;
        }

        Volatile.Write(ref _view, _view with { State = _state, Tools = tools, Revision = _view.Revision + 1 });
        Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }

    private void Tick()
    {
        foreach (var launch in _live.Values.ToList())
        {
            Look(launch);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _watch.Dispose();
        await _closing.CancelAsync();
        _inbox.Writer.TryComplete();
        await _loop;
        _database.Dispose();
        _closing.Dispose();
    }
}
