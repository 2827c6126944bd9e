using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KanBots.Sidecar.Protocol;

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
            return WireText.Of(value, result);
        }));
        return this;
    }

    /// <exception cref="ArgumentException">The method has a handler already.</exception>
    internal RpcMethods Notification<TParams>(string method, JsonTypeInfo<TParams> parameters, Action<TParams> handle)
    {
        _handlers.Add(method, new RpcHandler(true, (element, _) =>
        {
            handle(Read(element, parameters));
            return Task.FromResult(new WireText([], 0, []));
        }));
        return this;
    }

    internal RpcHandler? Find(string method) => _handlers.GetValueOrDefault(method);

    private static T Read<T>(JsonElement element, JsonTypeInfo<T> type)
    {
        if (element.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.Object))
        {
            throw new RpcException(ErrorCode.InvalidParams, "The params are one object with named members.");
        }

        try
        {
            // Absent params are an empty object: methods without params are called either way.
            return (element.ValueKind == JsonValueKind.Object ? element.Deserialize(type) : JsonSerializer.Deserialize("{}", type))
                ?? throw new RpcException(ErrorCode.InvalidParams, "The params are null.");
        }
        catch (JsonException wrong)
        {
            throw new RpcException(ErrorCode.InvalidParams, Describe(element, type, wrong));
        }
        catch (InvalidOperationException)
        {
            throw new RpcException(ErrorCode.InvalidParams, HalfCharacter);
        }
    }

    private const string HalfCharacter = "The params have a name or a text that is half a character (an unpaired surrogate).";

    /// <summary>In our own words: the framework's name .NET types, and in a trimmed build they are resource keys.</summary>
    private static string Describe(JsonElement element, JsonTypeInfo type, JsonException wrong)
    {
        List<string> missing;
        try
        {
            missing = [.. type.Properties.Where(property => property.IsRequired && !(element.ValueKind == JsonValueKind.Object && element.TryGetProperty(property.Name, out _))).Select(property => property.Name)];
        }
        catch (InvalidOperationException)
        {
            return HalfCharacter;
        }

        return missing.Count > 0
            ? $"The params lack {string.Join(", ", missing)}."
            : $"The params have a value of the wrong type, or an incomplete one, at {wrong.Path ?? "$"}.";
    }
}

/// <summary>One method's code.</summary>
/// <param name="Handle">Reads the params before its first await: their memory is given back when it returns.</param>
internal sealed record RpcHandler(bool IsNotification, Func<JsonElement, CancellationToken, Task<WireText>> Handle);
