using System.Text.Json.Nodes;
using KanBots.Sidecar.Tests.Git;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>kill -9 of every process of ours, in every role.</summary>
public sealed class SurvivalTests
{
    /// <summary>Independent of the product: complete lines of the file against the ranges that the thread gives.</summary>
    private static void AssertTiles(Place place, WireClient client, int card, long run)
    {
        var ranges = new SortedSet<(long From, long To)>();
        string? after = null;
        for (var atEnd = false; !atEnd;)
        {
            var parameters = new JsonObject { ["runId"] = run, ["limit"] = 100 };
            if (after is not null)
            {
                parameters["after"] = after;
            }

            var page = client.Call("run/events", parameters);
            foreach (var item in page["items"]!.AsArray())
            {
                ranges.Add(((long)item!["bytes"]!["from"]!, (long)item["bytes"]!["to"]!));
            }

            (after, atEnd) = ((string?)page["next"], (bool)page["atEnd"]!);
        }

        var bytes = File.ReadAllBytes(Path.Combine(place.RunFolder(card, run), "stdout.ndjson"));
        var lines = new List<(long, long)>();
        for (int start = 0, end; start < bytes.Length; start = end)
        {
            end = Array.IndexOf(bytes, (byte)'\n', start) is var newline and >= 0 ? newline + 1 : bytes.Length;
            lines.Add((start, end));
        }

        Assert.Equal(lines, ranges);
    }

    [Theory]
    [InlineData("commit -q --allow-empty -m second")]
    [InlineData("checkout -q other")]
    public void A_run_whose_worktree_was_being_made_when_serve_died_begins_where_it_was_dispatched(string meanwhile)
    {
        using var place = new Place();
        Place.Git(place.Repository, "config", "user.name", "Una");
        Place.Git(place.Repository, "config", "user.email", "una@example.com");
        Place.Git(place.Repository, "commit", "-q", "--allow-empty", "-m", "of main alone");
        Place.Git(place.Repository, "branch", "other", "HEAD~1");
        var start = Place.Git(place.Repository, "rev-parse", "HEAD").Trim();
        var (began, gate) = (Path.Combine(place.Root, "began"), Path.Combine(place.Root, "go-on"));
        // Whoever makes a worktree waits in it; the person's own checkout does not.
        var hook = Path.Combine(place.Repository, ".git", "hooks", "post-checkout");
        Directory.CreateDirectory(Path.GetDirectoryName(hook)!);
        File.WriteAllText(hook, $"#!/bin/sh\ncase $PWD in */worktrees/*) touch '{began}'; while [ ! -e '{gate}' ]; do sleep 0.05; done ;; esac\n");
        TestRepository.Chmod("700", hook);
        place.Script("work", """[{"write":"w.txt","text":"w"}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "work"));
        Place.Until("its worktree is being made", () => File.Exists(began));
        Place.Kill(place.ServePid);
        Place.Git(place.Repository, meanwhile.Split(' '));
        File.WriteAllText(gate, "");

        client = place.Connect();
        Place.UntilState(client, run, "inReview");
        var seen = Place.Run(client.Call("board/get", []), run);
        Assert.Equal((start, "main"), ((string)seen["baseCommit"]!, (string)seen["baseRef"]!));
        Assert.Equal(start, Place.Git((string)seen["worktreePath"]!, "rev-parse", "HEAD").Trim());
        Assert.Equal("w.txt", (string)Assert.Single(client.Call("review/changes", new JsonObject { ["runId"] = run })["files"]!.AsArray())!["path"]!);
    }

    [Fact]
    public void Agents_and_an_open_question_outlive_the_death_of_serve()
    {
        using var place = new Place();
        var client = place.Start();
        var gate = Path.Combine(place.Root, "go-on");
        place.Script("talk", $$"""[{"flood":200000},{"tool":"Bash","input":{"command":"x"},"sh":"while [ ! -e '{{gate}}' ]; do sleep 0.1; done","usd":0.05},{"flood":200000},{"write":"w.txt","text":"w"}]""");
        place.Script("ask", """[{"ask":[{"question":"Which?","header":"H","multiSelect":false,"options":[{"label":"A"}]}],"usd":0.01},{"flood":100000},{"write":"w.txt","text":"w"}]""");
        var runs = Enumerable.Range(1, 8).Select(number => Place.Dispatch(client, Place.Card(client, number, number == 1 ? "ask" : "talk"))).ToArray();
        Place.Until(client, "all work and one asks", board => board["decisions"]!.AsArray().Count == 1 && runs.All(run => (string)Place.Run(board, run)["state"]! is "running" or "awaitingDecision"));
        Place.Until("all agents live", () => runs.Index().All(run => place.AgentPid(run.Index + 1, run.Item) is not null)); // a launch that never began is begun anew

        var serve = place.ServePid;
        Place.Kill(serve);
        Assert.Equal(3, client.WaitForExit());
        File.WriteAllText(gate, ""); // they go on while no serve is there
        var again = place.Connect();
        var board = again.Call("board/get");

        Assert.NotEqual(serve, place.ServePid);
        var decision = Assert.Single(board["decisions"]!.AsArray());
        Assert.Equal("awaitingDecision", (string?)Place.Run(board, runs[0])["state"]);
        again.Ask("decision/answer", new JsonObject { ["decisionId"] = (string)decision!["id"]!, ["answers"] = new JsonArray(new JsonObject { ["questionId"] = "q1", ["values"] = new JsonArray("A") }) });
        board = Place.Until(again, "all in review", board => runs.All(run => (string)Place.Run(board, run)["state"]! == "inReview"));
        Assert.Equal(10_000 + (7 * 50_000), runs.Sum(run => (long)Place.Run(board, run)["costMicroUsd"]!));
        for (var i = 0; i < runs.Length; i++)
        {
            Assert.Equal(1, (int)Place.Run(board, runs[i])["launch"]!);
            AssertTiles(place, again, i + 1, runs[i]);
        }
    }

    [Fact]
    public void Random_kills_of_serve_lose_and_double_nothing()
    {
        var kills = Environment.GetEnvironmentVariable("KANBOTS_LONG") is null ? 8 : 50;
        var random = new Random(20261124);
        using var place = new Place();
        var client = place.Start();
        place.Script("steady", string.Concat("[", string.Join(",", Enumerable.Range(0, kills * 4).Select(_ => """{"tool":"Bash","input":{"command":"x"},"ms":100,"usd":0.001}""")), "]"));
        var runs = Enumerable.Range(1, 3).Select(number => Place.Dispatch(client, Place.Card(client, number, "steady"))).ToArray();
        Place.Until("all agents live", () => runs.All(run => place.AgentPid((int)run, run) is not null));
        for (var kill = 0; kill < kills; kill++)
        {
            Thread.Sleep(random.Next(0, 250)); // the moment of the kill, not a wait for anything
            Place.Kill(place.ServePid);
            client = place.Connect();
            client.Call("board/get");
        }

        var board = Place.Until(client, "all have finished", board => runs.All(run => (string)Place.Run(board, run)["state"]! == "finished"), 240);
        for (var i = 0; i < runs.Length; i++)
        {
            Assert.Equal(kills * 4 * 1000, (long)Place.Run(board, runs[i])["costMicroUsd"]!);
            Assert.Equal(1, (int)Place.Run(board, runs[i])["launch"]!);
            AssertTiles(place, client, i + 1, runs[i]);
        }
    }

    /// <summary>Any process of ours, 50 times in a row; what was interrupted is resumed, and in the end nothing of any tree lives.</summary>
    [Fact]
    public void Fifty_random_kills_of_any_process_leave_nothing_behind()
    {
        const int seed = 20261125;
        var random = new Random(seed);
        using var place = new Place();
        var pids = Path.Combine(place.Root, "pids");
        Directory.CreateDirectory(pids);
        place.Script("default", $$"""[{"sh":"setsid sh -c 'echo $$ > {{pids}}/$$; exec sleep 600' > /dev/null 2>&1 & sleep 0.05"},{"tool":"Bash","input":{"command":"x"},"ms":600000}]""");
        var client = place.Start();
        var runs = Enumerable.Range(1, 3).Select(number => Place.Dispatch(client, Place.Card(client, number, "default"))).ToArray();
        for (var kill = 0; kill < 50; kill++)
        {
            Thread.Sleep(random.Next(0, 120)); // the moment of the kill, not a wait for anything
            var run = runs[random.Next(runs.Length)];
            var host = place.HostPids((int)run, run).LastOrDefault(Place.IsAlive);
            switch (random.Next(4))
            {
                case 0:
                    Place.Kill(place.ServePid);
                    break;
                case 1:
                    Place.Kill(client.Pid);
                    break;
                case 2 when host > 0:
                    Place.Kill(host);
                    break;
                case 3 when host > 0:
                    Place.Kill(place.ServePid);
                    Place.Kill(host);
                    break;
            }

            client = place.Connect();
            foreach (var dead in client.Call("board/get")["runs"]!.AsArray().Where(found => (string)found!["state"]! == "interrupted").Select(found => (long)found!["id"]!).ToList())
            {
                client.Ask("run/resume", new JsonObject { ["runId"] = dead });
            }
        }

        foreach (var run in runs)
        {
            Place.Until(client, $"seed {seed}: run {run} is settled", board => (string)Place.Run(board, run)["state"]! is "running" or "interrupted");
            Assert.Contains((string)client.Ask("run/stop", new JsonObject { ["runId"] = run })["run"]!["state"]!, new[] { "stopped", "interrupted" });
            Assert.Equal($"kanbots/issue-{run}-{run}", Place.Git(Path.Combine(place.Repository, ".kanbots", "worktrees", $"issue-{run}-{run}"), "branch", "--show-current").Trim());
        }

        var children = Directory.GetFiles(pids).Select(file => int.Parse(Path.GetFileName(file))).ToList();
        Assert.NotEmpty(children);
        Place.Until($"seed {seed}: every child of every launch is gone", () => !children.Any(Place.IsAlive), 30);
        Assert.Equal(4, Place.Git(place.Repository, "worktree", "list", "--porcelain").Split("worktree ").Length - 1);
        Assert.Equal("", Place.Git(place.Repository, "status", "--porcelain"));
        Place.Git(place.Repository, "fsck", "--strict");
    }

    /// <summary>The journal's log file grows at the append, before anything is done or answered: that is the moment to kill in.</summary>
    [Fact]
    public void A_kill_between_the_journal_and_the_answer_of_a_dispatch_leaves_one_run_one_worktree_one_process()
    {
        using var place = new Place();
        place.Script("wait", """[{"tool":"Bash","ms":600000}]""");
        var client = place.Start();
        var unanswered = 0;
        for (var number = 1; number <= 8; number++)
        {
            var card = Place.Card(client, number, "wait");
            var request = new JsonObject { ["requestId"] = Guid.NewGuid().ToString(), ["cardId"] = card };
            var log = Path.Combine(place.State, "kanbots.db-wal");
            var before = new FileInfo(log).Length;
            var pid = place.ServePid;
            var sent = client.Send("run/dispatch", request.DeepClone().AsObject());
            while (new FileInfo(log).Length == before && Place.IsAlive(pid))
            {
            }

            Place.Kill(pid);
            client.WaitForExit();
            unanswered += client.HasAnswer(sent) ? 0 : 1;
            client = place.Connect();
            var run = (long)client.Ask("run/dispatch", request)["run"]!["id"]!;
            Place.UntilState(client, run, "running");
            var board = client.Call("board/get");
            Assert.Single(board["runs"]!.AsArray(), found => (int)found!["cardNumber"]! == number);
            Assert.Single(Directory.GetDirectories(Path.Combine(place.Repository, ".kanbots", "worktrees"), $"issue-{number}-*"));
            Place.Until("its agent lives", () => place.AgentPids(number, run).Any(Place.IsAlive));
            Assert.Single(place.AgentPids(number, run));
        }

        Assert.True(unanswered > 0, "no kill came before the answer: the test proves nothing");
    }

    [Fact]
    public void A_dead_relay_disturbs_nobody_and_a_repeated_request_starts_nothing_twice()
    {
        using var place = new Place();
        var one = place.Start();
        var two = place.Connect();
        place.Script("quick", """[{"write":"q.txt","text":"q"}]""");
        var card = Place.Card(one, 1, "quick");
        var request = new JsonObject { ["requestId"] = "11111111-2222-3333-4444-555555555555", ["cardId"] = card };
        var run = (long)one.Ask("run/dispatch", request.DeepClone().AsObject())["run"]!["id"]!;
        Place.Kill(one.Pid);
        var again = place.Connect();
        Assert.Equal(run, (long)again.Ask("run/dispatch", request.DeepClone().AsObject())["run"]!["id"]!);
        Place.Kill(place.ServePid);
        var later = place.Connect();
        Assert.Equal(run, (long)later.Ask("run/dispatch", request.DeepClone().AsObject())["run"]!["id"]!);
        Place.UntilState(later, run, "inReview");
        Assert.Single(later.Call("board/get")["runs"]!.AsArray());
        Assert.Single(Directory.GetDirectories(Path.Combine(place.State, "runs")));
        Assert.Equal(3, two.WaitForExit());
    }

    /// <summary>While serve lives, it ends the tree; when serve is dead too, the guard does; when even the guard is dead, the next serve
    /// does before it shows a board.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void When_a_host_dies_its_whole_tree_is_gone_and_the_card_offers_resume(bool serveToo, bool guardToo)
    {
        using var place = new Place();
        var pids = Path.Combine(place.Root, "pids");
        Directory.CreateDirectory(pids);
        place.Script("tree", $$"""[{"write":"half.txt","text":"half done"},{"sh":"setsid sh -c 'echo $$ > {{pids}}/a; exec sleep 600' & (sh -c 'echo $$ > {{pids}}/b; exec sleep 600' &) ; sleep 0.2"},{"tool":"Bash","sh":"echo $$ > {{pids}}/c; exec sleep 600"}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "tree"));
        Place.Until("the children said who they are", () => Directory.GetFiles(pids).Count(file => new FileInfo(file).Length > 0) == 3);
        var children = Directory.GetFiles(pids).Select(file => int.Parse(File.ReadAllText(file))).ToList();
        var host = JsonNode.Parse(File.ReadAllText(Path.Combine(place.RunFolder(1, run), "host.json")))!;
        children.Add((int)host["agentPid"]!);
        Assert.All(children, pid => Assert.True(Place.IsAlive(pid)));

        if (serveToo)
        {
            Place.Kill(place.ServePid);
        }

        var guard = GuardOf((int)host["hostPid"]!);
        Assert.True(Place.IsAlive(guard));
        if (guardToo)
        {
            Place.Kill(guard);
        }

        Place.Kill((int)host["hostPid"]!);
        if (guardToo)
        {
            Assert.Contains(children, Place.IsAlive); // the obstacle is real: nobody ends what has sessions of its own
            client = place.Connect();
            client.Call("board/get");
            Assert.DoesNotContain(children, Place.IsAlive);
        }
        else
        {
            Place.Until("the tree is gone", () => !children.Any(Place.IsAlive), serveToo ? 2 : 3);
            client = serveToo ? place.Connect() : client;
        }

        var interrupted = Place.UntilState(client, run, "interrupted");
        Assert.True((bool)interrupted["dirty"]!);
        Assert.Equal(1, (int)interrupted["diffStat"]!["insertions"]!);
        Assert.Contains("changes in 1 file (+1 -0), which are kept: resume it", (string)interrupted["reason"]!["message"]!);
        Assert.Equal("half done", File.ReadAllText(Path.Combine((string)interrupted["worktreePath"]!, "half.txt")));
        place.Script("default", """[{"say":"back"}]""");
        client.Ask("run/resume", new JsonObject { ["runId"] = run });
        Assert.Equal(2, (int)Place.UntilState(client, run, "inReview")["launch"]!);
    }

    /// <summary>The child of the host that is a shell and no agent.</summary>
    private static int GuardOf(int host) => Directory.GetDirectories("/proc").Select(folder => int.TryParse(Path.GetFileName(folder), out var pid) ? pid : 0)
        .Single(pid => pid > 0 && Stat(pid) is { } stat && stat.StartsWith("(sh)", StringComparison.Ordinal) && stat.Split(' ')[2] == $"{host}");

    private static string? Stat(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            return text[text.IndexOf('(')..];
        }
        catch (IOException)
        {
            return null;
        }
    }

    [Fact]
    public void The_installed_build_may_be_deleted_while_runs_live()
    {
        using var place = new Place();
        var installed = Path.Combine(place.Root, "installed");
        System.Diagnostics.Process.Start("cp", ["-r", Path.GetDirectoryName(Place.Sidecar)!, installed]).WaitForExit();
        place.Executable = Path.Combine(installed, "kanbots-sidecar");
        place.Script("ask", """[{"ask":[{"question":"Which?","header":"H","multiSelect":false,"options":[{"label":"A"}]}]},{"write":"w.txt","text":"w"}]""");
        place.Script("long", """[{"tool":"Bash","ms":600000}]""");
        var client = place.Start();
        var runs = new[] { Place.Dispatch(client, Place.Card(client, 1, "ask")), Place.Dispatch(client, Place.Card(client, 2, "long")) };
        Place.Until(client, "one asks, one works", board => board["decisions"]!.AsArray().Count == 1 && (string)Place.Run(board, runs[1])["state"]! == "running");
        Directory.Delete(installed, recursive: true);

        var decision = client.Call("board/get")["decisions"]![0]!;
        client.Ask("decision/answer", new JsonObject { ["decisionId"] = (string)decision["id"]!, ["answers"] = new JsonArray(new JsonObject { ["questionId"] = "q1", ["values"] = new JsonArray("A") }) });
        Place.UntilState(client, runs[0], "inReview");
        Assert.Equal("stopped", (string?)client.Ask("run/stop", new JsonObject { ["runId"] = runs[1] })["run"]!["state"]);
        var third = Place.Dispatch(client, Place.Card(client, 3, "ask"));
        Place.UntilState(client, third, "awaitingDecision");

        place.Executable = Place.NewerSidecar;
        var upgraded = place.Connect();
        Assert.Equal("99.0.0", (string)upgraded.Call("sidecar/status")["serverVersion"]!);
        decision = upgraded.Call("board/get")["decisions"]![0]!;
        upgraded.Ask("decision/answer", new JsonObject { ["decisionId"] = (string)decision["id"]!, ["answers"] = new JsonArray(new JsonObject { ["questionId"] = "q1", ["values"] = new JsonArray("A") }) });
        Assert.Equal(1, (int)Place.UntilState(upgraded, third, "inReview")["launch"]!);
    }
}
