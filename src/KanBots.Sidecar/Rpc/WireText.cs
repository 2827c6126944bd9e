using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace KanBots.Sidecar.Rpc;

/// <summary>JSON in UTF-8, in pieces that belong together.</summary>
/// <param name="Length">Bytes of all parts.</param>
/// <param name="Rented">The memory of the parts that may serve other texts once this one is used no more.</param>
internal readonly record struct WireText(IReadOnlyList<ReadOnlyMemory<byte>> Parts, int Length, IReadOnlyList<byte[]> Rented)
{
    /// <summary>Below what the collector takes for a large object, which it would collect late.</summary>
    private const int PieceBytes = 64 * 1024;

    // Escaped is only what JSON wants escaped: what agents say is full of quotation marks and letters beyond ASCII, and no client puts a
    // message into a page unread.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    [ThreadStatic]
    private static byte[]? scratch;

    internal static WireText Of<T>(T value, JsonTypeInfo<T> type)
    {
        var pieces = new Pieces(scratch ?? ArrayPool<byte>.Shared.Rent(PieceBytes));
        scratch = null; // not again while this one is written: a converter could come back here
        using (var writer = new Utf8JsonWriter(pieces, Options))
        {
            JsonSerializer.Serialize(writer, value, type);
        }

        return pieces.ToText();
    }

    /// <summary>For who sends much and knows when it has been taken. Where it is not called the collector takes the memory.</summary>
    internal void Return()
    {
        foreach (var piece in Rented)
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    /// <summary>Full pieces are handed on as they are. The last is copied out, and its memory serves the next message: most are small.</summary>
    private sealed class Pieces(byte[] piece) : IBufferWriter<byte>
    {
        private readonly List<ReadOnlyMemory<byte>> _full = [];
        private readonly List<byte[]> _rented = [];
        private byte[] _piece = piece;
        private int _used;
        private int _length;

        public void Advance(int count) => _used += count;

        public Memory<byte> GetMemory(int sizeHint = 0)
        {
            if (_piece.Length - _used < Math.Max(1, sizeHint))
            {
                _full.Add(_piece.AsMemory(0, _used));
                _rented.Add(_piece);
                _length += _used;
                (_piece, _used) = (ArrayPool<byte>.Shared.Rent(Math.Max(sizeHint, PieceBytes)), 0);
            }

            return _piece.AsMemory(_used);
        }

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        internal WireText ToText()
        {
            _full.Add(_piece.AsSpan(0, _used).ToArray());
            scratch = _piece.Length == PieceBytes ? _piece : null;
            return new WireText(_full, _length + _used, _rented);
        }
    }
}
