using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Journal;
using KanBots.Sidecar.Tests.Architecture;
using Xunit.Abstractions;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>A week of work on one board: 2,000 runs with --long, 60 otherwise, of an agent that costs next to nothing.</summary>
public sealed class WeekTests(ITestOutputHelper output)
{
    private static readonly bool Long = Environment.GetEnvironmentVariable("KANBOTS_LONG") is not null;
    private static readonly int Runs = Long ? 2_000 : 60;
    private const int Parallel = 8;

    /// <summary>Characters.</summary>
    private static readonly int PromptLength = Long ? 8_000 : 40_000;

    /// <summary>By which memory may grow for each run between a quarter and the end, by the kernel's count, when serve has given back what it does not need.
    /// What the board itself keeps of a run is held to 16 bytes by ArchiveTests.</summary>
    private static readonly int BytesPerRunMax = Long ? 2 << 10 : 260 << 10;

    /// <summary>MiB of serve with everything, the executable too.</summary>
    private const int MiBMax = 80;

    /// <summary>As the real agent on its wire, in a shell that starts in a few milliseconds. It asks when its prompt says so.</summary>
    private const string Shell = """
        #!/bin/sh
        [ "$1" = --version ] && { echo "2.1.330 (shell)"; exit; }
        while IFS= read -r line; do
          case $line in *'"type":"user"'*) ;; *) continue ;; esac
          printf '{"type":"system","subtype":"init","session_id":"s","model":"m","claude_code_version":"2.1.330","tools":[]}\n%s,"isReplay":true}\n' "${line%\}}"
          case $line in *"ask me"*)
            printf '{"type":"control_request","request_id":"q-%s","request":{"subtype":"can_use_tool","tool_name":"AskUserQuestion","tool_use_id":"t","input":{"questions":[{"question":"Which?","header":"H","multiSelect":false,"options":[{"label":"A"}]}]}}}\n' $$
            while IFS= read -r answer; do case $answer in *control_response*) break ;; esac; done ;;
          esac
          printf '{"type":"assistant","message":{"id":"m","role":"assistant","model":"m","content":[{"type":"text","text":"done"}]}}\n'
          printf '{"type":"result","subtype":"success","is_error":false,"duration_ms":1,"num_turns":1,"total_cost_usd":0.001,"result":"done"}\n'
        done
        """;

    /// <summary>The share of memory that is a process's own, in KiB: "Pss" with the pages of the executable, whose share depends on how many
    /// others run it at that moment, and "Pss_Anon" without.</summary>
    private static long KiB(int pid, string what) =>
        long.Parse(File.ReadLines($"/proc/{pid}/smaps_rollup").Single(line => line.StartsWith($"{what}:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    [Fact]
    public void Memory_of_serve_is_flat_over_a_week_of_2000_runs()
    {
        // As it is released: code that is still being compiled is no memory that a week takes.
        using var place = new Place { Executable = Published.Of("aot-linux-x64").Command(new ProcessStartInfo()).FileName };
        var client = Start(place);
        var cards = Enumerable.Range(1, 2 * Parallel).Select(number => Place.Card(client, number, "none")).ToList();
        var samples = new List<(int Runs, long KiB)>();
        for (var done = 0; done < Runs; done += Parallel)
        {
            var batch = Enumerable.Range(done, Parallel).Select(number => Dispatch(client, cards[number % cards.Count], number)).ToList();
            Settle(client, batch, launch: 1);
            var again = batch.Where((_, index) => index % 3 == 0).ToList();
            again.ForEach(run => client.Ask("run/reply", new JsonObject { ["runId"] = run, ["text"] = new string('r', 2_000) }));
            Settle(client, again, launch: 2);
            samples.Add((done + Parallel, KiB(place.ServePid, "Pss_Anon")));
        }

        long Least(double from, double to) => samples.Where(sample => sample.Runs > from * Runs && sample.Runs <= to * Runs).Min(sample => sample.KiB);
        var quarter = Least(0.2, 0.55); // not the first: what is left of the old runs is still to come
        var allowed = quarter + ((long)BytesPerRunMax * Runs * 3 / 4 / 1024);
        output.WriteLine($"{Runs} runs: {quarter} KiB of its own at a quarter, at most {allowed} KiB at the end; all: {string.Join(' ', samples.Select(sample => sample.KiB))}");
        Place.Until($"serve has given back all but {allowed} KiB", () => KiB(place.ServePid, "Pss_Anon") <= allowed);
        output.WriteLine($"{KiB(place.ServePid, "Pss_Anon")} KiB in the end");
        Assert.InRange(KiB(place.ServePid, "Pss"), 1, MiBMax << 10);
        var total = (long)client.Call("board/get")["spend"]!["totalMicroUsd"]!;
        Assert.InRange(total, Runs * 1_000L, Runs * 3_000L);
        Assert.Equal(total, client.Call("board/get")["cards"]!.AsArray().Sum(card => (long)card!["costMicroUsd"]!));
    }

    [Fact]
    public void An_old_run_that_left_the_memory_is_read_and_goes_on_by_its_id()
    {
        using var place = new Place();
        File.WriteAllText(Path.Combine(place.Repository, ".gitignore"), ".env\n");
        File.WriteAllText(Path.Combine(place.Repository, ".worktreeinclude"), ".env\n");
        place.Commit("app");
        File.WriteAllText(Path.Combine(place.Repository, ".env"), "A=1\n");
        place.Script("work", """[{"write":"w.txt","text":"w"},{"say":"old words","usd":0.5}]""");
        var client = place.Start();
        var card = Place.Card(client, 1, "work");
        var old = Place.Dispatch(client, card);
        var before = Place.UntilState(client, old, "inReview");
        var last = Place.Dispatch(client, card);
        Place.UntilState(client, last, "inReview");
        Archive(place, client, old);

        client = place.Connect();
        var board = client.Call("board/get");
        Assert.Equal([last], board["runs"]!.AsArray().Select(run => (long)run!["id"]!));
        var shown = Assert.Single(board["cards"]!.AsArray())!;
        Assert.Equal([old, last], shown["runIds"]!.AsArray().Select(id => (long)id!));
        Assert.Equal(1_000_000, (long)shown["costMicroUsd"]!);
        client.Call("run/subscribe", new JsonObject { ["runId"] = old });
        Assert.Contains(client.Call("run/events", new JsonObject { ["runId"] = old })["items"]!.AsArray(), item => (string?)item!["kind"] == "text" && (string?)item["body"]!["text"] == "old words");
        Assert.Equal("worktreeDirty", Assert.Throws<WireError>(() => client.Ask("card/delete", new JsonObject { ["cardId"] = card })).Kind);

        client.Ask("run/resume", new JsonObject { ["runId"] = old, ["text"] = "[[fake:work]]" });
        var after = Place.Run(Place.Until(client, "it went on", now => Place.Run(now, old) is var run && (int)run["launch"]! == 2 && (string)run["state"]! == "inReview"), old);
        Assert.Equal((string?)before["worktreePath"], (string?)after["worktreePath"]);
        Assert.Equal(Port(place, old, 1), Port(place, old, 2));
        var placed = client.Call("run/details", new JsonObject { ["runId"] = old })["placed"]!.AsArray();
        Assert.Equal(".env", (string?)Assert.Single(placed)!["path"]);
        Assert.Equal(1_000_000, (long)after["costMicroUsd"]!);
        Place.Kill(place.ServePid);
        Assert.Equal([old, last], place.Connect().Call("board/get")["runs"]!.AsArray().Select(run => (long)run!["id"]!).Order());
    }

    [Fact]
    public void An_agent_that_lost_its_conversation_is_told_again_what_only_the_disk_still_holds()
    {
        using var place = new Place();
        place.Script("work", """[{"write":"w.txt","text":"w"}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "work"));
        Place.UntilState(client, run, "inReview");
        var forgetful = place.Program("forgetful", $"#!/bin/sh\ncase \"$*\" in *--resume*) echo 'No conversation found with session ID: 0' >&2; exit 1 ;; esac\nexec '{Place.FakeAgent}' \"$@\"\n");
        client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { ["agents.claude.path"] = forgetful } });
        client.Ask("run/resume", new JsonObject { ["runId"] = run, ["text"] = "And this." });
        Place.Until(client, "it began anew", board => Place.Run(board, run) is var now && (int)now["launch"]! == 3 && (string)now["state"]! == "inReview");
        var told = File.ReadLines(Path.Combine(place.RunFolder(1, run, 3), "stdin.ndjson")).Select(line => JsonNode.Parse(line)!).Where(line => (string?)line["type"] == "user").Select(line => (string)line["message"]!["content"]!);
        Assert.Equal(["Issue #1: card 1\n\n[[fake:work]]", "And this."], told);
    }

    private static string Port(Place place, long run, int launch) =>
        (string)JsonNode.Parse(File.ReadAllText(Path.Combine(place.RunFolder(1, run, launch), "launch.json")))!["variables"]!["KANBOTS_PORT"]!;

    private static WireClient Start(Place place)
    {
        var agent = place.Program("agent", Shell);
        var client = place.Start(Parallel);
        client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { ["agents.claude.path"] = agent, ["runs.budget.microUsd"] = 1_000_000 } });
        return client;
    }

    private static long Dispatch(WireClient client, long card, int number) =>
        (long)client.Ask("run/dispatch", new JsonObject { ["cardId"] = card, ["prompt"] = $"{(number % 5 == 0 ? "ask me" : "do it")} {new string('p', PromptLength)}" })["run"]!["id"]!;

    /// <summary>Waits until all are over, and answers who asks.</summary>
    private static void Settle(WireClient client, List<long> runs, int launch)
    {
        var answered = new HashSet<string>();
        Place.Until(client, $"launch {launch} of runs {runs[0]} to {runs[^1]} is over", board =>
        {
            foreach (var decision in board["decisions"]!.AsArray().Where(decision => answered.Add((string)decision!["id"]!)))
            {
                client.Ask("decision/answer", new JsonObject { ["decisionId"] = (string)decision!["id"]!, ["answers"] = new JsonArray(new JsonObject { ["questionId"] = "q1", ["values"] = new JsonArray("A") }) });
            }

            return runs.All(run => Place.Run(board, run) is var now && (int)now["launch"]! == launch && (string)now["state"]! == "finished");
        }, 120);
    }

    /// <summary>As serve does after very many runs: by the journal, which is the state.</summary>
    private static void Archive(Place place, WireClient client, long run)
    {
        Place.Kill(place.ServePid);
        client.WaitForExit();
        using var database = Database.Open(Path.Combine(place.State, "kanbots.db"), "unused", "a test");
        var state = database.Load();
        database.Append([new Event.RunArchived(state.Runs[run], [])], DateTimeOffset.UtcNow);
    }
}
