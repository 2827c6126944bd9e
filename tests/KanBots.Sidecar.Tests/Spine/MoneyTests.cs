using System.Diagnostics;
using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>Money as a client and a terminal see it, from a real agent's stream to their lines.</summary>
public sealed class MoneyTests
{
    internal static string Terminal(Place place, params string[] arguments)
    {
        var start = place.Command(place.Repository, arguments);
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', arguments)}: {process.ExitCode} {output}{error.Result}");
        return output;
    }

    [Fact]
    public void A_budget_nearly_spent_is_on_the_wire_and_on_the_board_and_its_cost_by_model()
    {
        using var place = new Place();
        place.Script("near", $$"""[{"say":"dear","usd":0.9},{"tool":"Bash","input":{"command":"x"},"ms":1},{"ask":[{"question":"On?","header":"H","multiSelect":false,"options":[{"label":"Yes"}]}]}]""");
        var client = place.Start();
        client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { ["runs.budget.microUsd"] = 1_000_000, ["runs.budget.dayMicroUsd"] = 1_100_000 } });
        var card = Place.Card(client, 7, "near");
        var run = Place.Dispatch(client, card);
        var board = Place.Until(client, "the run and the day are warned of", board => Place.Run(board, run)["warnings"] is not null && board["spend"]!["warning"] is not null);
        Assert.Equal("money", (string?)Place.Run(board, run)["warnings"]![0]!["kind"]);
        Assert.Equal("day", (string?)board["spend"]!["warning"]!["kind"]);

        var lines = Terminal(place, "board", "--once");
        Assert.Contains("! #7: $0.9000 of its $1.00 is spent.", lines);
        Assert.Contains("! $0.9000 of today's $1.10 is spent.", lines);

        Place.Until(client, "it asks", board => board["decisions"]!.AsArray().Count == 1);
        var decision = (string)client.Call("board/get")["decisions"]![0]!["id"]!;
        client.Ask("decision/answer", new JsonObject { ["decisionId"] = decision, ["answers"] = new JsonArray(new JsonObject { ["questionId"] = "q1", ["values"] = new JsonArray("Yes") }) });
        Assert.Null(Place.UntilState(client, run, "inReview")["warnings"]);
        var costs = client.Call("cost/get");
        Assert.Equal(900_000, (long)costs["total"]!["microUsd"]!);
        Assert.Equal(("scripted-1", 900_000L), ((string)costs["models"]![0]!["model"]!, (long)costs["models"]![0]!["microUsd"]!));
        Assert.Equal("invalidArgument", Assert.Throws<WireError>(() => client.Call("cost/get", new JsonObject { ["days"] = 367 })).Kind);
        Assert.Equal("cardNotFound", Assert.Throws<WireError>(() => client.Call("cost/get", new JsonObject { ["cardId"] = 999 })).Kind);
        Assert.Contains("total  $0.9000  1 turn", Terminal(place, "cost"));
        Assert.Contains("#7 run 1  $0.9000  1 turn", Terminal(place, "cost", "7"));
    }
}
