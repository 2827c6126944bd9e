using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>What agents write in bulk: nothing is lost, order is kept, and serve stays small.</summary>
public sealed class StreamSizeTests
{
    private static readonly bool Long = Environment.GetEnvironmentVariable("KANBOTS_LONG") is not null;

    /// <summary>The most memory that a process ever had, in MiB, by the kernel's own count.</summary>
    private static long PeakMiB(int pid) => long.Parse(File.ReadLines($"/proc/{pid}/status").Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) / 1024;

    [Fact]
    public void A_line_of_64_MiB_is_kept_by_its_range_and_costs_no_such_memory()
    {
        using var place = new Place();
        place.Script("giant", $$"""[{"giant":{{64 << 20}}},{"say":"after"}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "giant"));
        Place.UntilState(client, run, "finished");
        var items = client.Call("run/events", new JsonObject { ["runId"] = run, ["limit"] = 100 })["items"]!.AsArray();
        var giant = Assert.Single(items, item => (string?)item!["kind"] == "raw" && (string?)item["why"] == "tooLong")!;
        Assert.True((long)giant["bytes"]!["to"]! - (long)giant["bytes"]!["from"]! > 64 << 20);
        Assert.Contains(items, item => (string?)item!["kind"] == "text" && (string?)item["body"]!["text"] == "after");
        Assert.InRange(PeakMiB(place.ServePid), 1, 200);
    }

    /// <summary>1 GB with --long, a tenth of it otherwise.</summary>
    [Fact]
    public void A_flood_is_read_to_its_last_byte_in_order_and_in_bounded_memory()
    {
        var bytes = Long ? 1_000_000_000L : 100_000_000L;
        using var place = new Place();
        place.Script("flood", $$"""[{"flood":{{bytes}}},{"write":"w.txt","text":"w"}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "flood"));
        Place.Until(client, "the flood is over", board => (string)Place.Run(board, run)["state"]! == "inReview", 300);
        var stdout = Path.Combine(place.RunFolder(1, run), "stdout.ndjson");
        Assert.True(new FileInfo(stdout).Length >= bytes * 0.9);

        // The independent parser: the numbered lines, one after the other, and the thread's last ranges at the file's end.
        var next = 0;
        foreach (var line in File.ReadLines(stdout).Where(line => line.Contains("fffff", StringComparison.Ordinal)))
        {
            Assert.Equal(next++, int.Parse((string)JsonNode.Parse(line)!["message"]!["content"]![0]!["text"]! is var text ? text[..text.IndexOf(' ')] : ""));
        }

        Assert.Equal(bytes / 1000, next);
        long counted = 0, to = 0;
        string? after = null;
        for (var atEnd = false; !atEnd;)
        {
            var parameters = new JsonObject { ["runId"] = run, ["limit"] = 500 };
            if (after is not null)
            {
                parameters["after"] = after;
            }

            var page = client.Call("run/events", parameters);
            foreach (var item in page["items"]!.AsArray())
            {
                Assert.True((long)item!["bytes"]!["from"]! == to || (long)item["bytes"]!["to"]! == to, $"a gap or an overlap at {to}");
                to = (long)item["bytes"]!["to"]!;
                counted += (string?)item["kind"] == "text" ? 1 : 0;
            }

            (after, atEnd) = ((string?)page["next"], (bool)page["atEnd"]!);
        }

        Assert.Equal(bytes / 1000, counted);
        Assert.Equal(new FileInfo(stdout).Length, to);
        Assert.InRange(PeakMiB(place.ServePid), 1, 250);
    }

    /// <summary>Who keeps up is told out of memory, who was stopped meanwhile out of index and stream: both are told the same.</summary>
    [Fact]
    public void Who_watches_a_flood_and_who_was_stopped_in_it_are_told_everything_once_and_in_order()
    {
        const int bytes = 45_000_000; // more than is kept for those who do not keep up
        using var place = new Place();
        place.Variables["DOTNET_GCHeapHardLimit"] = "5000000"; // 80 MiB, hexadecimal: what is kept finds no room to be more
        var (one, other) = (place.Start(), place.Connect());
        place.Script("wait", $$"""[{"flood":1000},{"ask":[{"question":"Go?","header":"H","multiSelect":false,"options":[{"label":"A"}]}]},{"flood":{{bytes}}}]""");
        var run = Place.Dispatch(one, Place.Card(one, 1, "wait"));
        Place.UntilState(one, run, "awaitingDecision");
        foreach (var client in new[] { one, other })
        {
            client.Call("run/subscribe", new JsonObject { ["runId"] = run });
        }

        Place.Until("both have begun", () => Told(one).Count > 0 && Told(other).Count > 0);
        Place.Signal(other.Pid, "STOP");
        one.Ask("decision/answer", new JsonObject { ["decisionId"] = (string)one.Call("board/get")["decisions"]![0]!["id"]!, ["answers"] = new JsonArray(new JsonObject { ["questionId"] = "q1", ["values"] = new JsonArray("A") }) });
        Place.UntilState(one, run, "finished", "inReview");
        // What the agent says to a question about its usage may follow.
        Place.Until("the first has all", () => Told(one).Exists(item => (string?)item["kind"] == "result"));
        Assert.DoesNotContain(Told(other), item => (string?)item["kind"] == "result");
        Place.Signal(other.Pid, "CONT");
        Place.Until("the other has all", () => Told(other) is var told && told.Exists(item => (string?)item["kind"] == "result") && told.Count == Told(one).Count);

        var texts = Told(one).Where(item => (string?)item["kind"] == "text").Select(item => (string)item["body"]!["text"]!).ToList();
        Assert.Equal(1 + (bytes / 1000), texts.Count);
        Assert.Equal(Enumerable.Range(0, bytes / 1000), texts.Skip(1).Select(text => int.Parse(text[..text.IndexOf(' ')])));
        Assert.Equal(Told(one).Select(item => item.ToJsonString()), Told(other).Select(item => item.ToJsonString()));
        Assert.InRange(PeakMiB(place.ServePid), 1, 250);
    }

    private static List<JsonNode> Told(WireClient client) => [.. client.Notifications("run/didAppend").SelectMany(note => note["items"]!.AsArray()).Select(item => item!)];
}
