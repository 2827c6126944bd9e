using System.Text;

namespace KanBots.Sidecar.Cli;

/// <summary>Text of others made safe for a terminal: no escape sequence, no control character, no character that reorders others.
/// Newlines stay; a tab becomes a space.</summary>
internal static class TerminalText
{
    internal static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            switch (c)
            {
                case '\u001b':
                    i = SkipEscape(text, i);
                    break;
                case '\u009b': // CSI as one character
                    i = SkipCsi(text, i + 1);
                    break;
                case '\u0090' or '\u009d' or '\u0098' or '\u009e' or '\u009f': // DCS, OSC, SOS, PM, APC as one character
                    i = SkipString(text, i + 1);
                    break;
                case '\n':
                    clean.Append(c);
                    break;
                case '\t':
                    clean.Append(' ');
                    break;
                default:
                    if (!char.IsControl(c) && !IsBidi(c))
                    {
                        clean.Append(c);
                    }

                    break;
            }
        }

        return clean.ToString();
    }

    /// <summary>Clean, on one line, and at most so long.</summary>
    internal static string Line(string text, int lengthMax)
    {
        var line = Clean(text).Replace('\n', ' ').Trim();
        return line.Length <= lengthMax ? line : string.Concat(line.AsSpan(0, Math.Max(0, lengthMax - 1)), "…");
    }

    private static bool IsBidi(char c) => c is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069') or '\u200e' or '\u200f' or '\u061c' or '\ufeff';

    /// <returns>The index of the sequence's last character.</returns>
    private static int SkipEscape(string text, int at)
    {
        if (at + 1 >= text.Length)
        {
            return at;
        }

        return text[at + 1] switch
        {
            '[' => SkipCsi(text, at + 2),
            ']' or 'P' or 'X' or '^' or '_' => SkipString(text, at + 2),
            >= ' ' and <= '/' => at + 2 < text.Length ? at + 2 : at + 1, // an intermediate and its final character
            _ => at + 1,
        };
    }

    private static int SkipCsi(string text, int at)
    {
        while (at < text.Length && text[at] is >= ' ' and <= '?')
        {
            at++;
        }

        return Math.Min(at, text.Length - 1);
    }

    /// <summary>To BEL or ST, or to the end: a string that is not ended must not let its rest through.</summary>
    private static int SkipString(string text, int at)
    {
        for (; at < text.Length; at++)
        {
            if (text[at] is '\a' or '\u009c')
            {
                return at;
            }

            if (text[at] == '\u001b' && at + 1 < text.Length && text[at + 1] == '\\')
            {
                return at + 1;
            }
        }

        return text.Length - 1;
    }
}
