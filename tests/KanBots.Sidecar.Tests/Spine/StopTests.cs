using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

public sealed class StopTests
{
    /// <summary>Each child writes its own pid; the test trusts those files and /proc only.</summary>
    [Theory]
    [InlineData("setsid", "setsid sh -c 'echo $$ > PIDS/a; exec sleep 600' & sleep 0.1", "")]
    [InlineData("doubleFork", "(sh -c '(sh -c \"echo \\$\\$ > PIDS/a; exec sleep 600\" &)' &); sleep 0.2", "")]
    [InlineData("emptyEnvironment", "env -i sh -c 'echo $$ > PIDS/a; exec sleep 600' & sleep 0.1", "")]
    [InlineData("holdsStdout", "sh -c 'echo $$ > PIDS/a; exec sleep 600' & sleep 0.1", "")]
    [InlineData("ignoresSignals", "sh -c 'trap \"\" INT TERM; echo $$ > PIDS/a; exec sleep 600' & sleep 0.1", """{"ignoreSignals":true},""")]
    public void Nothing_survives_a_stop(string what, string script, string before)
    {
        using var place = new Place();
        var pids = Path.Combine(place.Root, "pids");
        Directory.CreateDirectory(pids);
        var shell = System.Text.Json.JsonSerializer.Serialize(script.Replace("PIDS", pids));
        place.Script("tree", $$"""[{{before}}{"sh":{{shell}}},{{(before.Length > 0 ? """{"deaf":true}""" : """{"tool":"Bash","ms":600000}""")}}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "tree"));
        Place.Until($"{what}: the child said who it is", () => Directory.GetFiles(pids).Any(file => new FileInfo(file).Length > 0));
        var child = int.Parse(File.ReadAllText(Path.Combine(pids, "a")));
        var host = JsonNode.Parse(File.ReadAllText(Path.Combine(place.RunFolder(1, run), "host.json")))!;
        Assert.True(Place.IsAlive(child));

        var sent = client.Send("run/stop", new JsonObject { ["requestId"] = Guid.NewGuid().ToString(), ["runId"] = run });
        Place.Until($"{what}: child and agent are gone", () =>
        {
            var said = client.HasAnswer(sent); // looked at first: what it says must have been so before
            var lives = Place.IsAlive(child) || Place.IsAlive((int)host["agentPid"]!);
            Assert.False(said && lives, "it said stopped while something of the tree lived");
            return !lives;
        }, 3);
        var stopped = client.Answer(sent, "run/stop")["result"]!["run"]!;

        Assert.Equal("stopped", (string?)stopped["state"]);
        Assert.Equal(0, (int)stopped["leftRunning"]!);
    }

    [Fact]
    public void Stopping_run_1_of_one_repository_leaves_run_1_of_another_alone()
    {
        using var first = new Place();
        using var second = new Place();
        var clients = new[] { first.Start(), second.Start() };
        first.Script("long", """[{"tool":"Bash","ms":600000}]""");
        second.Script("long", """[{"tool":"Bash","ms":600000}]""");
        var runs = clients.Select(client => Place.Dispatch(client, Place.Card(client, 1, "long"))).ToArray();
        Assert.Equal([1, 1], runs);
        Place.UntilState(clients[1], 1, "running");
        var agent = Path.Combine(second.RunFolder(1, 1), "host.json");
        Place.Until("the second agent runs", () => File.Exists(agent) && JsonNode.Parse(File.ReadAllText(agent))!["agentPid"] is not null);
        var pid = (int)JsonNode.Parse(File.ReadAllText(agent))!["agentPid"]!;
        clients[0].Ask("run/stop", new JsonObject { ["runId"] = 1 });
        Assert.True(Place.IsAlive(pid));
        Assert.Equal("running", (string?)Place.Run(clients[1], 1)["state"]);
    }

    [Fact]
    public void What_an_agent_leaves_running_is_named_and_ended_when_asked()
    {
        using var place = new Place();
        var pids = Path.Combine(place.Root, "pids");
        Directory.CreateDirectory(pids);
        place.Script("daemon", $$"""[{"sh":"setsid sh -c 'echo $$ > {{pids}}/a; exec sleep 600' > /dev/null 2>&1 < /dev/null & sleep 0.2"}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "daemon"));
        var ended = Place.UntilState(client, run, "finished");
        var daemon = int.Parse(File.ReadAllText(Path.Combine(pids, "a")));
        Assert.Equal(1, (int)ended["leftRunning"]!);
        Assert.True(Place.IsAlive(daemon));
        client.Ask("run/stop", new JsonObject { ["runId"] = run });
        Place.Until("the daemon is gone", () => !Place.IsAlive(daemon));
        Place.Until(client, "the card says so", board => (int)Place.Run(board, run)["leftRunning"]! == 0);
    }

    /// <summary>serve hears of the end and of the stop at once, in either order.</summary>
    [Fact]
    public void A_stop_ends_what_an_agent_has_left_running_that_died_just_before()
    {
        using var place = new Place();
        var pids = Path.Combine(place.Root, "pids");
        Directory.CreateDirectory(pids);
        place.Script("dies", $$"""[{"sh":"setsid sh -c 'echo $$ > {{pids}}/a; exec sleep 600' > /dev/null 2>&1 < /dev/null & sleep 0.2"},{"tool":"Bash","ms":600000}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "dies"));
        Place.Until("the child said who it is", () => Directory.GetFiles(pids).Any(file => new FileInfo(file).Length > 0));
        var child = int.Parse(File.ReadAllText(Path.Combine(pids, "a")));
        Place.Until(client, "the tool is used", board => (string?)Place.Run(board, run)["state"] == "running");
        Place.Signal(place.ServePid, "STOP");
        JsonObject? stopped = null;
        try
        {
            Place.Kill(place.AgentPids(1, run)[^1]);
            Place.Until("its host has written how it ended", () => File.Exists(Path.Combine(place.RunFolder(1, run), "exit.json")));
            Assert.True(Place.IsAlive(child)); // or there is nothing to end
            var sent = client.Send("run/stop", new JsonObject { ["requestId"] = Guid.NewGuid().ToString(), ["runId"] = run });
            Place.Signal(place.ServePid, "CONT");
            stopped = client.Answer(sent, "run/stop")["result"]!["run"]!.AsObject();
            Assert.False(Place.IsAlive(child), "it answered the stop while something of the tree lived");
        }
        finally
        {
            Place.Signal(place.ServePid, "CONT");
        }

        Assert.Equal(0, (int)stopped["leftRunning"]!);
    }
}
