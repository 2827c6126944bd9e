using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

public sealed class DispatchTests
{
    [Fact]
    public void Three_cards_run_at_once_and_a_question_on_one_pauses_no_other()
    {
        using var place = new Place();
        place.Script("ask", """[{"ask":[{"question":"Use Radix or build from scratch?","header":"UI","multiSelect":false,"options":[{"label":"Radix"},{"label":"Scratch"}]},{"question":"Which parts?","header":"P","multiSelect":true,"options":[{"label":"A"},{"label":"B"}]}],"usd":0.0112},{"write":"toast.txt","text":"toast\n"}]""");
        place.Script("work", """[{"tool":"Bash","input":{"command":"npm test"},"ms":50,"usd":0.0201},{"write":"work.txt","text":"a\nb\n"}]""");
        place.Script("clean", """[{"say":"nothing to do","usd":0.000001}]""");
        var client = place.Start();
        var cards = new[] { Place.Card(client, 88, "ask"), Place.Card(client, 89, "work"), Place.Card(client, 90, "clean") };
        var runs = cards.Select(card => Place.Dispatch(client, card)).ToArray();

        Assert.Equal("finished", (string?)Place.UntilState(client, runs[2], "finished")["state"]);
        var review = Place.UntilState(client, runs[1], "inReview");
        var board = Place.Until(client, "the question is open", board => board["decisions"]!.AsArray().Count == 1);
        Place.Until("the editor was told", () => client.Notifications("decision/didRequest").Count == 1); // an answer that is faster makes the telling needless

        Assert.Equal("awaitingDecision", (string?)Place.Run(board, runs[0])["state"]);
        Assert.Equal(1, (int)review["diffStat"]!["files"]!);
        Assert.Equal(2, (int)review["diffStat"]!["insertions"]!);
        Assert.Equal(20100, (long)review["costMicroUsd"]!);
        var decision = board["decisions"]![0]!;
        client.Ask("decision/answer", new JsonObject
        {
            ["decisionId"] = (string)decision["id"]!,
            ["answers"] = new JsonArray(
                new JsonObject { ["questionId"] = "q1", ["values"] = new JsonArray("neither: \"Base UI\", \u00fc\nsecond line") },
                new JsonObject { ["questionId"] = "q2", ["values"] = new JsonArray("A", "B") }),
        });

        var answered = Place.UntilState(client, runs[0], "inReview");
        var said = JsonNode.Parse(File.ReadAllText(Path.Combine((string)answered["worktreePath"]!, ".fake-answers.json")))!;
        Assert.Equal("neither: \"Base UI\", \u00fc\nsecond line", (string?)said["Use Radix or build from scratch?"]);
        Assert.Equal("A, B", (string?)said["Which parts?"]);
        Assert.Equal($"kanbots/issue-88-{runs[0]}", Place.Git((string)answered["worktreePath"]!, "branch", "--show-current").Trim());
        Assert.Equal(Place.Git(place.Repository, "rev-parse", "main").Trim(), (string?)answered["baseCommit"]);
        Assert.Equal("", Place.Git(place.Repository, "status", "--porcelain"));
        Assert.Single(client.Notifications("decision/didRequest"));
        Assert.Equal(31301, (long)client.Call("board/get")["spend"]!["totalMicroUsd"]!);
        Assert.Equal("review", (string?)client.Call("board/get")["cards"]!.AsArray().Single(card => (int)card!["number"]! == 88)!["column"]);
        var error = Assert.Throws<WireError>(() => client.Ask("decision/answer", new JsonObject { ["decisionId"] = (string)decision["id"]!, ["allow"] = true }));
        Assert.Equal("decisionAlreadyAnswered", error.Kind);
    }

    [Fact]
    public void Thirty_two_dispatched_at_the_same_instant_are_all_alive_at_once()
    {
        using var place = new Place();
        var client = place.Start(parallel: 32);
        place.Script("barrier", $$"""[{"barrier":"{{place.Root}}/barrier","count":32},{"say":"through"}]""");
        var cards = Enumerable.Range(1, 32).Select(number => Place.Card(client, number, "barrier")).ToArray();
        var sent = cards.Select(card => client.Send("run/dispatch", new JsonObject { ["requestId"] = Guid.NewGuid().ToString(), ["cardId"] = card })).ToArray();
        var runs = sent.Select(id => (long)client.Answer(id, "dispatch")["result"]!["run"]!["id"]!).ToArray();

        Assert.Equal(32, runs.Distinct().Count());
        var board = Place.Until(client, "all 32 passed the barrier", board => runs.All(run => (string)Place.Run(board, run)["state"]! == "finished"), 120);
        Assert.Equal(32, Directory.GetFiles(Path.Combine(place.Root, "barrier")).Length);
        Assert.Equal(33, Place.Git(place.Repository, "worktree", "list", "--porcelain").Split("worktree ").Length - 1);
        Assert.All(board["runs"]!.AsArray(), run => Assert.Equal(1, (int)run!["launch"]!));
    }

    [Fact]
    public void Twenty_batches_of_eight_never_fail()
    {
        using var place = new Place();
        place.Script("quick", """[{"write":"q.txt","text":"q"}]""");
        var client = place.Start(parallel: 8);
        for (var batch = 0; batch < 20; batch++)
        {
            var cards = Enumerable.Range((batch * 8) + 1, 8).Select(number => Place.Card(client, number, "quick")).ToArray();
            var sent = cards.Select(card => client.Send("run/dispatch", new JsonObject { ["requestId"] = Guid.NewGuid().ToString(), ["cardId"] = card })).ToArray();
            var runs = sent.Select(id => (long)client.Answer(id, "dispatch")["result"]!["run"]!["id"]!).ToArray();
            Place.Until(client, $"batch {batch} in review", board => runs.All(run => (string)Place.Run(board, run)["state"]! == "inReview"));
        }
    }

    [Fact]
    public void Over_the_limit_runs_wait_in_the_order_of_their_dispatch()
    {
        using var place = new Place();
        place.Script("gate", $$"""[{"barrier":"{{place.Root}}/gate","count":3}]""");
        var client = place.Start(parallel: 1);
        var runs = Enumerable.Range(1, 3).Select(number => Place.Dispatch(client, Place.Card(client, number, "gate"))).ToArray();
        var board = Place.Until(client, "the first runs", board => (string)Place.Run(board, runs[0])["state"]! == "running");
        Assert.Equal(["queued", "queued"], runs[1..].Select(run => (string)Place.Run(board, run)["state"]!));
        client.Ask("run/stop", new JsonObject { ["runId"] = runs[1] });
        Directory.CreateDirectory(Path.Combine(place.Root, "gate"));
        File.WriteAllText(Path.Combine(place.Root, "gate", "a"), "");
        File.WriteAllText(Path.Combine(place.Root, "gate", "b"), "");
        Place.UntilState(client, runs[2], "finished");
        Assert.Equal("stopped", (string?)Place.Run(client, runs[1])["state"]);
    }

    [Fact]
    public void A_missing_agent_and_one_that_only_writes_to_stderr_fail_with_the_sentence_a_person_needs()
    {
        using var place = new Place();
        place.Script("root", """[{"stderrOnly":"--dangerously-skip-permissions cannot be used with root/sudo privileges for security reasons"}]""");
        place.Script("api", """[{"say":"hm"},{"error":"API Error: 400 no"}]""");
        var client = place.Start();
        var failed = Place.UntilState(client, Place.Dispatch(client, Place.Card(client, 1, "root")), "failed");
        Assert.Equal("refusedAsRoot", (string?)failed["reason"]!["kind"]);
        failed = Place.UntilState(client, Place.Dispatch(client, Place.Card(client, 2, "api")), "failed");
        Assert.Contains("API Error: 400", (string?)failed["reason"]!["message"]);
        client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { ["agents.claude.path"] = "/nowhere/claude" } });
        failed = Place.UntilState(client, Place.Dispatch(client, Place.Card(client, 3, "root")), "failed");
        Assert.Equal("agentNotFound", (string?)failed["reason"]!["kind"]);
        Assert.Contains("agents.claude.path", (string?)failed["reason"]!["message"]);
    }

    [Fact]
    public void Replies_reach_a_running_agent_and_resume_an_ended_one()
    {
        using var place = new Place();
        place.Script("steps", $$"""[{"barrier":"{{place.Root}}/steps","count":2},{"say":"one"}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "steps"));
        Place.UntilState(client, run, "running");
        var message = (string)client.Ask("run/reply", new JsonObject { ["runId"] = run, ["text"] = "also this" })["messageId"]!;
        Place.Until("the agent stands at the barrier", () => Directory.Exists(Path.Combine(place.Root, "steps")));
        File.WriteAllText(Path.Combine(place.Root, "steps", "open"), "");
        Place.UntilState(client, run, "finished");
        var thread = client.Call("run/events", new JsonObject { ["runId"] = run })["items"]!.AsArray();
        Assert.Contains(thread, item => (string?)item!["kind"] == "userMessage" && (string?)item["messageId"] == message && (bool)item["delivered"]!);

        client.Ask("run/reply", new JsonObject { ["runId"] = run, ["text"] = "and later" });
        Place.Until(client, "a second launch has finished", board => (int)Place.Run(board, run)["launch"]! == 2 && (string)Place.Run(board, run)["state"]! == "finished");
        var argv = JsonNode.Parse(File.ReadAllText(Path.Combine(place.RunFolder(1, run, 2), "launch.json")))!["argv"]!.AsArray().Select(word => (string)word!).ToList();
        Assert.Equal((string?)Place.Run(client, run)["sessionId"], argv[argv.IndexOf("--resume") + 1]);
        Assert.DoesNotContain(argv, word => word.Contains("and later"));
    }

    [Fact]
    public void A_run_that_the_day_cannot_pay_yet_waits_with_a_sentence_and_starts_by_itself()
    {
        using var place = new Place();
        place.Script("gate", $$"""[{"barrier":"{{place.Root}}/gate","count":2},{"say":"done","usd":0.5}]""");
        var client = place.Start();
        client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { ["runs.budget.dayMicroUsd"] = 8_000_000 } });
        var first = Place.Dispatch(client, Place.Card(client, 1, "gate"));
        var second = Place.Dispatch(client, Place.Card(client, 2, "gate"));
        Place.UntilState(client, first, "running");
        var waiting = Place.Run(client, second);
        Assert.Equal(("queued", "dayBudget"), ((string?)waiting["state"], (string?)waiting["reason"]!["kind"]));
        Assert.Contains("$5.00 is reserved", (string?)waiting["reason"]!["message"]);
        Assert.Equal(5_000_000, (long)client.Call("board/get")["spend"]!["reservedMicroUsd"]!);
        Place.Until("the agent stands at the barrier", () => Directory.Exists(Path.Combine(place.Root, "gate")));
        File.WriteAllText(Path.Combine(place.Root, "gate", "open"), "");
        Place.UntilState(client, first, "finished");
        Assert.Null(Place.UntilState(client, second, "finished")["reason"]);
        Assert.Equal(1_000_000, (long)client.Call("board/get")["spend"]!["todayMicroUsd"]!);

        var error = Assert.Throws<WireError>(() => client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { ["runs.budget.microUsd"] = 10_000_000_001 } }));
        Assert.Contains("between 1 and 10000000000 (micro-dollars; $10000.00)", error.Message);
    }

    [Fact]
    public void Work_whose_last_turn_goes_over_the_budget_is_in_review()
    {
        using var place = new Place();
        place.Script("over", """[{"write":"done.txt","text":"x"},{"say":"done"},{"say":"bye","usd":1.1}]""");
        var client = place.Start();
        var run = (long)client.Ask("run/dispatch", new JsonObject { ["cardId"] = Place.Card(client, 1, "over"), ["budget"] = new JsonObject { ["microUsd"] = 1_000_000 } })["run"]!["id"]!;
        var done = Place.UntilState(client, run, "inReview", "stopped");
        Assert.Equal(("inReview", "overBudget"), ((string?)done["state"], (string?)done["reason"]!["kind"]));
        Assert.Empty(client.Call("board/get")["decisions"]!.AsArray());
    }

    [Fact]
    public void A_client_that_asks_for_the_board_all_the_time_is_told_of_every_question_all_the_same()
    {
        using var place = new Place();
        place.Script("ask", """[{"ask":[{"question":"Which?","header":"W","multiSelect":false,"options":[{"label":"A"},{"label":"B"}]}]}]""");
        var client = place.Start();
        var runs = Enumerable.Range(1, 6).Select(number => Place.Dispatch(client, Place.Card(client, number, "ask"))).ToArray();
        var asked = System.Diagnostics.Stopwatch.StartNew();
        while (client.Call("board/get")["decisions"]!.AsArray().Count < runs.Length)
        {
            Assert.True(asked.Elapsed < TimeSpan.FromSeconds(180), "never within 180 s: six questions are open");
        }

        Place.Until("the editor was told of all", () => client.Notifications("decision/didRequest").Select(told => (long)told["decision"]!["runId"]!).Order().SequenceEqual(runs));
    }

    [Fact]
    public void A_reached_budget_stops_the_run_in_mid_turn_and_more_resumes_it()
    {
        using var place = new Place();
        place.Script("costly", """[{"say":"a","usd":0.2},{"tool":"Bash","ms":600000,"usd":0.9},{"say":"never"}]""");
        var client = place.Start();
        var card = Place.Card(client, 1, "costly");
        var run = (long)client.Ask("run/dispatch", new JsonObject { ["cardId"] = card, ["budget"] = new JsonObject { ["microUsd"] = 1_000_000 } })["run"]!["id"]!;
        var stopped = Place.UntilState(client, run, "stopped");
        Assert.Equal("budget", (string?)stopped["reason"]!["kind"]);
        Assert.Equal(1_100_000, (long)stopped["costMicroUsd"]!);
        var decision = client.Call("board/get")["decisions"]!.AsArray().Single()!;
        Assert.Equal("budget", (string?)decision["kind"]);
        client.Ask("decision/answer", new JsonObject { ["decisionId"] = (string)decision["id"]!, ["allow"] = true });
        Place.Until(client, "it finished with more", board => (string)Place.Run(board, run)["state"]! == "finished" && (int)Place.Run(board, run)["launch"]! == 2);
    }

    [Fact]
    public void What_is_spent_just_after_the_cost_was_asked_for_stops_the_run_too_though_its_agent_says_nothing_more()
    {
        using var place = new Place();
        place.Script("costly", """[{"say":"a","usd":0.2},{"wait":300},{"tool":"Bash","ms":600000,"usd":0.9}]""");
        var client = place.Start();
        var card = Place.Card(client, 1, "costly");
        var run = (long)client.Ask("run/dispatch", new JsonObject { ["cardId"] = card, ["budget"] = new JsonObject { ["microUsd"] = 1_000_000 } })["run"]!["id"]!;
        Assert.Equal("budget", (string?)Place.UntilState(client, run, "stopped")["reason"]!["kind"]);
    }

    [Fact]
    public void A_budget_that_was_reached_while_no_serve_was_there_stops_the_run_when_the_next_one_comes()
    {
        using var place = new Place();
        place.Script("costly", """[{"say":"a","usd":0.2},{"sh":"touch .at-work; while [ ! -e .go-on ]; do sleep 0.05; done"},{"tool":"Bash","ms":600000,"usd":0.9}]""");
        var client = place.Start();
        var card = Place.Card(client, 1, "costly");
        var run = (long)client.Ask("run/dispatch", new JsonObject { ["cardId"] = card, ["budget"] = new JsonObject { ["microUsd"] = 1_000_000 } })["run"]!["id"]!;
        Place.Until(client, "the first of its cost is known", board => (long)Place.Run(board, run)["costMicroUsd"]! == 200_000);
        var worktree = (string)Place.Run(client, run)["worktreePath"]!;
        Place.Until("it waits", () => File.Exists(Path.Combine(worktree, ".at-work")));
        place.KillServe();
        File.WriteAllText(Path.Combine(worktree, ".go-on"), "");
        Assert.Equal("budget", (string?)Place.UntilState(place.Connect(), run, "stopped")["reason"]!["kind"]);
    }
}
