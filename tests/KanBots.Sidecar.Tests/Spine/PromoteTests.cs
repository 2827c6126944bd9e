using System.Text.Json.Nodes;
using KanBots.Sidecar.Tests.Git;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>Landing a run's work as a person does it, by the wire and the terminal, against plain git.</summary>
public sealed class PromoteTests
{
    private static JsonObject On(long run, params (string Name, JsonNode? Value)[] more) => new([KeyValuePair.Create<string, JsonNode?>("runId", run), .. more.Select(one => KeyValuePair.Create(one.Name, one.Value))]);

    private static string Tree(WireClient client, long run) => (string)client.Call("review/changes", On(run))["tree"]!;

    private static Place Prepared()
    {
        var place = new Place();
        Place.Git(place.Repository, "config", "user.name", "Una User");
        Place.Git(place.Repository, "config", "user.email", "una@example.com");
        place.Script("work", """[{"write":"committed.txt","text":"committed\n"},{"sh":"git add -A && git -c user.name=A -c user.email=a@b commit -qm 'by the agent'"},{"write":"loose.txt","text":"loose\n"},{"say":"done"}]""");
        return place;
    }

    [Fact]
    public void What_was_reviewed_lands_on_a_new_branch_and_the_card_is_done()
    {
        using var place = Prepared();
        var client = place.Start();
        var id = Place.Dispatch(client, Place.Card(client, 1, "work"));
        var worktree = (string)Place.UntilState(client, id, "inReview")["worktreePath"]!;
        var tree = Tree(client, id);
        var status = Place.Git(place.Repository, "status", "--porcelain");
        var answer = client.Ask("run/promote", On(id, ("targetBranch", "fix/one"), ("expectedTree", tree)));
        var commit = (string)answer["commit"]!;
        Assert.Equal(commit, Place.Git(place.Repository, "rev-parse", "fix/one").Trim());
        Assert.Equal(tree, Place.Git(place.Repository, "rev-parse", $"{commit}^{{tree}}").Trim());
        Assert.Equal("card 1 (#1)\n\nKanBots-Run: issue-1-1\nCo-authored-by: Claude <noreply@anthropic.com>", Place.Git(place.Repository, "log", "-1", "--format=%B", commit).Trim());
        Assert.Equal("Una User", Place.Git(place.Repository, "log", "-1", "--format=%an", commit).Trim());
        Assert.Equal(status, Place.Git(place.Repository, "status", "--porcelain"));
        var board = client.Call("board/get");
        Assert.Equal(("promoted", "fix/one"), ((string)Place.Run(board, id)["state"]!, (string)Place.Run(board, id)["promotion"]!["branch"]!));
        Assert.Equal("done", (string)board["cards"]![0]!["column"]!);
        Assert.True(File.Exists(Path.Combine(worktree, "loose.txt")));
        Place.Until("nothing is held any more", () => Place.Git(place.Repository, "for-each-ref", "refs/kanbots/landing").Length == 0);
        Assert.Equal("illegalTransition", Assert.Throws<WireError>(() => client.Ask("run/resume", On(id))).Kind);
        File.WriteAllText(Path.Combine(worktree, "late.txt"), "after it has landed\n");
        client.Ask("run/rewind", On(id, ("checkpoint", (string)client.Call("run/details", On(id))["checkpoints"]![0]!["id"]!)));
        Assert.False(File.Exists(Path.Combine(worktree, "late.txt")));
        client.Ask("run/rewind", On(id, ("checkpoint", (string)client.Call("run/details", On(id))["checkpoints"]!.AsArray()[^1]!["id"]!)));
        Assert.Equal("after it has landed\n", File.ReadAllText(Path.Combine(worktree, "late.txt")));
        client.Ask("run/discard", On(id));
        Assert.Equal("promoted", (string)client.Ask("run/restore", On(id))["run"]!["state"]!);
    }

    [Fact]
    public void What_has_changed_since_what_conflicts_and_what_lies_in_the_way_is_refused_with_names()
    {
        using var place = Prepared();
        var client = place.Start();
        var id = Place.Dispatch(client, Place.Card(client, 1, "work"));
        var worktree = (string)Place.UntilState(client, id, "inReview")["worktreePath"]!;
        var tree = Tree(client, id);
        var refs = Place.Git(place.Repository, "for-each-ref", "refs/heads");
        (string? Kind, IReadOnlyList<string> Paths) Refused(string branch, string expected)
        {
            var wire = client.Send("run/promote", On(id, ("requestId", Guid.NewGuid().ToString()), ("targetBranch", branch), ("expectedTree", expected)));
            var error = client.Answer(wire, "run/promote")["error"]!;
            return ((string?)error["data"]!["kind"], [.. (error["data"]!["paths"]?.AsArray() ?? []).Select(path => (string)path!)]);
        }

        File.AppendAllText(Path.Combine(worktree, "loose.txt"), "the agent goes on\n");
        Assert.Equal("worktreeChanged", Refused("main", tree).Kind);
        tree = Tree(client, id);

        File.WriteAllText(Path.Combine(place.Repository, "loose.txt"), "the user's\n");
        var (kind, paths) = Refused("main", tree);
        Assert.Equal("worktreeDirty", kind);
        Assert.Equal(["loose.txt"], paths);
        Assert.Equal("the user's\n", File.ReadAllText(Path.Combine(place.Repository, "loose.txt")));
        Assert.Equal(refs, Place.Git(place.Repository, "for-each-ref", "refs/heads"));

        place.Commit("the user's own");
        refs = Place.Git(place.Repository, "for-each-ref", "refs/heads");
        (kind, paths) = Refused("main", tree);
        Assert.Equal("mergeConflict", kind);
        Assert.Equal(["loose.txt"], paths);
        Assert.Equal("invalidArgument", Refused("kanbots/issue-1-1", tree).Kind);
        Assert.Equal(refs, Place.Git(place.Repository, "for-each-ref", "refs/heads"));
        Assert.Equal("inReview", (string)Place.Run(client, id)["state"]!);
        client.Ask("run/promote", On(id, ("targetBranch", "aside"), ("expectedTree", tree), ("strategy", "merge")));
        Assert.Equal("promoted", (string)Place.Run(client, id)["state"]!);
    }

    /// <summary>Each command of git is one after which serve dies: git is held up there, by a git of our own in its place.</summary>
    [Theory]
    [InlineData("merge-tree")]
    [InlineData("commit-tree")]
    [InlineData("refs/kanbots/landing/issue-1-1")]
    [InlineData("refs/heads/next")]
    public void A_serve_that_dies_while_landing_is_followed_by_one_that_lands_it_once(string at)
    {
        using var place = Prepared();
        var (tools, held, go) = (Path.Combine(place.Root, "tools"), Path.Combine(place.Root, "held"), Path.Combine(place.Root, "go"));
        Directory.CreateDirectory(tools);
        var real = Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, "git")).First(File.Exists);
        place.Program("tools/git", $"#!/bin/sh\ncase \" $* \" in *'{at}'*) if [ -e '{go}' ]; then {real} \"$@\"; code=$?; echo $$ > '{held}'; while [ -e '{go}' ]; do sleep 0.02; done; exit $code; fi;; esac\nexec {real} \"$@\"");
        place.Variables["PATH"] = $"{tools}:{Environment.GetEnvironmentVariable("PATH")}";
        Place.Git(place.Repository, "branch", "next");
        var client = place.Start();
        var id = Place.Dispatch(client, Place.Card(client, 1, "work"));
        Place.UntilState(client, id, "inReview");
        var tree = Tree(client, id);
        var before = Place.Git(place.Repository, "rev-parse", "next").Trim();
        Place.Git(place.Repository, "branch", "-f", "next", Place.Git(place.Repository, "-c", "user.name=T", "-c", "user.email=t@e", "commit-tree", "-p", before, "-m", "gone on", $"{before}^{{tree}}").Trim());
        File.WriteAllText(go, "");
        client.Send("run/promote", On(id, ("requestId", Guid.NewGuid().ToString()), ("targetBranch", "next"), ("expectedTree", tree)));
        Place.Until("git has done its step", () => File.Exists(held));
        Place.Kill(place.ServePid);
        client.WaitForExit();
        File.Delete(go);
        client = place.Connect();
        Place.UntilState(client, id, "promoted");
        Assert.Equal("card 1 (#1)\ngone on", Place.Git(place.Repository, "log", "--format=%s", $"{before}..next").Trim());
        Assert.Equal(tree, Place.Git(place.Repository, "rev-parse", "next^{tree}").Trim());
        Place.Until("nothing is held any more", () => Place.Git(place.Repository, "for-each-ref", "refs/kanbots/landing").Length == 0);
    }

    /// <summary>git is held up before it lets go of what has landed, and never does.</summary>
    [Fact]
    public void What_a_serve_still_held_that_died_after_it_had_landed_is_let_go_of_by_the_next()
    {
        using var place = Prepared();
        var (tools, held, go) = (Path.Combine(place.Root, "tools"), Path.Combine(place.Root, "held"), Path.Combine(place.Root, "go"));
        Directory.CreateDirectory(tools);
        var real = Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, "git")).First(File.Exists);
        place.Program("tools/git", $"#!/bin/sh\ncase \" $* \" in *' update-ref -d refs/kanbots/landing/'*) if [ -e '{go}' ]; then echo $$ > '{held}'; while [ -e '{go}' ]; do sleep 0.02; done; exit 1; fi;; esac\nexec {real} \"$@\"");
        place.Variables["PATH"] = $"{tools}:{Environment.GetEnvironmentVariable("PATH")}";
        var client = place.Start();
        var id = Place.Dispatch(client, Place.Card(client, 1, "work"));
        Place.UntilState(client, id, "inReview");
        var tree = Tree(client, id);
        File.WriteAllText(go, "");
        client.Ask("run/promote", On(id, ("targetBranch", "next"), ("expectedTree", tree)));
        Place.Until("it is about to let go", () => File.Exists(held));
        Place.Kill(place.ServePid);
        client.WaitForExit();
        File.Delete(go);
        Assert.StartsWith(Place.Git(place.Repository, "rev-parse", "next").Trim(), Place.Git(place.Repository, "for-each-ref", "refs/kanbots/landing"));
        client = place.Connect();
        Assert.Equal("promoted", (string)Place.Run(client, id)["state"]!);
        Place.Until("nothing is held any more", () => Place.Git(place.Repository, "for-each-ref", "refs/kanbots/landing").Length == 0);
    }

    [Fact]
    public void The_terminal_promotes()
    {
        using var place = Prepared();
        var client = place.Start();
        var id = Place.Dispatch(client, Place.Card(client, 1, "work"));
        Place.UntilState(client, id, "inReview");
        var start = place.Command(place.Repository, "promote", "1", "loose.txt", "--onto", "part", "--message", "Only a part");
        start.RedirectStandardOutput = true;
        using var cli = System.Diagnostics.Process.Start(start)!;
        Assert.StartsWith("#1 landed on part as ", cli.StandardOutput.ReadToEnd());
        Assert.Equal("A\tloose.txt\n", Place.Git(place.Repository, "diff", "--name-status", "main", "part"));
        Assert.StartsWith("Only a part\n", TestRepository.PlainGit(place.Repository, "log", "-1", "--format=%B", "part"));
    }

    [Fact]
    public void A_git_that_is_too_old_is_named_and_nothing_is_begun()
    {
        using var place = Prepared();
        var tools = Path.Combine(place.Root, "tools");
        Directory.CreateDirectory(tools);
        var real = Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, "git")).First(File.Exists);
        place.Program("tools/git", $"#!/bin/sh\ncase \" $* \" in *' version '*) echo 'git version 2.34.1'; exit 0;; esac\nexec {real} \"$@\"");
        place.Variables["PATH"] = $"{tools}:{Environment.GetEnvironmentVariable("PATH")}";
        var client = place.Start();
        var id = Place.Dispatch(client, Place.Card(client, 1, "work"));
        var reason = Place.UntilState(client, id, "failed")["reason"]!;
        Assert.Equal("gitTooOld", (string)reason["kind"]!);
        Assert.Equal("git version 2.34.1 is too old: 2.39 or later is needed. Update git, then try again.", (string)reason["message"]!);
        Assert.Equal("", Place.Git(place.Repository, "branch", "--list", "kanbots/*"));
    }
}
