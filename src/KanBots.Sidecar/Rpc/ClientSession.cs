using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Protocol;
using Core = KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Rpc;

/// <summary>What a server says of itself.</summary>
internal sealed record ServerFacts(string Version, string BuildId, string RepositoryRoot, string StateFolder);

/// <summary>One client: what it may do, what it watches, and the pumps that push to it. A pump sends one message and waits until it is
/// taken; what changed meanwhile goes into the next, so that a slow reader costs no memory and sees the newest.</summary>
internal sealed partial class ClientSession
{
    private static readonly string[] Capabilities = ["board", "runs", "decisions", "threads", "config", "costs", "runDetails", "reviews", "threadEnd", "threadLines"];

    /// <summary>After a push, two frames of a screen: what many agents do meanwhile goes into one message and is drawn once.</summary>
    private static readonly TimeSpan PushPause = TimeSpan.FromMilliseconds(30);

    private readonly BoardEngine _engine;
    private readonly Log _log;
    private readonly Preamble _preamble;
    private readonly ServerFacts _server;
    private readonly Func<IReadOnlyList<ClientSession>> _clients;
    private readonly RpcConnection _connection;
    private readonly ThreadReader _threads;
    private readonly Dictionary<long, long> _subscriptions = [];
    private TaskCompletionSource _subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private BoardView? _sent;
    private bool _initialized;
    private volatile bool _trusted;
    private string _name = "unknown";

    internal ClientSession(Stream stream, BoardEngine engine, Paths paths, Log log, Preamble preamble, ServerFacts server, int pid, Func<IReadOnlyList<ClientSession>> clients)
    {
        (_engine, _log, _preamble, _server, Pid, _clients) = (engine, log, preamble, server, pid, clients);
        _threads = new ThreadReader(engine, paths);
        _connection = new RpcConnection(stream, stream, Methods(), bug => log.Error("request", bug));
    }

    internal int Pid { get; }

    internal ClientStatus Status => new(_name, Pid, _trusted, _connection.QueuedMessages, _connection.QueuedBytes);

    internal async Task RunAsync()
    {
        _log.Written += SendLog;
        try
        {
            _ = PushAsync(PushThreadsAsync);
            _ = PushAsync(PushLooksAsync);
            await _connection.RunAsync();
        }
        finally
        {
            _log.Written -= SendLog;
            await _connection.DisposeAsync();
            UnwatchAll();
        }
    }

    private void UnwatchAll()
    {
        lock (_subscriptions)
        {
            foreach (var run in _subscriptions.Keys)
            {
                _engine.Recent.Unwatch(run, this);
            }

            _subscriptions.Clear();
        }
    }

    /// <summary>Pushes for as long as the client is there. A bug ends the connection: a client that is told nothing more would show a board
    /// or a thread that stands still, one that has lost its connection starts over from the board.</summary>
    private async Task PushAsync(Func<Task> push)
    {
        if (!await PumpAsync(push))
        {
            await _connection.DisposeAsync();
        }
    }

    /// <returns>False when it met a bug.</returns>
    private async Task<bool> PumpAsync(Func<Task> pump)
    {
        try
        {
            await pump();
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client is gone.
        }
        catch (Exception bug)
        {
            _log.Error("pump", bug);
            return false;
        }

        return true;
    }

    private async Task PushBoardAsync()
    {
        // A client that asks for the whole board sees a question there, and still has to be told of it: an editor notifies by what it is told.
        var told = _sent!;
        while (!_connection.Closed.IsCancellationRequested)
        {
            var changed = _engine.Changed;
            var (before, after) = (_sent!, _engine.View);
            if (before.Revision == after.Revision && told.Revision == after.Revision)
            {
                await changed.WaitAsync(_connection.Closed);
                continue;
            }

            if (before.Revision != after.Revision && ToWire.Changes(before, after, TimeProvider.System.GetUtcNow()) is { } changes)
            {
                await _connection.NotifyAsync(Protocol.Methods.BoardDidChange, changes, ProtocolJson.Default.BoardDidChangeParams);
            }

            foreach (var decision in ToWire.ChangedDecisions(told, after))
            {
                await PushDecisionAsync(decision, told);
            }

            told = after;
            // Unless the client asked for the whole board meanwhile: what it has then is newer.
            Interlocked.CompareExchange(ref _sent, after, before);
            await Task.Delay(PushPause, _connection.Closed);
        }
    }

    private async Task PushDecisionAsync(Core.Decision decision, BoardView before)
    {
        var wasOpen = before.State.Decisions.TryGetValue(decision.Id, out var was) && was.State == Core.DecisionState.Open;
        if (decision.State == Core.DecisionState.Open && !wasOpen)
        {
            await _connection.NotifyAsync(Protocol.Methods.DecisionDidRequest, new DecisionDidRequestParams(ToWire.Decision(decision)), ProtocolJson.Default.DecisionDidRequestParams);
        }
        else if (decision.State != Core.DecisionState.Open && wasOpen)
        {
            await _connection.NotifyAsync(Protocol.Methods.DecisionDidWithdraw, new DecisionDidWithdrawParams(decision.Id, ToWire.Decision(decision).State), ProtocolJson.Default.DecisionDidWithdrawParams);
        }
    }

    private async Task PushThreadsAsync()
    {
        while (!_connection.Closed.IsCancellationRequested)
        {
            var (appended, subscribed) = (_engine.Appended, Volatile.Read(ref _subscribed).Task);
            KeyValuePair<long, long>[] watched;
            lock (_subscriptions)
            {
                watched = [.. _subscriptions];
            }

            var pushed = false;
            foreach (var (run, after) in watched)
            {
                pushed |= await PushThreadAsync(run, after);
            }

            if (pushed)
            {
                await Task.Delay(PushPause, _connection.Closed);
            }

            await Task.WhenAny(appended, subscribed).WaitAsync(_connection.Closed);
        }
    }

    /// <returns>Whether there was anything to push.</returns>
    private async Task<bool> PushThreadAsync(long run, long after)
    {
        // The next page is read while the one before is taken; a slow reader costs these two.
        var (sent, taken) = (default(WireText?), Task.CompletedTask);
        var pushed = false;
        for (var atEnd = false; !atEnd;)
        {
            (var items, atEnd) = await _threads.ReadAsync(run, after, ThreadReader.PageMax);
            var page = items.Count == 0 ? default(WireText?) : _connection.Notification(Protocol.Methods.RunDidAppend, new RunDidAppendParams(run, [.. items.Select(ThreadItems.Of)]), ProtocolJson.Default.RunDidAppendParams);
            await taken;
            sent?.Return();
            if (page is not { } next)
            {
                return pushed;
            }

            lock (_subscriptions)
            {
                // The client has unsubscribed, or subscribed again from elsewhere, while the page was read.
                if (!_subscriptions.TryGetValue(run, out var at) || at != after)
                {
                    return pushed;
                }

                after = _subscriptions[run] = items[^1].Seq;
                _engine.Recent.Watch(run, this, after);
            }

            (sent, taken, pushed) = (next, _connection.NotifyAsync(next), true);
        }

        await taken;
        sent?.Return();
        return pushed;
    }

    /// <summary>A log line is worth sending, not worth waiting for.</summary>
    private void SendLog(string level, string message)
    {
        if (_initialized && _connection.QueuedMessages < 100)
        {
            var severity = level == "error" ? LogLevel.Error : LogLevel.Info;
            _ = PumpAsync(() => _connection.NotifyAsync(Protocol.Methods.LogDidAppend, new LogDidAppendParams(severity, message, TimeProvider.System.GetUtcNow()), ProtocolJson.Default.LogDidAppendParams));
        }
    }
}
