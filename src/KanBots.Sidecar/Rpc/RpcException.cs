using KanBots.Sidecar.Protocol;

namespace KanBots.Sidecar.Rpc;

/// <summary>An answer that is an error: the code, the sentence for a person, and what a plugin needs to act.</summary>
internal sealed class RpcException(ErrorCode code, string message, ErrorData? data = null) : Exception(message)
{
    internal ErrorCode Code { get; } = code;

    internal ErrorData? Details { get; } = data;
}
