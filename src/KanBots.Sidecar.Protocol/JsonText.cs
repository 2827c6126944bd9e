using System.Text.Json;
using System.Text.Json.Serialization;

namespace KanBots.Sidecar.Protocol;

/// <summary>A string on the wire. One that came as JSON goes out as the JSON that it was, without being read between: most of what
/// agents say is looked at by nobody here.</summary>
[JsonConverter(typeof(JsonTextConverter))]
public readonly struct JsonText : IEquatable<JsonText>
{
    private readonly string? _text;
    private readonly ReadOnlyMemory<byte> _json;

    public JsonText(string text) => _text = text;

    private JsonText(ReadOnlyMemory<byte> json) => _json = json;

    /// <param name="json">A whole JSON string with its quotation marks, in valid UTF-8 and without half surrogate pairs.</param>
    public static JsonText OfJson(ReadOnlyMemory<byte> json) => new(json);

    public static implicit operator JsonText(string text) => new(text);

    public static implicit operator string(JsonText text) => text.ToString();

    public override string ToString()
    {
        if (_json.IsEmpty)
        {
            return _text ?? "";
        }

        var reader = new Utf8JsonReader(_json.Span);
        reader.Read();
        return reader.GetString()!;
    }

    public bool Equals(JsonText other) => ToString() == other.ToString();

    public override bool Equals(object? obj) => obj is JsonText other && Equals(other);

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    internal void Write(Utf8JsonWriter writer)
    {
        if (_json.IsEmpty)
        {
            writer.WriteStringValue(_text ?? "");
        }
        else
        {
            writer.WriteRawValue(_json.Span, skipInputValidation: true);
        }
    }
}

public sealed class JsonTextConverter : JsonConverter<JsonText>
{
    public override JsonText Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String ? new JsonText(reader.GetString()!) : throw new JsonException();

    public override void Write(Utf8JsonWriter writer, JsonText value, JsonSerializerOptions options) => value.Write(writer);
}
