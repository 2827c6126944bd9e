using System.Globalization;
using System.Text;

namespace KanBots.Sidecar.Agents;

/// <summary>JSON whose texts are none.</summary>
internal static class BrokenText
{
    private const char Replacement = '\uFFFD';

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
