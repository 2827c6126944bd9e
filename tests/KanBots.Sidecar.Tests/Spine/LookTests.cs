using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>Looking at a worktree again and again: nothing is asked of git that has not changed, who looks is told, and what was seen is remembered.</summary>
public sealed class LookTests : IDisposable
{
    private readonly Place _place = new();

    public void Dispose() => _place.Dispose();

    private static JsonObject On(long run) => new() { ["runId"] = run };

    private (WireClient Client, long Run, string Worktree) Started(string script)
    {
        Place.Git(_place.Repository, "config", "user.name", "Una User");
        Place.Git(_place.Repository, "config", "user.email", "una@example.com");
        _place.Script("work", script);
        var client = _place.Start();
        var id = Place.Dispatch(client, Place.Card(client, 1, "work"));
        return (client, id, (string)Place.UntilState(client, id, "inReview")["worktreePath"]!);
    }

    [Fact]
    public void Without_a_change_git_is_not_asked_at_all_and_with_one_only_about_that()
    {
        var trace = Path.Combine(_place.Root, "trace");
        _place.Variables["GIT_TRACE2_EVENT"] = trace;
        var (client, id, worktree) = Started("""[{"write":"one.txt","text":"one\n"},{"write":"two.txt","text":"two\n"},{"say":"done"}]""");
        Place.Until("the look ahead at what the run has left is taken", () => Asked().Count(git => git.Contains(" refs/remotes/origin/HEAD", StringComparison.Ordinal)) >= 2); // dispatch asks it too
        client.Call("review/changes", On(id));
        var first = client.Call("review/changes", On(id));
        var before = OfTheLook().Count;
        Assert.Equal(first.ToJsonString(), client.Call("review/changes", On(id)).ToJsonString());
        Assert.Equal(before, OfTheLook().Count);
        File.AppendAllText(Path.Combine(worktree, "one.txt"), "more\n");
        Assert.Equal(2, (int)client.Call("review/changes", On(id))["files"]![0]!["insertions"]!);
        var asked = OfTheLook().Skip(before).ToList();
        Assert.Contains(asked, command => command.Contains(" --literal-pathspecs ", StringComparison.Ordinal) && command.Contains(" add ", StringComparison.Ordinal));
        Assert.InRange(asked.Count, 2, 4);

        List<JsonNode> Events() => File.Exists(trace) ? [.. File.ReadAllText(trace).Split('\n')[..^1].Select(line => JsonNode.Parse(line)!)] : [];
        List<string> Asked() => [.. Events().Where(said => (string?)said["event"] == "start").Select(Words)];
        string Words(JsonNode said) => string.Join(' ', said["argv"]!.AsArray());

        // The daily round asks for refs at the repository itself, whenever it comes; what is asked of a worktree, or of no repository, is the look's.
        List<string> OfTheLook()
        {
            List<JsonNode> events = [];
            Place.Until("every git that was started has ended", () => (events = Events()).Select(said => (string)said["sid"]!).Distinct().All(sid => !Directory.Exists($"/proc/{Convert.ToInt32(sid[(sid.LastIndexOf('P') + 1)..], 16)}")));
            var elsewhere = events.Where(said => (string?)said["event"] == "def_repo" && (string?)said["worktree"] == _place.Repository).Select(said => (string)said["sid"]!).ToHashSet();
            return [.. events.Where(said => (string?)said["event"] == "start" && !elsewhere.Contains((string)said["sid"]!)).Select(Words)];
        }
    }

    [Fact]
    public void Who_looks_is_told_once_of_what_changes_and_again_after_the_next_look()
    {
        var (client, id, worktree) = Started("""[{"write":"one.txt","text":"one\n"},{"say":"done"}]""");
        client.Call("review/changes", On(id));
        File.WriteAllText(Path.Combine(worktree, "two.txt"), "two\n");
        Place.Until("it was told", () => client.Notifications("review/didChange").Count == 1);
        Assert.Equal(id, (long)client.Notifications("review/didChange")[0]["runId"]!);
        Assert.Equal(2, client.Call("review/changes", On(id))["files"]!.AsArray().Count);
        File.Delete(Path.Combine(worktree, "two.txt"));
        Place.Until("it was told again", () => client.Notifications("review/didChange").Count == 2);
        Assert.Single(client.Call("review/changes", On(id))["files"]!.AsArray());
        Assert.Equal(2, client.Notifications("review/didChange").Count);
    }

    [Fact]
    public void Ten_thousand_changed_files_and_a_slow_filter_block_no_board()
    {
        var (client, id, worktree) = Started("""[{"sh":"for i in $(seq 10000); do echo $i > f$i.txt; done; echo s > slow.txt"},{"say":"done"}]""");
        var go = Path.Combine(_place.Root, "go");
        Place.Git(_place.Repository, "config", "filter.slow.clean", $"while [ ! -e '{go}' ]; do sleep 0.05; done; cat");
        Directory.CreateDirectory(Path.Combine(_place.Repository, ".git", "info"));
        File.WriteAllText(Path.Combine(_place.Repository, ".git", "info", "attributes"), "slow.txt filter=slow\n");
        File.AppendAllText(Path.Combine(worktree, "slow.txt"), "s\n");
        var asked = client.Send("review/changes", new JsonObject { ["runId"] = id, ["limit"] = 10_000 });
        Assert.Equal(2, (int)client.Ask("card/create", new JsonObject { ["title"] = "meanwhile" })["card"]!["number"]!);
        Assert.Equal(2, client.Call("board/get")["cards"]!.AsArray().Count);
        Assert.False(client.HasAnswer(asked));
        File.WriteAllText(go, "");
        var shown = client.Answer(asked, "review/changes")["result"]!;
        Assert.Equal((10_001, 10_000), ((int)shown["total"]!["files"]!, shown["files"]!.AsArray().Count));
        Assert.Single(client.Call("review/changes", new JsonObject { ["runId"] = id, ["after"] = (string)shown["next"]!, ["limit"] = 10_000 })["files"]!.AsArray());
    }

    [Fact]
    public void A_dead_runs_files_are_said_on_its_card_with_the_ways_out()
    {
        Place.Git(_place.Repository, "config", "user.name", "Una User");
        Place.Git(_place.Repository, "config", "user.email", "una@example.com");
        _place.Script("work", """[{"write":"half.txt","text":"half\n"},{"ask":[{"question":"Which?","header":"H","multiSelect":false,"options":[{"label":"A"}]}]}]""");
        var client = _place.Start();
        var id = Place.Dispatch(client, Place.Card(client, 1, "work"));
        Place.UntilState(client, id, "awaitingDecision");
        Place.Kill(_place.HostPids(1, id)[^1]);
        var run = Place.UntilState(client, id, "interrupted");
        Assert.True((bool)run["dirty"]!);
        Assert.Equal("The agent was found dead. Its worktree has changes in 1 file (+1 -0), which are kept: resume it, review and promote them, or discard them.", (string)run["reason"]!["message"]!);
        client.Ask("run/discard", On(id));
        client.Ask("run/restore", On(id));
        client.Ask("run/promote", new JsonObject { ["runId"] = id, ["targetBranch"] = "saved", ["expectedTree"] = (string)client.Call("review/changes", On(id))["tree"]! });
        Assert.Equal("half\n", Place.Git(_place.Repository, "show", "saved:half.txt"));
    }

    [Fact]
    public void A_file_that_was_seen_stays_so_until_it_changes_also_over_a_restart()
    {
        var (client, id, worktree) = Started("""[{"write":"one.txt","text":"quite another\n"},{"sh":"rm readme.txt"},{"say":"done"}]""");
        var files = client.Call("review/changes", On(id))["files"]!.AsArray();
        client.Ask("review/markViewed", new JsonObject { ["runId"] = id, ["files"] = new JsonArray([.. files.Select(file => new JsonObject { ["path"] = (string)file!["path"]!, ["blob"] = file["blob"]?.DeepClone() })]) });
        Place.Kill(_place.ServePid);
        client.WaitForExit();
        client = _place.Connect();
        Assert.All(client.Call("review/changes", On(id))["files"]!.AsArray(), file => Assert.True((bool)file!["viewed"]!));
        File.AppendAllText(Path.Combine(worktree, "one.txt"), "more\n");
        var after = client.Call("review/changes", On(id))["files"]!.AsArray();
        Assert.Equal([("one.txt", false), ("readme.txt", true)], after.Select(file => ((string)file!["path"]!, file["viewed"] is not null)).Order());
        client.Ask("review/markViewed", new JsonObject { ["runId"] = id, ["files"] = new JsonArray(new JsonObject { ["path"] = "readme.txt" }), ["viewed"] = false });
        Assert.All(client.Call("review/changes", On(id))["files"]!.AsArray(), file => Assert.Null(file!["viewed"]));
    }

    [Fact]
    public void A_fork_begins_with_the_files_and_the_history_of_a_checkpoint_in_a_conversation_of_its_own()
    {
        var (client, id, worktree) = Started("""[{"write":"committed.txt","text":"1\n"},{"sh":"git add -A && git -c user.name=A -c user.email=a@b commit -qm 'by the agent'"},{"write":"loose.txt","text":"1\n"},{"sh":"rm readme.txt"},{"say":"done"}]""");
        var first = (string)client.Call("run/details", On(id))["checkpoints"]![0]!["id"]!;
        var head = Place.Git(worktree, "rev-parse", "HEAD");
        _place.Script("more", """[{"write":"loose.txt","text":"2\n"},{"sh":"git add -A && git -c user.name=A -c user.email=a@b commit -qm 'more'"},{"say":"done"}]""");
        client.Ask("run/reply", new JsonObject { ["runId"] = id, ["text"] = "[[fake:more]]" });
        Place.Until(client, "more", board => Place.Run(board, id) is var now && (int)now["launch"]! == 2 && (string)now["state"]! == "inReview");

        _place.Script("work", """[{"say":"I look first"}]""");
        var forked = client.Ask("run/fork", new JsonObject { ["runId"] = id, ["checkpoint"] = first, ["prompt"] = "Another way." })["run"]!;
        var run = Place.UntilState(client, (long)forked["id"]!, "inReview");
        Assert.Equal((id, 1L), ((long)run["parentRunId"]!, (long)run["cardNumber"]!));
        Assert.NotEqual((string)Place.Run(client, id)["sessionId"]!, (string)run["sessionId"]!);
        var place = (string)run["worktreePath"]!;
        Assert.Equal(head, Place.Git(place, "rev-parse", "HEAD"));
        Assert.Equal(("1\n", false), (File.ReadAllText(Path.Combine(place, "loose.txt")), File.Exists(Path.Combine(place, "readme.txt"))));
        Assert.Equal(" D readme.txt\n?? loose.txt\n", Place.Git(place, "status", "--porcelain"));
        Assert.Equal("2\n", File.ReadAllText(Path.Combine(worktree, "loose.txt")));
        Assert.Contains("Another way.", File.ReadAllText(Path.Combine(_place.RunFolder(1, (long)run["id"]!, 1), "stdin.ndjson")));
        Assert.Equal("invalidArgument", Assert.Throws<WireError>(() => client.Ask("run/fork", new JsonObject { ["runId"] = id, ["checkpoint"] = "1-c0ffee00" })).Kind);
    }

    [Fact]
    public void Conflicts_are_handed_to_the_agent_as_its_next_turn_and_then_it_lands()
    {
        var (client, id, worktree) = Started("""[{"write":"readme.txt","text":"the agent's\n"},{"say":"done"}]""");
        File.WriteAllText(Path.Combine(_place.Repository, "readme.txt"), "the user's\n");
        Place.Git(_place.Repository, "commit", "-qam", "the user's");
        JsonObject Wish() => new() { ["runId"] = id, ["targetBranch"] = "main", ["expectedTree"] = (string)client.Call("review/changes", On(id))["tree"]! };
        Assert.Equal("mergeConflict", Assert.Throws<WireError>(() => client.Ask("run/promote", Wish())).Kind);
        _place.Program("resolve.sh", "#!/bin/sh\ngit add -A && git -c user.name=A -c user.email=a@b commit -qm mine; git merge -q main; echo 'both' > readme.txt; git add -A; git -c user.name=A -c user.email=a@b commit -qm merged\n");
        client.Ask("run/resolveConflicts", On(id));
        var told = Place.Until(client, "the next turn has ended", board => Place.Run(board, id) is var now && (int)now["launch"]! == 2 && (string)now["state"]! == "inReview");
        Assert.NotNull(told);
        var said = File.ReadLines(Path.Combine(_place.RunFolder(1, id, 2), "stdin.ndjson")).Select(line => JsonNode.Parse(line)!).Where(line => (string?)line["type"] == "user").Select(line => (string)line["message"]!["content"]!);
        Assert.StartsWith("Your work conflicts with the branch `main` in:\n- readme.txt\n", Assert.Single(said), StringComparison.Ordinal);
        using (var hand = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("sh", [Path.Combine(_place.Root, "resolve.sh")]) { WorkingDirectory = worktree })!)
        {
            hand.WaitForExit();
        }

        client.Ask("run/promote", Wish());
        Assert.Equal("both\n", File.ReadAllText(Path.Combine(_place.Repository, "readme.txt")));
    }
}
