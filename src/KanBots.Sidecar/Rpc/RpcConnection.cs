using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KanBots.Sidecar.Protocol;

namespace KanBots.Sidecar.Rpc;

/// <summary>JSON-RPC 2.0 in Content-Length frames over two streams, requests both ways. Handlers are started in the order of arrival,
/// each up to its first await. Framing that cannot be followed ends the connection after a last error; anything else is answered and
/// the connection goes on.</summary>
internal sealed class RpcConnection : IAsyncDisposable
{
    /// <summary>Requests of the other side that are under way.</summary>
    internal const int InFlightMax = 1000;

    /// <summary>Bytes that wait for a slow reader. Whoever is asked to send more waits; a reader that takes nothing for
    /// <see cref="StuckReader"/> loses the connection.</summary>
    internal const long OutgoingBytesMax = 128L << 20;

    internal static readonly TimeSpan StuckReader = TimeSpan.FromSeconds(60);

    private readonly PipeReader _input;
    private readonly Stream _output;
    private readonly RpcMethods _methods;
    private readonly Func<Exception, string> _logBug;
    private readonly ConcurrentDictionary<string, CancellationTokenSource> _inFlight = new();
    private readonly ConcurrentDictionary<long, TaskCompletionSource<JsonElement>> _asked = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly CancellationTokenSource _closed = new();
    private long _nextId;
    private long _outgoingBytes;

    /// <param name="logBug">Writes a bug into the log and gives the reference that the caller is told.</param>
    internal RpcConnection(Stream input, Stream output, RpcMethods methods, Func<Exception, string> logBug)
    {
        _input = PipeReader.Create(input, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true));
        _output = output;
        _methods = methods;
        _logBug = logBug;
    }

    internal int QueuedMessages => _outgoingMessages;

    internal long QueuedBytes => Interlocked.Read(ref _outgoingBytes);

    private int _outgoingMessages;

    /// <summary>Cancelled when the connection has ended.</summary>
    internal CancellationToken Closed => _closed.Token;

    /// <summary>Reads until the other side ends or the framing breaks.</summary>
    internal async Task RunAsync()
    {
        try
        {
            await ReadAsync();
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The other side is gone; what it asked for is cancelled below.
        }
        finally
        {
            await _closed.CancelAsync();
            foreach (var request in _inFlight.Values)
            {
                await request.CancelAsync();
            }

            foreach (var waiting in _asked.Values)
            {
                waiting.TrySetException(new IOException("The connection has ended."));
            }
        }
    }

    private async Task ReadAsync()
    {
        for (; ; )
        {
            var read = await _input.ReadAsync(_closed.Token);
            var buffer = read.Buffer;
            for (; ; )
            {
                var frame = HeaderFraming.Peek(buffer);
                if (frame.Status == FrameStatus.Complete)
                {
                    await ReceiveAsync(buffer.Slice(frame.HeaderBytes, frame.ContentBytes));
                    buffer = buffer.Slice(frame.HeaderBytes + frame.ContentBytes);
                }
                else if (frame.Status == FrameStatus.TooLarge)
                {
                    await FailAsync("null"u8.ToArray(), ErrorCode.InvalidRequest, frame.Problem ?? "The message is too large.");
                    _input.AdvanceTo(buffer.GetPosition(frame.HeaderBytes));
                    await SkipAsync(frame.ContentBytes);
                    read = await _input.ReadAsync(_closed.Token);
                    buffer = read.Buffer;
                }
                else if (frame.Status == FrameStatus.Malformed)
                {
                    await FailAsync("null"u8.ToArray(), ErrorCode.ParseError, $"{frame.Problem} The connection is closed.");
                    return;
                }
                else
                {
                    break;
                }
            }

            _input.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted)
            {
                return;
            }
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

    private async Task ReceiveAsync(ReadOnlySequence<byte> content)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(content.ToArray());
        }
        catch (JsonException wrong)
        {
            await FailAsync("null"u8.ToArray(), ErrorCode.ParseError, $"The message is not JSON: {wrong.Message}");
            return;
        }

        var message = document.RootElement;
        if (message.ValueKind != JsonValueKind.Object)
        {
            var why = message.ValueKind == JsonValueKind.Array ? "Batches are not supported: send one message per frame." : "A message is a JSON object.";
            await FailAsync("null"u8.ToArray(), ErrorCode.InvalidRequest, why);
            return;
        }

        var id = message.TryGetProperty("id", out var value) && value.ValueKind is JsonValueKind.Number or JsonValueKind.String ? value : (JsonElement?)null;
        if (!message.TryGetProperty("method", out var method) || method.ValueKind != JsonValueKind.String)
        {
            if (id is not null && (message.TryGetProperty("result", out _) || message.TryGetProperty("error", out _)))
            {
                Answered(id.Value, message);
            }
            else
            {
                await FailAsync(Raw(id), ErrorCode.InvalidRequest, "The message is neither a request nor a notification nor a response.");
            }

            return;
        }

        _ = message.TryGetProperty("params", out var parameters);
        await DispatchAsync(method.GetString()!, id, parameters);
    }

    private static byte[] Raw(JsonElement? id) => Encoding.UTF8.GetBytes(id?.GetRawText() ?? "null");

    private void Answered(JsonElement id, JsonElement message)
    {
        // A response to an id that we did not send, or no longer wait for, means nothing.
        if (id.TryGetInt64(out var number) && _asked.TryRemove(number, out var waiting))
        {
            if (message.TryGetProperty("error", out var error))
            {
                var code = error.TryGetProperty("code", out var raw) && raw.TryGetInt32(out var known) ? (ErrorCode)known : ErrorCode.InternalError;
                var details = error.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.Object ? data.Deserialize(ProtocolJson.Default.ErrorData) : null;
                waiting.TrySetException(new RpcException(code, error.TryGetProperty("message", out var text) ? text.GetString() ?? "" : "", details));
            }
            else
            {
                waiting.TrySetResult(message.GetProperty("result"));
            }
        }
    }

    private async Task DispatchAsync(string method, JsonElement? id, JsonElement parameters)
    {
        if (method == Methods.CancelRequest)
        {
            if (parameters.ValueKind == JsonValueKind.Object && parameters.TryGetProperty("id", out var target) && _inFlight.TryGetValue(target.GetRawText(), out var request))
            {
                await request.CancelAsync();
            }

            return;
        }

        var handler = _methods.Find(method);
        if (handler is null)
        {
            if (id is not null)
            {
                await FailAsync(Raw(id), ErrorCode.MethodNotFound, $"There is no method '{method}'.");
            }

            return;
        }

        if (id is null)
        {
            await NotifiedAsync(handler, parameters);
            return;
        }

        var key = id.Value.GetRawText();
        var cancellation = CancellationTokenSource.CreateLinkedTokenSource(_closed.Token);
        if (_inFlight.Count >= InFlightMax || !_inFlight.TryAdd(key, cancellation))
        {
            cancellation.Dispose();
            await FailAsync(Raw(id), ErrorCode.InvalidRequest, $"The id {key} is in use, or more than {InFlightMax} requests are under way.");
            return;
        }

        // Not awaited: the handler runs up to its first await here, in the order of arrival, and the next message is read meanwhile.
        _ = AnswerAsync(handler, key, parameters, cancellation);
    }

    private async Task NotifiedAsync(RpcHandler handler, JsonElement parameters)
    {
        try
        {
            await handler.Handle(parameters, _closed.Token);
        }
        catch (Exception ignored) when (ignored is not OperationCanceledException)
        {
            if (ignored is not RpcException)
            {
                _ = _logBug(ignored);
            }
        }
    }

    private async Task AnswerAsync(RpcHandler handler, string key, JsonElement parameters, CancellationTokenSource cancellation)
    {
        var id = Encoding.UTF8.GetBytes(key);
        try
        {
            var result = await handler.Handle(parameters, cancellation.Token);
            _inFlight.TryRemove(key, out _);
            await SendAsync(writer =>
            {
                WriteId(writer, id);
                writer.WritePropertyName("result");
                writer.WriteRawValue(result, skipInputValidation: true);
            });
        }
        catch (Exception failure)
        {
            _inFlight.TryRemove(key, out _);
            await AnswerFailureAsync(id, failure);
        }
        finally
        {
            cancellation.Dispose();
        }
    }

    private async Task AnswerFailureAsync(byte[] id, Exception failure)
    {
        try
        {
            switch (failure)
            {
                case RpcException known:
                    await FailAsync(id, known.Code, known.Message, known.Details);
                    break;
                case OperationCanceledException:
                    await FailAsync(id, ErrorCode.RequestCancelled, "The request was cancelled.");
                    break;
                default:
                    var reference = _logBug(failure);
                    await FailAsync(id, ErrorCode.InternalError, $"Something went wrong in the sidecar (log {reference}).", new ErrorData("internalError", "Look for the reference in the log.", LogReference: reference));
                    break;
            }
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Nobody is there to be told.
        }
    }

    private Task FailAsync(byte[] id, ErrorCode code, string message, ErrorData? data = null) => SendAsync(writer =>
    {
        WriteId(writer, id);
        writer.WriteStartObject("error");
        writer.WriteNumber("code", (int)code);
        writer.WriteString("message", message);
        if (data is not null)
        {
            writer.WritePropertyName("data");
            JsonSerializer.Serialize(writer, data, ProtocolJson.Default.ErrorData);
        }

        writer.WriteEndObject();
    });

    private static void WriteId(Utf8JsonWriter writer, byte[] id)
    {
        writer.WritePropertyName("id");
        writer.WriteRawValue(id, skipInputValidation: true);
    }

    /// <summary>Sends a request and waits for its result.</summary>
    /// <exception cref="RpcException">The other side answered with an error.</exception>
    internal async Task<TResult> RequestAsync<TParams, TResult>(string method, TParams parameters, JsonTypeInfo<TParams> parametersType, JsonTypeInfo<TResult> resultType, CancellationToken cancellation)
    {
        var id = Interlocked.Increment(ref _nextId);
        var waiting = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked[id] = waiting;
        if (_closed.IsCancellationRequested)
        {
            throw new IOException("The connection has ended.");
        }

        using var stop = cancellation.Register(() =>
        {
            if (_asked.TryRemove(id, out _))
            {
                waiting.TrySetCanceled(cancellation);
                _ = CancelAsync(id);
            }
        });
        await SendAsync(writer =>
        {
            writer.WriteNumber("id", id);
            WriteCall(writer, method, parameters, parametersType);
        });
        var result = await waiting.Task;
        return result.Deserialize(resultType) ?? throw new RpcException(ErrorCode.InternalError, $"The result of {method} is null.");
    }

    private async Task CancelAsync(long id)
    {
        try
        {
            await NotifyAsync(Methods.CancelRequest, new CancelParams(JsonDocument.Parse(id.ToString(CultureInfo.InvariantCulture)).RootElement), ProtocolJson.Default.CancelParams);
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Nobody is there to be told.
        }
    }

    /// <summary>Sends a notification and completes when it has been handed to the operating system, so that a sender who waits for
    /// it never runs ahead of a slow reader.</summary>
    internal Task NotifyAsync<T>(string method, T parameters, JsonTypeInfo<T> type) => SendAsync(writer => WriteCall(writer, method, parameters, type));

    private static void WriteCall<T>(Utf8JsonWriter writer, string method, T parameters, JsonTypeInfo<T> type)
    {
        writer.WriteString("method", method);
        writer.WritePropertyName("params");
        JsonSerializer.Serialize(writer, parameters, type);
    }

    private async Task SendAsync(Action<Utf8JsonWriter> body)
    {
        var content = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(content))
        {
            writer.WriteStartObject();
            writer.WriteString("jsonrpc", "2.0");
            body(writer);
            writer.WriteEndObject();
        }

        if (Interlocked.Add(ref _outgoingBytes, content.WrittenCount) > OutgoingBytesMax)
        {
            await _closed.CancelAsync(); // the reader has been given every chance: see StuckReader
        }

        Interlocked.Increment(ref _outgoingMessages);
        try
        {
            await _writing.WaitAsync(_closed.Token);
            try
            {
                using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_closed.Token);
                deadline.CancelAfter(StuckReader);
                await _output.WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"Content-Length: {content.WrittenCount}\r\n\r\n")), deadline.Token);
                await _output.WriteAsync(content.WrittenMemory, deadline.Token);
                await _output.FlushAsync(deadline.Token);
            }
            catch (OperationCanceledException) when (!_closed.IsCancellationRequested)
            {
                await _closed.CancelAsync(); // a frame is half written: nothing can follow it
                throw;
            }
            finally
            {
                _writing.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _outgoingMessages);
            Interlocked.Add(ref _outgoingBytes, -content.WrittenCount);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        await _input.CompleteAsync();
    }
}
