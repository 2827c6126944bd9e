namespace KanBots.Sidecar.Engine;

/// <summary>What the agents of watched runs said last, decoded, so that whoever watches has it without another look at index and stream.
/// It is kept until all who watch have taken it; who is further behind reads index and stream. The loop adds; any thread reads.</summary>
internal sealed class RecentItems
{
    /// <summary>Bytes of the lines that are kept, of all runs together. Only for those who do not keep up is there anything to keep: as much
    /// as a flood brings while they come to their turn.</summary>
    internal const long BytesMax = 32L << 20;

    private readonly Lock _gate = new();
    private readonly Dictionary<long, Watched> _watched = [];
    private readonly LinkedList<Piece> _pieces = []; // from the oldest
    private long _bytes;

    /// <summary>The last number that was given to an item of the run, null before one was, and the last that each watcher has.</summary>
    private sealed class Watched
    {
        internal long? Newest { get; set; }

        internal Dictionary<object, long> Taken { get; } = [];
    }

    private sealed record Piece(long RunId, long Bytes, IReadOnlyList<PlacedItem> Items);

    /// <summary>Bytes of the lines that are kept now.</summary>
    internal long Bytes
    {
        get
        {
            lock (_gate)
            {
                return _bytes;
            }
        }
    }

    /// <summary>A watcher begins, or has come further.</summary>
    /// <param name="taken">The number of the last item that it has.</param>
    internal void Watch(long runId, object watcher, long taken)
    {
        lock (_gate)
        {
            if (!_watched.TryGetValue(runId, out var known))
            {
                _watched[runId] = known = new Watched();
            }

            known.Taken[watcher] = taken;
            DropTaken(runId, known);
        }
    }

    internal void Unwatch(long runId, object watcher)
    {
        lock (_gate)
        {
            if (_watched.TryGetValue(runId, out var known) && known.Taken.Remove(watcher))
            {
                if (known.Taken.Count == 0)
                {
                    _watched.Remove(runId);
                }

                DropTaken(runId, known);
            }
        }
    }

    internal bool IsWatched(long runId)
    {
        lock (_gate)
        {
            return _watched.ContainsKey(runId);
        }
    }

    /// <param name="newest">The number of the run's last item.</param>
    /// <param name="items">All that came since the last call, in order.</param>
    /// <param name="bytes">Of their lines.</param>
    internal void Add(long runId, long newest, IReadOnlyList<PlacedItem> items, long bytes)
    {
        lock (_gate)
        {
            if (!_watched.TryGetValue(runId, out var known))
            {
                return; // nobody watches any more
            }

            known.Newest = newest;
            if (items.Count > 0 && bytes <= BytesMax)
            {
                _bytes += bytes;
                _pieces.AddLast(new Piece(runId, bytes, items));
                Drop(_ => _bytes > BytesMax);
            }
        }
    }

    /// <returns>The items after one, within the limits of a page, and whether there are none after them; null when that cannot be said from here.</returns>
    internal (IReadOnlyList<PlacedItem> Items, bool AtEnd)? After(long runId, long after, int limit)
    {
        lock (_gate)
        {
            if (!_watched.TryGetValue(runId, out var known) || known.Newest is not { } newest)
            {
                return null;
            }

            var items = new List<PlacedItem>();
            long bytes = 0;
            foreach (var piece in _pieces)
            {
                if (piece.RunId != runId || piece.Items[^1].Seq <= after)
                {
                    continue;
                }

                for (var i = (int)Math.Max(0, after + 1 + items.Count - piece.Items[0].Seq); i < piece.Items.Count; i++)
                {
                    if (piece.Items[i].Seq != after + 1 + items.Count || items.Count == limit || bytes >= ThreadReader.PageBytesMax)
                    {
                        break; // what lies between was too long to be kept, or the page is full
                    }

                    items.Add(piece.Items[i]);
                    bytes += piece.Items[i].To - piece.Items[i].From;
                }
            }

            return items.Count > 0 || after >= newest ? (items, after + items.Count >= newest) : null;
        }
    }

    private void DropTaken(long runId, Watched known)
    {
        var least = known.Taken.Count == 0 ? long.MaxValue : known.Taken.Values.Min();
        Drop(piece => piece.RunId == runId && piece.Items[^1].Seq <= least);
    }

    private void Drop(Func<Piece, bool> isToGo)
    {
        for (var node = _pieces.First; node is not null;)
        {
            var (piece, after) = (node.Value, node.Next);
            if (isToGo(piece))
            {
                _pieces.Remove(node);
                _bytes -= piece.Bytes;
            }

            node = after;
        }
    }
}
