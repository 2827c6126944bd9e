using System.Text.Json.Nodes;
using KanBots.Sidecar.Tests.Git;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>Discarding and restoring as a person does it: nothing lives on in it, and nothing of it is lost.</summary>
public sealed class DiscardTests
{
    private static JsonObject On(long run) => new() { ["runId"] = run };

    private static string? Fails(WireClient client, string method, long run) => Assert.Throws<WireError>(() => client.Ask(method, On(run))).Kind;

    private static void AssertDiscarded(Place place, WireClient client, JsonNode run)
    {
        Assert.Equal("discarded", (string)Place.Run(client, (long)run["id"]!)["state"]!);
        Assert.False(Directory.Exists((string)run["worktreePath"]!));
        Assert.DoesNotContain((string)run["branch"]!, Place.Git(place.Repository, "branch", "--list", "--all"));
    }

    [Fact]
    public void A_finished_run_goes_and_comes_back_and_goes_on_in_its_session()
    {
        using var place = new Place();
        File.WriteAllText(Path.Combine(place.Repository, ".gitignore"), "cache\n");
        place.Commit("ignore");
        place.Script("work", """[{"write":"new.txt","text":"new\n"},{"write":"cache","text":"ignored\n"},{"say":"done"}]""");
        place.Script("more", """[{"write":"more.txt","text":"more\n"},{"say":"more"}]""");
        var client = place.Start();
        var id = Place.Dispatch(client, Place.Card(client, 1, "work"));
        var run = Place.UntilState(client, id, "inReview");
        var worktree = (string)run["worktreePath"]!;
        var status = TestRepository.PlainGit(worktree, "status", "--porcelain", "--ignored");

        var answer = client.Ask("run/discard", On(id));
        Assert.InRange(DateTimeOffset.Parse((string)answer["restorableUntil"]!), DateTimeOffset.UtcNow.AddDays(29.9), DateTimeOffset.UtcNow.AddDays(30.1));
        AssertDiscarded(place, client, run);
        Assert.Equal("illegalTransition", Assert.Throws<WireError>(() => client.Ask("run/reply", new JsonObject { ["runId"] = id, ["text"] = "go on" })).Kind);
        client.Ask("run/discard", On(id));
        Place.Git(place.Repository, "clean", "-ffdxq");
        Place.Git(place.Repository, "gc", "-q", "--prune=now");

        Assert.Equal("inReview", (string)client.Ask("run/restore", On(id))["run"]!["state"]!);
        Assert.Equal(status, TestRepository.PlainGit(worktree, "status", "--porcelain", "--ignored"));
        Assert.Equal("ignored\n", File.ReadAllText(Path.Combine(worktree, "cache")));
        Assert.Equal("added", (string)client.Call("review/changes", On(id))["files"]![0]!["status"]!);
        client.Ask("run/reply", new JsonObject { ["runId"] = id, ["text"] = "[[fake:more]]" });
        var after = Place.Until(client, "it has gone on", board => Place.Run(board, id) is var now && (int)now["launch"]! == 2 && (string)now["state"]! == "inReview");
        Assert.Equal((string)run["sessionId"]!, (string)Place.Run(after, id)["sessionId"]!);
        Assert.Equal("more\n", File.ReadAllText(Path.Combine(worktree, "more.txt")));
    }

    [Fact]
    public void A_run_at_work_is_stopped_with_its_whole_tree_before_its_worktree_goes()
    {
        using var place = new Place();
        place.Script("work", """[{"write":"half.txt","text":"half\n"},{"sh":"setsid sh -c 'while :; do echo x >> busy.txt; sleep 0.05; done' & echo started"},{"ask":[{"question":"Which?","header":"H","multiSelect":false,"options":[{"label":"A"}]}]}]""");
        var client = place.Start();
        var id = Place.Dispatch(client, Place.Card(client, 1, "work"));
        var run = Place.UntilState(client, id, "awaitingDecision");
        client.Ask("run/discard", On(id));
        AssertDiscarded(place, client, run);
        Assert.All(place.AgentPids(1, id), pid => Assert.False(Place.IsAlive(pid)));
        Assert.Empty(client.Call("board/get")["decisions"]!.AsArray());
        var trash = Path.Combine(place.State, "trash", $"issue-1-{id}");
        var busy = File.ReadAllText(Path.Combine(trash, "busy.txt"));
        client.Ask("run/restore", On(id));
        Assert.Equal("half\n", File.ReadAllText(Path.Combine((string)run["worktreePath"]!, "half.txt")));
        Assert.Equal(busy, File.ReadAllText(Path.Combine((string)run["worktreePath"]!, "busy.txt")));
    }

    [Fact]
    public void What_is_in_the_way_is_said_and_a_serve_that_dies_in_between_is_followed_by_one_that_goes_on()
    {
        using var place = new Place();
        place.Script("work", """[{"write":"new.txt","text":"new\n"},{"say":"done"}]""");
        var client = place.Start();
        var id = Place.Dispatch(client, Place.Card(client, 1, "work"));
        var run = Place.UntilState(client, id, "inReview");
        var worktree = (string)run["worktreePath"]!;
        client.Ask("run/discard", On(id));
        Directory.CreateDirectory(worktree);
        Assert.Equal("gitFailed", Fails(client, "run/restore", id));
        Assert.Equal("discarded", (string)Place.Run(client, id)["state"]!);
        Directory.Delete(worktree);
        client.Ask("run/restore", On(id));
        Assert.Equal("new\n", File.ReadAllText(Path.Combine(worktree, "new.txt")));

        // A lock in git's way holds the discard up long enough to die in the middle of it, with the worktree moved already.
        var locked = Path.Combine(place.Repository, ".git", "refs", "heads", "kanbots", $"issue-1-{id}.lock");
        File.WriteAllText(locked, "");
        client.Send("run/discard", new JsonObject { ["requestId"] = Guid.NewGuid().ToString(), ["runId"] = id });
        Place.Until("the worktree has been moved", () => !Directory.Exists(worktree));
        Place.Kill(place.ServePid);
        client.WaitForExit();
        File.Delete(locked);
        client = place.Connect();
        Place.UntilState(client, id, "discarded");
        AssertDiscarded(place, client, run);
        client.Ask("run/restore", On(id));
        Assert.Equal("new\n", File.ReadAllText(Path.Combine(worktree, "new.txt")));
        Assert.Equal((string)run["branch"]!, TestRepository.PlainGit(worktree, "branch", "--show-current").Trim());
    }

    /// <summary>Between the move and git's knowing of it, the user's git finds nothing where its record says, and would forget the agent's index and HEAD.</summary>
    [Fact]
    public void A_prune_of_the_users_at_the_worst_moment_takes_nothing()
    {
        using var place = new Place();
        var real = Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, "git")).First(File.Exists);
        Directory.CreateDirectory(Path.Combine(place.Root, "tools"));
        place.Program("tools/git", $"#!/bin/sh\ncase \" $* \" in *' worktree repair '*) {real} -C '{place.Repository}' worktree prune --expire now;; esac\nexec {real} \"$@\"");
        place.Variables["PATH"] = $"{Path.Combine(place.Root, "tools")}:{Environment.GetEnvironmentVariable("PATH")}";
        place.Script("work", """[{"write":"staged.txt","text":"staged\n"},{"sh":"git add -A && git checkout -q --detach"},{"say":"done"}]""");
        var client = place.Start();
        var id = Place.Dispatch(client, Place.Card(client, 1, "work"));
        var worktree = (string)Place.UntilState(client, id, "inReview")["worktreePath"]!;
        var (staged, list) = (TestRepository.PlainGit(worktree, "ls-files", "--stage"), Place.Git(place.Repository, "worktree", "list", "--porcelain"));
        client.Ask("run/discard", On(id));
        client.Ask("run/restore", On(id));
        Assert.Equal(staged, TestRepository.PlainGit(worktree, "ls-files", "--stage"));
        Assert.Equal(list, Place.Git(place.Repository, "worktree", "list", "--porcelain"));
    }

    [Fact]
    public void A_lost_database_loses_neither_what_was_discarded_nor_what_was_kept()
    {
        using var place = new Place();
        place.Script("work", """[{"write":"new.txt","text":"new\n"},{"say":"done"}]""");
        var client = place.Start();
        var gone = Place.Dispatch(client, Place.Card(client, 1, "work"));
        var kept = Place.Dispatch(client, Place.Card(client, 2, "work"));
        var run = Place.UntilState(client, gone, "inReview");
        Place.UntilState(client, kept, "inReview");
        var checkpoints = client.Call("run/details", On(kept))["checkpoints"]!.AsArray().Select(one => (string)one!["id"]!).ToList();
        client.Ask("run/discard", On(gone));
        Place.Kill(place.ServePid);
        client.WaitForExit();
        foreach (var file in Directory.EnumerateFiles(place.State, "kanbots.db*"))
        {
            File.Delete(file);
        }

        client = place.Connect();
        Place.UntilState(client, gone, "discarded");
        Assert.Equal(checkpoints, client.Call("run/details", On(kept))["checkpoints"]!.AsArray().Select(one => (string)one!["id"]!));
        client.Ask("run/restore", On(gone));
        Assert.Equal("new\n", File.ReadAllText(Path.Combine((string)run["worktreePath"]!, "new.txt")));
        Assert.Equal((string)run["branch"]!, TestRepository.PlainGit((string)run["worktreePath"]!, "branch", "--show-current").Trim());
    }

    [Fact]
    public void Uninstalling_keeps_what_was_discarded()
    {
        using var place = new Place();
        place.Script("work", """[{"write":"new.txt","text":"new\n"},{"say":"done"}]""");
        var client = place.Start();
        var id = Place.Dispatch(client, Place.Card(client, 1, "work"));
        Place.UntilState(client, id, "inReview");
        client.Ask("run/discard", On(id));
        place.KillServe();
        var start = place.Command(place.Repository, "uninstall", "--yes");
        start.RedirectStandardOutput = true;
        using var uninstall = System.Diagnostics.Process.Start(start)!;
        var output = uninstall.StandardOutput.ReadToEnd();
        uninstall.WaitForExit();
        var trash = Path.Combine(place.State, "trash", $"issue-1-{id}");
        Assert.Contains($"is kept, since it holds work that was discarded: {trash}", output);
        Assert.Contains("refs below refs/kanbots", output);
        Assert.Equal("new\n", File.ReadAllText(Path.Combine(trash, "new.txt")));
        Assert.Equal(["trash"], Directory.EnumerateFileSystemEntries(place.State).Select(Path.GetFileName));
    }
}
