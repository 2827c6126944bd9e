using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>Worktrees that are listed, taken away after it was shown what that means, and what goes by age alone.</summary>
public sealed class CleanUpTests : IDisposable
{
    private readonly Place _place = new();
    private WireClient _client;

    public CleanUpTests()
    {
        Place.Git(_place.Repository, "config", "user.name", "Una User");
        Place.Git(_place.Repository, "config", "user.email", "una@example.com");
        _place.Script("work", """[{"sh":"echo \"of run $KANBOTS_PORT\" > work.txt"},{"say":"done"}]""");
        _place.Script("nothing", """[{"say":"done"}]""");
        _place.Script("ask", """[{"ask":[{"question":"Which?","header":"H","multiSelect":false,"options":[{"label":"A"}]}]}]""");
        _client = _place.Start();
    }

    public void Dispose() => _place.Dispose();

    private string Git(params string[] arguments) => Place.Git(_place.Repository, arguments);

    private (long Id, string Path) Run(int card, string script, string state = "inReview")
    {
        var id = Place.Dispatch(_client, Place.Card(_client, card, script));
        return (id, (string)Place.UntilState(_client, id, state)["worktreePath"]!);
    }

    private Dictionary<string, JsonNode> List() => _client.Call("worktree/list", [])["worktrees"]!.AsArray().ToDictionary(item => (string)item!["path"]!, item => item!);

    private JsonNode Remove(string? plan, bool foreign, params string[] paths) => _client.Answer(_client.Send("worktree/remove", new JsonObject { ["requestId"] = Guid.NewGuid().ToString(), ["paths"] = new JsonArray([.. paths.Select(path => JsonValue.Create(path))]), ["plan"] = plan, ["foreign"] = foreign }), "worktree/remove");

    /// <summary>Shown, then done.</summary>
    private JsonNode Remove(bool foreign, params string[] paths) => Remove((string)Remove(null, foreign, paths)["result"]!["plan"]!, foreign, paths)["result"]!["worktrees"]!;

    private void Promote(long run, string branch, string strategy = "squash") => _client.Ask("run/promote", new JsonObject { ["runId"] = run, ["targetBranch"] = branch, ["strategy"] = strategy, ["expectedTree"] = (string)_client.Call("review/changes", new JsonObject { ["runId"] = run })["tree"]! });

    private WireClient Restart(string? journal)
    {
        Place.Kill(_place.ServePid);
        _client.WaitForExit();
        if (journal is not null)
        {
            using var connection = new SqliteConnection($"Data Source={Path.Combine(_place.State, "kanbots.db")};Pooling=False");
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = $"{journal}; delete from snapshot";
            Assert.True(command.ExecuteNonQuery() > 0);
        }

        _client = _place.Connect();
        _client.Call("board/get");
        return _client;
    }

    [Fact]
    public void Every_worktree_has_its_class_its_size_and_what_would_be_lost()
    {
        var review = Run(1, "work");
        var clean = Run(2, "nothing", "finished");
        var live = Run(3, "ask", "awaitingDecision");
        var merged = Run(4, "work");
        Promote(merged.Id, "main");
        File.WriteAllText(Path.Combine(_place.Repository, "work.txt"), "the same file has gone on since\n");
        Git("commit", "-qam", "later");
        var discarded = Run(5, "work");
        _client.Ask("run/discard", new JsonObject { ["runId"] = discarded.Id });
        var missing = Run(6, "nothing", "finished");
        Directory.Delete(missing.Path, recursive: true);
        var (foreign, dirty, locked) = (Path.Combine(_place.Root, "foreign"), Path.Combine(_place.Root, "dirty"), Path.Combine(_place.Root, "locked"));
        Git("worktree", "add", "-q", "-b", "theirs", foreign);
        Git("worktree", "add", "-q", "--detach", dirty);
        File.WriteAllText(Path.Combine(dirty, "loose.txt"), new string('x', 5_000));
        Git("worktree", "add", "-q", "--detach", "--lock", "--reason", "mine", locked);

        var listed = List();
        var trash = Path.Combine(_place.State, "trash", $"issue-5-{discarded.Id}");
        Assert.Equal(
            new Dictionary<string, (string, string)>
            {
                [_place.Repository] = ("main", "nothing"), [review.Path] = ("inReview", "discard"), [clean.Path] = ("clean", "discard"), [live.Path] = ("live", "nothing"), [merged.Path] = ("merged", "discard"),
                [trash] = ("trash", "free"), [missing.Path] = ("missing", "forget"), [foreign] = ("foreign", "remove"), [dirty] = ("foreign", "nothing"), [locked] = ("locked", "nothing"),
            }.OrderBy(one => one.Key, StringComparer.Ordinal),
            listed.ToDictionary(one => one.Key, one => ((string)one.Value["class"]!, (string)one.Value["removal"]!)).OrderBy(one => one.Key, StringComparer.Ordinal));
        Assert.Equal("main", (string)listed[merged.Path]["mergedInto"]!);
        var bytes = Directory.EnumerateFiles(dirty, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
        Assert.Equal(bytes, (long)listed[dirty]["bytes"]!);
        Assert.Contains("1 untracked file", (string)listed[dirty]["why"]!);
        Assert.Contains($"everything that run {discarded.Id} left", (string)listed[trash]["loses"]![0]!);
        Assert.Empty(listed[review.Path]["loses"]!.AsArray());
        Assert.Equal((long)listed[trash]["bytes"]!, (long)_client.Call("worktree/list", [])["trashBytes"]!);
    }

    [Fact]
    public void What_has_landed_otherwise_is_known_by_its_change()
    {
        var one = Run(1, "work");
        Git("checkout", "-q", "-b", "by-hand");
        File.Copy(Path.Combine(one.Path, "work.txt"), Path.Combine(_place.Repository, "work.txt"));
        Git("add", "work.txt");
        Git("commit", "-qm", "brought over by hand");
        File.WriteAllText(Path.Combine(_place.Repository, "work.txt"), "and changed again\n");
        Git("commit", "-qam", "gone on");
        Git("checkout", "-q", "main");
        Assert.Equal("inReview", (string)List()[one.Path]["class"]!);
        Git("merge", "-q", "--ff-only", "by-hand");
        Assert.Equal("merged", (string)List()[one.Path]["class"]!);
    }

    [Fact]
    public void First_it_is_shown_then_done_and_what_has_changed_in_between_is_shown_again()
    {
        var one = Run(1, "work");
        var foreign = Path.Combine(_place.Root, "foreign");
        Git("worktree", "add", "-q", "-b", "theirs", foreign);

        var shown = Remove(null, false, one.Path, foreign)["result"]!;
        Assert.True(Directory.Exists(one.Path) && Directory.Exists(foreign));
        Assert.Equal(["discard", "nothing"], shown["worktrees"]!.AsArray().OrderBy(item => (string)item!["path"]! == foreign).Select(item => (string)item!["removal"]!));
        Assert.Contains("not of the sidecar's making", (string)shown["worktrees"]!.AsArray().Single(item => (string)item!["path"]! == foreign)!["why"]!);

        var plan = (string)Remove(null, true, foreign)["result"]!["plan"]!;
        File.WriteAllText(Path.Combine(foreign, "loose.txt"), "loose\n");
        Assert.Equal("worktreeChanged", (string)Remove(plan, true, foreign)["error"]!["data"]!["kind"]!);
        Assert.Contains("Commit or move them first", Remove(true, foreign).ToJsonString());
        Assert.True(File.Exists(Path.Combine(foreign, "loose.txt")));
        File.Delete(Path.Combine(foreign, "loose.txt"));
        Assert.True((bool)Remove(true, foreign)[0]!["done"]!);
        Assert.False(Directory.Exists(foreign));
        Assert.Equal(0, Place.Git(_place.Repository, "rev-parse", "--verify", "theirs").Trim().Length - 40);

        // Discarded first, and only then for good.
        Assert.True((bool)Remove(false, one.Path)[0]!["done"]!);
        Assert.Equal("discarded", (string)Place.Run(_client, one.Id)["state"]!);
        var trash = Path.Combine(_place.State, "trash", $"issue-1-{one.Id}");
        Assert.True((bool)Remove(false, trash)[0]!["done"]!);
        Assert.False(Directory.Exists(trash));
        Assert.Equal("", Git("for-each-ref", "refs/kanbots/trash"));
        Assert.Single(Git("worktree", "list").Trim().Split('\n'));
        Assert.Equal("worktreeMissing", Assert.Throws<WireError>(() => _client.Ask("run/restore", new JsonObject { ["runId"] = one.Id })).Kind);
        Assert.Null(Place.Run(_client, one.Id)["restorableUntil"]);
        var fork = (long)_client.Ask("run/fork", new JsonObject { ["runId"] = one.Id })["run"]!["id"]!;
        Assert.Contains("of run", File.ReadAllText(Path.Combine((string)Place.UntilState(_client, fork, "inReview")["worktreePath"]!, "work.txt")));
    }

    [Fact]
    public void What_cannot_be_deleted_is_said_and_can_be_tried_again_but_never_restored_in_part()
    {
        var one = Run(1, "work");
        _client.Ask("run/discard", new JsonObject { ["runId"] = one.Id });
        var trash = Path.Combine(_place.State, "trash", $"issue-1-{one.Id}");
        File.WriteAllText(Path.Combine(trash, ".git"), "gitdir: /nowhere\n");
        Assert.Contains("git could not look into it", List()[trash]["why"]?.ToString() ?? "git could not look into it");
        var plan = (string)Remove(null, false, trash)["result"]!["plan"]!;
        var refused = Remove(plan, false, trash)["result"]!["worktrees"]![0]!;
        Assert.False((bool)refused["done"]!);
        Assert.True(File.Exists(Path.Combine(trash, "work.txt")));
        Assert.Equal("worktreeMissing", Assert.Throws<WireError>(() => _client.Ask("run/restore", new JsonObject { ["runId"] = one.Id })).Kind);
    }

    [Fact]
    public void After_its_days_the_trash_is_announced_and_then_freed()
    {
        var one = Run(1, "work");
        _client.Ask("run/discard", new JsonObject { ["runId"] = one.Id });
        var trash = Path.Combine(_place.State, "trash", $"issue-1-{one.Id}");
        var soon = DateTimeOffset.UtcNow.AddDays(2).ToString("O");
        Restart($"update journal set json = cast(json_set(cast(json as text), '$.discarded.until', '{soon}') as blob) where kind = 'RunDiscarded'");
        Place.Until(_client, "it is announced", board => Place.Run(board, one.Id)["notices"]?.ToJsonString().Contains("deleted for good on", StringComparison.Ordinal) == true);
        Assert.True(Directory.Exists(trash));
        Restart("update journal set json = cast(json_set(cast(json as text), '$.discarded.until', '2026-01-01T00:00:00+00:00') as blob) where kind = 'RunDiscarded'");
        Place.Until("it is gone", () => !Directory.Exists(trash));
        Place.Until(_client, "the card says so", board => Place.Run(board, one.Id)["restorableUntil"] is null && (string)Place.Run(board, one.Id)["worktreePath"]! == "");
        Assert.Contains("deleted for good", File.ReadAllText(Path.Combine(_place.State, "serve.log")));
    }

    [Fact]
    public void Checkpoints_go_by_age_and_the_last_of_a_worktree_stays()
    {
        var (id, path) = Run(1, "work");
        for (var turn = 2; turn <= 3; turn++)
        {
            _place.Script("work", $$"""[{"write":"work{{turn}}.txt","text":"{{turn}}\n"},{"say":"done"}]""");
            _client.Ask("run/reply", new JsonObject { ["runId"] = id, ["text"] = "[[fake:work]]" });
            Place.Until(_client, "the next turn", board => Place.Run(board, id) is var now && (int)now["launch"]! == turn && (string)now["state"]! == "inReview");
        }

        string[] Refs() => Git("for-each-ref", "--format=%(refname) %(objectname)", "refs/kanbots/trees").Trim().Split('\n');
        var marks = _client.Call("run/details", new JsonObject { ["runId"] = id })["checkpoints"]!.AsArray().Select(mark => ((string)mark!["id"]!, (string)mark["tree"]!)).ToList();
        Assert.Equal(3, marks.Count);
        Place.Kill(_place.ServePid);
        _client.WaitForExit();
        // As if the first two had been taken long ago: a checkpoint's time is in its name.
        var old = marks.Take(2).Select((mark, at) => (mark.Item1, New: $"{1_600_000_000_000 + at}-{mark.Item2[..8]}", mark.Item2)).ToList();
        foreach (var (was, now, tree) in old)
        {
            Git("update-ref", $"refs/kanbots/trees/issue-1-{id}/{now}", tree);
            Git("update-ref", "-d", $"refs/kanbots/trees/issue-1-{id}/{was}");
        }

        Restart(string.Join("; ", old.Select(mark => $"update journal set json = cast(replace(cast(json as text), '{mark.Item1}', '{mark.New}') as blob)")));
        Place.Until(_client, "the old ones are gone", _ => _client.Call("run/details", new JsonObject { ["runId"] = id })["checkpoints"]!.AsArray().Count == 1);
        Assert.Equal($"refs/kanbots/trees/issue-1-{id}/{marks[2].Item1} {marks[2].Item2}", Assert.Single(Refs()));
        Git("gc", "-q", "--prune=now");
        Assert.Equal("work.txt\nwork2.txt\nwork3.txt", Git("ls-tree", "--name-only", marks[2].Item2, "work.txt", "work2.txt", "work3.txt").Trim());
        Assert.Equal(3, Directory.EnumerateFiles(path, "work*").Count());
    }

    [Fact]
    public void The_terminal_shows_them_and_removes_only_with_a_yes()
    {
        var one = Run(1, "work");
        var (code, said, _) = Terminal("worktrees");
        Assert.Equal(0, code);
        Assert.Contains("inReview", said);
        Assert.Contains("#1 kanbots/issue-1-", said);
        (code, said, _) = Terminal("worktrees", "--remove", "#1");
        Assert.Equal(0, code);
        Assert.Contains("Add --yes to do it", said);
        Assert.True(Directory.Exists(one.Path));
        (code, said, _) = Terminal("worktrees", "--remove", "#1", "--yes");
        Assert.Contains("discarded", said);
        Assert.False(Directory.Exists(one.Path));
        (code, said, _) = Terminal("worktrees", "--remove", "trash");
        Assert.Contains("loses everything that run", said);
        Assert.Equal(2, Terminal("worktrees", "nowhere").Code);
    }

    private (int Code, string Output, string Error) Terminal(params string[] arguments)
    {
        var start = _place.Command(_place.Repository, arguments);
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        using var process = System.Diagnostics.Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
