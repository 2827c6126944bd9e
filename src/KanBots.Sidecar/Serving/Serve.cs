using System.Net.Sockets;
using System.Text;
using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Git;
using KanBots.Sidecar.Journal;
using KanBots.Sidecar.Processes;
using KanBots.Sidecar.Rpc;

namespace KanBots.Sidecar.Serving;

/// <summary><c>serve</c>: the one writer of a repository's board. Crash-only: starting is recovering.</summary>
internal sealed class Serve
{
    internal const int LockHeld = 76;
    internal const int Failed = 1;
    internal const int BacklogMax = 128;
    private static readonly TimeSpan IdleLook = TimeSpan.FromSeconds(1);
    private const int LooksPerGiveBack = 15;

    private readonly Paths _paths;
    private readonly BoardEngine _engine;
    private readonly Log _log;
    private readonly LocalListener _listener;
    private readonly FileLock _only;
    private readonly TimeSpan _idle;
    private readonly long _storage;
    private readonly CancellationTokenSource _leaving = new();
    private bool _willLeave;
    private readonly List<ClientSession> _clients = [];
    private long _lastClientGone = TimeProvider.System.GetTimestamp();

    private Serve(Paths paths, BoardEngine engine, Log log, LocalListener listener, FileLock only, TimeSpan idle)
    {
        (_paths, _engine, _log, _listener, _only, _idle, _storage) = (paths, engine, log, listener, only, idle, StorageOf(paths));
    }

    internal static async Task<int> RunAsync(string folder, TimeSpan idle)
    {
        if (Environment.GetEnvironmentVariable(ProcessTree.TokenName) is not null)
        {
            return Failed; // an agent must not start the one that judges it
        }

        var git = new GitRunner(TimeProvider.System);
        var paths = new Paths(await Repository.FindAsync(git, folder, CancellationToken.None));
        PrivateFiles.MakeFolder(paths.State);
        var log = new Log(Path.Combine(paths.State, "serve.log"), TimeProvider.System);
        using var only = FileLock.TryTake(Path.Combine(paths.State, "lock"));
        if (only is null)
        {
            return LockHeld;
        }

        try
        {
            var address = ServeAddress.Of(paths.State);
            var listener = LocalSocket.Listen(address, BacklogMax);
            PrivateFiles.Replace(Path.Combine(paths.State, "serve.json"), Encoding.UTF8.GetBytes(FormattableString.Invariant($"{{\"pid\":{Environment.ProcessId},\"address\":\"{System.Text.Json.JsonEncodedText.Encode(address)}\",\"build\":\"{Build.Id}\"}}\n")));
            var command = Build.Place();
            var engine = new BoardEngine(paths, git, () => OpenDatabase(paths), TimeProvider.System, log, run => [.. command, "run-host", run]);
            var serve = new Serve(paths, engine, log, listener, only, idle);
            engine.Start();
            log.Info($"serve {Build.Id} listens at {address}");

            await serve.AcceptAsync();
            await serve.LeaveAsync();
            return 0;
        }
        catch (Exception failure)
        {
            log.Error("serve", failure);
            return Failed;
        }
    }

    /// <summary>The database says itself which version it has; the file beside it says so before anybody has opened it.</summary>
    private static (Database, RebuildNote?) OpenDatabase(Paths paths)
    {
        if (StorageOf(paths) > Database.StorageVersion)
        {
            throw new StorageNewerException(StorageOf(paths)); // what a newer build writes may look broken to this one
        }

        var now = TimeProvider.System.GetUtcNow();
        var (database, rebuild) = Database.OpenOrRescue(paths.Database, Guid.NewGuid().ToString("N"), Build.Id, wasThere: File.Exists(paths.StorageVersion), now, PrivateFiles.Touch, note => PrivateFiles.Replace(Rescue.NotePath(paths.Database), Rescue.Write(note)));
        if (StorageOf(paths) != Database.StorageVersion)
        {
            PrivateFiles.Replace(paths.StorageVersion, Encoding.ASCII.GetBytes(FormattableString.Invariant($"{Database.StorageVersion}\n")));
        }

        return (database, rebuild);
    }

    private static long StorageOf(Paths paths) => File.Exists(paths.StorageVersion) && long.TryParse(File.ReadAllText(paths.StorageVersion), out var version) ? version : 0;

    private async Task AcceptAsync()
    {
        _ = WatchIdleAsync();
        while (!_leaving.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptAsync(_leaving.Token);
                _ = ServeClientAsync(client);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (IOException failure)
            {
                _log.Error("accept", failure); // out of descriptors, for example: the next may work
                await Task.Delay(100);
            }
        }
    }

    private async Task WatchIdleAsync()
    {
        var memory = new FreeMemory();
        for (var look = 1; !_leaving.IsCancellationRequested; look++)
        {
            await Task.Delay(IdleLook);
            if (look % LooksPerGiveBack == 0)
            {
                memory.GiveBack();
            }

            var lost = !_only.IsInPlace;
            if (lost)
            {
                // The repository was deleted or moved: what is written from here on nobody would find. Hosts notice by themselves.
                _log.Info("the lock is not at its path any more: the repository is gone from here");
            }

            lock (_clients)
            {
                _willLeave |= lost || _engine.IsDamaged;
                _willLeave |= _clients.Count == 0 && TimeProvider.System.GetElapsedTime(_lastClientGone) >= _idle
                    && (_engine.Unavailable is not null || (_engine.IsSettled && _engine.IsIdle));
            }

            if (_willLeave)
            {
                await _leaving.CancelAsync();
            }
        }
    }

    private async Task ServeClientAsync(LocalConnection client)
    {
        await using var held = client;
        var stream = client.Stream;
        try
        {
            var (pid, isThisUser) = client.Peer;
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(_leaving.Token);
            patience.CancelAfter(ServeConnect.Deadline);
            var line = await Preamble.ReadLineAsync(stream, Preamble.BytesMax, patience.Token);
            var preamble = line is null ? null : Preamble.Parse(line);
            var answer = Judge(preamble, pid, isThisUser);
            var session = answer == Preamble.Ok ? new ClientSession(stream, _engine, _paths, _log, preamble!, new ServerFacts(Build.Version, Build.Id, _paths.Repository.Root, _paths.State), pid, Status) : null;
            if (session is not null && !TryJoin(session))
            {
                (session, answer) = (null, Preamble.Retry);
            }

            try
            {
                await stream.WriteAsync(Preamble.Reply(answer), patience.Token);
                if (session is null)
                {
                    return;
                }

                using var leave = _leaving.Token.Register(() => client.Abort());
                await session.RunAsync();
            }
            finally
            {
                lock (_clients)
                {
                    if (session is not null)
                    {
                        _clients.Remove(session);
                    }

                    _lastClientGone = TimeProvider.System.GetTimestamp();
                }
            }
        }
        catch (Exception ended) when (ended is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // A client that goes is no news.
        }
        catch (Exception bug)
        {
            _log.Error("client", bug);
        }
    }

    /// <summary>What a connecting peer is told. A newer build takes over; an older one joins; an agent is refused.</summary>
    private string Judge(Preamble? preamble, int pid, bool isThisUser)
    {
        if (preamble is null)
        {
            return $"{Preamble.RefusedPrefix}This is not a client of KanBots Sidecar.";
        }

        if (!isThisUser)
        {
            return $"{Preamble.RefusedPrefix}This board belongs to another user.";
        }

        if (ProcessTree.TokenAbove(pid) is not null)
        {
            return $"{Preamble.RefusedPrefix}A run's own agent must not control the board.";
        }

        if (preamble.StorageVersion < Database.StorageVersion)
        {
            return $"{Preamble.RefusedPrefix}The board was written by a newer KanBots. Update this editor's extension.";
        }

        if (Build.IsNewer(preamble.Build, Build.Id))
        {
            lock (_clients)
            {
                _willLeave = true;
            }

            _leaving.CancelAfter(TimeSpan.Zero); // agents live in their hosts: nothing is lost
            return Preamble.Leaving;
        }

        if (_storage > Database.StorageVersion || _engine.Unavailable is not null)
        {
            return $"{Preamble.RefusedPrefix}{_engine.Unavailable?.Message ?? new StorageNewerException(_storage).Message}";
        }

        return Preamble.Ok;
    }

    /// <summary>Whoever is told ok is a client before it is told, so that no serve leaves between the two.</summary>
    private bool TryJoin(ClientSession session)
    {
        lock (_clients)
        {
            if (!_willLeave)
            {
                _clients.Add(session);
            }

            return !_willLeave;
        }
    }

    internal IReadOnlyList<ClientSession> Status()
    {
        lock (_clients)
        {
            return [.. _clients];
        }
    }

    /// <summary>Unlink, answer the backlog, close, the database, and the lock last: whoever connects meanwhile is told to try again and
    /// finds nobody, or finds the next serve, and never half of this one.</summary>
    private async Task LeaveAsync()
    {
        _log.Info("serve leaves");
        _listener.Leave(Preamble.Reply(Preamble.Retry));
        await _engine.DisposeAsync();
    }
}
