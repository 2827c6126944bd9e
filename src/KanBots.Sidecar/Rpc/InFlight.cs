using System.Collections.Concurrent;

namespace KanBots.Sidecar.Rpc;

/// <summary>The requests of the other side that are under way, each from before its handler starts until its answer is made.</summary>
internal sealed class InFlight
{
    internal const int RequestsMax = 4_000;

    /// <summary>Bytes of the messages whose requests are under way.</summary>
    internal const long BytesMax = 256L << 20;

    private readonly ConcurrentDictionary<string, Request> _requests = new();
    private readonly TaskCompletionSource _none = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count;
    private long _bytes;
    private volatile bool _ending;

    /// <summary>One request. Its source has neither timer nor link, so nothing needs disposal, and cancelling one that is just over is no error.</summary>
    internal sealed record Request(RequestId Id, long Bytes)
    {
        private readonly CancellationTokenSource _source = new();

        internal CancellationToken Cancellation => _source.Token;

        /// <summary>Marks it at once; what listens is called elsewhere, so that the reader is not held up.</summary>
        internal void Cancel() => _ = _source.CancelAsync();
    }

    internal int Count => Volatile.Read(ref _count);

    internal bool IsFull(long more) => Count >= RequestsMax || Interlocked.Read(ref _bytes) + more > BytesMax;

    /// <summary>Null when the id is in use.</summary>
    internal Request? Start(RequestId id, long bytes)
    {
        var request = new Request(id, bytes);
        if (!_requests.TryAdd(id.Value, request))
        {
            return null;
        }

        Interlocked.Increment(ref _count);
        Interlocked.Add(ref _bytes, bytes);
        return request;
    }

    /// <summary>From now on the id may be used again. Comes before the answer, so that a client which has it never finds its own id taken.</summary>
    internal void Free(Request request) => _requests.TryRemove(request.Id.Value, out _);

    /// <summary>The answer is in the queue.</summary>
    internal void Done(Request request)
    {
        Interlocked.Add(ref _bytes, -request.Bytes);
        if (Interlocked.Decrement(ref _count) == 0 && _ending)
        {
            _none.TrySetResult();
        }
    }

    internal void Cancel(RequestId id)
    {
        if (_requests.TryGetValue(id.Value, out var request))
        {
            request.Cancel();
        }
    }

    /// <summary>No more will be started: completes when the last is answered.</summary>
    internal Task EndAsync()
    {
        _ending = true;
        if (Count == 0)
        {
            _none.TrySetResult();
        }

        return _none.Task;
    }

    internal void CancelAll()
    {
        foreach (var request in _requests.Values)
        {
            request.Cancel();
        }
    }
}
