using System.Buffers;
using System.Text;
using KanBots.Sidecar.Rpc;

namespace KanBots.Sidecar.Tests.Rpc;

public class HeaderFramingTests
{
    [Theory]
    [InlineData("", FrameStatus.Incomplete)]
    [InlineData("Content-Length: 2\r\n\r\n{", FrameStatus.Incomplete)]
    [InlineData("Content-Length: 2\r\n\r\n{}", FrameStatus.Complete)]
    [InlineData("content-length:2\r\nContent-Type: x\r\n\r\n{}more", FrameStatus.Complete)]
    [InlineData("Content-Type: x\r\n\r\n", FrameStatus.Malformed)]
    [InlineData("Content-Length: two\r\n\r\n{}", FrameStatus.Malformed)]
    [InlineData("Content-Length: -2\r\n\r\n{}", FrameStatus.Malformed)]
    [InlineData("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", FrameStatus.Malformed)]
    [InlineData("no colon\r\n\r\n{}", FrameStatus.Malformed)]
    [InlineData("Content-Length: 99999999999\r\n\r\n", FrameStatus.TooLarge)]
    public void The_front_of_the_input_is_named(string input, FrameStatus expected) =>
        Assert.Equal(expected, HeaderFraming.Peek(new(Encoding.UTF8.GetBytes(input))).Status);

    [Fact]
    public void A_frame_cut_at_every_byte_is_complete_only_at_its_last()
    {
        byte[] whole = Encoding.UTF8.GetBytes("Content-Length: 4\r\n\r\n\"é\"");
        for (int cut = 0; cut < whole.Length; cut++)
        {
            Assert.Equal(FrameStatus.Incomplete, HeaderFraming.Peek(new(whole, 0, cut)).Status);
        }

        Assert.Equal(new Frame(FrameStatus.Complete, whole.Length - 4, 4), HeaderFraming.Peek(new(whole)));
    }

    [Fact]
    public void An_endless_header_block_is_refused_at_its_limit() =>
        Assert.Equal(FrameStatus.Malformed, HeaderFraming.Peek(new(Enumerable.Repeat((byte)'a', HeaderFraming.MaxHeaderBytes).ToArray())).Status);
}
