using System.Text.Json.Nodes;
using KanBots.Sidecar.Tests.Git;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>The user's hooks at a landing: they run as for a commit of the user's, and one that says no leaves nothing half done.</summary>
public sealed class LandingHooksTests : IDisposable
{
    private readonly Place _place = new();
    private readonly WireClient _client;
    private readonly long _run;

    public LandingHooksTests()
    {
        Place.Git(_place.Repository, "config", "user.name", "Una User");
        Place.Git(_place.Repository, "config", "user.email", "una@example.com");
        _place.Script("work", """[{"write":"committed.txt","text":"committed\n"},{"sh":"git add -A && git -c user.name=A -c user.email=a@b commit -qm 'by the agent'"},{"write":"loose.txt","text":"loose\n"},{"say":"done"}]""");
        _client = _place.Start();
        _run = Place.Dispatch(_client, Place.Card(_client, 1, "work"));
        Place.UntilState(_client, _run, "inReview");
    }

    public void Dispose() => _place.Dispose();

    private string Noted => Path.Combine(_place.Root, "noted");

    private void Hook(string name, string script)
    {
        var path = Path.Combine(_place.Repository, ".git", "hooks", name);
        File.WriteAllText(path, $"#!/bin/sh\n{script}\n");
        TestRepository.Chmod("700", path);
    }

    private JsonNode Ask(string strategy, string branch)
    {
        var tree = (string)_client.Call("review/changes", new JsonObject { ["runId"] = _run })["tree"]!;
        return _client.Answer(_client.Send("run/promote", new JsonObject { ["requestId"] = Guid.NewGuid().ToString(), ["runId"] = _run, ["targetBranch"] = branch, ["expectedTree"] = tree, ["strategy"] = strategy }), "run/promote");
    }

    private string Git(params string[] arguments) => Place.Git(_place.Repository, arguments);

    private void AssertNothingIsLeft()
    {
        // Let go of once it is known to have landed, which is when the client is answered.
        Place.Until("the landing is let go of", () => Git("for-each-ref", "refs/kanbots/landing") == "");
        Assert.Equal(2, Git("worktree", "list").Trim().Split('\n').Length);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_place.State, "scratch"), "landing-*"));
    }

    [Fact]
    public void They_see_what_lands_on_its_target_and_may_write_the_message()
    {
        foreach (var name in new[] { "pre-commit", "commit-msg", "post-commit", "pre-merge-commit" })
        {
            Hook(name, $"echo {name} $(git rev-parse --abbrev-ref HEAD) $(git diff --cached --name-only HEAD | tr '\\n' ' ')$(cat loose.txt) >> '{Noted}'{(name == "commit-msg" ? "\necho 'Reviewed-by: a hook' >> \"$1\"" : "")}");
        }

        var before = Git("status", "--porcelain");
        var commit = (string)Ask("squash", "one")["result"]!["commit"]!;
        Assert.Equal(["pre-commit HEAD committed.txt loose.txt loose", "commit-msg HEAD committed.txt loose.txt loose", "post-commit HEAD loose"], File.ReadAllLines(Noted));
        Assert.EndsWith("Reviewed-by: a hook", Git("log", "-1", "--format=%B", commit).Trim(), StringComparison.Ordinal);
        Assert.Equal(before, Git("status", "--porcelain"));
        AssertNothingIsLeft();
    }

    [Fact]
    public void A_merge_asks_the_hook_of_merges()
    {
        Hook("pre-merge-commit", $"echo merge >> '{Noted}'");
        Hook("pre-commit", $"echo commit >> '{Noted}'");
        Git("branch", "next");
        Assert.NotNull(Ask("merge", "next")["result"]);
        Assert.Equal(["merge"], File.ReadAllLines(Noted));
        AssertNothingIsLeft();
    }

    [Fact]
    public void A_rebase_asks_before_it_and_for_what_was_not_committed()
    {
        Hook("pre-rebase", $"echo rebase $(ls | tr '\\n' ' ') >> '{Noted}'");
        Hook("pre-commit", $"echo commit $(git diff --cached --name-only HEAD) >> '{Noted}'");
        Git("branch", "next");
        var commit = (string)Ask("rebase", "next")["result"]!["commit"]!;
        Assert.Equal(["rebase readme.txt", "commit loose.txt"], File.ReadAllLines(Noted));
        Assert.Equal("2", Git("rev-list", "--count", $"main..{commit}").Trim());
        AssertNothingIsLeft();
    }

    [Fact]
    public void One_that_says_no_is_shown_and_nothing_is_half_done()
    {
        Hook("pre-commit", "echo 'lint: loose.txt is loose' >&2; exit 3");
        var refs = Git("for-each-ref", "refs/heads");
        var error = Ask("squash", "one")["error"]!;
        Assert.Equal("hookFailed", (string)error["data"]!["kind"]!);
        Assert.Contains("pre-commit ended with code 3", (string)error["message"]!);
        Assert.Contains("lint: loose.txt is loose", (string)error["message"]!);
        Assert.Equal(refs, Git("for-each-ref", "refs/heads"));
        Assert.Equal("inReview", (string)Place.Run(_client, _run)["state"]!);
        AssertNothingIsLeft();
    }

    [Fact]
    public void One_that_changes_what_was_reviewed_is_named_with_the_file()
    {
        Hook("pre-commit", "echo formatted > loose.txt; git add loose.txt");
        var error = Ask("squash", "one")["error"]!;
        Assert.Equal("hookFailed", (string)error["data"]!["kind"]!);
        Assert.Contains("pre-commit has changed loose.txt", (string)error["message"]!);
        Assert.DoesNotContain("refs/heads/one", Git("for-each-ref", "refs/heads"));
        AssertNothingIsLeft();
    }

    [Fact]
    public void The_hooks_are_those_of_the_main_working_tree_and_not_the_agents_version_of_them()
    {
        Directory.CreateDirectory(Path.Combine(_place.Repository, "hooks"));
        File.WriteAllText(Path.Combine(_place.Repository, "hooks", "pre-commit"), $"#!/bin/sh\necho main >> '{Noted}'\n");
        TestRepository.Chmod("700", Path.Combine(_place.Repository, "hooks", "pre-commit"));
        Git("config", "core.hooksPath", "hooks");
        var worktree = (string)Place.Run(_client, _run)["worktreePath"]!;
        Directory.CreateDirectory(Path.Combine(worktree, "hooks"));
        File.WriteAllText(Path.Combine(worktree, "hooks", "pre-commit"), $"#!/bin/sh\necho agent >> '{Noted}'\n");
        TestRepository.Chmod("700", Path.Combine(worktree, "hooks", "pre-commit"));
        Assert.NotNull(Ask("squash", "one")["result"]);
        Assert.Equal(["main"], File.ReadAllLines(Noted));
    }

    [Fact]
    public void Serve_may_die_while_one_runs()
    {
        Hook("pre-commit", $"echo began >> '{Noted}'; [ $(wc -l < '{Noted}') -gt 1 ] || sleep 60");
        var tree = (string)_client.Call("review/changes", new JsonObject { ["runId"] = _run })["tree"]!;
        var wish = new JsonObject { ["requestId"] = Guid.NewGuid().ToString(), ["runId"] = _run, ["targetBranch"] = "one", ["expectedTree"] = tree };
        _client.Send("run/promote", wish.DeepClone().AsObject());
        Place.Until("the hook runs", () => File.Exists(Noted));
        Place.Kill(_place.ServePid);
        _client.WaitForExit();
        var again = _place.Connect();
        var commit = (string)again.Answer(again.Send("run/promote", wish), "run/promote")["result"]!["commit"]!;
        Assert.Equal(tree, Git("rev-parse", $"{commit}^{{tree}}").Trim());
        Assert.Equal("1", Git("rev-list", "--count", "main..one").Trim());
        AssertNothingIsLeft();
    }

    [Fact]
    public void A_worktree_of_somebodys_at_the_place_stays_and_is_named()
    {
        Hook("pre-commit", "exit 0");
        var theirs = Path.Combine(Path.GetDirectoryName((string)Place.Run(_client, _run)["worktreePath"]!)!, $"landing-1-{_run}");
        Git("worktree", "add", "-q", "--detach", "--lock", "--reason", "mine", theirs);
        File.WriteAllText(Path.Combine(theirs, "precious.txt"), "precious\n");
        var error = Ask("squash", "one")["error"]!;
        Assert.Contains("already exists", (string)error["message"]!);
        Assert.Equal("precious\n", File.ReadAllText(Path.Combine(theirs, "precious.txt")));
        Assert.DoesNotContain("refs/heads/one", Git("for-each-ref", "refs/heads"));
    }

    [Fact]
    public void Trailers_are_a_setting()
    {
        _client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { ["promote.trailers"] = false } });
        var commit = (string)Ask("squash", "one")["result"]!["commit"]!;
        Assert.Equal("card 1 (#1)", Git("log", "-1", "--format=%B", commit).Trim());
    }
}
