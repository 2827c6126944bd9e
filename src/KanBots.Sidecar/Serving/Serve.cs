using System.Net.Sockets;
using System.Runtime.InteropServices;
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

    private readonly Paths _paths;
    private readonly BoardEngine _engine;
    private readonly Log _log;
    private readonly Socket _listener;
    private readonly string _address;
    private readonly TimeSpan _idle;
    private readonly CancellationTokenSource _leaving = new();
    private readonly List<ClientSession> _clients = [];
    private long _lastClientGone = TimeProvider.System.GetTimestamp();

    private Serve(Paths paths, BoardEngine engine, Log log, Socket listener, string address, TimeSpan idle)
    {
        (_paths, _engine, _log, _listener, _address, _idle) = (paths, engine, log, listener, address, idle);
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
            var listener = Listen(address);
            PrivateFiles.Replace(Path.Combine(paths.State, "serve.json"), Encoding.UTF8.GetBytes(FormattableString.Invariant($"{{\"pid\":{Environment.ProcessId},\"address\":\"{System.Text.Json.JsonEncodedText.Encode(address)}\",\"build\":\"{Build.Id}\"}}\n")));
            var command = Build.Place();
            var engine = new BoardEngine(paths, git, () => OpenDatabase(paths), TimeProvider.System, log, run => [.. command, "run-host", run]);
            engine.Start();
            log.Info($"serve {Build.Id} listens at {address}");
            var serve = new Serve(paths, engine, log, listener, address, idle);
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

    private static Database OpenDatabase(Paths paths)
    {
        PrivateFiles.Touch(paths.Database);
        return Database.Open(paths.Database, Guid.NewGuid().ToString("N"), Build.Id);
    }

    private static Socket Listen(string address)
    {
        File.Delete(address); // we hold the lock: whoever made it is gone
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(address));
        listener.Listen(BacklogMax);
        return listener;
    }

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
            catch (SocketException failure)
            {
                _log.Error("accept", failure); // out of descriptors, for example: the next may work
                await Task.Delay(100);
            }
        }
    }

    private async Task WatchIdleAsync()
    {
        while (!_leaving.IsCancellationRequested)
        {
            await Task.Delay(IdleLook);
            bool idle;
            lock (_clients)
            {
                idle = _clients.Count == 0 && TimeProvider.System.GetElapsedTime(_lastClientGone) >= _idle;
            }

            if (idle && (_engine.Unavailable is not null || (_engine.IsSettled && !_engine.View.State.Runs.Values.Any(run => !run.IsOver))))
            {
                await _leaving.CancelAsync();
            }
        }
    }

    private async Task ServeClientAsync(Socket socket)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            var (pid, uid) = PeerOf(socket);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(_leaving.Token);
            patience.CancelAfter(ServeConnect.Deadline);
            var line = await Preamble.ReadLineAsync(stream, Preamble.BytesMax, patience.Token);
            var preamble = line is null ? null : Preamble.Parse(line);
            var answer = Judge(preamble, pid, uid);
            await stream.WriteAsync(Preamble.Reply(answer), patience.Token);
            if (answer != Preamble.Ok)
            {
                return;
            }

            var session = new ClientSession(stream, _engine, _paths, _log, preamble!, new ServerFacts(Build.Version, Build.Id, _paths.Repository.Root, _paths.State), pid, Status);
            lock (_clients)
            {
                _clients.Add(session);
            }

            try
            {
                using var leave = _leaving.Token.Register(() => socket.Dispose());
                await session.RunAsync();
            }
            finally
            {
                lock (_clients)
                {
                    _clients.Remove(session);
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
    private string Judge(Preamble? preamble, int pid, uint uid)
    {
        if (preamble is null)
        {
            return $"{Preamble.RefusedPrefix}This is not a client of KanBots Sidecar.";
        }

        if (uid != LibC.getuid())
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
            _leaving.CancelAfter(TimeSpan.Zero); // agents live in their hosts: nothing is lost
            return Preamble.Leaving;
        }

        if (_engine.Unavailable is { } why)
        {
            return $"{Preamble.RefusedPrefix}{why.Message}";
        }

        return _leaving.IsCancellationRequested ? Preamble.Retry : Preamble.Ok;
    }

    private static unsafe (int Pid, uint Uid) PeerOf(Socket socket)
    {
        const int SOL_SOCKET = 1, SO_PEERCRED = 17;
        var credentials = stackalloc int[3];
        var length = 12;
        return LibC.getsockopt((int)socket.Handle, SOL_SOCKET, SO_PEERCRED, credentials, &length) == 0
            ? (credentials[0], (uint)credentials[1])
            : throw new IOException($"The peer cannot be told: {LibC.Describe(LibC.LastError)}");
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
        File.Delete(_address);
        _listener.Blocking = false;
        try
        {
            while (true)
            {
                using var late = _listener.Accept();
                late.Send(Preamble.Reply(Preamble.Retry));
            }
        }
        catch (SocketException)
        {
            // the backlog is empty
        }

        // Dispose would delete the path again, which may by now be another serve's: close the descriptor only.
        _ = LibC.close((int)_listener.SafeHandle.DangerousGetHandle());
        _listener.SafeHandle.SetHandleAsInvalid();
        await _engine.DisposeAsync();
    }
}
