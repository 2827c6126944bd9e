using KanBots.Sidecar.Engine;

namespace KanBots.Sidecar.Tests.Engine;

public sealed class PortBlocksTests
{
    private static readonly HashSet<int> None = [];

    [Fact]
    public void As_many_runs_as_there_are_blocks_never_meet_and_stay_below_the_systems_own_range()
    {
        var live = new HashSet<int>();
        for (var run = 1; run <= PortBlocks.Count; run++)
        {
            var port = PortBlocks.Choose("/somewhere", run * 7, live, None); // ids with gaps
            Assert.True(live.Add(port), $"run {run} got a block that is taken");
            Assert.InRange(port, PortBlocks.First, 32_768 - PortBlocks.Size);
            Assert.Equal(0, (port - PortBlocks.First) % PortBlocks.Size);
        }
    }

    [Fact]
    public void The_same_run_gets_the_same_block_and_another_repository_begins_elsewhere()
    {
        Assert.Equal(PortBlocks.Choose("/a", 5, None, None), PortBlocks.Choose("/a", 5, None, None));
        Assert.Equal(PortBlocks.Choose("/a", 5, None, None), PortBlocks.Choose("/a", 5 + PortBlocks.Count, None, None));
        Assert.NotEqual(PortBlocks.Choose("/a", 1, None, None), PortBlocks.Choose("/b", 1, None, None));
    }

    [Fact]
    public void A_run_that_may_be_resumed_loses_its_block_only_when_no_other_is_left_and_a_live_one_after_that()
    {
        var first = PortBlocks.Choose("/a", 1, None, None);
        Assert.NotEqual(first, PortBlocks.Choose("/a", 1, None, new HashSet<int> { first }));
        var all = Enumerable.Range(0, PortBlocks.Count).Select(block => PortBlocks.First + (block * PortBlocks.Size)).ToHashSet();
        Assert.Equal(first, PortBlocks.Choose("/a", 1, None, all));
        Assert.NotEqual(first, PortBlocks.Choose("/a", 1, new HashSet<int> { first }, all));
        Assert.Equal(first, PortBlocks.Choose("/a", 1, all, all));
    }
}
