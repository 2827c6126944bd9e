using System.Diagnostics;
using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>The setup command. What lives and died is known from pids that it wrote down itself.</summary>
public sealed class SetupTests
{
    private static WireClient Start(Place place, string setup)
    {
        place.Script("work", $$"""[{"sh":"echo agent >> '{{place.Root}}/order'"},{"write":"work.txt","text":"a\n"}]""");
        var client = place.Start();
        Set(client, setup);
        return client;
    }

    private static void Set(WireClient client, JsonNode setup) => client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { ["worktree.setup"] = setup } });

    private static string Wait(string path) => $"until [ -e '{path}' ]; do sleep 0.05; done";

    private static int[] Pids(string path) => File.Exists(path) ? [.. File.ReadAllLines(path).Where(line => line.Length > 0).Select(int.Parse)] : [];

    [Fact]
    public void It_runs_once_before_the_agent_with_its_environment_and_guard_and_shows_how_it_goes()
    {
        using var place = new Place();
        var gate = Path.Combine(place.Root, "gate");
        var client = Start(place, $"pwd > '{place.Root}/where'; echo $KANBOTS_PORT >> '{place.Root}/port'; git update-ref refs/heads/stolen HEAD && echo moved > '{place.Root}/moved'; cat; printf 'fetching\\r\\033[1mlinking\\033[0m\\n'; {Wait(gate)}; echo setup >> '{place.Root}/order'");
        var run = Place.Dispatch(client, Place.Card(client, 1, "work"));

        var board = Place.Until(client, "the setup says how it goes", board => (string?)Place.Run(board, run)["setup"]?["lastLine"] == "linking");
        Assert.Equal("preparing", (string)Place.Run(board, run)["state"]!);
        Assert.False((bool)Place.Run(board, run)["setup"]!["waiting"]!);
        Assert.Empty(place.AgentPids(1, run));
        client.Ask("run/reply", new JsonObject { ["runId"] = run, ["text"] = "and be quick" }); // waits for the agent
        File.WriteAllText(gate, "");

        var ended = Place.UntilState(client, run, "inReview");
        Assert.Null(ended["setup"]);
        Assert.Null(ended["undelivered"]);
        Assert.Equal(["setup", "agent"], File.ReadAllLines(Path.Combine(place.Root, "order")));
        Assert.Equal((string)ended["worktreePath"]!, File.ReadAllText(Path.Combine(place.Root, "where")).Trim());
        Assert.Equal($"{client.Call("run/details", new JsonObject { ["runId"] = run })["portBase"]}", File.ReadAllText(Path.Combine(place.Root, "port")).Trim());
        Assert.False(File.Exists(Path.Combine(place.Root, "moved")));
        Assert.Contains("kanbots: this run may move no ref", File.ReadAllText(Path.Combine(place.RunFolder(1, run), "setup.log")), StringComparison.Ordinal);
        Assert.Equal(1, (int)ended["diffStat"]!["files"]!);

        client.Ask("run/resume", new JsonObject { ["runId"] = run, ["text"] = "[[fake:work]]" });
        Place.Until(client, "launch 2 is over", board => (int)Place.Run(board, run)["launch"]! == 2 && (string)Place.Run(board, run)["state"]! == "inReview");
        Assert.Equal(["setup", "agent", "agent"], File.ReadAllLines(Path.Combine(place.Root, "order")));
    }

    [Fact]
    public void A_failure_says_code_last_words_and_next_step_and_a_resume_runs_it_again()
    {
        using var place = new Place();
        var client = Start(place, "");
        Set(client, new JsonArray("sh", "-c", $"setsid sleep 600 & echo $! > '{place.Root}/left'; echo \"no such $0 package\" >&2; [ -e '{place.Root}/fixed' ]; exit $(( $? * 3 ))", "left-pad"));
        var run = Place.Dispatch(client, Place.Card(client, 1, "work"));

        var failed = Place.UntilState(client, run, "failed");
        Assert.Equal("setupFailed", (string)failed["reason"]!["kind"]!);
        var message = (string)failed["reason"]!["message"]!;
        Assert.StartsWith("The setup command failed with code 3 after ", message);
        Assert.Contains("Its last words:\nno such left-pad package\n", message, StringComparison.Ordinal);
        Assert.Contains("then resume the run", message, StringComparison.Ordinal);
        Assert.Equal(Path.Combine(place.RunFolder(1, run), "setup.log"), (string)client.Call("run/details", new JsonObject { ["runId"] = run })["setupLog"]!);
        Assert.All(Pids(Path.Combine(place.Root, "left")), pid => Assert.False(Place.IsAlive(pid)));
        Assert.False(File.Exists(Path.Combine(place.Root, "order")));

        File.WriteAllText(Path.Combine(place.Root, "fixed"), "");
        client.Ask("run/resume", new JsonObject { ["runId"] = run });
        Place.UntilState(client, run, "inReview");
        Assert.Equal(["agent"], File.ReadAllLines(Path.Combine(place.Root, "order")));
        Set(client, new JsonArray("kb-no-such-program"));
        var missing = Place.UntilState(client, Place.Dispatch(client, Place.Card(client, 2, "work")), "failed");
        Assert.Contains("kb-no-such-program was not found", (string)missing["reason"]!["message"]!, StringComparison.Ordinal);
        Place.Kill(Pids(Path.Combine(place.Root, "left"))[0]);
    }

    [Fact]
    public void Stop_ends_it_with_everything_that_it_started()
    {
        using var place = new Place();
        var client = Start(place, $"trap '' TERM INT; setsid sh -c 'echo $$ >> \"{place.Root}/pids\"; sleep 600' & echo $$ >> '{place.Root}/pids'; sleep 600");
        var run = Place.Dispatch(client, Place.Card(client, 1, "work"));
        Place.Until("both wrote their pids", () => Pids(Path.Combine(place.Root, "pids")).Length == 2);
        var pids = Pids(Path.Combine(place.Root, "pids"));
        Assert.All(pids, pid => Assert.True(Place.IsAlive(pid)));

        Assert.Equal("stopped", (string)client.Ask("run/stop", new JsonObject { ["runId"] = run })["run"]!["state"]!);
        Assert.All(pids, pid => Assert.False(Place.IsAlive(pid)));
        Set(client, "");
        client.Ask("run/resume", new JsonObject { ["runId"] = run });
        Place.UntilState(client, run, "inReview");
    }

    [Fact]
    public void Setups_of_one_repository_take_turns_and_the_wait_is_said()
    {
        using var place = new Place();
        var client = Start(place, $"mkdir '{place.Root}/turn' || exit 9; echo in >> '{place.Root}/ins'; {Wait(Path.Combine(place.Root, "gate"))}; rmdir '{place.Root}/turn'");
        var runs = Enumerable.Range(1, 3).Select(number => Place.Dispatch(client, Place.Card(client, number, "work"))).ToArray();
        Place.Until(client, "one runs and two wait", board =>
        {
            var setups = runs.Select(run => Place.Run(board, run)["setup"]).ToList();
            return setups.Count(setup => (bool?)setup?["waiting"] == true) == 2 && setups.Count(setup => (bool?)setup?["waiting"] == false) == 1;
        });
        Assert.Single(File.ReadAllLines(Path.Combine(place.Root, "ins")));

        File.WriteAllText(Path.Combine(place.Root, "gate"), "");
        Assert.All(runs, run => Place.UntilState(client, run, "inReview"));
        Assert.Equal(3, File.ReadAllLines(Path.Combine(place.Root, "ins")).Length);
    }

    [Fact]
    public void It_goes_on_without_serve_and_dies_with_its_host()
    {
        using var place = new Place();
        var gate = Path.Combine(place.Root, "gate");
        var client = Start(place, $"echo $$ >> '{place.Root}/pids'; (setsid sh -c 'echo $$ >> \"{place.Root}/pids\"; sleep 600') & echo waiting; {Wait(gate)}");
        var first = Place.Dispatch(client, Place.Card(client, 1, "work"));
        Place.Until("both wrote their pids", () => Pids(Path.Combine(place.Root, "pids")).Length == 2);
        var pids = Pids(Path.Combine(place.Root, "pids"));

        Place.Kill(place.ServePid);
        client = place.Connect();
        var board = Place.Until(client, "the next serve shows the same setup", board => (string?)Place.Run(board, first)["setup"]?["lastLine"] == "waiting");
        Assert.Equal("preparing", (string)Place.Run(board, first)["state"]!);
        Assert.Equal(1, (int)Place.Run(board, first)["launch"]!);
        Assert.All(pids, pid => Assert.True(Place.IsAlive(pid)));

        Place.Kill(Assert.Single(place.HostPids(1, first)));
        Assert.Contains("while the setup command", (string)Place.UntilState(client, first, "interrupted")["reason"]!["message"]!, StringComparison.Ordinal);
        Assert.All(pids, pid => Assert.False(Place.IsAlive(pid)));
        File.WriteAllText(gate, "");
        client.Ask("run/resume", new JsonObject { ["runId"] = first });
        Place.UntilState(client, first, "inReview");
        Assert.Equal(2, Pids(Path.Combine(place.Root, "pids")).Except(pids).Count()); // run again, in launch 2
        client.Ask("run/stop", new JsonObject { ["runId"] = first });
        Place.Until("what it left running is gone", () => !Pids(Path.Combine(place.Root, "pids")).Any(Place.IsAlive));
    }

    [Fact]
    public void A_host_alone_ends_one_that_takes_too_long_and_keeps_head_and_end_of_a_long_log()
    {
        using var place = new Place();
        var folder = Path.Combine(place.Root, "launch");
        Directory.CreateDirectory(folder);
        JsonObject Launch(string script, int timeoutMs) => new()
        {
            ["format"] = 1, ["token"] = Guid.NewGuid().ToString("N"), ["runId"] = 1, ["cardNumber"] = 1, ["launch"] = 1, ["argv"] = new JsonArray("/bin/true"), ["cwd"] = place.Repository,
            ["environment"] = new JsonObject { ["names"] = new JsonArray(), ["hash"] = "", ["remove"] = new JsonArray() }, ["placedPaths"] = new JsonArray(),
            ["limits"] = JsonNode.Parse("""{"workMinutes":1,"waitMinutes":1,"minFreeBytes":0,"stderrBytes":4096,"graceMs":1,"interruptMs":1,"closeMs":1,"sigintMs":1,"sigtermMs":1}"""),
            ["setup"] = new JsonObject { ["argv"] = new JsonArray("sh", "-c", script), ["timeoutMs"] = timeoutMs, ["lock"] = Path.Combine(place.Root, "lock"), ["logBytes"] = 40_000 },
        };
        File.WriteAllText(Path.Combine(folder, "launch.json"), Launch($"echo $$ > '{place.Root}/pid'; echo the beginning; i=0; while :; do i=$((i+1)); echo line $i of many that fill the log; done", 1500).ToJsonString());
        using var host = Process.Start(place.Command(place.Root, "run-host", folder))!;
        Assert.True(host.WaitForExit(40_000));

        var exit = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "exit.json")))!;
        Assert.Equal("setupFailed", (string)exit["reason"]!);
        Assert.StartsWith("The setup command did not end within 0.03 min and was ended after ", (string)exit["error"]!);
        Assert.False(Place.IsAlive(Assert.Single(Pids(Path.Combine(place.Root, "pid")))));
        Assert.Equal("failed", (string)JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "setup.json")))!["state"]!);
        var log = File.ReadAllText(Path.Combine(folder, "setup.log"));
        Assert.StartsWith("the beginning\n", log);
        Assert.Contains("bytes are left out here", log, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder, "host.log")) && new FileInfo(Path.Combine(folder, "host.log")).Length > 0);
    }
}
