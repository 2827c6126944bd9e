using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

public sealed class ClientsTests
{
    [Fact]
    public void Two_clients_one_in_a_linked_worktree_see_one_board_with_the_same_revisions()
    {
        using var place = new Place();
        var linked = Path.Combine(place.Root, "linked");
        Place.Git(place.Repository, "worktree", "add", "-q", linked, "-b", "side");
        var one = place.Start();
        var two = place.Connect(linked);
        var before = two.Call("board/get");
        Place.Card(one, 7, "none");
        Place.Until("the second client is told", () => two.Notifications("board/didChange").Any(change => change["cards"]!.AsArray().Any(card => (int)card!["number"]! == 7)));
        var (left, right) = (one.Call("board/get"), two.Call("board/get"));
        Assert.Equal(left.ToJsonString(), right.ToJsonString());
        var revision = (long)before["revision"]!;
        foreach (var change in two.Notifications("board/didChange"))
        {
            Assert.Equal(revision, (long)change["previousRevision"]!);
            revision = (long)change["revision"]!;
        }
    }

    [Fact]
    public void Ten_relays_at_once_start_one_serve()
    {
        using var place = new Place();
        var clients = new WireClient[10];
        Parallel.For(0, 10, new ParallelOptions { MaxDegreeOfParallelism = 10 }, i => clients[i] = new WireClient(place.Command(place.Repository, "--stdio")));
        var boards = clients.Select(client =>
        {
            client.Call("initialize", new JsonObject { ["clientName"] = "test", ["workspaceFolder"] = place.Repository, ["trusted"] = true, ["capabilities"] = new JsonArray() });
            return (string)client.Call("board/get")["epoch"]!;
        }).ToList();
        Assert.Single(boards.Distinct());
        Assert.Single(File.ReadAllLines(Path.Combine(place.State, "serve.log")), line => line.Contains("listens"));
        Array.ForEach(clients, client => client.Dispose());
    }

    [Fact]
    public void An_untrusted_client_may_look_and_nothing_else()
    {
        using var place = new Place();
        var client = place.Connect(trusted: false);
        Assert.Empty(client.Call("board/get")["cards"]!.AsArray());
        Assert.Equal("notTrusted", Assert.Throws<WireError>(() => Place.Card(client, 1, "x")).Kind);
    }

    [Fact]
    public void An_agent_that_answers_its_own_question_is_refused()
    {
        using var place = new Place();
        var said = Path.Combine(place.Root, "said");
        place.Script("cheat", $$"""[{"sh":"cd '{{place.Repository}}' && {{Place.Sidecar}} answer 1 A > {{said}} 2>&1; echo $? >> {{said}}"},{"ask":[{"question":"Which?","header":"H","multiSelect":false,"options":[{"label":"A"}]}]}]""");
        var client = place.Start();
        Place.Dispatch(client, Place.Card(client, 1, "cheat"));
        Place.Until(client, "it asks", board => board["decisions"]!.AsArray().Count == 1);
        Assert.Contains("own agent must not", File.ReadAllText(said));
        Assert.EndsWith("1\n", File.ReadAllText(said));
    }

    [Fact]
    public void Odd_streams_are_kept_byte_for_byte_and_end_the_run_as_usual()
    {
        using var place = new Place();
        var binary = Convert.ToBase64String([0, 255, 254, 10, 0, 10, 195, 40, 10]);
        place.Script("odd", $$"""[{"raw":"not json"},{"base64":"{{binary}}"},{"raw":"{\"type\":\"unheard-of\"}"},{"split":"Grüße, 世界 🚀"},{"giant":5000000}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "odd"));
        Place.UntilState(client, run, "finished");
        var page = client.Call("run/events", new JsonObject { ["runId"] = run, ["limit"] = 500 });
        var items = page["items"]!.AsArray().Select(item => item!.AsObject()).ToList();
        Assert.Contains(items, item => (string?)item["kind"] == "raw" && (string?)item["body"]!["text"] == "not json");
        Assert.Contains(items, item => (string?)item["kind"] == "text" && (string?)item["body"]!["text"] == "Grüße, 世界 🚀");
        Assert.Contains(items, item => (string?)item["kind"] == "text" && (long?)item["body"]!["fullLength"] == 5_000_000);
        Assert.Equal(0, (long)items[0]["bytes"]!["from"]!);
        Assert.Equal(new FileInfo(Path.Combine(place.RunFolder(1, run), "stdout.ndjson")).Length, (long)items[^1]["bytes"]!["to"]!);

        var torn = Convert.ToBase64String(Encoding.UTF8.GetBytes("{\"type\":\"system\",\"subtype\":\"last words\"}"));
        place.Script("torn", $$"""[{"base64":"{{torn}}"},{"exit":3}]""");
        run = Place.Dispatch(client, Place.Card(client, 2, "torn"));
        Assert.Contains("code 3", (string?)Place.UntilState(client, run, "failed")["reason"]!["message"]);
        var last = client.Call("run/events", new JsonObject { ["runId"] = run })["items"]!.AsArray()[^1]!;
        Assert.Equal("last words", (string?)last["subtype"]);
    }

    [Fact]
    public void Outside_a_repository_the_relay_says_so_and_starts_nothing()
    {
        using var place = new Place();
        var outside = Path.Combine(place.Root, "outside");
        Directory.CreateDirectory(outside);
        using var relay = Process.Start(new ProcessStartInfo(Place.Sidecar, ["--stdio"]) { WorkingDirectory = outside, RedirectStandardError = true, RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var error = relay.StandardError.ReadToEnd();
        relay.WaitForExit();
        Assert.Equal(6, relay.ExitCode);
        Assert.Contains("git init", error);
    }

    [Fact]
    public void Serve_leaves_when_nobody_needs_it_and_the_next_client_finds_the_board_again()
    {
        using var place = new Place();
        var client = place.Start();
        Place.Card(client, 3, "none");
        Place.Kill(place.ServePid);
        using var serve = Process.Start(place.Command(place.Repository, "serve", place.Repository, "--idle-seconds", "1"))!;
        Assert.True(serve.WaitForExit(20_000), "serve stayed");
        Assert.Equal(0, serve.ExitCode);
        Assert.Empty(Directory.GetFiles(Path.Combine(place.Runtime, "kanbots")));
        Assert.Single(place.Connect().Call("board/get")["cards"]!.AsArray());
    }
}
