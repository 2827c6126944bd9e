using KanBots.Sidecar.Agents;
using KanBots.Sidecar.Engine;

namespace KanBots.Sidecar.Tests.Engine;

/// <summary>Against a list of everything that was ever said.</summary>
public sealed class RecentItemsTests
{
    private static PlacedItem Item(long run, long seq) => new(run, seq, DateTimeOffset.UnixEpoch, 1, seq, seq + 1, new AgentItem(ItemKind.Text, $"{run}.{seq}"));

    private static List<PlacedItem> Items(long run, long from, int count) => [.. Enumerable.Range(0, count).Select(index => Item(run, from + index))];

    [Fact]
    public void What_nobody_watches_is_not_kept()
    {
        var recent = new RecentItems();
        recent.Add(1, 3, Items(1, 1, 3), 100);
        Assert.Equal((0, false), (recent.Bytes, recent.IsWatched(1)));
        Assert.Null(recent.After(1, 0, 10));
        recent.Watch(1, this, 0);
        Assert.True(recent.IsWatched(1));
        Assert.Null(recent.After(1, 0, 10)); // nothing came since: it cannot be known here whether there is something
    }

    [Fact]
    public void It_is_kept_until_all_who_watch_have_taken_it()
    {
        var recent = new RecentItems();
        var (one, other) = (new object(), new object());
        recent.Watch(1, one, 0);
        recent.Watch(1, other, 0);
        recent.Add(1, 3, Items(1, 1, 3), 100);
        recent.Add(1, 5, Items(1, 4, 2), 50);
        recent.Watch(1, one, 5);
        Assert.Equal(150, recent.Bytes);
        recent.Watch(1, other, 4);
        Assert.Equal(50, recent.Bytes); // the first piece
        recent.Unwatch(1, other);
        Assert.Equal(0, recent.Bytes);
        Assert.Equal((0, true), recent.After(1, 5, 10) is { } rest ? (rest.Items.Count, rest.AtEnd) : default);
        recent.Unwatch(1, one);
        recent.Unwatch(1, one);
        Assert.False(recent.IsWatched(1));
        Assert.Null(recent.After(1, 5, 10));
    }

    [Fact]
    public void What_was_too_long_to_be_kept_leaves_a_gap_that_is_never_jumped()
    {
        var recent = new RecentItems();
        recent.Watch(1, this, 0);
        recent.Add(1, 2, Items(1, 1, 2), 10);
        recent.Add(1, 3, Items(1, 3, 1), RecentItems.BytesMax + 1);
        recent.Add(1, 5, Items(1, 4, 2), 10);
        Assert.Equal([1, 2], recent.After(1, 0, 10)!.Value.Items.Select(item => item.Seq));
        Assert.False(recent.After(1, 0, 10)!.Value.AtEnd);
        Assert.Null(recent.After(1, 2, 10));
        Assert.Equal([4, 5], recent.After(1, 3, 10)!.Value.Items.Select(item => item.Seq));
        Assert.True(recent.After(1, 3, 10)!.Value.AtEnd);
    }

    [Fact]
    public void A_page_is_bounded_in_items_and_in_bytes()
    {
        var recent = new RecentItems();
        recent.Watch(1, this, 0);
        const long bytes = 3L << 20;
        List<PlacedItem> items = [.. Enumerable.Range(1, 5).Select(seq => new PlacedItem(1, seq, DateTimeOffset.UnixEpoch, 1, seq * bytes, (seq + 1) * bytes, new AgentItem(ItemKind.Text, "t")))];
        recent.Add(1, 5, items, 5 * bytes);
        Assert.Equal([1, 2, 3], recent.After(1, 0, 10)!.Value.Items.Select(item => item.Seq)); // 8 MiB are reached with the third
        Assert.False(recent.After(1, 0, 10)!.Value.AtEnd);
        Assert.Equal([2, 3], recent.After(1, 1, 2)!.Value.Items.Select(item => item.Seq));
        Assert.Equal([4, 5], recent.After(1, 3, 10)!.Value.Items.Select(item => item.Seq));
        Assert.True(recent.After(1, 3, 10)!.Value.AtEnd);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_it_says_is_what_follows_and_it_holds_no_more_than_its_limit(int seed)
    {
        var random = new Random(seed);
        var recent = new RecentItems();
        var newest = new long[4];
        var (told, ends, refusals) = (0, 0, 0);
        for (var step = 0; step < 20_000; step++)
        {
            long run = random.Next(newest.Length);
            object watcher = $"w{random.Next(3)}";
            switch (random.Next(6))
            {
                case 0:
                    recent.Watch(run, string.Intern((string)watcher), random.NextInt64(newest[run] + 1));
                    break;
                case 1 when random.Next(4) == 0:
                    recent.Unwatch(run, string.Intern((string)watcher));
                    break;
                case 2 or 3:
                    var count = random.Next(1, 6);
                    // Also as when the watching began in the middle of a read: what came is known, but not kept.
                    recent.Add(run, newest[run] + count, random.Next(8) == 0 ? [] : Items(run, newest[run] + 1, count), random.NextInt64(RecentItems.BytesMax / 3));
                    newest[run] += count;
                    break;
                default:
                    var after = Math.Max(0, newest[run] - random.Next(20));
                    var limit = random.Next(1, 8);
                    if (recent.After(run, after, limit) is not { } read)
                    {
                        refusals++;
                        break;
                    }

                    Assert.Equal(Enumerable.Range(0, read.Items.Count).Select(index => (run, after + 1 + index, $"{run}.{after + 1 + index}")), read.Items.Select(item => (item.RunId, item.Seq, item.Item.Text)));
                    Assert.Equal(after + read.Items.Count == newest[run], read.AtEnd);
                    Assert.InRange(read.Items.Count, read.AtEnd ? 0 : 1, limit);
                    told += read.Items.Count;
                    ends += read.AtEnd ? 1 : 0;
                    break;
            }

            Assert.InRange(recent.Bytes, 0, RecentItems.BytesMax);
        }

        Assert.True(told > 500 && ends > 100 && refusals > 500, $"{told} told, {ends} to the end, {refusals} refused");
    }
}
