using System.Text;
using KanBots.Sidecar.Rpc;

namespace KanBots.Sidecar.Tests.Rpc;

public sealed class PreambleTests
{
    private static readonly Preamble Whole = new(1, "1.2.3", 4, "/home/ü", ["A=b", $"LONG={new string('x', 100_000)}", "LINES=one\ntwo"], "stdio");

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public void A_preamble_is_one_line_and_comes_back()
    {
        var line = Whole.ToLine();
        Assert.Equal(line.Length - 1, Array.IndexOf(line, (byte)'\n'));
        Assert.Equal(Whole.Environment, Preamble.Parse(line.AsSpan(0, line.Length - 1))!.Environment);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("GET / HTTP/1.1")]
    [InlineData("""{"kanbots":2,"build":"1","storageVersion":1,"cwd":"/","environment":[],"peer":"stdio"}""")]
    [InlineData("""{"kanbots":1,"build":null,"storageVersion":1,"cwd":"/","environment":[],"peer":"stdio"}""")]
    [InlineData("""{"kanbots":1,"build":"1","storageVersion":1,"cwd":"/","environment":["A=b",null],"peer":"stdio"}""")]
    [InlineData("""{"kanbots":1,"build":"1","storageVersion":1,"environment":[],"peer":"stdio"}""")]
    public void What_is_no_preamble_is_refused(string line) => Assert.Null(Preamble.Parse(Encoding.UTF8.GetBytes(line)));

    [Fact]
    public void A_preamble_with_more_than_we_know_is_read() =>
        Assert.NotNull(Preamble.Parse("""{"kanbots":1,"build":"1","storageVersion":1,"cwd":"/","environment":[],"peer":"stdio","more":{}}"""u8));

    [Fact]
    public async Task Not_one_byte_after_the_newline_is_taken()
    {
        var (ours, theirs) = Bench.Pair();
        await using (ours)
        await using (theirs)
        {
            var sending = theirs.WriteAsync((byte[])[.. Whole.ToLine(), .. "Content"u8]).AsTask();
            Assert.Equal(Whole.ToLine()[..^1], await Preamble.ReadLineAsync(ours, Preamble.BytesMax, CancellationToken.None).WaitAsync(Patience));
            await sending;
            var rest = new byte[7];
            await ours.ReadExactlyAsync(rest).AsTask().WaitAsync(Patience);
            Assert.Equal("Content"u8.ToArray(), rest);
        }
    }

    [Fact]
    public async Task A_line_in_pieces_is_read_and_one_without_end_is_not()
    {
        var (ours, theirs) = Bench.Pair();
        await using (ours)
        {
            await using (theirs)
            {
                var reading = Preamble.ReadLineAsync(ours, 100, CancellationToken.None);
                foreach (var one in "hello\n"u8.ToArray())
                {
                    theirs.WriteByte(one);
                }

                Assert.Equal("hello"u8.ToArray(), await reading.WaitAsync(Patience));
                await theirs.WriteAsync(new byte[200]);
                Assert.Null(await Preamble.ReadLineAsync(ours, 100, CancellationToken.None).WaitAsync(Patience));
                await theirs.WriteAsync("half"u8.ToArray());
            }

            Assert.Null(await Preamble.ReadLineAsync(ours, 1000, CancellationToken.None).WaitAsync(Patience));
        }
    }

    /// <summary>What a relay meets when serve is killed before it has read the preamble: it must be able to try again.</summary>
    [Fact]
    public async Task A_peer_that_goes_with_our_bytes_unread_is_a_lost_connection()
    {
        var (ours, theirs) = Bench.Pair();
        await using (ours)
        {
            await ours.WriteAsync(Whole.ToLine().AsMemory(0, 100));
            await theirs.DisposeAsync();
            await Assert.ThrowsAsync<IOException>(() => Preamble.ReadLineAsync(ours, 100, CancellationToken.None).WaitAsync(Patience));
        }
    }

    [Fact]
    public void A_reply_is_always_one_line() => Assert.Equal("refused one two\n"u8.ToArray(), Preamble.Reply("refused one\ntwo"));
}
