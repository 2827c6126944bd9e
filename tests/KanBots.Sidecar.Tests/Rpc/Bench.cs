using System.Collections.Concurrent;
using System.Net.Sockets;
using KanBots.Sidecar.Protocol;
using KanBots.Sidecar.Rpc;

namespace KanBots.Sidecar.Tests.Rpc;

/// <summary>A connection of the product on one end of a real Unix socket, a client that speaks bytes on the other.</summary>
internal sealed class Bench : IAsyncDisposable
{
    private readonly NetworkStream _theirs;

    internal Bench(TimeSpan? stuckReader = null, TimeSpan? answerPatience = null)
    {
        var (ours, theirs) = Pair();
        _theirs = theirs;
        Client = new ByteClient(theirs, theirs);
        Connection = new RpcConnection(ours, ours, Methods(), bug =>
        {
            Bugs.Enqueue(bug);
            return $"ref{Bugs.Count}";
        }, stuckReader, answerPatience ?? TimeSpan.Zero);
        Running = RunAsync(ours);
    }

    private static ProtocolJson Json => ProtocolJson.Default;

    internal ByteClient Client { get; }

    internal RpcConnection Connection { get; }

    internal Task Running { get; }

    internal ConcurrentQueue<Exception> Bugs { get; } = new();

    /// <summary>Numbers of the "test/note" notifications, as they came.</summary>
    internal ConcurrentQueue<long> Notes { get; } = new();

    /// <summary>Lets every "test/wait" and "test/stubborn" go.</summary>
    internal TaskCompletionSource Gate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal int Waiting;

    internal static (NetworkStream Ours, NetworkStream Theirs) Pair()
    {
        var folder = Directory.CreateTempSubdirectory("kb-rpc-");
        var address = new UnixDomainSocketEndPoint(Path.Combine(folder.FullName, "s"));
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(address);
        listener.Listen(1);
        var theirs = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        theirs.Connect(address);
        var ours = listener.Accept();
        folder.Delete(recursive: true);
        return (new NetworkStream(ours, ownsSocket: true), new NetworkStream(theirs, ownsSocket: true));
    }

    internal void EndInput() => _theirs.Socket.Shutdown(SocketShutdown.Send);

    private async Task RunAsync(NetworkStream ours)
    {
        await using (ours)
        {
            await Connection.RunAsync();
        }
    }

    private RpcMethods Methods() => new RpcMethods()
        .Request("test/echo", Json.RunReplyParams, Json.RunReplyParams, (p, _) => Task.FromResult(p))
        .Request("test/size", Json.RunReplyParams, Json.RunUnsubscribeParams, (p, _) => Task.FromResult(new RunUnsubscribeParams(p.Text.Length)))
        .Request("test/make", Json.RunUnsubscribeParams, Json.RunReplyResult, (p, _) => Task.FromResult(new RunReplyResult(new string('x', (int)p.RunId))))
        .Request("test/wait", Json.Nothing, Json.Nothing, async (nothing, cancellation) =>
        {
            Interlocked.Increment(ref Waiting);
            await Gate.Task.WaitAsync(cancellation);
            return nothing;
        })
        .Request("test/stubborn", Json.Nothing, Json.Nothing, async (nothing, _) =>
        {
            Interlocked.Increment(ref Waiting);
            await Gate.Task;
            return nothing;
        })
        .Request("test/bug", Json.Nothing, Json.Nothing, (_, _) => throw new NotSupportedException("a bug on purpose"))
        .Request("test/lateBug", Json.Nothing, Json.Nothing, async (_, _) =>
        {
            await Task.Yield();
            throw new OperationCanceledException("of something else");
        })
        .Request("test/refuse", Json.Nothing, Json.Nothing, (_, _) => throw new RpcException(ErrorCode.RunNotLive, "No.", new ErrorData("runNotLive", RunId: 7)))
        .Request("test/ask", Json.RunUnsubscribeParams, Json.RunUnsubscribeParams, (p, cancellation) => Connection.RequestAsync("client/answer", p, Json.RunUnsubscribeParams, Json.RunUnsubscribeParams, cancellation))
        .Request("test/exit", Json.Nothing, Json.Nothing, (nothing, _) =>
        {
            Connection.Stop();
            return Task.FromResult(nothing);
        })
        .Notification("test/note", Json.RunUnsubscribeParams, p => Notes.Enqueue(p.RunId))
        .Notification("test/noteBug", Json.Nothing, _ => throw new NotSupportedException("a bug on purpose"));

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        await _theirs.DisposeAsync();
        await Running.WaitAsync(TimeSpan.FromSeconds(60));
    }
}
