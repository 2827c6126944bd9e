namespace KanBots.Sidecar.Tests.Spine;

public sealed class HoldTests
{
    [Fact]
    public void A_limit_holds_the_queue_over_a_crash_of_serve_until_its_time_comes()
    {
        using var place = new Place();
        var client = place.Start();
        var until = DateTimeOffset.UtcNow.AddSeconds(25);
        var line = $$$"""{\"type\":\"rate_limit_event\",\"rate_limit_info\":{\"status\":\"rejected\",\"resetsAt\":{{{until.ToUnixTimeSeconds()}}},\"rateLimitType\":\"five_hour\"}}""";
        place.Script("limited", $$"""[{"raw":"{{line}}"},{"say":"over"}]""");
        place.Script("plain", """[{"say":"done"}]""");
        var limited = Place.Dispatch(client, Place.Card(client, 1, "limited"));
        Place.UntilState(client, limited, "finished"); // what lives is not touched
        var waits = Place.Dispatch(client, Place.Card(client, 2, "plain"));
        var before = Place.Until(client, "it waits for the limit", board => (string?)Place.Run(board, waits)["reason"]?["kind"] == "rateLimited");
        Assert.Equal("queued", (string?)Place.Run(before, waits)["state"]);
        Assert.Equal(until.ToUnixTimeSeconds(), DateTimeOffset.Parse((string)Place.Run(before, waits)["reason"]!["until"]!).ToUnixTimeSeconds());
        Assert.Contains("for the provider's limit (five_hour)", MoneyTests.Terminal(place, "board", "--once"));

        Place.Kill(place.ServePid);
        var again = place.Connect();
        var after = Place.Run(again, waits);
        Assert.True((string?)after["state"] != "queued" || (string?)after["reason"]!["kind"] == "rateLimited", $"held no more: {after.ToJsonString()}");
        Assert.True((string?)after["state"] == "queued" || DateTimeOffset.UtcNow >= until.AddSeconds(-1), $"started before its time: {after.ToJsonString()}");
        Place.UntilState(again, waits, "finished");
        Assert.True(DateTimeOffset.UtcNow >= until.AddSeconds(-1));
    }
}
