using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;

namespace KanBots.Sidecar.Agents;

/// <summary>What an agent said, in words of ours or as the JSON string that it stands in, which is read only by who looks at it: a stream
/// is passed on many times faster than its texts could be taken out of their JSON and put into other JSON.</summary>
internal readonly struct AgentText : IEquatable<AgentText>
{
    private readonly string? _text;

    private AgentText(string text) => _text = text;

    private AgentText(ReadOnlyMemory<byte> json) => Json = json;

    /// <summary>A JSON string with its quotation marks, valid and in valid UTF-8; empty when this is a text of ours.</summary>
    internal ReadOnlyMemory<byte> Json { get; }

    public static implicit operator AgentText(string text) => new(text);

    /// <param name="element">A JSON string.</param>
    /// <param name="document">The bytes that the element's document was read from.</param>
    /// <exception cref="InvalidOperationException">It is no text: bytes that are no UTF-8, half a surrogate pair.</exception>
    internal static AgentText Of(JsonElement element, ReadOnlyMemory<byte> document)
    {
        var json = JsonMarshal.GetRawUtf8Value(element);
        // Whether an escaped surrogate has its other half is for the reader of JSON to say; such escapes are rare.
        return Utf8.IsValid(json) && json.IndexOf("\\ud"u8) < 0 && json.IndexOf("\\uD"u8) < 0
            ? new AgentText(document.Slice((int)Unsafe.ByteOffset(in MemoryMarshal.GetReference(document.Span), in MemoryMarshal.GetReference(json)), json.Length))
            : new AgentText(element.GetString()!);
    }

    public override string ToString()
    {
        if (Json.IsEmpty)
        {
            return _text ?? "";
        }

        var reader = new Utf8JsonReader(Json.Span);
        reader.Read();
        return reader.GetString()!;
    }

    public bool Equals(AgentText other) => ToString() == other.ToString();

    public override bool Equals(object? obj) => obj is AgentText other && Equals(other);

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);
}
