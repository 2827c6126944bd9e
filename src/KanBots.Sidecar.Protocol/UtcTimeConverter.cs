using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KanBots.Sidecar.Protocol;

/// <summary>A time as <c>2026-11-25T09:30:00.000Z</c>: always UTC, always milliseconds, so that texts sort as times do and look the same
/// from every machine. Read with any offset.</summary>
public sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    /// <summary>As it goes out, and as the runtime writes it, which has four more digits.</summary>
    private const int Length = 24, WrittenLength = 28;

    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && reader.TryGetDateTimeOffset(out var time) ? time.ToUniversalTime() : throw new JsonException();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        Span<byte> written = stackalloc byte[WrittenLength];
        _ = Utf8Formatter.TryFormat(value.UtcDateTime, written, out _, 'O');
        written[Length - 1] = (byte)'Z';
        writer.WriteStringValue(written[..Length]);
    }
}
