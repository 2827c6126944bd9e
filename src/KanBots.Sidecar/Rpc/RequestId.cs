using System.Globalization;
using System.Text;
using System.Text.Json;

namespace KanBots.Sidecar.Rpc;

/// <summary>The id of the other side's request: a whole number of 64 bits or a string, compared by value and echoed as it came.</summary>
/// <param name="Json">UTF-8, as it stood in the message.</param>
internal readonly record struct RequestId(string Value, byte[] Json)
{
    internal static ReadOnlySpan<byte> None => "null"u8;

    /// <summary>Null when the element is no id: null, a fraction, an object.</summary>
    /// <exception cref="InvalidOperationException">A string with half a surrogate pair.</exception>
    internal static RequestId? Of(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Number when element.TryGetInt64(out var number) => new RequestId(number.ToString(CultureInfo.InvariantCulture), Raw(element)),
        JsonValueKind.String => new RequestId($"\"{element.GetString()}", Raw(element)),
        _ => null,
    };

    private static byte[] Raw(JsonElement element) => Encoding.UTF8.GetBytes(element.GetRawText());
}
