using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>ARCHITECTURE.md, "When client and serve meet": a test for each row that no other suite has.</summary>
public sealed class RelayRaceTests
{
    private static string Address(Place place) => (string)JsonNode.Parse(File.ReadAllText(Path.Combine(place.State, "serve.json")))!["address"]!;

    private static Process StartServe(Place place) => Process.Start(place.Command(place.Repository, "serve", place.Repository))!;

    private static (int Code, string Error, TimeSpan Took) RunRelay(Place place)
    {
        var clock = Stopwatch.StartNew();
        var start = place.Command(place.Repository, "--stdio");
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var relay = Process.Start(start)!;
        var error = relay.StandardError.ReadToEnd();
        relay.WaitForExit();
        return (relay.ExitCode, error, clock.Elapsed);
    }

    /// <summary>A stranger that listens where serve would, gives one answer per connection, and goes.</summary>
    private static Task Impersonate(string address, params string?[] answers)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(address));
        listener.Listen(8);
        return Task.Run(() =>
        {
            foreach (var answer in answers)
            {
                using var client = listener.Accept();
                _ = client.Receive(new byte[64 * 1024]);
                if (answer is not null)
                {
                    client.Send(Encoding.UTF8.GetBytes(answer + "\n"));
                }
            }

            listener.Dispose(); // also takes the socket's file away
        });
    }

    [Fact]
    public void A_socket_file_that_nobody_listens_on_is_replaced()
    {
        using var place = new Place();
        place.Start();
        var dead = place.ServePid;
        Place.Kill(dead);
        Assert.True(File.Exists(Address(place)));
        place.Connect().Call("board/get");
        Assert.NotEqual(dead, place.ServePid);
    }

    [Fact]
    public void While_another_holds_the_lock_a_second_serve_ends_with_76_and_the_relay_waits()
    {
        using var place = new Place();
        place.Start();
        Place.Kill(place.ServePid);
        using var holder = Process.Start(new ProcessStartInfo("flock", [Path.Combine(place.State, "lock"), "-c", "echo held; exec sleep 2"]) { RedirectStandardOutput = true })!;
        Assert.Equal("held", holder.StandardOutput.ReadLine());
        using var second = StartServe(place);
        second.WaitForExit();
        Assert.Equal(76, second.ExitCode);
        place.Connect().Call("board/get");
        Assert.True(holder.WaitForExit(5000), "the relay got through while the lock was held");
    }

    [Fact]
    public void Whoever_hangs_up_or_says_retry_before_ok_is_asked_again_until_a_serve_is_there()
    {
        using var place = new Place();
        place.Start();
        Place.Kill(place.ServePid);
        var address = Address(place);
        File.Delete(address);
        var stranger = Impersonate(address, "retry", "retry", null);
        place.Connect().Call("board/get");
        Place.Until("the relay came three times", () => stranger.IsCompleted);
    }

    [Fact]
    public void A_serve_that_is_leaving_for_want_of_clients_is_followed_by_the_next()
    {
        using var place = new Place();
        place.Start().EndInput();
        Place.Kill(place.ServePid);
        for (var round = 0; round < 5; round++)
        {
            // Idle at once: it leaves while the relay comes.
            using var serve = Process.Start(place.Command(place.Repository, "serve", place.Repository, "--idle-seconds", "0"))!;
            Place.Until("it listens", () => File.Exists(Address(place)) || serve.HasExited);
            place.Connect().Call("board/get");
            Place.Kill(place.ServePid);
        }
    }

    [Fact]
    public void A_serve_that_dies_while_it_is_written_to_has_died_and_was_not_hung_up_on()
    {
        using var place = new Place();
        for (var round = 0; round < 5; round++)
        {
            var client = place.Connect();
            Place.Signal(place.ServePid, "STOP");
            var notified = 0;
            var writes = new Thread(() =>
            {
                try
                {
                    for (; ; notified++)
                    {
                        client.Notify("nothing/known", new JsonObject { ["text"] = new string('x', 64 * 1024) });
                    }
                }
                catch (Exception gone) when (gone is IOException or InvalidOperationException or ObjectDisposedException)
                {
                    // The relay is gone.
                }
            });
            writes.Start();
            Place.Until("the relay passes it on", () => Volatile.Read(ref notified) > 2);
            Place.Kill(place.ServePid);
            Assert.Equal(3, client.WaitForExit());
            Assert.True(writes.Join(60_000), "who writes to the relay does not come to an end");
        }
    }

    [Fact]
    public void A_serve_that_was_stopped_is_given_up_after_ten_seconds_with_a_sentence()
    {
        using var place = new Place();
        place.Start();
        var pid = place.ServePid;
        Place.Signal(pid, "STOP");
        try
        {
            var (code, error, took) = RunRelay(place);
            Assert.Equal(4, code);
            Assert.Contains("serve.log", error);
            Assert.InRange(took.TotalSeconds, 9, 60);
        }
        finally
        {
            Place.Signal(pid, "CONT");
        }

        place.Connect().Call("board/get");
        Assert.Equal(pid, place.ServePid);
    }

    [Fact]
    public void A_board_of_a_newer_build_is_refused_in_a_sentence_and_left_as_it_is()
    {
        using var place = new Place();
        place.Start();
        Place.Kill(place.ServePid);
        WireClient first;
        using (var held = Write("update meta set value='99' where key='storageVersion'"))
        {
            // Nothing beside the database says so yet, and serve cannot open it before the first is in, who learns it from the board.
            first = place.Connect();
        }

        Assert.Equal("storageNewer", Assert.Throws<WireError>(() => first.Call("board/get")).Kind);
        var (code, error, _) = RunRelay(place);
        Assert.Equal(5, code);
        Assert.Contains("newer KanBots", error);

        Place.Kill(place.ServePid);
        File.WriteAllText(Path.Combine(place.State, "storage-version"), "99\n");
        (code, error, _) = RunRelay(place);
        Assert.Equal(5, code);
        Assert.Contains("newer KanBots", error);
        Place.Kill(place.ServePid);
        Write("update meta set value='1' where key='storageVersion'").Dispose();
        File.WriteAllText(Path.Combine(place.State, "storage-version"), "1\n");
        Assert.Empty(place.Connect().Call("board/get")["cards"]!.AsArray());

        SqliteConnection Write(string sql)
        {
            var connection = new SqliteConnection($"Data Source={Path.Combine(place.State, "kanbots.db")};Pooling=False");
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "pragma locking_mode=EXCLUSIVE";
            command.ExecuteNonQuery();
            command.CommandText = sql;
            Assert.Equal(1, command.ExecuteNonQuery());
            return connection;
        }
    }

    [Fact]
    public void Hello_is_answered_while_the_database_cannot_be_opened_yet()
    {
        using var place = new Place();
        place.Start();
        Place.Kill(place.ServePid);
        using var connection = new SqliteConnection($"Data Source={Path.Combine(place.State, "kanbots.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "pragma locking_mode=EXCLUSIVE; begin exclusive";
        command.ExecuteNonQuery();

        var client = place.Connect();
        var board = client.Send("board/get", null);
        Assert.NotNull(client.Call("initialize", new JsonObject { ["clientName"] = "again", ["workspaceFolder"] = place.Repository, ["trusted"] = true, ["capabilities"] = new JsonArray() })["serverVersion"]);
        connection.Close();
        Assert.NotNull(client.Answer(board, "board/get")["result"]);
    }

    [Fact]
    public void Another_user_cannot_reach_the_board_and_is_refused_when_the_folder_is_opened_for_him()
    {
        using var place = new Place();
        place.Start();
        var address = Address(place);
        Assert.Contains("EACCES", AsNobody(address));
        Process.Start("/bin/chmod", ["777", place.Root, place.Runtime, Path.GetDirectoryName(address)!, address]).WaitForExit();
        Assert.Contains("another user", AsNobody(address));

        static string AsNobody(string address)
        {
            const string script = "const s=require('net').connect(process.argv[1]);s.on('error',e=>{console.log(e.code)});s.on('connect',()=>s.write(JSON.stringify({kanbots:1,build:'0.0.1',storageVersion:1,cwd:'/',environment:[],peer:'x'})+'\\n'));s.on('data',d=>{console.log(String(d));s.end()})";
            using var node = Process.Start(new ProcessStartInfo("setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups", "node", "-e", script, address]) { WorkingDirectory = "/", RedirectStandardOutput = true, RedirectStandardError = true })!;
            var said = node.StandardOutput.ReadToEnd();
            var error = node.StandardError.ReadToEnd();
            node.WaitForExit();
            return said + error;
        }
    }

    [Fact]
    public void A_process_of_a_run_starts_no_serve_and_a_relay_whose_input_ends_ends_well()
    {
        using var place = new Place();
        var start = place.Command(place.Repository, "serve", place.Repository);
        start.Environment["KANBOTS_LAUNCH"] = "0123456789abcdef0123456789abcdef";
        using var serve = Process.Start(start)!;
        serve.WaitForExit();
        Assert.Equal(1, serve.ExitCode);
        Assert.False(Directory.Exists(place.State));
        var client = place.Start();
        client.EndInput();
        Assert.Equal(0, client.WaitForExit());
    }

    [Fact]
    public void A_newer_build_takes_over_while_runs_live_and_an_older_one_joins()
    {
        using var place = new Place();
        place.Script("ask", """[{"ask":[{"question":"Which?","header":"H","multiSelect":false,"options":[{"label":"A"}]}]},{"write":"w.txt","text":"w"}]""");
        var old = place.Start();
        var run = Place.Dispatch(old, Place.Card(old, 1, "ask"));
        Place.UntilState(old, run, "awaitingDecision");
        var before = place.ServePid;

        place.Executable = Place.NewerSidecar;
        var newer = place.Connect();
        Assert.Equal("99.0.0", (string)newer.Call("sidecar/status")["serverVersion"]!);
        Assert.Equal(3, old.WaitForExit());
        Assert.False(Place.IsAlive(before));
        var decision = Assert.Single(newer.Call("board/get")["decisions"]!.AsArray())!;

        place.Executable = Place.Sidecar;
        var joined = place.Connect();
        Assert.Equal("99.0.0", (string)joined.Call("sidecar/status")["serverVersion"]!);
        joined.Ask("decision/answer", new JsonObject { ["decisionId"] = (string)decision["id"]!, ["answers"] = new JsonArray(new JsonObject { ["questionId"] = "q1", ["values"] = new JsonArray("A") }) });
        Assert.Equal(1, (int)Place.UntilState(newer, run, "inReview")["launch"]!);
    }
}
