using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace KanBots.Sidecar.Agents;

/// <summary>A value within a line, read without asking first: what is absent or has another shape is null, false or empty, and never an
/// exception, so that one strange member does not hide the rest of its line.</summary>
internal readonly struct StreamValue(StreamLine line, JsonElement element)
{
    internal JsonValueKind ValueKind => element.ValueKind;

    internal string RawText => Encoding.UTF8.GetString(line.Raw(JsonMarshal.GetRawUtf8Value(element)).Span);

    internal int Count => element.ValueKind == JsonValueKind.Array ? element.GetArrayLength() : 0;

    internal StreamValue this[int index] => new(line, element[index]);

    /// <summary>Undefined when there is none. Of a repeated name the last one counts, as in JavaScript.</summary>
    internal StreamValue Member(string name) => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? new StreamValue(line, value) : default;

    internal string? Text(string name) => Member(name).AsText();

    /// <exception cref="InvalidOperationException">It is no text: bytes that are no UTF-8, half a surrogate pair.</exception>
    internal string? AsText() => Said()?.ToString();

    /// <summary>A text that may be passed on without being read; null for any other value.</summary>
    /// <exception cref="InvalidOperationException">It is no text: bytes that are no UTF-8, half a surrogate pair.</exception>
    internal AgentText? Said()
    {
        if (element.ValueKind != JsonValueKind.String)
        {
            return null;
        }

        var taken = line.TakenOut(JsonMarshal.GetRawUtf8Value(element));
        return taken.IsEmpty ? element.GetString()! : AgentText.OfJson(taken);
    }

    /// <summary>Its own bytes in the line, to be passed on.</summary>
    /// <exception cref="InvalidOperationException">A text in it is none: bytes that are no UTF-8, half a surrogate pair.</exception>
    internal ReadOnlyMemory<byte> Json()
    {
        var json = line.Raw(JsonMarshal.GetRawUtf8Value(element));
        if (!Utf8.IsValid(json.Span) || json.Span.IndexOf("\\ud"u8) >= 0 || json.Span.IndexOf("\\uD"u8) >= 0)
        {
            for (var reader = new Utf8JsonReader(json.Span, new JsonReaderOptions { MaxDepth = int.MaxValue }); reader.Read();)
            {
                _ = reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName ? reader.GetString() : null;
            }
        }

        return json;
    }

    internal bool IsTrue(string name) => Member(name).ValueKind == JsonValueKind.True;

    internal IEnumerable<StreamValue> Elements()
    {
        var owner = line;
        return element.ValueKind == JsonValueKind.Array ? element.EnumerateArray().Select(value => new StreamValue(owner, value)) : [];
    }

    internal IEnumerable<(string Name, StreamValue Value)> Members()
    {
        var owner = line;
        return element.ValueKind == JsonValueKind.Object ? element.EnumerateObject().Select(member => (member.Name, new StreamValue(owner, member.Value))) : [];
    }

    internal long Whole(string name) => Member(name).AsWhole() ?? 0;

    private long? AsWhole() => element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out var number) ? number : null;

    /// <summary>A decimal number, or a text that is one; null for what is none or does not fit.</summary>
    internal decimal? Decimal(string name) => Member(name).AsDecimal();

    private decimal? AsDecimal() => element.ValueKind switch
    {
        JsonValueKind.Number => element.TryGetDecimal(out var number) ? number : null,
        JsonValueKind.String => decimal.TryParse(AsText(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null,
        _ => null,
    };

    /// <summary>Levels of objects and arrays: 0 for a plain value.</summary>
    internal int Depth()
    {
        var deepest = 0;
        var depth = 0;
        if (element.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
        {
            for (var reader = new Utf8JsonReader(JsonMarshal.GetRawUtf8Value(element), new JsonReaderOptions { MaxDepth = int.MaxValue }); reader.Read();)
            {
                depth += reader.TokenType switch
                {
                    JsonTokenType.StartObject or JsonTokenType.StartArray => 1,
                    JsonTokenType.EndObject or JsonTokenType.EndArray => -1,
                    _ => 0,
                };
                deepest = Math.Max(deepest, depth);
            }
        }

        return deepest;
    }
}
