using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>What agents find in their worktrees besides git's files.</summary>
public sealed class NeedsTests
{
    internal static string Worktree(WireClient client, long run) => (string)Place.Run(client, run)["worktreePath"]!;

    [Fact]
    public void Each_run_has_ports_of_its_own_which_a_resume_and_another_serve_keep()
    {
        using var place = new Place();
        place.Script("port", """[{"sh":"printf '%s\n' \"$KANBOTS_PORT\" >> ports.txt; printf '%s\n' \"$KANBOTS_WORKTREE\" \"$KANBOTS_MAIN_WORKTREE\" > places.txt"}]""");
        var client = place.Start();
        var runs = Enumerable.Range(1, 3).Select(number => Place.Dispatch(client, Place.Card(client, number, "port"))).ToArray();
        foreach (var run in runs)
        {
            Place.UntilState(client, run, "inReview");
        }

        var ports = runs.Select(run => File.ReadAllText(Path.Combine(Worktree(client, run), "ports.txt")).Trim()).ToArray();
        Assert.Equal(3, ports.Distinct().Count());
        Assert.All(ports, port => Assert.InRange(int.Parse(port), 20_000, 31_999));
        Assert.Equal([Worktree(client, runs[0]), place.Repository], File.ReadAllLines(Path.Combine(Worktree(client, runs[0]), "places.txt")));
        Assert.Equal(int.Parse(ports[1]), (int)client.Call("run/details", new JsonObject { ["runId"] = runs[1] })["portBase"]!);

        Place.Kill(place.ServePid);
        client = place.Connect();
        client.Ask("run/resume", new JsonObject { ["runId"] = runs[1], ["text"] = "[[fake:port]]" });
        Place.Until(client, "launch 2 is over", board => (int)Place.Run(board, runs[1])["launch"]! == 2 && (string)Place.Run(board, runs[1])["state"]! == "inReview");
        Assert.Equal([ports[1], ports[1]], File.ReadAllLines(Path.Combine(Worktree(client, runs[1]), "ports.txt")));
    }

    [Fact]
    public void Ignored_files_and_links_are_listed_said_and_no_change_of_the_run()
    {
        using var place = new Place();
        File.WriteAllText(Path.Combine(place.Repository, ".gitignore"), ".env*\nnode_modules/\n");
        File.WriteAllText(Path.Combine(place.Repository, "package.json"), "{}");
        File.WriteAllText(Path.Combine(place.Repository, "package-lock.json"), "{}");
        File.WriteAllText(Path.Combine(place.Repository, ".worktreeinclude"), ".env\n");
        place.Commit("app");
        File.WriteAllText(Path.Combine(place.Repository, ".env"), "A=1\n");
        File.WriteAllText(Path.Combine(place.Repository, ".env.local"), "B=2\n");
        Directory.CreateDirectory(Path.Combine(place.Repository, "node_modules", "dep"));
        place.Script("look", """[{"sh":"cat .env .env.local > /dev/null && ls node_modules/dep && test \"$KANBOTS_NODE_MODULES\" = symlink"},{"say":"done"}]""");
        place.Script("work", """[{"write":"work.txt","text":"a\n"}]""");
        var client = place.Start();
        client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { ["worktree.include"] = new JsonArray(".env.*"), ["worktree.nodeModules"] = "symlink" } });
        var run = Place.Dispatch(client, Place.Card(client, 1, "look"));

        var finished = Place.UntilState(client, run, "finished"); // with no change: what was placed is none
        var worktree = (string)finished["worktreePath"]!;
        Assert.Equal("A=1\n", File.ReadAllText(Path.Combine(worktree, ".env")));
        Assert.Equal("B=2\n", File.ReadAllText(Path.Combine(worktree, ".env.local")));
        Assert.True(Directory.Exists(Path.Combine(worktree, "node_modules", "dep")));
        Assert.Equal("", Place.Git(worktree, "status", "--porcelain"));
        Assert.Equal("", Place.Git(place.Repository, "status", "--porcelain"));
        Assert.False((bool)finished["dirty"]!);
        Assert.StartsWith("node_modules: symlink.", (string)Assert.Single(finished["notices"]!.AsArray())!["message"]!);

        var details = client.Call("run/details", new JsonObject { ["runId"] = run });
        Assert.Equal([".env", ".env.local", "node_modules"], details["placed"]!.AsArray().Select(placed => (string)placed!["path"]!));
        Assert.Equal(["file", "file", "links"], details["placed"]!.AsArray().Select(placed => (string)placed!["kind"]!));
        Assert.Equal("symlink", (string)details["nodeModules"]!["strategy"]!);
        Assert.Equal([".env", ".env.local", "node_modules"], JsonNode.Parse(File.ReadAllText(Path.Combine(place.RunFolder(1, run), "launch.json")))!["placedPaths"]!.AsArray().Select(path => (string)path!));

        var worked = Place.UntilState(client, Place.Dispatch(client, Place.Card(client, 2, "work")), "inReview");
        Assert.Equal(1, (int)worked["diffStat"]!["files"]!);
    }

    [Fact]
    public void An_untrusted_list_is_not_read_and_no_setup_runs_when_trust_was_taken_back_meanwhile()
    {
        using var place = new Place();
        File.WriteAllText(Path.Combine(place.Repository, ".gitignore"), ".env\n");
        File.WriteAllText(Path.Combine(place.Repository, ".worktreeinclude"), ".env\n");
        place.Commit("app");
        File.WriteAllText(Path.Combine(place.Repository, ".env"), "A=1\n");
        place.Script("gate", $$"""[{"barrier":"{{place.Root}}/gate","count":2}]""");
        place.Script("clean", """[{"say":"done"}]""");
        var client = place.Start(parallel: 1);
        client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { ["worktree.setup"] = $"echo ran >> '{place.Root}/setups'" } });
        var first = Place.Dispatch(client, Place.Card(client, 1, "gate"));
        var second = Place.Dispatch(client, Place.Card(client, 2, "clean"));
        Place.UntilState(client, first, "running");
        Place.Until("the first agent stands at the gate", () => Directory.Exists(Path.Combine(place.Root, "gate")));

        client.Notify("workspace/didChangeTrust", new JsonObject { ["trusted"] = false });
        Assert.Equal("notTrusted", Assert.Throws<WireError>(() => client.Ask("run/stop", new JsonObject { ["runId"] = second })).Kind);
        File.WriteAllText(Path.Combine(place.Root, "gate", "open"), "");

        var ended = Place.UntilState(client, second, "finished");
        Assert.False(File.Exists(Path.Combine((string)ended["worktreePath"]!, ".env")));
        Assert.Equal(["include", "setup"], ended["notices"]!.AsArray().Select(notice => (string)notice!["kind"]!));
        Assert.All(ended["notices"]!.AsArray(), notice => Assert.Contains("not trusted", (string)notice!["message"]!));
        Assert.True(File.Exists(Path.Combine(Worktree(client, first), ".env")));
        Assert.Single(File.ReadAllLines(Path.Combine(place.Root, "setups")));
    }
}
