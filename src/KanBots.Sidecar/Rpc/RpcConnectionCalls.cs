using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KanBots.Sidecar.Protocol;

namespace KanBots.Sidecar.Rpc;

/// <summary>What this side calls: its requests, their answers, its notifications.</summary>
internal sealed partial class RpcConnection
{
    private readonly ConcurrentDictionary<long, Asked> _asked = new();
    private long _nextId;

    /// <summary>A request of ours that waits. The result is read while its message is in memory.</summary>
    private sealed record Asked(Action<JsonElement> Result, Action<Exception> Failure);

    /// <summary>Sends a request and waits for its result.</summary>
    /// <exception cref="RpcException">The other side answered with an error, or with something that is no result of this method.</exception>
    /// <exception cref="IOException">The connection has ended.</exception>
    internal async Task<TResult> RequestAsync<TParams, TResult>(string method, TParams parameters, JsonTypeInfo<TParams> parametersType, JsonTypeInfo<TResult> resultType, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var id = Interlocked.Increment(ref _nextId);
        var waiting = new TaskCompletionSource<TResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked[id] = new Asked(
            result =>
            {
                try
                {
                    waiting.TrySetResult(result.ValueKind == JsonValueKind.Object ? result.Deserialize(resultType)! : throw new JsonException());
                }
                catch (JsonException)
                {
                    waiting.TrySetException(new RpcException(ErrorCode.InternalError, $"The answer to {method} is not a result of it."));
                }
            },
            failure => waiting.TrySetException(failure));
        if (_closed.IsCancellationRequested || !_outgoing.Add(Parts(method, id, parameters, parametersType).Parts))
        {
            Forget(id);
            throw OutgoingQueue.Ended();
        }

        // Registered after the request is queued, so that its cancellation never overtakes it.
        using var stop = cancellation.Register(() =>
        {
            if (Forget(id) is not null)
            {
                using var target = JsonDocument.Parse(FormattableString.Invariant($"{id}"));
                _outgoing.Add(Parts(Methods.CancelRequest, null, new CancelParams(target.RootElement), ProtocolJson.Default.CancelParams).Parts);
                waiting.TrySetCanceled(cancellation);
            }
        });
        return await waiting.Task;
    }

    /// <summary>Sends a notification and completes when it has been handed to the operating system, so that a sender who waits for
    /// it never runs ahead of a slow reader.</summary>
    /// <exception cref="RpcException">It is too large to travel.</exception>
    /// <exception cref="IOException">The connection has ended.</exception>
    internal Task NotifyAsync<T>(string method, T parameters, JsonTypeInfo<T> type) => NotifyAsync(Notification(method, parameters, type));

    /// <summary>The bytes of a notification, to be sent when its turn comes.</summary>
    /// <exception cref="RpcException">It is too large to travel.</exception>
    internal WireText Notification<T>(string method, T parameters, JsonTypeInfo<T> type) => Parts(method, null, parameters, type);

    /// <summary>As above, of one that was made before.</summary>
    /// <exception cref="IOException">The connection has ended.</exception>
    internal Task NotifyAsync(WireText notification)
    {
        var taken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _outgoing.Add(notification.Parts, taken);
        return taken.Task;
    }

    private static WireText Parts<T>(string method, long? id, T parameters, JsonTypeInfo<T> type)
    {
        var content = WireText.Of(parameters, type);
        return content.Length <= HeaderFraming.MaxMessageBytes - 256
            ? content with { Parts = [Call(method, id), .. content.Parts, End] }
            : throw new RpcException(ErrorCode.LimitExceeded, $"The params of {method} have {content.Length} bytes, over the limit of {HeaderFraming.MaxMessageBytes}.");
    }

    private static byte[] Call(string method, long? id) =>
        Encoding.ASCII.GetBytes(FormattableString.Invariant($"{{\"jsonrpc\":\"2.0\",{(id is null ? "" : FormattableString.Invariant($"\"id\":{id},"))}\"method\":\"{JsonEncodedText.Encode(method)}\",\"params\":"));

    /// <summary>A response to an id that we did not send, or no longer wait for, means nothing.</summary>
    private void Answered(JsonElement id, JsonElement message)
    {
        if (id.ValueKind != JsonValueKind.Number || !id.TryGetInt64(out var number) || Forget(number) is not { } asked)
        {
            return;
        }

        if (!message.TryGetProperty("error", out var error) || error.ValueKind == JsonValueKind.Null)
        {
            asked.Result(message.TryGetProperty("result", out var result) ? result : default);
            return;
        }

        var isObject = error.ValueKind == JsonValueKind.Object;
        var code = isObject && error.TryGetProperty("code", out var raw) && raw.ValueKind == JsonValueKind.Number && raw.TryGetInt32(out var known) ? (ErrorCode)known : ErrorCode.InternalError;
        var text = isObject && error.TryGetProperty("message", out var said) && said.ValueKind == JsonValueKind.String ? said.GetString()! : "The other side gave no reason.";
        asked.Failure(new RpcException(code, text, isObject && error.TryGetProperty("data", out var data) ? Details(data) : null));
    }

    /// <summary>The data of somebody else's errors has any form.</summary>
    private static ErrorData? Details(JsonElement data)
    {
        try
        {
            return data.ValueKind == JsonValueKind.Object ? data.Deserialize(ProtocolJson.Default.ErrorData) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private Asked? Forget(long id) => _asked.TryRemove(id, out var asked) ? asked : null;
}
