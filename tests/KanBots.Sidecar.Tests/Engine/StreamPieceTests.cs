using System.Text;
using KanBots.Sidecar.Engine;

namespace KanBots.Sidecar.Tests.Engine;

public sealed class StreamPieceTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    private string Text(long from, long to, int limit)
    {
        var text = new StringBuilder();
        for (var at = from; at < to;)
        {
            var piece = StreamPiece.Read(_path, at, to, limit);
            Assert.InRange(piece.Next, at + 1, Math.Min(at + limit, to));
            text.Append(piece.Text);
            at = piece.Next;
        }

        return text.ToString();
    }

    /// <summary>Characters of every length, halves of them, bytes that are never UTF-8, and line breaks, in any order.</summary>
    [Fact]
    public void Pieces_of_any_length_give_the_text_that_the_whole_range_gives()
    {
        byte[][] parts = [.. new[] { "a", "é", "世", "🚀", "\n", "\"" }.Select(Encoding.UTF8.GetBytes), [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xC3], [0x98], [0xFF], [0xED, 0xA0, 0x80], [0xC0, 0xAF], [0xF4, 0x90]];
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            byte[] bytes = [.. Enumerable.Range(0, random.Next(1, 40)).SelectMany(_ => parts[random.Next(parts.Length)])];
            File.WriteAllBytes(_path, bytes);
            var from = random.Next(bytes.Length);
            var to = random.Next(from + 1, bytes.Length + 1);
            var range = bytes.AsSpan(from, to - from);
            var wanted = Encoding.UTF8.GetString(range[^1] == (byte)'\n' ? range[..^1] : range);
            foreach (var limit in new[] { 4, 5, 6, 7, 11, 64 })
            {
                // Also where a piece ends just before the last line break, which is then a piece without text.
                Assert.True(wanted == Text(from, to, limit), $"seed {seed}, limit {limit}");
            }
        }
    }

    [Fact]
    public void A_range_that_the_stream_does_not_have_is_refused_with_its_length()
    {
        File.WriteAllText(_path, "twelve bytes");
        Assert.Equal("bytes", StreamPiece.Read(_path, 7, 12, 100).Text);
        Assert.Contains("12 bytes", Assert.Throws<EndOfStreamException>(() => StreamPiece.Read(_path, 7, 13, 100)).Message);
    }
}
