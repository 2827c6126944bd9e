using System.Text.Json;

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

    /// <param name="json">A whole JSON string with its quotation marks, in valid UTF-8 and without half surrogate pairs.</param>
    internal static AgentText OfJson(ReadOnlyMemory<byte> json) => new(json);

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
