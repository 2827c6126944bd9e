using System.Globalization;
using System.Text;
using System.Text.Json;

namespace KanBots.Sidecar.Tests.Rpc;

/// <summary>How many answers a stream of bytes must have: read as the base protocol and JSON-RPC are written down, by simpler means than
/// the product's.</summary>
/// <param name="Ends">The stream cannot be followed to its end, or ends inside a message: a last sentence says so.</param>
internal sealed record Expectation(int Least, int Most, bool Ends)
{
    private const int HeaderBytesMax = 8 * 1024;
    private const int MessageBytesMax = 64 << 20;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    internal static Expectation Of(byte[] stream)
    {
        var (least, most) = (0, 0);
        for (var at = 0; at < stream.Length;)
        {
            var head = Encoding.Latin1.GetString(stream, at, Math.Min(HeaderBytesMax, stream.Length - at));
            var end = head.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end < 0 || LengthOf(head[..end]) is not { } length)
            {
                return new Expectation(least + 1, most + 1, true);
            }

            at += end + 4;
            if (length > stream.Length - at)
            {
                return new Expectation(least + 1, most + 1, length <= MessageBytesMax);
            }

            var (must, may) = Answers(stream.AsSpan(at, (int)length).ToArray());
            (least, most, at) = (least + must, most + may, at + (int)length);
        }

        return new Expectation(least, most, false);
    }

    private static long? LengthOf(string head)
    {
        long? length = null;
        foreach (var line in head.Split("\r\n"))
        {
            var parts = line.Split(':', 2);
            if (parts.Length < 2 || parts[0].Length == 0)
            {
                return null;
            }

            if (parts[0].Equals("content-length", StringComparison.OrdinalIgnoreCase))
            {
                if (length is not null || !long.TryParse(parts[1].Trim(' ', '\t'), NumberStyles.None, CultureInfo.InvariantCulture, out var said))
                {
                    return null;
                }

                length = said;
            }
        }

        return length;
    }

    private static (int Must, int May) Answers(byte[] content)
    {
        try
        {
            _ = Strict.GetString(content);
            using var document = JsonDocument.Parse(content);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                return (1, 1);
            }

            var hasMethod = root.TryGetProperty("method", out var method);
            if (hasMethod && method.ValueKind == JsonValueKind.String && method.GetString() != "$/cancelRequest")
            {
                var isRequest = root.TryGetProperty("id", out _);
                return isRequest ? (1, 1) : (0, 1); // a notification may hold half a character, which is answered
            }

            return hasMethod || !(root.TryGetProperty("result", out _) || root.TryGetProperty("error", out _)) ? (0, 1) : (0, 0);
        }
        catch (Exception unread) when (unread is JsonException or DecoderFallbackException or InvalidOperationException)
        {
            return (1, 1);
        }
    }
}
