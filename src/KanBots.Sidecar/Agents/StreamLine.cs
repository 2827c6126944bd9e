using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;

namespace KanBots.Sidecar.Agents;

/// <summary>One line of an agent's stream as JSON. A reader of JSON goes byte by byte through a text with escapes, and most of a stream is
/// long texts that are only passed on. So these are taken out before it reads: it sees an empty text in their place, and who asks for the
/// value gets the text. Every doubt is left to the reader, so that what is JSON is for it alone to say.</summary>
internal sealed class StreamLine : IDisposable
{
    /// <summary>Bytes from which on a text is taken out.</summary>
    internal const int LongTextBytes = 256;

    /// <summary>What the reader sees of a text that was taken out.</summary>
    private const int StandInBytes = 2;

    /// <summary>At which no text goes on as it is: its end, an escape, and what JSON wants escaped.</summary>
    private static readonly SearchValues<byte> Marks = SearchValues.Create([.. Enumerable.Range(0, ' ').Select(code => (byte)code), (byte)'"', (byte)'\\']);

    private readonly ReadOnlyMemory<byte> _json;
    private readonly List<Text> _taken = [];
    private readonly byte[]? _rented;
    private readonly ReadOnlyMemory<byte> _read;
    private readonly JsonDocument _document;

    /// <param name="At">Where its stand-in begins.</param>
    /// <param name="Start">Where it begins in the line, with its quotation mark.</param>
    /// <param name="Length">Bytes in the line, with both quotation marks.</param>
    private readonly record struct Text(int At, int Start, int Length);

    private StreamLine(ReadOnlyMemory<byte> json, int longText, int depthMax)
    {
        _json = _read = json;
        if (json.Length > longText)
        {
            _rented = ArrayPool<byte>.Shared.Rent(json.Length);
            var length = TakeOut(json.Span, _rented, longText);
            _read = _taken.Count == 0 ? json : _rented.AsMemory(0, length);
        }

        try
        {
            _document = JsonDocument.Parse(_read, new JsonDocumentOptions { MaxDepth = depthMax });
        }
        catch
        {
            Return();
            throw;
        }
    }

    internal StreamValue Root => new(this, _document.RootElement);

    /// <param name="json">Must stay as it is as long as texts and raw values of the line are used.</param>
    /// <param name="longText">In place of <see cref="LongTextBytes"/>.</param>
    /// <exception cref="JsonException">It is no JSON, or has more levels.</exception>
    internal static StreamLine Parse(ReadOnlyMemory<byte> json, int depthMax, int longText = LongTextBytes) => new(json, longText, depthMax);

    /// <returns>The value's own bytes in the line.</returns>
    internal ReadOnlyMemory<byte> Raw(ReadOnlySpan<byte> value)
    {
        _read.Span.Overlaps(value, out var at);
        return _json[InLine(at)..InLine(at + value.Length)];
    }

    /// <returns>The text with its quotation marks when it was taken out, and is valid JSON and UTF-8 then; else empty.</returns>
    internal ReadOnlyMemory<byte> TakenOut(ReadOnlySpan<byte> value)
    {
        if (_taken.Count > 0 && value.Length == StandInBytes)
        {
            _read.Span.Overlaps(value, out var at);
            foreach (var text in _taken)
            {
                if (text.At == at)
                {
                    return _json.Slice(text.Start, text.Length);
                }
            }
        }

        return default;
    }

    public void Dispose()
    {
        _document.Dispose();
        Return();
    }

    private void Return()
    {
        if (_rented is not null)
        {
            ArrayPool<byte>.Shared.Return(_rented);
        }
    }

    private int InLine(int at)
    {
        var added = 0;
        foreach (var text in _taken)
        {
            if (text.At >= at)
            {
                break;
            }

            added += text.Length - StandInBytes;
        }

        return at + added;
    }

    /// <returns>Bytes of what is left.</returns>
    private int TakeOut(ReadOnlySpan<byte> json, Span<byte> left, int longText)
    {
        var (copied, length) = (0, 0);
        for (int from = 0, open; (open = json[from..].IndexOf((byte)'"')) >= 0;)
        {
            open += from;
            var (end, isPlain) = End(json, open + 1);
            if (end < 0)
            {
                break; // no JSON, as the reader will say
            }

            from = end;
            if (isPlain && end - open >= longText && !IsName(json[end..]) && Utf8.IsValid(json[open..end]))
            {
                json[copied..open].CopyTo(left[length..]);
                length += open - copied;
                _taken.Add(new Text(length, open, end - open));
                left[length++] = (byte)'"';
                left[length++] = (byte)'"';
                copied = end;
            }
        }

        json[copied..].CopyTo(left[length..]);
        return length + json.Length - copied;
    }

    /// <param name="at">After the first quotation mark.</param>
    /// <returns>After the last quotation mark, or below 0; and whether all in it is what it must be, and no half of a surrogate pair, which
    /// may be alone.</returns>
    private static (int End, bool IsPlain) End(ReadOnlySpan<byte> json, int at)
    {
        for (int next; (next = json[at..].IndexOfAny(Marks)) >= 0;)
        {
            at += next;
            if (json[at] == (byte)'"')
            {
                return (at + 1, true);
            }

            var escape = Escape(json[at..]);
            if (escape == 0)
            {
                return AnyEnd(json, at);
            }

            at += escape;
        }

        return (-1, false);
    }

    /// <summary>Where a text ends that is not to be taken out.</summary>
    private static (int End, bool IsPlain) AnyEnd(ReadOnlySpan<byte> json, int at)
    {
        for (int next; (next = json[at..].IndexOfAny((byte)'"', (byte)'\\')) >= 0;)
        {
            at += next + 1;
            if (json[at - 1] == (byte)'"')
            {
                return (at, false);
            }

            at = Math.Min(at + 1, json.Length);
        }

        return (-1, false);
    }

    /// <returns>Bytes of the escape that begins here; 0 when it is none, or one of half a surrogate pair.</returns>
    private static int Escape(ReadOnlySpan<byte> json) => json switch
    {
        [(byte)'\\', (byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t', ..] => 2,
        [(byte)'\\', (byte)'u', var a, var b, var c, var d, ..] when IsHex(a) && IsHex(b) && IsHex(c) && IsHex(d) && !(a is (byte)'d' or (byte)'D' && b >= (byte)'8') => 6,
        _ => 0,
    };

    private static bool IsHex(byte letter) => char.IsAsciiHexDigit((char)letter);

    private static bool IsName(ReadOnlySpan<byte> after) => after.TrimStart(" \t\r\n"u8) is [(byte)':', ..];
}
