using System.Globalization;
using System.Text;
using System.Threading.Channels;

namespace KanBots.Sidecar.Rpc;

/// <summary>Messages that wait for the other side to read, written in the order in which they were added. Adding never waits, so that the
/// one who reads is never held up by a peer who does not. Full means the end: a peer that is <see cref="BytesMax"/> or
/// <see cref="MessagesMax"/> behind, or takes nothing for the patience given, loses the connection and starts over from the board.</summary>
internal sealed class OutgoingQueue(Stream output, TimeSpan patience)
{
    /// <summary>Bytes of the messages that wait; room for two of the largest.</summary>
    internal const long BytesMax = 128L << 20;

    /// <summary>Messages that wait, whatever their size.</summary>
    internal const int MessagesMax = 10_000;

    /// <summary>Bytes written at a time; a slow reader proves itself alive with each.</summary>
    private const int ChunkBytes = 64 * 1024;

    private readonly Channel<Message> _messages = Channel.CreateUnbounded<Message>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _full = new();
    private int _count;
    private long _bytes;

    private sealed record Message(IReadOnlyList<ReadOnlyMemory<byte>> Parts, int Bytes, TaskCompletionSource? Taken);

    internal int Messages => Volatile.Read(ref _count);

    internal long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Adds one message, its content in parts.</summary>
    /// <param name="taken">Completed when the message has been handed to the operating system, failed when it never will be.</param>
    /// <returns>False when the connection has ended, or ends because the queue is full.</returns>
    internal bool Add(IReadOnlyList<ReadOnlyMemory<byte>> parts, TaskCompletionSource? taken = null)
    {
        var length = parts.Sum(part => part.Length);
        var bytes = Interlocked.Add(ref _bytes, length);
        var count = Interlocked.Increment(ref _count);
        if (bytes > BytesMax || count > MessagesMax)
        {
            _messages.Writer.TryComplete();
            _ = _full.CancelAsync();
        }

        if (_messages.Writer.TryWrite(new Message(parts, length, taken)))
        {
            return true;
        }

        Remove(length);
        taken?.TrySetException(Ended());
        return false;
    }

    /// <summary>Lets what is queued be written and takes nothing more.</summary>
    internal void Complete() => _messages.Writer.TryComplete();

    internal static IOException Ended() => new("The connection has ended.");

    /// <summary>Writes until the queue is completed and empty.</summary>
    /// <exception cref="IOException">The other side is gone, takes nothing, or is too far behind.</exception>
    internal async Task WriteAsync(CancellationToken closed)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(closed, _full.Token);
        try
        {
            await foreach (var message in _messages.Reader.ReadAllAsync(deadline.Token))
            {
                var isWritten = false;
                try
                {
                    await WriteAsync(message, deadline);
                    isWritten = true;
                }
                finally
                {
                    Remove(message.Bytes); // first: whoever is told may add the next at once
                    _ = isWritten ? message.Taken?.TrySetResult() : message.Taken?.TrySetException(Ended());
                }
            }
        }
        catch (OperationCanceledException) when (!closed.IsCancellationRequested)
        {
            throw new IOException(_full.IsCancellationRequested ? "The other side is too far behind." : $"The other side took nothing for {patience}.");
        }
        finally
        {
            _messages.Writer.TryComplete();
            while (_messages.Reader.TryRead(out var never))
            {
                never.Taken?.TrySetException(Ended());
                Remove(never.Bytes);
            }
        }
    }

    private void Remove(int bytes)
    {
        Interlocked.Decrement(ref _count);
        Interlocked.Add(ref _bytes, -bytes);
    }

    private async Task WriteAsync(Message message, CancellationTokenSource deadline)
    {
        var header = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"Content-Length: {message.Bytes}\r\n\r\n"));
        if (message.Bytes + header.Length <= ChunkBytes)
        {
            var whole = new byte[header.Length + message.Bytes];
            header.CopyTo(whole, 0);
            var at = header.Length;
            foreach (var part in message.Parts)
            {
                part.CopyTo(whole.AsMemory(at));
                at += part.Length;
            }

            await WriteChunkAsync(whole, deadline);
        }
        else
        {
            foreach (var part in message.Parts.Prepend(header))
            {
                for (var at = 0; at < part.Length; at += ChunkBytes)
                {
                    await WriteChunkAsync(part[at..Math.Min(at + ChunkBytes, part.Length)], deadline);
                }
            }
        }

        await output.FlushAsync(deadline.Token);
        deadline.CancelAfter(Timeout.InfiniteTimeSpan);
    }

    private async Task WriteChunkAsync(ReadOnlyMemory<byte> chunk, CancellationTokenSource deadline)
    {
        deadline.CancelAfter(patience);
        await output.WriteAsync(chunk, deadline.Token);
    }
}
