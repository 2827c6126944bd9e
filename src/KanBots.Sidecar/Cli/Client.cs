using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Git;
using KanBots.Sidecar.Protocol;
using KanBots.Sidecar.Rpc;
using KanBots.Sidecar.Serving;

namespace KanBots.Sidecar.Cli;

/// <summary>A terminal client: the same wire as an editor's, without the relay's process in between.</summary>
internal sealed class Client : IAsyncDisposable
{
    private readonly Stream _stream;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Client(Stream stream)
    {
        _stream = stream;
        var methods = new RpcMethods()
            .Notification(Methods.BoardDidChange, Json.BoardDidChangeParams, _ => Interlocked.Exchange(ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult())
            .Notification(Methods.RunDidAppend, Json.RunDidAppendParams, appended => Appended?.Invoke(appended));
        Connection = new RpcConnection(stream, stream, methods, _ => "");
    }

    private static ProtocolJson Json => ProtocolJson.Default;

    internal RpcConnection Connection { get; }

    internal event Action<RunDidAppendParams>? Appended;

    /// <summary>Completes at the board's next change.</summary>
    internal Task Changed => Volatile.Read(ref _changed).Task;

    internal Task Ended => _ended.Task;

    /// <exception cref="GitFailure">The folder is in no repository.</exception>
    /// <exception cref="ServeRefusedException">The sidecar said no.</exception>
    internal static async Task<Client> ConnectAsync(string folder)
    {
        var paths = new Paths(await Repository.FindAsync(new GitRunner(TimeProvider.System), folder, CancellationToken.None));
        var client = new Client((await ServeConnect.ConnectAsync(paths, "cli", TimeProvider.System, CancellationToken.None)).Stream);
        _ = client.RunAsync();
        await client.RequestAsync(Methods.Initialize, new InitializeParams("terminal", folder, Trusted: true, []), Json.InitializeParams, Json.InitializeResult);
        return client;
    }

    private async Task RunAsync()
    {
        await Connection.RunAsync();
        _ended.TrySetResult();
    }

    internal Task<TResult> RequestAsync<TParams, TResult>(string method, TParams parameters, System.Text.Json.Serialization.Metadata.JsonTypeInfo<TParams> parametersType, System.Text.Json.Serialization.Metadata.JsonTypeInfo<TResult> resultType) =>
        Connection.RequestAsync(method, parameters, parametersType, resultType, CancellationToken.None);

    internal Task<BoardSnapshot> BoardAsync() => RequestAsync(Methods.BoardGet, new Nothing(), Json.Nothing, Json.BoardSnapshot);

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        await _stream.DisposeAsync();
    }
}
