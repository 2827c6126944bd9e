using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace KanBots.Sidecar.Rpc;

/// <summary>What is sent, as JSON. Escaped is only what JSON wants escaped: what agents say is full of quotation marks and letters beyond
/// ASCII, and no client puts a message into a page unread.</summary>
internal static class WireText
{
    /// <summary>A buffer that grew beyond this is not kept for the next message.</summary>
    private const int KeptBytesMax = 4 << 20;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? buffer;

    internal static byte[] Of<T>(T value, JsonTypeInfo<T> type)
    {
        var text = buffer ??= new ArrayBufferWriter<byte>();
        try
        {
            using (var writer = new Utf8JsonWriter(text, Options))
            {
                JsonSerializer.Serialize(writer, value, type);
            }

            return text.WrittenSpan.ToArray();
        }
        finally
        {
            text.ResetWrittenCount();
            if (text.Capacity > KeptBytesMax)
            {
                buffer = null;
            }
        }
    }
}
