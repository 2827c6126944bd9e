using System.Diagnostics;
using System.Text.Json.Nodes;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Journal;
using Microsoft.Data.Sqlite;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>A repository from somebody else, opened without trust: looking at its board runs nothing of it and plants nothing. After trust
/// what runs is what git and the agent themselves would run there, such as its hooks and filters: the sidecar adds nothing, and stops none.</summary>
public sealed class HostileRepositoryTests
{
    [Fact]
    public void Looking_at_a_hostile_repository_runs_nothing_of_it_and_plants_nothing()
    {
        using var place = new Place();
        Plant(place);
        var before = Listing(place);
        var client = place.Connect(trusted: false);
        client.Call("board/get");
        client.Call("sidecar/status");
        client.Call("config/get");
        client.Call("agent/list");
        client.Call("decision/list");
        foreach (var (method, parameters) in Writing())
        {
            Assert.Equal("notTrusted", Assert.Throws<WireError>(() => client.Ask(method, parameters)).Kind);
        }

        // Looking at changes asks git, with its filters.
        Assert.Equal("notTrusted", Assert.Throws<WireError>(() => client.Call("review/changes", new JsonObject { ["runId"] = 1 })).Kind);
        Assert.Equal("notTrusted", Assert.Throws<WireError>(() => client.Call("worktree/list", [])).Kind);
        Assert.Equal("notTrusted", Assert.Throws<WireError>(() => client.Call("review/blob", new JsonObject { ["runId"] = 1, ["path"] = "p", ["side"] = "base" })).Kind);
        Assert.Empty(Marks(place));
        Assert.Equal(before, Listing(place));
        Assert.False(Directory.Exists(Path.Combine(place.Repository, ".git", "worktrees")));

        // The traps are real: git itself runs one when a person asks it there.
        using var git = Process.Start(new ProcessStartInfo("git", ["status"]) { WorkingDirectory = place.Repository, RedirectStandardOutput = true, RedirectStandardError = true })!;
        git.WaitForExit();
        Assert.NotEmpty(Marks(place));
    }

    [Fact]
    public void A_board_that_was_copied_along_starts_its_agents_only_when_somebody_trusts_it()
    {
        using var place = new Place();
        place.Script("work", """[{"write":"w.txt","text":"w"}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "work"));
        Place.UntilState(client, run, "inReview");
        Place.Kill(place.ServePid);
        client.WaitForExit();
        using (var database = Database.Open(Path.Combine(place.State, "kanbots.db"), "unused", "a test"))
        {
            var planted = database.Load().Runs[run] with { State = RunState.Queued, SessionKnown = false, Launch = 1, Messages = [new Message("planted", "[[fake:work]]", MessageState.Waiting)] };
            database.Append([new Event.RunQueued(planted)], DateTimeOffset.UtcNow);
        }

        client = place.Connect(trusted: false);
        client.Call("board/get");
        var log = Path.Combine(place.State, "serve.log");
        Place.Until("serve has settled and ticked", () => File.ReadAllText(log).Contains("listens", StringComparison.Ordinal) && client.Call("sidecar/status") is not null);
        Assert.False(Directory.Exists(place.RunFolder(1, run, 2)));
        Assert.Single(place.AgentPids(1, run));

        client = place.Connect();
        Place.Until(client, "what waited for trust goes on", board => Place.Run(board, run) is var now && (int)now["launch"]! == 2 && (string)now["state"]! == "inReview");
        Assert.Equal(2, place.AgentPids(1, run).Count);
    }

    [Fact]
    public void A_program_that_the_copied_settings_name_is_not_run_without_trust()
    {
        using var place = new Place();
        var mark = Path.Combine(place.Root, "mark-claude");
        var program = place.Program("claude", $"#!/bin/sh\n: >'{mark}'\necho 2.1.330");
        Directory.CreateDirectory(place.State);
        File.WriteAllText(Path.Combine(place.State, "settings.json"), new JsonObject { ["claudePath"] = program }.ToJsonString());
        var client = place.Connect(trusted: false);
        client.Call("agent/list");
        Assert.False(File.Exists(mark));
        client = place.Connect();
        client.Call("agent/list");
        Assert.True(File.Exists(mark)); // in a trusted workspace the setting counts
    }

    [Fact]
    public void A_planted_kanbots_folder_that_is_a_link_is_refused_by_name_and_nothing_is_written_through_it()
    {
        using var place = new Place();
        var outside = Directory.CreateDirectory(Path.Combine(place.Root, "outside")).FullName;
        File.CreateSymbolicLink(Path.Combine(place.Repository, ".kanbots"), outside);
        place.Commit("a link");
        var client = place.Start();
        place.Script("work", """[{"say":"hi"}]""");
        var run = Place.Dispatch(client, Place.Card(client, 1, "work"));
        Assert.Equal("kanbotsFolderForeign", (string?)Place.UntilState(client, run, "failed")["reason"]!["kind"]);
        Assert.Empty(Directory.EnumerateFileSystemEntries(outside));
    }

    /// <summary>Every method that changes something: whoever adds one adds it here, or the count below says so.</summary>
    internal static IEnumerable<(string Method, JsonObject Parameters)> Writing() =>
    [
        ("card/create", new JsonObject { ["title"] = "t" }), ("card/update", new JsonObject { ["cardId"] = 1, ["title"] = "t" }), ("card/move", new JsonObject { ["cardId"] = 1, ["column"] = "done" }),
        ("card/archive", new JsonObject { ["cardId"] = 1 }), ("card/delete", new JsonObject { ["cardId"] = 1 }), ("run/dispatch", new JsonObject { ["cardId"] = 1 }), ("run/stop", new JsonObject { ["runId"] = 1 }),
        ("run/reply", new JsonObject { ["runId"] = 1, ["text"] = "t" }), ("run/resume", new JsonObject { ["runId"] = 1 }), ("decision/answer", new JsonObject { ["decisionId"] = "d", ["allow"] = true }),
        ("decision/dismiss", new JsonObject { ["decisionId"] = "d" }), ("config/set", new JsonObject { ["values"] = new JsonObject { ["runs.maxParallel"] = 1 } }),
        ("run/promote", new JsonObject { ["runId"] = 1, ["targetBranch"] = "b", ["expectedTree"] = "t" }), ("run/discard", new JsonObject { ["runId"] = 1 }), ("run/restore", new JsonObject { ["runId"] = 1 }),
        ("run/fork", new JsonObject { ["runId"] = 1 }), ("run/resolveConflicts", new JsonObject { ["runId"] = 1, ["branch"] = "b" }), ("review/markViewed", new JsonObject { ["runId"] = 1, ["files"] = new JsonArray(new JsonObject { ["path"] = "p" }) }), ("worktree/remove", new JsonObject { ["paths"] = new JsonArray("p") }),
        ("run/rewind", new JsonObject { ["runId"] = 1, ["checkpoint"] = "c" }), ("review/comment", new JsonObject { ["runId"] = 1, ["path"] = "p", ["line"] = 1, ["side"] = "head", ["text"] = "t" }), ("review/submit", new JsonObject { ["runId"] = 1 }),
    ];

    [Fact]
    public void Every_method_with_a_request_id_is_among_those_that_are_refused_without_trust()
    {
        var records = typeof(KanBots.Sidecar.Protocol.Methods).Assembly.GetTypes().Where(type => type.Name.EndsWith("Params", StringComparison.Ordinal) && type.GetProperty("RequestId") is not null).Select(type => type.Name[..^"Params".Length]);
        Assert.Equal(records.Order(), Writing().Select(one => string.Concat(one.Method.Split('/').Select(word => char.ToUpperInvariant(word[0]) + word[1..]))).Order());
    }

    private static void Plant(Place place)
    {
        string Trap(string name) => place.Program($"trap-{name}", $"#!/bin/sh\n: >'{Path.Combine(place.Root, $"mark-{name}")}'\nexit 1");
        void Configure(string key, string value) => Place.Git(place.Repository, "config", key, value);
        var tree = place.Repository;
        Directory.CreateDirectory(Path.Combine(tree, ".claude"));
        File.WriteAllText(Path.Combine(tree, ".claude", "settings.json"), new JsonObject { ["hooks"] = new JsonObject { ["SessionStart"] = new JsonArray(new JsonObject { ["hooks"] = new JsonArray(new JsonObject { ["type"] = "command", ["command"] = Trap("claude") }) }) } }.ToJsonString());
        File.WriteAllText(Path.Combine(tree, ".mcp.json"), new JsonObject { ["mcpServers"] = new JsonObject { ["x"] = new JsonObject { ["command"] = Trap("mcp") } } }.ToJsonString());
        Directory.CreateDirectory(Path.Combine(tree, ".kanbots", "worktrees", "issue-1-1"));
        File.WriteAllText(Path.Combine(tree, ".kanbots", "settings.json"), new JsonObject { ["claudePath"] = Trap("planted") }.ToJsonString());
        File.WriteAllText(Path.Combine(tree, ".kanbots", "kanbots.db"), "planted");
        Directory.CreateDirectory(Path.Combine(tree, "git", "kanbots", "runs", "1-1", "1"));
        File.WriteAllText(Path.Combine(tree, "git", "HEAD"), "ref: refs/heads/main\n");
        File.CreateSymbolicLink(Path.Combine(tree, "linked"), place.Root);
        place.Commit("traps in the tree");
        File.WriteAllText(Path.Combine(tree, ".gitattributes"), "* filter=trap diff=trap\n");
        var hooks = Directory.CreateDirectory(Path.Combine(place.Root, "hooks")).FullName;
        foreach (var hook in new[] { "pre-commit", "post-checkout", "reference-transaction", "post-index-change", "fsmonitor-watchman" })
        {
            File.Copy(Trap($"hook-{hook}"), Path.Combine(hooks, hook));
        }

        Configure("core.hooksPath", hooks);
        Configure("core.fsmonitor", Trap("fsmonitor"));
        Configure("core.sshCommand", Trap("ssh"));
        Configure("core.pager", Trap("pager"));
        Configure("core.editor", Trap("editor"));
        Configure("core.gitProxy", Trap("proxy"));
        Configure("credential.helper", Trap("credential"));
        Configure("filter.trap.clean", Trap("clean"));
        Configure("filter.trap.smudge", Trap("smudge"));
        Configure("filter.trap.process", Trap("process"));
        Configure("diff.trap.command", Trap("diff"));
        Configure("diff.external", Trap("external"));
        foreach (var verb in new[] { "rev-parse", "status", "worktree", "for-each-ref", "config", "branch" })
        {
            Configure($"alias.{verb}", $"!{Trap($"alias-{verb}")}");
        }

        Configure("remote.origin.url", $"ext::{Trap("remote")}");
        Configure("protocol.ext.allow", "always");
    }

    private static IEnumerable<string> Marks(Place place) => Directory.EnumerateFiles(place.Root, "mark-*").Select(Path.GetFileName)!;

    /// <summary>Everything in the place but our own state, caches and sockets.</summary>
    internal static List<string> Listing(Place place) =>
        [.. Directory.EnumerateFileSystemEntries(place.Root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
            .Where(path => !path.StartsWith(place.State, StringComparison.Ordinal) && !path.StartsWith(place.Cache, StringComparison.Ordinal) && !path.StartsWith(place.Runtime, StringComparison.Ordinal) && !path.Contains("/linked/", StringComparison.Ordinal))
            .Select(path => $"{path} {(File.GetAttributes(path) & FileAttributes.Directory) != 0} {File.ResolveLinkTarget(path, false)?.FullName} {(Directory.Exists(path) ? 0 : new FileInfo(path).Length)}").Order(StringComparer.Ordinal)];
}
