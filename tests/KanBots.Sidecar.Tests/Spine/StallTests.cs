using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

public sealed class StallTests
{
    private static WireClient Start(Place place)
    {
        var client = place.Start();
        client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { ["runs.stall.toolSeconds"] = 1, ["runs.stall.modelSeconds"] = 3, ["runs.stall.resultSeconds"] = 1 } });
        return client;
    }

    private static string? Kind(JsonObject board, long run) => (string?)Place.Run(board, run)["stall"]?["kind"];

    [Fact]
    public void A_silent_tool_is_said_until_it_speaks_over_a_crash_of_serve()
    {
        using var place = new Place();
        // By then the cost was asked for, so that it is asked for again with the tool and not in its silence.
        place.Script("tool", $$"""[{"wait":1500},{"tool":"Bash","input":{"command":"npm test"},"sh":"until [ -e '{{place.Root}}/go' ]; do sleep 0.05; done"},{"wait":1},{"say":"done"}]""");
        var client = Start(place);
        var run = Place.Dispatch(client, Place.Card(client, 5, "tool"));
        var stalled = Place.Run(Place.Until(client, "the tool has stalled", board => Kind(board, run) == "tool"), run);
        Assert.Equal("running", (string?)stalled["state"]);
        Assert.Contains("npm test", (string?)stalled["stall"]!["message"]);
        Assert.Matches(@"! #5: silent since \d\d:\d\d:\d\d UTC\. Its tool has said nothing for more than 1 s: Bash npm test\.", MoneyTests.Terminal(place, "board", "--once"));
        Assert.Contains("! #5: silent since", MoneyTests.Terminal(place, "show", "5"));

        Place.Kill(place.ServePid);
        var again = place.Connect();
        var after = Place.Run(Place.Until(again, "it has still stalled after a restart", board => Kind(board, run) == "tool"), run);
        Assert.Equal((string?)stalled["stall"]!["since"], (string?)after["stall"]!["since"]);
        Assert.Contains("npm test", (string?)after["currentTool"]);

        File.WriteAllText(Path.Combine(place.Root, "go"), "");
        Assert.Null(Place.UntilState(again, run, "finished")["stall"]);
    }

    [Fact]
    public void A_silent_model_and_a_process_that_does_not_end_are_said_and_not_stopped()
    {
        using var place = new Place();
        place.Script("model", """[{"say":"hm"},{"wait":600000}]""");
        place.Script("hang", """[{"say":"done"},{"hangAfterResult":true}]""");
        var client = Start(place);
        var (model, hang) = (Place.Dispatch(client, Place.Card(client, 1, "model")), Place.Dispatch(client, Place.Card(client, 2, "hang")));
        var board = Place.Until(client, "both have stalled", board => Kind(board, model) == "model" && Kind(board, hang) == "afterResult");
        Assert.All(new[] { model, hang }, run => Assert.Equal("running", (string?)Place.Run(board, run)["state"]));
        Assert.True(Place.IsAlive(place.AgentPid(1, model)!.Value) && Place.IsAlive(place.AgentPid(2, hang)!.Value));
        foreach (var run in new[] { model, hang })
        {
            client.Ask("run/stop", new JsonObject { ["runId"] = run });
            Assert.Null(Place.UntilState(client, run, "stopped")["stall"]);
        }
    }
}
