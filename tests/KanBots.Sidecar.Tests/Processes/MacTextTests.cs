using System.Text;
using KanBots.Sidecar.Processes;
using KanBots.Sidecar.Processes.MacOs;

namespace KanBots.Sidecar.Tests.Processes;

/// <summary>What is pure of the macOS side: the bytes that its calls answer.</summary>
public sealed class MacTextTests
{
    private static byte[] Answer(int arguments, string rest) => [.. BitConverter.GetBytes(arguments), .. Encoding.UTF8.GetBytes(rest)];

    private static string Environment(byte[] answer) => string.Join('|', ProcessTree.SplitEntries(ProcArgs.Environment(answer)).Select(Encoding.UTF8.GetString));

    [Fact]
    public void The_environment_stands_behind_the_path_its_padding_and_the_arguments() =>
        Assert.Equal("PATH=/bin|KANBOTS_LAUNCH=ab|Ü=ß", Environment(Answer(3, "/bin/sh\0\0\0\0\0sh\0-c\0KANBOTS_LAUNCH=no\0PATH=/bin\0KANBOTS_LAUNCH=ab\0Ü=ß\0")));

    [Fact]
    public void An_empty_argument_counts() => Assert.Equal("A=1", Environment(Answer(3, "/x\0\0x\0\0last\0A=1\0")));

    [Theory]
    [InlineData(1, "/x\0\0x\0")]
    [InlineData(5, "/x\0\0x\0y\0")]
    [InlineData(1, "/x")]
    [InlineData(0, "")]
    public void A_hidden_environment_is_empty(int arguments, string rest) => Assert.Equal("", Environment(Answer(arguments, rest)));

    [Fact]
    public void An_answer_cut_at_any_byte_is_read_without_fail()
    {
        var whole = Answer(2, "/bin/sh\0\0\0sh\0-c\0A=1\0B=2\0");
        for (var length = 0; length <= whole.Length; length++)
        {
            Assert.True("A=1\0B=2\0"u8.StartsWith(ProcArgs.Environment(whole.AsSpan(0, length))));
        }
    }

    [Fact]
    public void The_offsets_follow_from_the_sizes_of_the_fields()
    {
        (string Name, int Bytes)[] information =
        [
            ("flags", 4), ("status", 4), ("xstatus", 4), ("pid", 4), ("ppid", 4), ("uid", 4), ("gid", 4), ("ruid", 4), ("rgid", 4), ("svuid", 4), ("svgid", 4), ("rfu", 4),
            ("comm", 16), ("name", 32), ("nfiles", 4), ("pgid", 4), ("pjobc", 4), ("tdev", 4), ("tpgid", 4), ("nice", 4), ("tvsec", 8), ("tvusec", 8), ("", 0),
        ];
        Assert.Equal(
            [MacLayouts.BsdInfoStatus, MacLayouts.BsdInfoParent, MacLayouts.BsdInfoSeconds, MacLayouts.BsdInfoMicroseconds, MacLayouts.BsdInfoBytes],
            new[] { "status", "ppid", "tvsec", "tvusec", "" }.Select(name => Offset(information, name)));

        (string Name, int Bytes)[] stat =
        [
            ("dev", 4), ("mode", 2), ("nlink", 2), ("ino", 8), ("uid", 4), ("gid", 4), ("rdev", 4), ("padding", 4), ("times", 4 * 16), ("size", 8), ("blocks", 8),
            ("blksize", 4), ("flags", 4), ("gen", 4), ("lspare", 4), ("qspare", 16), ("", 0),
        ];
        Assert.Equal(
            [MacLayouts.StatDevice, MacLayouts.StatMode, MacLayouts.StatInode, MacLayouts.StatOwner, MacLayouts.StatBytes],
            new[] { "dev", "mode", "ino", "uid", "" }.Select(name => Offset(stat, name)));
    }

    [Fact]
    public unsafe void A_kevent_has_32_bytes() => Assert.Equal(32, sizeof(MacLayouts.KEvent));

    [Fact]
    public void A_zombie_has_no_facts_and_a_start_is_told_in_microseconds()
    {
        var information = new byte[MacLayouts.BsdInfoBytes];
        BitConverter.GetBytes(77).CopyTo(information, MacLayouts.BsdInfoParent);
        BitConverter.GetBytes(1_700_000_000L).CopyTo(information, MacLayouts.BsdInfoSeconds);
        BitConverter.GetBytes(42L).CopyTo(information, MacLayouts.BsdInfoMicroseconds);
        Assert.Equal(new ProcessFacts(77, "1700000000000042"), MacLayouts.Facts(information));
        information[MacLayouts.BsdInfoStatus] = (byte)MacLayouts.Zombie;
        Assert.Null(MacLayouts.Facts(information));
    }

    private static int Offset((string Name, int Bytes)[] fields, string name) => fields.TakeWhile(field => field.Name != name).Sum(field => field.Bytes);
}
