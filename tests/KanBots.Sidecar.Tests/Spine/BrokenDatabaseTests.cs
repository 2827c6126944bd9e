using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>The board's database is broken in every way; serve starts all the same, with everything that can be had from elsewhere.</summary>
public sealed class BrokenDatabaseTests
{
    private static string Database(Place place) => Path.Combine(place.State, "kanbots.db");

    private static void Break(Place place, string how)
    {
        var path = Database(place);
        switch (how)
        {
            case "noDatabase":
                File.WriteAllText(path, new string('x', 20_000));
                File.Delete(path + "-wal");
                break;
            case "empty":
                File.WriteAllBytes(path, []);
                File.Delete(path + "-wal");
                break;
            case "missing":
                File.Delete(path);
                File.Delete(path + "-wal");
                break;
            case "truncated":
                Checkpoint(path);
                using (var file = new FileStream(path, FileMode.Open))
                {
                    file.SetLength(file.Length / 2);
                }

                break;
            case "page":
                Checkpoint(path);
                var bytes = File.ReadAllBytes(path);
                for (var i = 2 * 4096; i < 6 * 4096 && i < bytes.Length; i++)
                {
                    bytes[i] ^= 0xFF;
                }

                File.WriteAllBytes(path, bytes);
                break;
            case "event":
                Sql(path, "update journal set json = cast('{\"run\":' as blob) where kind = 'RunQueued' and seq = (select max(seq) from journal where kind = 'RunQueued')");
                break;
            case "wal":
                Checkpoint(path);
                File.WriteAllBytes(path + "-wal", Encoding.ASCII.GetBytes(new string('w', 40_000)));
                break;
        }
    }

    private static void Checkpoint(string path) => Sql(path, "pragma wal_checkpoint(truncate)");

    private static void Sql(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    [Theory]
    [InlineData("noDatabase", false)]
    [InlineData("empty", false)]
    [InlineData("missing", false)]
    [InlineData("truncated", false)]
    [InlineData("page", false)]
    [InlineData("event", true)]
    [InlineData("wal", true)]
    public void A_broken_database_is_kept_aside_and_the_board_made_again(string how, bool textsKept)
    {
        using var place = new Place();
        place.Script("work", """[{"write":"w.txt","text":"a\nb\n"},{"say":"done","usd":0.25}]""");
        place.Script("ask", """[{"say":"one","usd":0.05},{"ask":[{"question":"Which?","header":"H","multiSelect":false,"options":[{"label":"A"}]}]},{"ask":[{"question":"And then?","header":"H","multiSelect":false,"options":[{"label":"B"}]}],"usd":0.01},{"write":"w.txt","text":"w"}]""");
        var client = place.Start();
        var idle = client.Ask("card/create", new JsonObject { ["title"] = "no run yet", ["number"] = 90 });
        Assert.NotNull(idle);
        var done = Place.Dispatch(client, Place.Card(client, 88, "work"));
        Place.UntilState(client, done, "inReview");
        client.Ask("run/reply", new JsonObject { ["runId"] = done, ["text"] = "more" });
        Place.Until(client, "the second launch is over", board => Place.Run(board, done) is var run && (int)run["launch"]! == 2 && (string)run["state"]! == "inReview");
        var live = Place.Dispatch(client, Place.Card(client, 89, "ask"));
        Place.UntilState(client, live, "awaitingDecision");
        Answer(client, "Which?", "A");
        var before = Place.Until(client, "the second question", board => board["decisions"]!.AsArray().Any(decision => (string)decision!["questions"]![0]!["text"]! == "And then?"));
        var (thread, host) = (Thread(client, done), place.HostPids(89, live)[0]);

        Place.Kill(place.ServePid);
        client.WaitForExit();
        Break(place, how);
        var broken = File.Exists(Database(place)) ? File.ReadAllBytes(Database(place)) : null;
        client = place.Connect();
        var board = client.Call("board/get");

        var notice = Assert.Single(board["notices"]!.AsArray())!;
        Assert.Equal("rebuilt", (string?)notice["kind"]);
        Assert.Equal((string?)notice["message"], (string?)client.Call("sidecar/status")["notices"]![0]!["message"]);
        Assert.Contains("was rebuilt", File.ReadAllText(Path.Combine(place.State, "serve.log")), StringComparison.Ordinal);
        Assert.NotEqual(((string)before["epoch"]!).Split('-')[0], ((string)board["epoch"]!).Split('-')[0]);
        var kept = Directory.GetFiles(place.State, "kanbots.db.broken-*").Where(file => !file.EndsWith("-wal", StringComparison.Ordinal) && !file.EndsWith("-shm", StringComparison.Ordinal)).ToList();
        Assert.Equal(broken is null ? 0 : 1, kept.Count);
        if (how is "noDatabase" or "truncated" or "empty")
        {
            Assert.Equal(broken, File.ReadAllBytes(kept[0]));
        }

        var one = Place.Run(board, done);
        Assert.Equal("inReview", (string?)Place.UntilState(client, done, "inReview")["state"]);
        one = Place.Run(client, done);
        foreach (var same in new[] { "branch", "worktreePath", "baseCommit", "costMicroUsd", "sessionId", "launch", "turns", "cardNumber" })
        {
            Assert.Equal(Place.Run(before, done)[same]!.ToJsonString(), one[same]!.ToJsonString());
        }

        Assert.Equal(2, (int)one["diffStat"]!["insertions"]!);
        Assert.Equal(thread, Thread(client, done));
        var card = board["cards"]!.AsArray().Single(card => (int)card!["number"]! == 88)!;
        Assert.Equal("card 88", (string?)card["title"]);
        Assert.Equal("[[fake:work]]", (string?)card["body"]);
        Assert.Equal(textsKept, board["cards"]!.AsArray().Any(card => (int)card!["number"]! == 90));

        // The live one goes on in the same process, with the question that is open and without the one that was answered.
        Assert.Equal(host, place.HostPids(89, live)[0]);
        Assert.True(Place.IsAlive(host));
        Assert.Equal("awaitingDecision", (string?)Place.UntilState(client, live, "awaitingDecision")["state"]);
        Assert.Single(client.Call("board/get")["decisions"]!.AsArray());
        Answer(client, "And then?", "B");
        var ended = Place.UntilState(client, live, "inReview");
        Assert.Equal(60_000, (long)ended["costMicroUsd"]!);
        Assert.Equal(1, (int)ended["launch"]!);
        Assert.Equal(310_000, (long)client.Call("board/get")["spend"]!["totalMicroUsd"]!);

        // No id twice, and the second start is an ordinary one.
        client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { ["agents.claude.path"] = Place.FakeAgent } });
        Assert.Equal(live + 1, Place.Dispatch(client, Place.Card(client, 91, "work")));
        Place.UntilState(client, live + 1, "inReview");
        var epoch = (string)board["epoch"]!;
        Place.Kill(place.ServePid);
        client.WaitForExit();
        client = place.Connect();
        Assert.Equal(epoch.Split('-')[0], ((string)client.Call("board/get")["epoch"]!).Split('-')[0]);
        Assert.Equal("inReview", (string?)Place.Run(client, live + 1)["state"]);
    }

    [Fact]
    public void A_rebuild_that_was_cut_off_begins_again_and_doctor_names_what_is_kept()
    {
        using var place = new Place();
        place.Script("work", """[{"write":"w.txt","text":"w"},{"say":"done","usd":0.25}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 88, "work"));
        Place.UntilState(client, run, "inReview");
        client.Ask("card/create", new JsonObject { ["title"] = "no run yet", ["number"] = 90 });
        Place.Kill(place.ServePid);
        client.WaitForExit();
        Break(place, "event");
        client = place.Connect();
        client.Call("board/get");
        Place.Kill(place.ServePid);
        client.WaitForExit();

        // As if serve had been killed before the end: a note that is not done, and half a board.
        var note = Path.Combine(place.State, "rebuilt.json");
        File.WriteAllText(note, File.ReadAllText(note).Replace("\"done\":true", "\"done\":false", StringComparison.Ordinal));
        Sql(Database(place), "delete from journal; delete from snapshot; delete from line; delete from stream");
        client = place.Connect();
        var board = client.Call("board/get");
        Assert.Equal(250_000, (long)Place.UntilState(client, run, "inReview")["costMicroUsd"]!);
        Assert.Contains(board["cards"]!.AsArray(), card => (int)card!["number"]! == 90);
        var kept = Directory.GetFiles(place.State, "kanbots.db.broken-*").Where(file => !file.EndsWith("-wal", StringComparison.Ordinal) && !file.EndsWith("-shm", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, kept.Count);

        var start = place.Command(place.Repository, "doctor");
        start.RedirectStandardOutput = true;
        using var doctor = System.Diagnostics.Process.Start(start)!;
        var output = doctor.StandardOutput.ReadToEnd();
        doctor.WaitForExit();
        Assert.All(kept, file => Assert.Contains(file, output, StringComparison.Ordinal));
    }

    [Fact]
    public void A_run_that_the_journal_has_never_heard_of_is_taken_from_its_folder()
    {
        using var place = new Place();
        place.Script("ask", """[{"ask":[{"question":"Which?","header":"H","multiSelect":false,"options":[{"label":"A"}]}]},{"write":"w.txt","text":"w"}]""");
        var client = place.Start();
        Place.Kill(place.ServePid);
        client.WaitForExit();
        Checkpoint(Database(place));
        File.Copy(Database(place), Path.Combine(place.Root, "older"));
        client = place.Connect();
        var run = Place.Dispatch(client, Place.Card(client, 5, "ask"));
        Place.UntilState(client, run, "awaitingDecision");
        Place.Kill(place.ServePid);
        client.WaitForExit();
        File.Delete(Database(place) + "-wal");
        File.Copy(Path.Combine(place.Root, "older"), Database(place), overwrite: true);

        client = place.Connect();
        Assert.Equal("awaitingDecision", (string?)Place.UntilState(client, run, "awaitingDecision")["state"]);
        Assert.Empty(Directory.GetFiles(place.State, "kanbots.db.broken-*"));
        Assert.Equal("stopped", (string?)client.Ask("run/stop", new JsonObject { ["runId"] = run })["run"]!["state"]);
        Place.Until("its host is gone", () => !place.HostPids(5, run).Any(Place.IsAlive));
    }

    private static void Answer(WireClient client, string question, string value)
    {
        var decision = client.Call("board/get")["decisions"]!.AsArray().Single(decision => (string)decision!["questions"]![0]!["text"]! == question)!;
        client.Ask("decision/answer", new JsonObject { ["decisionId"] = (string)decision["id"]!, ["answers"] = new JsonArray(new JsonObject { ["questionId"] = "q1", ["values"] = new JsonArray(value) }) });
    }

    private static string Thread(WireClient client, long run) => string.Join("\n", client.Call("run/events", new JsonObject { ["runId"] = run, ["limit"] = 500 })["items"]!.AsArray().Select(item => $"{item!["seq"]} {item["kind"]} {item["bytes"]!.ToJsonString()}"));
}
