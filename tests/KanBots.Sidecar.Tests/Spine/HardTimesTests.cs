using System.Diagnostics;
using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>Machines that run out of something, or take it away: what cannot be done is said with its next step, and when the obstacle is
/// gone everything goes on, with nothing lost and nothing doubled.</summary>
public sealed class HardTimesTests
{
    [Fact]
    public void On_a_full_disk_nothing_is_half_done_and_with_space_again_everything_goes_on()
    {
        using var place = new Place();
        var copy = Path.Combine(place.Root, "copy");
        Directory.Move(place.Repository, copy);
        Directory.CreateDirectory(place.Repository);
        place.Variables["MOUNT"] = place.Repository;
        place.Variables["COPY"] = copy;
        place.Prefix = ["unshare", "-rm", "sh", "-ec", "mount -t tmpfs -o size=400m kb \"$MOUNT\"; cp -a \"$COPY/.\" \"$MOUNT/\"; cd \"$MOUNT\"; exec \"$@\"", "sh"];
        place.Script("ask", """[{"write":"before.txt","text":"before"},{"ask":[{"question":"Which?","header":"H","multiSelect":false,"options":[{"label":"A"},{"label":"B"}]}]},{"write":"after.txt","text":"after"}]""");
        var client = place.Start();
        var inside = $"/proc/{client.Pid}/root{place.Repository}"; // the mount is seen by those processes alone
        var run = Place.Dispatch(client, Place.Card(client, 1, "ask"));
        Place.UntilState(client, run, "awaitingDecision");

        var filler = Path.Combine(inside, "filler");
        Process.Start(new ProcessStartInfo("dd", ["if=/dev/zero", $"of={filler}", "bs=1M", "status=none"]) { RedirectStandardError = true })!.WaitForExit();
        Assert.Throws<IOException>(() => File.WriteAllBytes(Path.Combine(inside, "proof"), new byte[1 << 16])); // the obstacle is real
        File.Delete(Path.Combine(inside, "proof"));
        var error = Assert.Throws<WireError>(() => Enumerable.Range(2, 100).ToList().ForEach(number => client.Ask("card/create", new JsonObject { ["title"] = "t", ["number"] = number, ["body"] = new string('x', 20_000) })));
        Assert.Equal("storageFailed", error.Kind);
        Assert.Contains("Free some disk space, then try again.", error.Message);
        var full = client.Call("board/get");
        Assert.Contains(full["notices"]!.AsArray(), notice => (string?)notice!["kind"] == "storageFailed");
        Place.Until("editors are told", () => client.Notifications("board/didChange").Any(change => change["notices"]?.AsArray().Any(notice => (string?)notice!["kind"] == "storageFailed") == true));
        var cards = full["cards"]!.AsArray().Count;
        var agent = (int)JsonNode.Parse(File.ReadAllText(Path.Combine(inside, ".git/kanbots/runs/1-1/1/host.json")))!["agentPid"]!;
        Place.Until("its host has ended the agent, which could only lose its work", () => !Place.IsAlive(agent));
        File.Delete(filler);
        Place.UntilState(client, run, "stopped", "interrupted");
        client.Ask("card/create", new JsonObject { ["title"] = "again", ["number"] = 500 });
        var board = client.Call("board/get");
        Assert.Equal(cards + 1, board["cards"]!.AsArray().Count);
        Assert.Null(board["notices"]);
        Assert.True(File.Exists(Path.Combine(inside, ".kanbots/worktrees/issue-1-1/before.txt")));

        // Its host may have had no room to say why it ended it; the question is still open then, and its answer goes on with the run.
        Assert.Contains((string?)Place.Run(client, run)["reason"]!["kind"], new[] { "diskFull", "hostDied" });
        if (board["decisions"]!.AsArray().SingleOrDefault() is { } open)
        {
            client.Ask("decision/answer", new JsonObject { ["decisionId"] = (string)open["id"]!, ["answers"] = new JsonArray(new JsonObject { ["questionId"] = "q1", ["values"] = new JsonArray("A") }) });
        }
        else
        {
            client.Ask("run/resume", new JsonObject { ["runId"] = run });
        }

        Place.Until(client, "the run goes on", now => (int)Place.Run(now, run)["launch"]! == 2 && (string?)Place.Run(now, run)["state"] is "awaitingDecision" or "inReview");
        Place.Kill((int)JsonNode.Parse(File.ReadAllText(Path.Combine(inside, ".git/kanbots/serve.json")))!["pid"]!);
    }

    [Fact]
    public void Without_file_descriptors_what_fails_is_said_and_afterwards_everything_works()
    {
        using var place = new Place();
        place.Script("work", """[{"write":"work.txt","text":"work"},{"say":"done"}]""");
        var client = place.Start();
        var card = Place.Card(client, 1, "work");
        var serve = place.ServePid;
        var used = Directory.GetFiles($"/proc/{serve}/fd").Length;
        var before = File.ReadLines($"/proc/{serve}/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[3];
        Limit(serve, $"{used + 1}:");

        var failed = Place.UntilState(client, Place.Dispatch(client, card), "failed");
        Assert.Contains("short of files, processes or memory", (string?)failed["reason"]!["message"]);
        Assert.NotEmpty(client.Call("board/get")["cards"]!.AsArray());

        Limit(serve, $"{before}:");
        var second = Place.UntilState(client, Place.Dispatch(client, card), "inReview");
        Assert.True(File.Exists(Path.Combine((string)second["worktreePath"]!, "work.txt")));
        Assert.NotEmpty(place.Connect().Call("board/get")["cards"]!.AsArray());
        Assert.Equal(serve, place.ServePid);

        static void Limit(int pid, string limit)
        {
            using var prlimit = Process.Start("prlimit", ["--pid", $"{pid}", $"--nofile={limit}"]);
            prlimit.WaitForExit();
            Assert.Equal(0, prlimit.ExitCode);
        }
    }

    public static TheoryData<string> Everyone => ["relay", "serve", "host", "agent", "guard"];

    /// <summary>The time is the obstacle itself here, and not a wait for something: a minute in the long variant.</summary>
    [Theory]
    [MemberData(nameof(Everyone))]
    public void A_process_that_stands_still_for_a_while_costs_nothing_but_that_while(string who)
    {
        using var place = new Place();
        place.Script("work", $$"""[{"barrier":"{{place.Root}}/gate","count":2},{"write":"work.txt","text":"work"},{"say":"done","usd":0.25}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "work"));
        Place.Until("the agent works", () => Directory.Exists(Path.Combine(place.Root, "gate")) && Directory.GetFiles(Path.Combine(place.Root, "gate")).Length > 0);
        var (host, agent, serve) = (place.HostPids(1, run)[0], place.AgentPid(1, run)!.Value, place.ServePid);
        var still = who switch { "relay" => client.Pid, "serve" => serve, "host" => host, "agent" => agent, _ => GuardOf(host, agent) };
        Place.Signal(still, "STOP");
        Place.Until("it stands still: the obstacle is real", () => State(still) == 'T');
        File.WriteAllText(Path.Combine(place.Root, "gate", "open"), "");
        var clock = Stopwatch.StartNew();
        var another = who is "relay" or "serve" ? null : place.Connect();
        Place.Until("the time is over", () => clock.Elapsed.TotalSeconds > (Environment.GetEnvironmentVariable("KANBOTS_LONG") == "1" ? 60 : 3), 90);
        Assert.NotNull((another ?? (who == "relay" ? place.Connect() : null))?.Call("board/get") ?? new JsonObject());
        Place.Signal(still, "CONT");

        var done = Place.UntilState(client, run, "inReview");
        Assert.Equal((1, 250_000L), ((int)done["launch"]!, (long)done["costMicroUsd"]!));
        Assert.Equal((serve, 1), (place.ServePid, place.HostPids(1, run).Count));
        Place.Until("host and agent are gone", () => !Place.IsAlive(host) && !Place.IsAlive(agent));

        static int GuardOf(int host, int agent) => Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _)).Select(name => int.Parse(name!))
            .Single(pid => pid != agent && File.Exists($"/proc/{pid}/stat") && Fields(pid) is [_, var parent, ..] && parent == $"{host}");
    }

    [Fact]
    public void A_host_that_stands_still_does_not_keep_a_stop_from_being_done()
    {
        using var place = new Place();
        place.Script("long", """[{"tool":"Bash","ms":600000}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "long"));
        Place.Until("the agent works", () => place.AgentPid(1, run) is not null);
        var (host, agent) = (place.HostPids(1, run)[0], place.AgentPid(1, run)!.Value);
        Place.UntilState(client, run, "running");
        Place.Signal(host, "STOP");
        Place.Until("it stands still: the obstacle is real", () => State(host) == 'T');
        var stopped = client.Ask("run/stop", new JsonObject { ["runId"] = run })["run"]!;
        Assert.Equal("stopped", (string?)stopped["state"]);
        Assert.False(Place.IsAlive(agent));
        Place.Until("the host is gone", () => !Place.IsAlive(host));
    }

    [Fact]
    public void A_prompt_of_a_megabyte_arrives_whole_and_what_is_longer_is_refused_by_name()
    {
        using var place = new Place();
        place.Script("work", """[{"write":"work.txt","text":"work"},{"say":"done"}]""");
        var client = place.Start();
        var longest = "[[fake:work]] " + string.Concat(Enumerable.Repeat("é漢\n", 65_536 / 3 - 5));
        var card = (long)client.Ask("card/create", new JsonObject { ["title"] = "large", ["number"] = 1, ["body"] = longest })["card"]!["id"]!;
        foreach (var (method, parameters, step) in new (string, JsonObject, string)[]
        {
            ("card/create", new() { ["title"] = "larger", ["body"] = new string('x', 65_537) }, "put it into a file of the repository"),
            ("card/update", new() { ["cardId"] = card, ["body"] = new string('x', 1 << 20) }, "put it into a file of the repository"),
            ("run/dispatch", new() { ["cardId"] = card, ["prompt"] = new string('x', (1 << 20) + 1) }, "Put the rest into a file"),
        })
        {
            var error = Assert.Throws<WireError>(() => client.Ask(method, parameters));
            Assert.Equal("limitExceeded", error.Kind);
            Assert.Contains(step, error.Message);
        }

        Assert.Equal("invalidArgument", Assert.Throws<WireError>(() => client.Ask("card/create", new JsonObject { ["title"] = " " })).Kind);
        Assert.Empty(client.Call("board/get")["runs"]!.AsArray());
        var prompt = string.Concat(Enumerable.Repeat("漢字\n", (1 << 20) / 3));
        var run = (long)client.Ask("run/dispatch", new JsonObject { ["cardId"] = card, ["prompt"] = prompt })["run"]!["id"]!;
        Place.UntilState(client, run, "inReview");
        var said = JsonNode.Parse(File.ReadLines(Path.Combine(place.RunFolder(1, run), "stdin.ndjson")).First(line => line.Contains("fake:work")))!["message"]!["content"]!;
        var text = said is JsonArray blocks ? string.Concat(blocks.Select(block => (string?)block!["text"])) : (string)said!;
        Assert.True(text.Contains(longest) && text.Contains(prompt), "what the agent was told holds the body and the prompt, each to its last letter");
        Assert.DoesNotContain("fake:work", File.ReadAllText(Path.Combine(place.RunFolder(1, run), "launch.json")));
    }

    private static char State(int pid) => Fields(pid)[0][0];

    /// <summary>State, parent and what follows.</summary>
    private static string[] Fields(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return ["X", "0"];
        }
    }
}
