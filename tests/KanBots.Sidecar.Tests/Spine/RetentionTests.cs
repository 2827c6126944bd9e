using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>What agents said is removed by age and by size, and nothing else is.</summary>
public sealed class RetentionTests
{
    private static JsonArray Thread(WireClient client, long run) => client.Call("run/events", new JsonObject { ["runId"] = run, ["limit"] = 500 })["items"]!.AsArray();

    private static WireClient Restart(Place place, WireClient client)
    {
        Place.Kill(place.ServePid);
        client.WaitForExit();
        return place.Connect();
    }

    private static void Set(WireClient client, string name, long value) => client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { [name] = value } });

    private static string Stream(Place place, int card, long run, int launch) => Path.Combine(place.RunFolder(card, run, launch), "stdout.ndjson");

    private static bool Log(Place place, string words) => File.ReadAllText(Path.Combine(place.State, "serve.log")).Contains(words, StringComparison.Ordinal);

    [Fact]
    public void By_size_the_oldest_go_first_and_never_a_last_launch_or_a_live_run()
    {
        using var place = new Place();
        place.Script("flood", """[{"flood":200000},{"write":"w.txt","text":"w"},{"say":"end","usd":0.5}]""");
        place.Script("live", """[{"flood":400000},{"ask":[{"question":"Which?","header":"H","multiSelect":false,"options":[{"label":"A"}]}]}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "flood"));
        Place.UntilState(client, run, "inReview");
        client.Ask("run/reply", new JsonObject { ["runId"] = run, ["text"] = "[[fake:flood]]" });
        var twice = Place.Run(Place.Until(client, "two launches", board => Place.Run(board, run) is var now && (int)now["launch"]! == 2 && (string)now["state"]! == "inReview"), run);
        var live = Place.Dispatch(client, Place.Card(client, 2, "live"));
        Place.UntilState(client, live, "awaitingDecision");
        var before = Thread(client, run);
        Set(client, "runs.keepBytes", 1000);
        client = Restart(place, client);
        client.Call("board/get");
        Place.Until("the first launch's stream is gone", () => !File.Exists(Stream(place, 1, run, 1)));

        Assert.True(File.Exists(Stream(place, 1, run, 2)));
        Assert.True(File.Exists(Stream(place, 2, live, 1)));
        Assert.True(File.Exists(Path.Combine(place.RunFolder(1, run), "stdin.ndjson")));
        Assert.Equal(twice["costMicroUsd"]!.ToJsonString(), Place.Run(client, run)["costMicroUsd"]!.ToJsonString());
        var after = Thread(client, run);
        Assert.Equal("notKept", (string?)after[0]!["topic"]);
        Assert.Contains("no longer kept", (string)after[0]!["message"]!);
        var second = before.Where(item => (int)item!["bytes"]!["launch"]! == 2).Select(item => item!.ToJsonString());
        Assert.Equal(second, after.Skip(1).Select(item => item!.ToJsonString()));
        Assert.Equal("awaitingDecision", (string?)Place.Run(client, live)["state"]);
    }

    [Fact]
    public void By_age_every_stream_of_an_ended_run_goes_and_the_run_can_still_go_on()
    {
        using var place = new Place();
        place.Script("work", """[{"write":"w.txt","text":"w"},{"say":"end","usd":0.5}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "work"));
        Place.UntilState(client, run, "inReview");
        var last = (long)Thread(client, run)[^1]!["seq"]!;
        client = Restart(place, client);
        client.Call("board/get");
        Assert.True(File.Exists(Stream(place, 1, run, 1)));

        // As if it had ended long ago: the journal is a person's to read, and here to write.
        Place.Kill(place.ServePid);
        client.WaitForExit();
        using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(place.State, "kanbots.db")};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "update journal set json = cast(json_set(cast(json as text), '$.at', '2025-01-01T00:00:00+00:00') as blob) where kind = 'RunEnded'; delete from snapshot";
            Assert.True(command.ExecuteNonQuery() > 0);
        }

        client = place.Connect();
        client.Call("board/get");
        Place.Until("its stream is gone", () => !File.Exists(Stream(place, 1, run, 1)));
        Place.Until("it is written down", () => Log(place, "no longer kept"));
        var only = Assert.Single(Thread(client, run))!;
        Assert.Equal(last, (long)only["seq"]!);
        Assert.Equal(500_000, (long)Place.Run(client, run)["costMicroUsd"]!);

        client.Ask("run/reply", new JsonObject { ["runId"] = run, ["text"] = "more" });
        Place.Until(client, "it went on", board => Place.Run(board, run) is var now && (int)now["launch"]! == 2 && (string)now["state"]! == "inReview");
        Assert.Equal(last + 1, (long)Thread(client, run)[1]!["seq"]!);
    }

    [Theory]
    [InlineData("runs.keepDays", 0)]
    [InlineData("runs.keepBytes", -1)]
    public void Keeping_nothing_is_refused(string name, long value)
    {
        using var place = new Place();
        var client = place.Start();
        Assert.Equal("invalidArgument", Assert.Throws<WireError>(() => Set(client, name, value)).Kind);
    }
}
