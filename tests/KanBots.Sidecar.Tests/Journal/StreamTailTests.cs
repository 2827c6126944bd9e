using System.Diagnostics;
using System.Text;
using KanBots.Sidecar.Journal;

namespace KanBots.Sidecar.Tests.Journal;

/// <summary>Reading a real file that grows, against a parser of its own that splits the whole content at once.</summary>
public sealed class StreamTailTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("kanbots-tail-").FullName;

    private string FilePath => Path.Combine(_folder, "stdout.ndjson");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Append(ReadOnlySpan<byte> bytes)
    {
        using var file = new FileStream(FilePath, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        file.Write(bytes);
    }

    private static List<(long From, long To, string Text)> Expected(byte[] bytes, bool ended)
    {
        var lines = new List<(long, long, string)>();
        for (int start = 0, end; start < bytes.Length; start = end)
        {
            var newline = Array.IndexOf(bytes, (byte)'\n', start);
            end = newline < 0 ? bytes.Length : newline + 1;
            if (newline >= 0 || ended)
            {
                lines.Add((start, end, Convert.ToHexString(bytes.AsSpan(start, (newline < 0 ? end : newline) - start))));
            }
        }

        return lines;
    }

    private static List<(long From, long To, string Text)> Seen(IEnumerable<TailLine> lines) => [.. lines.Select(line => (line.From, line.To, Convert.ToHexString(line.Content.Span)))];

    /// <summary>All that can be read now, in calls of at most so many lines.</summary>
    private static List<TailLine> Drain(StreamTail tail, long from, bool ended, int linesMax = 3, long bytesMax = 1 << 20)
    {
        var lines = new List<TailLine>();
        for (List<TailLine> read; (read = tail.Read(lines.Count == 0 ? from : lines[^1].To, ended, linesMax, bytesMax)).Count > 0;)
        {
            Assert.InRange(read.Count, 1, linesMax);
            lines.AddRange(read);
        }

        return lines;
    }

    [Fact]
    public void A_file_that_is_not_there_has_no_lines_until_it_is()
    {
        var tail = new StreamTail(FilePath);
        Assert.Empty(tail.Read(0, true, 9, 9));
        Assert.Empty(new StreamTail(Path.Combine(_folder, "no", "folder")).Read(0, true, 9, 9));
        Append("a\n"u8);
        Assert.Equal("61", Seen(tail.Read(0, false, 9, 9)).Single().Text);
    }

    [Fact]
    public void Characters_split_at_every_byte_across_appends_come_whole()
    {
        var bytes = Encoding.UTF8.GetBytes("é漢😀\r\n\n\r\n\0\n😀\n last");
        var tail = new StreamTail(FilePath);
        var lines = new List<TailLine>();
        long from = 0;
        foreach (var one in bytes)
        {
            Append([one]);
            lines.AddRange(Drain(tail, from, ended: false));
            from = lines.Count == 0 ? 0 : lines[^1].To;
        }

        Assert.Equal(Expected(bytes, ended: false), Seen(lines));
        Assert.Equal("é漢😀\r", Encoding.UTF8.GetString(lines[0].Content.Span));
        lines.AddRange(Drain(tail, from, ended: true));
        Assert.Equal(Expected(bytes, ended: true), Seen(lines));
    }

    [Fact]
    public void A_last_line_without_newline_counts_only_when_the_writer_is_gone_and_then_once()
    {
        Append("a\nb"u8);
        var tail = new StreamTail(FilePath);
        Assert.Equal([(0, 2, "61")], Seen(Drain(tail, 0, ended: false)));
        Assert.Empty(tail.Read(2, false, 9, 9));
        Assert.Equal([(2, 3, "62")], Seen(tail.Read(2, true, 9, 9)));
        Assert.Empty(tail.Read(3, true, 9, 9));
    }

    [Fact]
    public void Limits_hold_and_another_reader_goes_on_where_the_first_left()
    {
        var bytes = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 1_000).Select(number => $"{number} {new string('x', number)}\n")));
        Append(bytes);
        Assert.Equal(Expected(bytes, ended: true), Seen(Drain(new StreamTail(FilePath), 0, ended: true, linesMax: 7)));
        Assert.Equal(Expected(bytes, ended: true), Seen(Drain(new StreamTail(FilePath), 0, ended: true, linesMax: 10_000, bytesMax: 1)));
        var half = Drain(new StreamTail(FilePath), 0, ended: true).Take(500).ToList();
        Assert.Equal(Expected(bytes, ended: true), [.. Seen(half), .. Seen(Drain(new StreamTail(FilePath), half[^1].To, ended: true))]);
    }

    [Fact]
    public void Asking_again_from_before_gives_the_same_lines_again()
    {
        Append("a\nbb\nccc"u8);
        var tail = new StreamTail(FilePath);
        Assert.Equal(Seen(Drain(tail, 0, ended: false)), Seen(Drain(tail, 0, ended: false)));
        Assert.Equal([(2, 5, "6262")], Seen(Drain(tail, 2, ended: false)));
    }

    [Fact]
    public void Lines_that_were_handed_out_stay_as_they_are_whatever_is_read_next()
    {
        var random = new Random(3);
        var tail = new StreamTail(FilePath);
        var kept = new List<(TailLine Line, string Text)>();
        for (long from = 0, round = 0; round < 400; round++)
        {
            var text = new string((char)('a' + (round % 26)), random.Next(round % 50 == 0 ? 300_000 : 3_000));
            Append(Encoding.UTF8.GetBytes($"{text}\n"));
            var again = random.Next(4) == 0 && kept.Count > 0; // as after a transaction that failed
            var read = tail.Read(again ? kept[^1].Line.From : from, false, 9, 1 << 20);
            kept.Add((read[^1], text));
            from = read[^1].To;
        }

        Assert.Equal(kept.Select(line => line.Text), kept.Select(line => Encoding.UTF8.GetString(line.Line.Content.Span)));
    }

    [Fact]
    public void A_file_that_became_shorter_gives_nothing_that_is_gone_and_then_what_is_new()
    {
        Append("a\nfirst half"u8);
        var tail = new StreamTail(FilePath);
        Assert.Single(Drain(tail, 0, ended: false));
        using (var file = new FileStream(FilePath, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.SetLength(2);
        }

        Assert.Empty(tail.Read(2, true, 9, 9));
        Append("new\n"u8);
        Assert.Equal([(2, 6, "6E6577")], Seen(Drain(tail, 2, ended: false)));
    }

    [Fact]
    public void A_shorter_file_in_its_place_is_read_from_the_line_that_is_asked_for()
    {
        Append("a\nlong unfinished line"u8);
        var tail = new StreamTail(FilePath);
        Assert.Single(Drain(tail, 0, ended: false));
        File.WriteAllText($"{FilePath}.new", "b\ncc\n");
        File.Move($"{FilePath}.new", FilePath, overwrite: true);
        Assert.Equal([(2, 5, "6363")], Seen(Drain(tail, 2, ended: false)));
    }

    [Fact]
    public void A_giant_line_is_a_range_and_takes_bounded_memory()
    {
        const int length = 64 << 20;
        using (var file = new FileStream(FilePath, FileMode.Create))
        {
            file.SetLength(length); // of zero bytes, a hole on most disks
            file.Seek(0, SeekOrigin.End);
            file.Write("\nnext\n"u8);
        }

        var tail = new StreamTail(FilePath);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var lines = Drain(tail, 0, ended: false);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 3L * StreamTail.LineBytesMax);
        Assert.Equal((0, length + 1, length + 1, 0), (lines[0].From, lines[0].To, lines[0].Length, lines[0].Content.Length));
        Assert.Equal("next", Encoding.UTF8.GetString(lines[1].Content.Span));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    public void The_longest_line_that_is_loaded_has_the_length_of_the_limit_with_its_newline(int more)
    {
        using (var file = new FileStream(FilePath, FileMode.Create))
        {
            file.SetLength(StreamTail.LineBytesMax - 1 + more);
            file.Seek(0, SeekOrigin.End);
            file.Write("\n"u8);
        }

        var line = Drain(new StreamTail(FilePath), 0, ended: false).Single();
        Assert.Equal(StreamTail.LineBytesMax + more, line.Length);
        Assert.Equal(more > 0 ? 0 : line.Length - 1, line.Content.Length);
    }

    /// <summary>Bytes that this thread has read by system calls.</summary>
    private static long BytesRead() => long.Parse(File.ReadLines("/proc/thread-self/io").First(line => line.StartsWith("rchar:", StringComparison.Ordinal)).Split(' ')[1]);

    [Fact]
    public void A_giant_line_that_comes_in_small_pieces_is_read_once()
    {
        const int piece = 4096;
        var content = new byte[piece];
        var tail = new StreamTail(FilePath);
        var look = BytesRead();
        look = BytesRead() - look; // what looking itself reads
        var before = BytesRead();
        for (var written = 0; written < 64 << 20; written += piece)
        {
            Append(content);
            Assert.Empty(tail.Read(0, false, 256, 1 << 20));
        }

        Append("\n"u8);
        Assert.Equal((64 << 20) + 1, tail.Read(0, false, 256, 1 << 20).Single().Length);
        Assert.InRange(BytesRead() - before - look, (64 << 20) + 1, (64 << 20) + (1 << 20));
    }

    [Fact]
    public void Short_lines_taken_a_few_at_a_time_are_read_once()
    {
        var bytes = new byte[4 << 20];
        Array.Fill(bytes, (byte)'\n');
        Append(bytes);
        var before = BytesRead();
        Assert.Equal(bytes.Length, Drain(new StreamTail(FilePath), 0, ended: false, linesMax: 256).Count);
        Assert.InRange(BytesRead() - before, bytes.Length, bytes.Length + (1 << 20));
    }

    [Fact]
    public void Lines_that_another_thread_appends_meanwhile_tile_the_file()
    {
        var random = new Random(7);
        var pieces = Enumerable.Range(0, 3_000).Select(_ =>
        {
            var piece = new byte[random.Next(1, 3_000)];
            random.NextBytes(piece);
            piece.AsSpan().Replace((byte)'\n', (byte)' ');
            if (random.Next(3) > 0)
            {
                piece[random.Next(piece.Length)] = (byte)'\n';
            }

            return piece;
        }).ToArray();
        var written = 0;
        var writer = new Thread(() =>
        {
            foreach (var piece in pieces)
            {
                Append(piece);
            }

            Volatile.Write(ref written, 1);
        });
        writer.Start();

        var tail = new StreamTail(FilePath);
        var lines = new List<TailLine>();
        var clock = Stopwatch.StartNew();
        for (var ended = false; ;)
        {
            var read = tail.Read(lines.Count == 0 ? 0 : lines[^1].To, ended, 16, 1 << 16);
            lines.AddRange(read);
            if (read.Count == 0 && ended)
            {
                break;
            }

            ended = read.Count == 0 && Volatile.Read(ref written) == 1;
            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(2), "The writer did not end.");
        }

        writer.Join();
        Assert.Equal(Expected([.. pieces.SelectMany(piece => piece)], ended: true), Seen(lines));
    }
}
