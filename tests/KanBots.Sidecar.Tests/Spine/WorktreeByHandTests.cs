using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>A person moves, removes or prunes a run's worktree with git or without it.</summary>
public sealed class WorktreeByHandTests
{
    private static (WireClient Client, long Run, string Path) Ended(Place place)
    {
        place.Script("work", """[{"write":"w.txt","text":"a\nb\n"}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 7, "work"));
        return (client, run, (string)Place.UntilState(client, run, "inReview")["worktreePath"]!);
    }

    private static WireClient Restart(Place place, WireClient client)
    {
        Place.Kill(place.ServePid);
        client.WaitForExit();
        return place.Connect();
    }

    private static void Move(Place place, string how, string path, string target)
    {
        switch (how)
        {
            case "git worktree move":
                Place.Git(place.Repository, "worktree", "move", path, target);
                break;
            case "mv and repair":
                Directory.Move(path, target);
                Place.Git(place.Repository, "worktree", "repair", target);
                break;
            case "mv":
                Directory.Move(path, target);
                break;
            case "rm":
                Directory.Delete(path, recursive: true);
                break;
            case "rm and prune":
                Directory.Delete(path, recursive: true);
                Place.Git(place.Repository, "worktree", "prune");
                break;
            case "remove":
                Place.Git(place.Repository, "worktree", "remove", "--force", path);
                break;
        }
    }

    [Theory]
    [InlineData("git worktree move", true)]
    [InlineData("git worktree move", false)]
    [InlineData("mv and repair", true)]
    [InlineData("mv and repair", false)]
    public void A_moved_worktree_is_followed(string how, bool restart)
    {
        using var place = new Place();
        var (client, run, path) = Ended(place);
        var target = Path.Combine(place.Root, "moved here");
        Move(place, how, path, target);
        if (restart)
        {
            client = Restart(place, client);
            Assert.Equal(target, (string?)Place.Run(client, run)["worktreePath"]);
            Assert.Null(Place.Run(client, run)["reason"]);
        }

        place.Script("more", """[{"write":"more.txt","text":"m"}]""");
        client.Ask("run/reply", new JsonObject { ["runId"] = run, ["text"] = "[[fake:more]]" });
        var ended = Place.Run(Place.Until(client, "the second launch is over", board => Place.Run(board, run) is var now && (int)now["launch"]! == 2 && (string)now["state"]! == "inReview"), run);
        Assert.Equal(target, (string?)ended["worktreePath"]);
        Assert.True(File.Exists(Path.Combine(target, "more.txt")));
        Assert.False(Directory.Exists(path));
        Assert.Equal(3, (int)ended["diffStat"]!["insertions"]!);
    }

    [Theory]
    [InlineData("mv", true, "git worktree repair")]
    [InlineData("rm", true, "git worktree add -f")]
    [InlineData("rm and prune", true, "git worktree add")]
    [InlineData("remove", true, "git worktree add")]
    [InlineData("rm", false, "git worktree add -f")]
    [InlineData("remove", false, "git worktree add")]
    public void A_worktree_that_is_gone_is_said_with_the_next_step_and_comes_back(string how, bool restart, string step)
    {
        using var place = new Place();
        var (client, run, path) = Ended(place);
        Move(place, how, path, Path.Combine(place.Root, "moved here"));
        if (restart)
        {
            client = Restart(place, client);
            var gone = Place.Run(client, run);
            Assert.Equal("inReview", (string?)gone["state"]);
            Assert.Equal("worktreeMissing", (string?)gone["reason"]!["kind"]);
            Assert.Contains(step, (string)gone["reason"]!["message"]!);
        }

        client.Ask("run/reply", new JsonObject { ["runId"] = run, ["text"] = "more" });
        var failed = Place.UntilState(client, run, "failed");
        Assert.Equal("worktreeMissing", (string?)failed["reason"]!["kind"]);
        Assert.Contains(step, (string)failed["reason"]!["message"]!);
        Assert.Single(place.HostPids(7, run)); // nothing was started
        Assert.Contains("kanbots/issue-7-1", Place.Git(place.Repository, "branch", "--list", "kanbots/*"));

        Place.Git(place.Repository, "worktree", "add", "-f", "-q", path, "kanbots/issue-7-1");
        client = Restart(place, client);
        Assert.Equal("worktreeBack", (string?)Place.Run(client, run)["reason"]!["kind"]);
        client.Ask("run/resume", new JsonObject { ["runId"] = run });
        Place.Until(client, "it is over again", board => Place.Run(board, run) is var now && (int)now["launch"]! == 3 && (string)now["state"]! is "finished" or "inReview");
    }

    [Fact]
    public void A_worktree_moved_under_a_live_agent_is_followed_at_its_end()
    {
        using var place = new Place();
        place.Script("slow", """[{"write":"w.txt","text":"a\n"},{"ask":[{"question":"Which?","header":"H","multiSelect":false,"options":[{"label":"A"}]}]}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 7, "slow"));
        var path = (string)Place.UntilState(client, run, "awaitingDecision")["worktreePath"]!;
        var target = Path.Combine(place.Root, "moved here");
        Place.Git(place.Repository, "worktree", "move", path, target);
        var ended = client.Ask("run/stop", new JsonObject { ["runId"] = run })["run"]!;
        Assert.True((bool)ended["dirty"]!);
        Place.Until(client, "its place is known", board => (string)Place.Run(board, run)["worktreePath"]! == target);
    }
}
