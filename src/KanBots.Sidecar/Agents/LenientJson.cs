using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace KanBots.Sidecar.Agents;

/// <summary>Reading what others wrote without asking first: what is absent or has another shape is null, false or empty, and never an
/// exception, so that one strange member does not hide the rest of its line.</summary>
internal static class LenientJson
{
    private const char Replacement = '\uFFFD';

    /// <summary>Undefined when there is none. Of a repeated name the last one counts, as in JavaScript.</summary>
    internal static JsonElement Member(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : default;

    internal static string? Text(this JsonElement element, string name) => element.Member(name).AsText();

    internal static string? AsText(this JsonElement element) => element.ValueKind == JsonValueKind.String ? element.GetString() : null;

    internal static bool IsTrue(this JsonElement element, string name) => element.Member(name).ValueKind == JsonValueKind.True;

    internal static IEnumerable<JsonElement> Elements(this JsonElement element) => element.ValueKind == JsonValueKind.Array ? element.EnumerateArray() : [];

    internal static long Whole(this JsonElement element, string name) =>
        element.Member(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out var number) ? number : 0;

    /// <summary>A decimal number, or a text that is one; null for what is none or does not fit.</summary>
    internal static decimal? Decimal(this JsonElement element, string name) => element.Member(name) switch
    {
        { ValueKind: JsonValueKind.Number } value => value.TryGetDecimal(out var number) ? number : null,
        { ValueKind: JsonValueKind.String } value => decimal.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null,
        _ => null,
    };

    /// <summary>Levels of objects and arrays: 0 for a plain value.</summary>
    internal static int Depth(this JsonElement element)
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

    /// <summary>The same JSON with a replacement character for each byte that is no UTF-8 and for each half of a surrogate pair whose
    /// other half is missing. A JavaScript program can write both; no string of ours can hold them.</summary>
    internal static byte[] Mend(ReadOnlySpan<byte> json)
    {
        var text = Encoding.UTF8.GetString(json);
        var mended = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 >= text.Length)
            {
                mended.Append(text[i]);
            }
            else if (Escaped(text, i) is not { } unit || !char.IsSurrogate(unit))
            {
                mended.Append(text, i++, 2);
            }
            else if (char.IsHighSurrogate(unit) && Escaped(text, i + 6) is { } low && char.IsLowSurrogate(low))
            {
                mended.Append(unit).Append(low);
                i += 11;
            }
            else
            {
                mended.Append(Replacement);
                i += 5;
            }
        }

        return Encoding.UTF8.GetBytes(mended.ToString());
    }

    /// <summary>The UTF-16 code unit of an escape such as \ud83d that begins here.</summary>
    private static char? Escaped(string text, int at) =>
        at + 6 <= text.Length && text[at] == '\\' && text[at + 1] == 'u' && ushort.TryParse(text.AsSpan(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit) ? (char)unit : null;
}
