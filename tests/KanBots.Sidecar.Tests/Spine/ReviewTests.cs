using System.Text;
using System.Text.Json.Nodes;
using KanBots.Sidecar.Tests.Git;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>What a person is shown of a run's files, against plain git in the worktree.</summary>
public sealed class ReviewTests
{
    private static JsonObject Params(long run, params (string Name, JsonNode? Value)[] more) => new([KeyValuePair.Create<string, JsonNode?>("runId", run), .. more.Select(one => KeyValuePair.Create(one.Name, one.Value))]);

    private static JsonNode Changes(WireClient client, long run, params (string Name, JsonNode? Value)[] more) => client.Call("review/changes", Params(run, more));

    private static string Paths(JsonNode changes) => string.Join(' ', changes["files"]!.AsArray().Select(file => $"{(string)file!["status"]!}:{(string)file["path"]!}"));

    private static JsonNode Checkpoints(WireClient client, long run) => client.Call("run/details", new JsonObject { ["runId"] = run })["checkpoints"]!;

    private static string? Fails(WireClient client, string method, JsonObject parameters) => Assert.Throws<WireError>(() => client.Call(method, parameters)).Kind;

    private static void Write(Place place, string path, string text) => File.WriteAllText(Path.Combine(place.Repository, path), text);

    private static (int Code, string Output) Cli(Place place, params string[] arguments)
    {
        var start = place.Command(place.Repository, arguments);
        start.RedirectStandardOutput = true;
        using var cli = System.Diagnostics.Process.Start(start)!;
        var output = cli.StandardOutput.ReadToEnd();
        cli.WaitForExit();
        return (cli.ExitCode, output);
    }

    /// <summary>An index of its own knows nothing of ours: the whole worktree, added there.</summary>
    private static string TreeByPlainGit(string worktree)
    {
        var index = Path.Combine(Path.GetTempPath(), $"kb-index-{Guid.NewGuid():N}");
        try
        {
            foreach (var command in new[] { "read-tree HEAD", "add -A", "write-tree" })
            {
                var start = new System.Diagnostics.ProcessStartInfo("git", command.Split(' ')) { WorkingDirectory = worktree, RedirectStandardOutput = true };
                start.Environment["GIT_INDEX_FILE"] = index;
                using var git = System.Diagnostics.Process.Start(start)!;
                var output = git.StandardOutput.ReadToEnd();
                git.WaitForExit();
                Assert.Equal(0, git.ExitCode);
                if (command == "write-tree")
                {
                    return output.Trim();
                }
            }

            return "";
        }
        finally
        {
            File.Delete(index);
        }
    }

    [Fact]
    public void Every_end_of_a_turn_is_kept_and_what_has_changed_since_can_be_asked()
    {
        using var place = new Place();
        place.Script("one", """[{"write":"kept.txt","text":"one\ntwo\n"},{"sh":"git add kept.txt && git -c user.name=A -c user.email=a@b commit -qm kept"},{"write":"loose.txt","text":"loose\n"},{"say":"one"}]""");
        place.Script("two", """[{"write":"loose.txt","text":"loose\nand more\n"},{"write":"later.txt","text":"later\n"},{"say":"two"}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "one"));
        var worktree = (string)Place.UntilState(client, run, "inReview")["worktreePath"]!;

        var first = Changes(client, run);
        Assert.Equal("added:kept.txt added:loose.txt", Paths(first));
        Assert.Equal(TreeByPlainGit(worktree), (string)first["tree"]!);
        Assert.Equal(TestRepository.PlainGit(worktree, "rev-parse", "HEAD").Trim(), (string)first["head"]!);
        Assert.Equal("""{"files":2,"insertions":3,"deletions":0}""", first["total"]!.ToJsonString());
        Assert.Equal("""{"files":2,"insertions":3,"deletions":0}""", Place.Run(client, run)["diffStat"]!.ToJsonString());
        var mark = Checkpoints(client, run).AsArray()[^1]!;
        Assert.Equal((string)first["tree"]!, (string)mark["tree"]!);

        client.Ask("run/reply", new JsonObject { ["runId"] = run, ["text"] = "[[fake:two]]" });
        Place.Until(client, "two launches", board => Place.Run(board, run) is var now && (int)now["launch"]! == 2 && (string)now["state"]! == "inReview");
        Assert.Equal("added:later.txt modified:loose.txt", Paths(Changes(client, run, ("from", (string)mark["id"]!))));
        Assert.Equal("added:later.txt modified:loose.txt", Paths(Changes(client, run, ("from", (string)first["tree"]!))));
        Assert.Equal("added:kept.txt added:loose.txt", Paths(Changes(client, run, ("to", (string)mark["id"]!))));
        Assert.Equal("", Paths(Changes(client, run, ("from", (string)Changes(client, run)["tree"]!))));

        // git's housekeeping at its hardest takes nothing of it, also when the agent's branch is gone.
        Place.Kill(place.ServePid);
        client.WaitForExit();
        TestRepository.PlainGit(worktree, "reset", "-q", "--hard", "main");
        TestRepository.PlainGit(worktree, "clean", "-fdxq");
        TestRepository.PlainGit(worktree, "reflog", "expire", "--expire=now", "--all");
        TestRepository.PlainGit(worktree, "gc", "-q", "--prune=now");
        client = place.Connect();
        client.Call("board/get");
        Assert.Equal(["loose\n", "loose\nand more\n"], Checkpoints(client, run).AsArray().Select(one => TestRepository.PlainGit(worktree, "cat-file", "blob", $"{(string)one!["tree"]!}:loose.txt")).Distinct());
        Assert.Equal("added:kept.txt added:loose.txt", Paths(Changes(client, run, ("to", (string)mark["id"]!))));
        Assert.Equal("", Paths(Changes(client, run)));
    }

    [Fact]
    public void A_list_is_paged_as_it_was_shown_and_a_file_is_read_from_either_side()
    {
        using var place = new Place();
        Write(place, "old.txt", "old\n");
        Write(place, "moves.txt", string.Concat(Enumerable.Range(0, 30).Select(i => $"line {i}\n")));
        place.Commit("files");
        place.Script("work", """[{"sh":"for i in 1 2 3 4 5 6 7; do echo $i > n$i; done; printf '\\000\\377' > bytes; echo new > old.txt; mv moves.txt moved.txt; ln -s old.txt link; rm readme.txt"},{"say":"done"}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "work"));
        var worktree = (string)Place.UntilState(client, run, "inReview")["worktreePath"]!;
        var all = Changes(client, run);
        Assert.Equal("added:bytes added:link renamed:moved.txt added:n1 added:n2 added:n3 added:n4 added:n5 added:n6 added:n7 modified:old.txt deleted:readme.txt", Paths(all));
        var pages = new List<string>();
        JsonNode page;
        for (string? after = null; ;)
        {
            page = Changes(client, run, ("limit", 5), ("after", after));
            pages.AddRange(page["files"]!.AsArray().Select(file => file!.ToJsonString()));
            Assert.Equal(all["total"]!.ToJsonString(), page["total"]!.ToJsonString());
            File.AppendAllText(Path.Combine(worktree, "n1"), "written while it is looked at\n");
            if ((after = (string?)page["next"]) is null)
            {
                break;
            }
        }

        Assert.Equal(all["files"]!.AsArray().Select(file => file!.ToJsonString()), pages);
        JsonNode Blob(string path, string side, params (string, JsonNode?)[] more) => client.Call("review/blob", Params(run, [("path", path), ("side", side), .. more]));
        Assert.Equal("old\n", (string?)Blob("old.txt", "base")["text"]);
        Assert.Equal("new\n", (string?)Blob("old.txt", "head")["text"]);
        Assert.Equal([0, 255], Convert.FromBase64String((string)Blob("bytes", "head")["base64"]!));
        Assert.Equal(("old.txt", "120000"), ((string?)Blob("link", "head")["text"], (string?)Blob("link", "head")["mode"]));
        Assert.True((bool)Blob("link", "base")["missing"]!);
        Assert.True((bool)Blob("readme.txt", "head")["missing"]!);
        Assert.Equal("1\n", (string?)Blob("n1", "head", ("to", (string)all["tree"]!))["text"]);
        Assert.Contains("written while", (string?)Blob("n1", "head")["text"]);
        foreach (var path in new[] { "../../readme.txt", "/etc/passwd", ".git", "", ":(top)old.txt" })
        {
            Assert.True(path.Length == 0 ? Fails(client, "review/blob", Params(run, ("path", path), ("side", "head"))) is not null : (bool)Blob(path, "head")["missing"]!);
        }

        foreach (var name in new[] { "main", "HEAD", "refs/heads/main", "--output=/tmp/x", "-p", "1-c0ffee" })
        {
            Assert.Equal("invalidArgument", Fails(client, "review/changes", Params(run, ("from", name))));
            Assert.Equal("invalidArgument", Fails(client, "review/changes", Params(run, ("to", name))));
        }
    }

    [Fact]
    public void What_we_placed_is_in_no_review_and_the_persons_own_refs_and_files_are_as_they_were()
    {
        using var place = new Place();
        Write(place, ".gitignore", ".env\n");
        Write(place, ".worktreeinclude", ".env\n");
        place.Commit("ignore");
        Write(place, ".env", "SECRET=1\n");
        place.Script("work", """[{"sh":"git add -f .env"},{"write":"new.txt","text":"new\n"},{"say":"done"}]""");
        var before = (Place.Git(place.Repository, "for-each-ref"), Place.Git(place.Repository, "status", "--porcelain"), Place.Git(place.Repository, "stash", "list"), File.ReadAllText(Path.Combine(place.Repository, ".git/config")));
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "work"));
        Place.UntilState(client, run, "inReview");
        Assert.Equal("added:new.txt", Paths(Changes(client, run)));
        var refs = string.Concat(Place.Git(place.Repository, "for-each-ref").Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.Contains("kanbots", StringComparison.Ordinal)).Select(line => $"{line}\n"));
        Assert.Equal(before, (refs, Place.Git(place.Repository, "status", "--porcelain"), Place.Git(place.Repository, "stash", "list"), File.ReadAllText(Path.Combine(place.Repository, ".git/config"))));
        Assert.All(Place.Git(place.Repository, "rev-list", "--objects", "--all").Split('\n'), line => Assert.False(line.EndsWith(" .env", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_terminal_shows_changes_diff_and_checkpoints()
    {
        using var place = new Place();
        place.Script("work", """[{"write":"new file.txt","text":"new\n"},{"say":"done"}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "work"));
        var worktree = (string)Place.UntilState(client, run, "inReview")["worktreePath"]!;
        Assert.Equal("A  +1 -0        new file.txt\n1 file, +1 -0\n", Cli(place, "changes", "1").Output);
        Assert.Contains("  turn\n", Cli(place, "checkpoints", "1").Output);
        var patch = Cli(place, "diff", "1").Output;
        var clone = Path.Combine(place.Root, "clone");
        TestRepository.PlainGit(place.Root, "clone", "-q", place.Repository, clone);
        File.WriteAllText(Path.Combine(clone, "p"), patch, new UTF8Encoding(false));
        TestRepository.PlainGit(clone, "apply", "p");
        Assert.Equal(File.ReadAllText(Path.Combine(worktree, "new file.txt")), File.ReadAllText(Path.Combine(clone, "new file.txt")));
        Assert.Equal("", Cli(place, "diff", "1", "not there").Output);
        Assert.Equal("Nothing has changed.\n", Cli(place, "changes", "1", "--since", (string)Changes(client, run)["tree"]!).Output);
        Assert.NotEqual(0, Cli(place, "changes", "1", "--since", "main").Code);
    }

    [Fact]
    public void A_run_is_taken_back_to_a_checkpoint_and_forward_again()
    {
        using var place = new Place();
        place.Script("one", """[{"write":"a.txt","text":"one\n"},{"say":"one"}]""");
        place.Script("two", """[{"write":"a.txt","text":"two\n"},{"write":"b.txt","text":"two\n"},{"say":"two"}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "one"));
        var worktree = (string)Place.UntilState(client, run, "inReview")["worktreePath"]!;
        client.Ask("run/reply", new JsonObject { ["runId"] = run, ["text"] = "[[fake:two]]" });
        Place.Until(client, "two launches", board => Place.Run(board, run) is var now && (int)now["launch"]! == 2 && (string)now["state"]! == "inReview");
        File.WriteAllText(Path.Combine(worktree, "a.txt"), "a person's\n");
        var first = (string)Checkpoints(client, run).AsArray()[0]!["id"]!;
        var back = client.Ask("run/rewind", new JsonObject { ["runId"] = run, ["checkpoint"] = first })["run"]!;
        Assert.Equal("""{"files":1,"insertions":1,"deletions":0}""", back["diffStat"]!.ToJsonString());
        Assert.Equal(("one\n", false), (File.ReadAllText(Path.Combine(worktree, "a.txt")), File.Exists(Path.Combine(worktree, "b.txt"))));
        var kept = Checkpoints(client, run).AsArray()[^1]!;
        Assert.Equal("rewind", (string)kept["why"]!);
        Assert.Equal(0, Cli(place, "rewind", "1", (string)kept["id"]!).Code);
        Assert.Equal(("a person's\n", "two\n"), (File.ReadAllText(Path.Combine(worktree, "a.txt")), File.ReadAllText(Path.Combine(worktree, "b.txt"))));
        Assert.Equal("invalidArgument", Assert.Throws<WireError>(() => client.Ask("run/rewind", new JsonObject { ["runId"] = run, ["checkpoint"] = "main" })).Kind);
    }

    [Fact]
    public void Comments_wait_over_a_restart_and_reach_the_agent_as_one_message_in_its_session()
    {
        using var place = new Place();
        place.Script("work", """[{"write":"a.txt","text":"one\n"},{"say":"done"}]""");
        place.Script("again", """[{"write":"b.txt","text":"two\n"},{"say":"done"}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "work"));
        var session = (string)Place.UntilState(client, run, "inReview")["sessionId"]!;
        JsonNode Comment(string path, int line, string side, string text, string? id = null) => client.Ask("review/comment", Params(run, ("path", path), ("line", line), ("side", side), ("text", text), ("commentId", id)));
        Comment("a.txt", 2, "head", "Say why. [[fake:again]]");
        var typo = (string)Comment("a.txt", 1, "head", "Tpyo")["commentId"]!;
        var gone = (string)Comment("readme.txt", 1, "base", "Never mind")["commentId"]!;
        Comment("a.txt", 1, "head", "Typo", typo);
        Assert.Equal(2, Comment("readme.txt", 1, "base", "", gone)["comments"]!.AsArray().Count);
        Assert.Equal("invalidArgument", Assert.Throws<WireError>(() => Comment("a.txt", 1, "head", "late", gone)).Kind);

        Place.Kill(place.ServePid);
        client.WaitForExit();
        client = place.Connect();
        client.Call("board/get");
        Assert.Equal(["Say why. [[fake:again]]", "Typo"], client.Call("run/details", Params(run))["comments"]!.AsArray().Select(one => (string)one!["text"]!));
        client.Ask("review/submit", Params(run, ("text", "Nearly.")));
        var after = Place.Until(client, "two launches", board => Place.Run(board, run) is var now && (int)now["launch"]! == 2 && (string)now["state"]! == "inReview");
        Assert.Equal(session, (string)Place.Run(after, run)["sessionId"]!);
        var said = client.Call("run/events", Params(run, ("limit", 500)))["items"]!.AsArray().Where(item => (string)item!["kind"]! == "userMessage").Select(item => (string)item!["body"]!["text"]!).Last();
        Assert.Equal("Nearly.\n\na.txt:1\nTypo\n\na.txt:2\nSay why. [[fake:again]]", said);
        Assert.Empty(client.Call("run/details", Params(run))["comments"]!.AsArray());
        Assert.Equal("invalidArgument", Assert.Throws<WireError>(() => client.Ask("review/submit", Params(run))).Kind);
    }
}
