using System.Text;
using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>A thread read from its end backward, and the lines behind its items.</summary>
public sealed class ThreadPagesTests
{
    private static JsonObject Page(WireClient client, long run, int limit, string? name = null, JsonNode? value = null)
    {
        var parameters = new JsonObject { ["runId"] = run, ["limit"] = limit };
        if (name is not null)
        {
            parameters[name] = value;
        }

        return client.Call("run/events", parameters);
    }

    private static List<string> Items(JsonObject page) => [.. page["items"]!.AsArray().Select(item => item!.ToJsonString())];

    private static List<string> Forward(WireClient client, long run, int limit)
    {
        var items = new List<string>();
        for (var page = Page(client, run, limit); ; page = Page(client, run, limit, "after", (string?)page["next"]))
        {
            Assert.InRange(Items(page).Count, 0, limit);
            Assert.False(page.ContainsKey("previous"));
            items.AddRange(Items(page));
            if ((bool)page["atEnd"]!)
            {
                return items;
            }
        }
    }

    private static List<string> Backward(WireClient client, long run, int limit)
    {
        var items = new List<string>();
        var page = Page(client, run, limit, "fromEnd", true);
        Assert.True((bool)page["atEnd"]!);
        for (; ; page = Page(client, run, limit, "before", (string?)page["previous"]))
        {
            Assert.InRange(Items(page).Count, 1, limit);
            Assert.Equal((string?)page["items"]!.AsArray()[^1]!["cursor"], (string?)page["next"]);
            Assert.Equal(items.Count == 0, (bool)page["atEnd"]!);
            items.InsertRange(0, Items(page));
            if (!page.ContainsKey("previous"))
            {
                return items;
            }
        }
    }

    /// <summary>Lines of one item and lines of several, two launches, and a line that is too long to be read.</summary>
    [Fact]
    public void Backward_gives_the_items_that_forward_gives_for_any_limit()
    {
        using var place = new Place();
        var three = new JsonObject { ["type"] = "assistant", ["message"] = new JsonObject { ["content"] = new JsonArray([.. new[] { "one", "two", "three" }.Select(text => new JsonObject { ["type"] = "text", ["text"] = text })]) } }.ToJsonString();
        place.Script("work", new JsonArray(new JsonObject { ["say"] = "first" }, new JsonObject { ["raw"] = three }, new JsonObject { ["giant"] = 33 << 20 }, new JsonObject { ["raw"] = three }, new JsonObject { ["flood"] = 20_000 }).ToJsonString());
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "work"));
        Place.UntilState(client, run, "finished");
        client.Ask("run/reply", new JsonObject { ["runId"] = run, ["text"] = "[[fake:work]]" });
        Place.Until(client, "two launches", board => Place.Run(board, run) is var now && (int)now["launch"]! == 2 && (string)now["state"]! == "finished");

        var all = Forward(client, run, 500);
        Assert.Equal(4, all.Count(item => item.Contains("\"three\"", StringComparison.Ordinal)));
        Assert.Equal(2, all.Count(item => item.Contains("tooLong", StringComparison.Ordinal)));
        foreach (var limit in new[] { 1, 2, 3, 4, 7, 50, 500 })
        {
            Assert.Equal(all, Forward(client, run, limit));
            Assert.Equal(all, Backward(client, run, limit));
        }

        // From any item on, also from one within a line.
        for (var at = 0; at < all.Count; at++)
        {
            var page = Page(client, run, 5, "before", (string?)JsonNode.Parse(all[at])!["cursor"]);
            Assert.Equal(all.Take(at).TakeLast(5), Items(page));
            Assert.Equal((false, at > 5), ((bool)page["atEnd"]!, page.ContainsKey("previous")));
        }
    }

    [Fact]
    public void While_the_stream_grows_a_page_ends_where_the_thread_did_and_what_comes_follows_it()
    {
        using var place = new Place();
        place.Script("grow", """[{"flood":20000000},{"say":"last"}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "grow"));
        Place.Until("it has begun", () => Items(Page(client, run, 500)).Count > 50);
        var readings = new List<List<string>>();
        for (var isOver = false; !isOver;)
        {
            isOver = (string?)Place.Run(client, run)["state"] == "finished"; // then one more, of all
            readings.Add(Backward(client, run, 500));
        }

        var all = Forward(client, run, 500);
        Assert.All(readings, reading => Assert.Equal(all.Take(reading.Count), reading));
        Assert.Equal(all.Count, readings[^1].Count);
        Assert.InRange(readings[0].Count, 1, all.Count - 1);
    }

    [Fact]
    public void A_thread_without_items_has_an_empty_page_and_two_places_at_once_are_refused()
    {
        using var place = new Place();
        var client = place.Start();
        client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { ["agents.claude.path"] = "/no/such/agent" } });
        var run = Place.Dispatch(client, Place.Card(client, 1, "none"));
        Place.UntilState(client, run, "failed");
        Assert.Equal("""{"items":[],"atEnd":true}""", Page(client, run, 5, "fromEnd", true).ToJsonString());
        Assert.Equal("""{"items":[],"atEnd":true}""", Page(client, run, 5, "before", "7").ToJsonString());
        foreach (var two in new[] { """{"after":"1","before":"2"}""", """{"after":"1","fromEnd":true}""", """{"before":"1","fromEnd":true}""", """{"before":"x"}""" })
        {
            var parameters = JsonNode.Parse(two)!.AsObject();
            parameters["runId"] = run;
            Assert.Equal("invalidArgument", Assert.Throws<WireError>(() => client.Call("run/events", parameters)).Kind);
        }
    }

    [Fact]
    public void What_was_cut_of_an_item_is_read_from_its_line_in_pieces()
    {
        using var place = new Place();
        var text = string.Concat(Enumerable.Range(0, 30_000).Select(i => $"{i} 世🚀é\n"));
        place.Script("long", new JsonArray(new JsonObject { ["say"] = text }).ToJsonString());
        var person = place.Start();
        var run = Place.Dispatch(person, Place.Card(person, 1, "long"));
        var client = place.Connect(trusted: false); // it only reads
        Place.UntilState(client, run, "finished");
        var item = Page(client, run, 500)["items"]!.AsArray().Select(one => one!.AsObject()).Single(one => one["body"]?["fullLength"] is not null && (string?)one["kind"] == "text");
        Assert.Equal(text.Length, (long)item["body"]!["fullLength"]!);
        var bytes = item["bytes"]!;
        var (from, to) = ((long)bytes["from"]!, (long)bytes["to"]!);
        var stream = File.ReadAllBytes(Path.Combine(place.RunFolder(1, run), "stdout.ndjson"));
        var wanted = Encoding.UTF8.GetString(stream.AsSpan((int)from, (int)(to - from))).TrimEnd('\n');

        JsonObject Line(long first, long end, long? offset = null, int? limit = null, int launch = 1)
        {
            var parameters = new JsonObject { ["runId"] = run, ["launch"] = launch, ["from"] = first, ["to"] = end };
            if (offset is not null)
            {
                parameters["offset"] = offset;
            }

            if (limit is not null)
            {
                parameters["limit"] = limit;
            }

            return client.Call("run/line", parameters);
        }

        foreach (var limit in new int?[] { null, 1_001, 1 << 20 })
        {
            var line = new StringBuilder();
            for (long? offset = 0; offset is not null;)
            {
                var piece = Line(from, to, offset, limit);
                Assert.InRange(Encoding.UTF8.GetByteCount((string)piece["text"]!), 0, limit ?? 65_536);
                Assert.Equal(to - from, (long)piece["fullLength"]!);
                line.Append((string)piece["text"]!);
                offset = (long?)piece["next"];
            }

            Assert.Equal(wanted, line.ToString());
        }

        Assert.Equal(text, (string?)JsonNode.Parse(wanted)!["message"]!["content"]![0]!["text"]);
        Assert.Equal(wanted[..7], (string?)Line(from, from + 7)["text"]);
        foreach (var wrong in new Action[] { () => Line(from, stream.Length + 1), () => Line(-1, to), () => Line(to, from), () => Line(from, from), () => Line(from, to, to - from), () => Line(from, to, -1), () => Line(from, to, 0, 3), () => Line(from, to, 0, (1 << 20) + 1), () => Line(from, to, launch: 2), () => Line(from, to, launch: 0) })
        {
            Assert.Equal("invalidArgument", Assert.Throws<WireError>(wrong).Kind);
        }

        File.Delete(Path.Combine(place.RunFolder(1, run), "stdout.ndjson"));
        Assert.Equal("notKept", Assert.Throws<WireError>(() => Line(from, to)).Kind);
    }
}
