using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using KanBots.Sidecar.Protocol;

namespace KanBots.Sidecar.Rpc;

/// <summary>JSON-RPC 2.0 in Content-Length frames over two streams, requests both ways. Handlers are started in the order of arrival,
/// each up to its first await. Reading never waits for writing. Framing that cannot be followed ends the connection after a last error;
/// anything else is answered and the connection goes on. When the input ends, what is under way has <see cref="AnswerPatience"/> before it is
/// cancelled, and the answers are still written, within <see cref="DrainPatience"/>.</summary>
internal sealed partial class RpcConnection : IAsyncDisposable
{
    /// <summary>A reader that takes nothing for so long loses the connection.</summary>
    internal static readonly TimeSpan StuckReader = TimeSpan.FromSeconds(60);

    /// <summary>How long requests may still take once the input has ended: what was piped in is answered, also by a serve that has just begun.</summary>
    internal static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(2);

    /// <summary>How long the last answers may take after that.</summary>
    internal static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(2);

    private readonly PipeReader _input;
    private readonly OutgoingQueue _outgoing;
    private readonly RpcMethods _methods;
    private readonly Func<Exception, string> _logBug;
    private readonly InFlight _inFlight = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly TimeSpan _answerPatience;
    private volatile bool _stopping;

    /// <param name="logBug">Writes a bug into the log and gives the reference that the caller is told.</param>
    /// <param name="stuckReader">In place of <see cref="StuckReader"/>.</param>
    /// <param name="answerPatience">In place of <see cref="AnswerPatience"/>.</param>
    internal RpcConnection(Stream input, Stream output, RpcMethods methods, Func<Exception, string> logBug, TimeSpan? stuckReader = null, TimeSpan? answerPatience = null)
    {
        _answerPatience = answerPatience ?? AnswerPatience;
        _input = PipeReader.Create(input, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
        _outgoing = new OutgoingQueue(output, stuckReader ?? StuckReader);
        _methods = methods;
        _logBug = logBug;
    }

    internal int QueuedMessages => _outgoing.Messages;

    internal long QueuedBytes => _outgoing.Bytes;

    /// <summary>Cancelled when the connection has ended.</summary>
    internal CancellationToken Closed => _closed.Token;

    /// <summary>Reads until the other side ends, the framing breaks, or <see cref="Stop"/>.</summary>
    internal async Task RunAsync()
    {
        var writing = WriteAsync();
        try
        {
            await ReadAsync();
        }
        catch (Exception ended) when (IsEnd(ended))
        {
            // The other side is gone; what it asked for is cancelled below.
        }
        finally
        {
            await DrainAsync(writing);
            await _closed.CancelAsync();
            await writing;
            await _input.CompleteAsync();
            foreach (var id in _asked.Keys)
            {
                Forget(id)?.Failure(OutgoingQueue.Ended());
            }
        }
    }

    /// <summary>Ends the connection after the message that is being handled; what is answered already is still sent.</summary>
    internal void Stop() => _stopping = true;

    private static bool IsEnd(Exception failure) => failure is IOException or OperationCanceledException or ObjectDisposedException;

    private async Task WriteAsync()
    {
        try
        {
            await _outgoing.WriteAsync(_closed.Token);
        }
        catch (Exception ended) when (IsEnd(ended))
        {
            await _closed.CancelAsync(); // perhaps in the middle of a frame: nothing can follow it
        }
    }

    private async Task DrainAsync(Task writing)
    {
        var answered = _inFlight.EndAsync();
        try
        {
            await answered.WaitAsync(_answerPatience, _closed.Token);
        }
        catch (Exception late) when (late is TimeoutException or OperationCanceledException)
        {
            _inFlight.CancelAll();
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_closed.Token);
        patience.CancelAfter(DrainPatience);
        try
        {
            await answered.WaitAsync(patience.Token);
            _outgoing.Complete();
            await writing.WaitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            _outgoing.Complete();
        }
    }

    private async Task ReadAsync()
    {
        while (true)
        {
            var read = await _input.ReadAsync(_closed.Token);
            var rest = read.Buffer;
            Frame frame;
            while ((frame = HeaderFraming.Peek(rest)).Status == FrameStatus.Complete)
            {
                Receive(rest.Slice(frame.HeaderBytes, frame.ContentBytes));
                rest = rest.Slice(frame.HeaderBytes + frame.ContentBytes);
                if (_stopping)
                {
                    return;
                }
            }

            if (frame.Status == FrameStatus.Malformed)
            {
                Fail(RequestId.None, ErrorCode.ParseError, $"{frame.Problem} The connection is closed.");
                return;
            }

            if (frame.Status == FrameStatus.TooLarge)
            {
                Fail(RequestId.None, ErrorCode.InvalidRequest, frame.Problem ?? "The message is too large.");
                _input.AdvanceTo(rest.GetPosition(frame.HeaderBytes));
                await SkipAsync(frame.ContentBytes);
                continue;
            }

            if (read.IsCompleted)
            {
                if (!rest.IsEmpty)
                {
                    Fail(RequestId.None, ErrorCode.ParseError, $"The input ended inside a message, {rest.Length} bytes after its beginning.");
                }

                return;
            }

            _input.AdvanceTo(rest.Start, rest.End);
        }
    }

    private async Task SkipAsync(long bytes)
    {
        while (bytes > 0)
        {
            var read = await _input.ReadAsync(_closed.Token);
            var take = Math.Min(bytes, read.Buffer.Length);
            _input.AdvanceTo(read.Buffer.GetPosition(take));
            bytes -= take;
            if (read.IsCompleted && bytes > 0)
            {
                throw new IOException("The input ended inside a message.");
            }
        }
    }

    private void Receive(ReadOnlySequence<byte> content)
    {
        byte[]? rented = null;
        try
        {
            var bytes = content.First;
            if (!content.IsSingleSegment)
            {
                rented = ArrayPool<byte>.Shared.Rent((int)content.Length);
                content.CopyTo(rented);
                bytes = rented.AsMemory(0, (int)content.Length);
            }

            Receive(bytes);
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    private void Receive(ReadOnlyMemory<byte> content)
    {
        if (!Utf8.IsValid(content.Span))
        {
            Fail(RequestId.None, ErrorCode.ParseError, "The message is not UTF-8.");
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(content);
            Receive(document.RootElement, content.Length);
        }
        catch (JsonException wrong)
        {
            Fail(RequestId.None, ErrorCode.ParseError, $"The message is not JSON, at line {wrong.LineNumber + 1}, byte {wrong.BytePositionInLine + 1}.");
        }
        catch (InvalidOperationException)
        {
            Fail(RequestId.None, ErrorCode.InvalidRequest, "The message has a text that is half a character (an unpaired surrogate).");
        }
    }

    private void Receive(JsonElement message, int bytes)
    {
        if (message.ValueKind != JsonValueKind.Object)
        {
            Fail(RequestId.None, ErrorCode.InvalidRequest, message.ValueKind == JsonValueKind.Array ? "Batches are not supported: send one message per frame." : "A message is a JSON object.");
            return;
        }

        var hasId = message.TryGetProperty("id", out var sentId);
        var id = hasId ? RequestId.Of(sentId) : null;
        if (!message.TryGetProperty("method", out var method))
        {
            // A response is never answered, not even one without an id: two ends that answer each other's errors never stop.
            if (message.TryGetProperty("error", out _) || message.TryGetProperty("result", out _))
            {
                Answered(sentId, message);
                return;
            }

            Fail(id is { } known ? known.Json : RequestId.None, ErrorCode.InvalidRequest, "The message is neither a request nor a notification nor a response.");
        }
        else if (method.ValueKind != JsonValueKind.String)
        {
            Fail(id is { } known ? known.Json : RequestId.None, ErrorCode.InvalidRequest, "A method is a string.");
        }
        else if (hasId && id is null)
        {
            Fail(RequestId.None, ErrorCode.InvalidRequest, "An id is a string or a whole number of 64 bits.");
        }
        else
        {
            _ = message.TryGetProperty("params", out var parameters);
            Dispatch(method.GetString()!, id, parameters, bytes);
        }
    }

    private void Dispatch(string method, RequestId? id, JsonElement parameters, int bytes)
    {
        if (method == Methods.CancelRequest)
        {
            if (parameters.ValueKind == JsonValueKind.Object && parameters.TryGetProperty("id", out var target) && RequestId.Of(target) is { } known)
            {
                _inFlight.Cancel(known);
            }

            return;
        }

        var handler = _methods.Find(method);
        if (id is not { } asked)
        {
            // A request without an id is not run: nobody could be told what became of it.
            if (handler is { IsNotification: true })
            {
                Notified(handler, parameters);
            }
        }
        else if (handler is null)
        {
            Fail(asked.Json, ErrorCode.MethodNotFound, $"There is no method '{method}'.");
        }
        else if (handler.IsNotification)
        {
            Fail(asked.Json, ErrorCode.InvalidRequest, $"'{method}' is a notification: send it without an id.");
        }
        else if (_inFlight.IsFull(bytes))
        {
            Fail(asked.Json, ErrorCode.LimitExceeded, $"At most {InFlight.RequestsMax} requests of together {InFlight.BytesMax} bytes are under way at once. Wait for some answers.");
        }
        else if (_inFlight.Start(asked, bytes) is { } request)
        {
            // Not awaited: the handler runs up to its first await here, in the order of arrival, and the next message is read meanwhile.
            _ = AnswerAsync(handler, request, parameters);
        }
        else
        {
            // Without the id: the request that has it is still to be answered.
            Fail(RequestId.None, ErrorCode.InvalidRequest, $"The id {asked.Value.TrimStart('"')} is in use by a request that is under way.");
        }
    }

    private void Notified(RpcHandler handler, JsonElement parameters)
    {
        try
        {
            _ = handler.Handle(parameters, _closed.Token);
        }
        catch (RpcException)
        {
            // Wrong params of a notification: nobody waits for an answer.
        }
        catch (Exception bug)
        {
            _ = _logBug(bug);
        }
    }

    private async Task AnswerAsync(RpcHandler handler, InFlight.Request request, JsonElement parameters)
    {
        try
        {
            var result = await handler.Handle(parameters, request.Cancellation);
            _inFlight.Free(request);
            if (result.Length <= HeaderFraming.MaxMessageBytes - EnvelopeBytesMax(request.Id))
            {
                _outgoing.Add([Envelope(request.Id.Json, "result"), .. result.Parts, End]);
            }
            else
            {
                Fail(request.Id.Json, ErrorCode.LimitExceeded, $"The answer has {result.Length} bytes, over the limit of {HeaderFraming.MaxMessageBytes}. Ask for less at once.");
            }
        }
        catch (Exception failure)
        {
            _inFlight.Free(request);
            Fail(request, failure);
        }
        finally
        {
            _inFlight.Done(request);
        }
    }

    private static int EnvelopeBytesMax(RequestId id) => id.Json.Length + 64;

    private void Fail(InFlight.Request request, Exception failure)
    {
        switch (failure)
        {
            case RpcException known:
                Fail(request.Id.Json, known.Code, known.Message, known.Details);
                break;
            case OperationCanceledException when request.Cancellation.IsCancellationRequested:
                Fail(request.Id.Json, ErrorCode.RequestCancelled, "The request was cancelled.");
                break;
            default:
                var reference = _logBug(failure);
                Fail(request.Id.Json, ErrorCode.InternalError, $"Something went wrong in the sidecar (log {reference}).", new ErrorData("internalError", "Look for the reference in the log.", LogReference: reference));
                break;
        }
    }

    private void Fail(ReadOnlySpan<byte> id, ErrorCode code, string message, ErrorData? data = null)
    {
        var error = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(error))
        {
            writer.WriteStartObject();
            writer.WriteNumber("code", (int)code);
            writer.WriteString("message", message);
            writer.WritePropertyName("data");
            JsonSerializer.Serialize(writer, data ?? new ErrorData(JsonNamingPolicy.CamelCase.ConvertName(code.ToString())), ProtocolJson.Default.ErrorData);
            writer.WriteEndObject();
        }

        _outgoing.Add([Envelope(id, "error"), error.WrittenMemory, End]);
    }

    private static ReadOnlyMemory<byte> End { get; } = "}"u8.ToArray();

    private static byte[] Envelope(ReadOnlySpan<byte> id, string member) =>
        [.. "{\"jsonrpc\":\"2.0\",\"id\":"u8, .. id, .. Encoding.ASCII.GetBytes($",\"{member}\":")];

    /// <summary>Ends the connection at once; what is queued is lost.</summary>
    public async ValueTask DisposeAsync() => await _closed.CancelAsync();
}
