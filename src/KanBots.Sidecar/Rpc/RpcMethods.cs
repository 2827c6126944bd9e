using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace KanBots.Sidecar.Rpc;

/// <summary>What a connection answers: handlers by method, each with the types of its params and result.</summary>
internal sealed class RpcMethods
{
    private readonly Dictionary<string, RpcHandler> _handlers = [];

    internal IReadOnlyCollection<string> Names => _handlers.Keys;

    /// <exception cref="ArgumentException">The method has a handler already.</exception>
    internal RpcMethods Request<TParams, TResult>(string method, JsonTypeInfo<TParams> parameters, JsonTypeInfo<TResult> result, Func<TParams, CancellationToken, Task<TResult>> handle)
    {
        _handlers.Add(method, new RpcHandler(false, async (element, cancellation) =>
        {
            var value = await handle(Read(element, parameters), cancellation);
            return JsonSerializer.SerializeToUtf8Bytes(value, result);
        }));
        return this;
    }

    internal RpcMethods Notification<TParams>(string method, JsonTypeInfo<TParams> parameters, Action<TParams> handle)
    {
        _handlers.Add(method, new RpcHandler(true, (element, _) =>
        {
            handle(Read(element, parameters));
            return Task.FromResult<byte[]>([]);
        }));
        return this;
    }

    internal RpcHandler? Find(string method) => _handlers.GetValueOrDefault(method);

    private static T Read<T>(JsonElement element, JsonTypeInfo<T> type)
    {
        try
        {
            // Absent params are an empty object: methods without params are called either way.
            return (element.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null ? JsonSerializer.Deserialize("{}", type) : element.Deserialize(type))
                ?? throw new RpcException(Protocol.ErrorCode.InvalidParams, "The params are null.");
        }
        catch (JsonException wrong)
        {
            throw new RpcException(Protocol.ErrorCode.InvalidParams, $"The params are not what the method takes: {wrong.Message}");
        }
    }
}

internal sealed record RpcHandler(bool IsNotification, Func<JsonElement, CancellationToken, Task<byte[]>> Handle);
