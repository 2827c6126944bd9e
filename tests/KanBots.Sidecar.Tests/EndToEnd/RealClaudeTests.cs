using System.Diagnostics;
using System.Text.Json.Nodes;
using KanBots.Sidecar.Tests.Spine;

namespace KanBots.Sidecar.Tests.EndToEnd;

/// <summary>The real Claude Code CLI, old and new, against a scripted model on loopback. test.sh installs both.</summary>
public sealed class RealClaudeTests
{
    private const string Old = "2.1.197";
    private const string New = "2.1.330";

    /// <summary>A repository, a model with its ledger, and a client whose agents are the CLI of one version.</summary>
    private sealed class Scene : IDisposable
    {
        private readonly Process _model;

        internal Scene(string version, Action<Dictionary<string, string>>? change = null)
        {
            var claude = RepositoryRoot.Of("tests", "e2e", $"claude-{version}", "node_modules", "@anthropic-ai", "claude-code-linux-x64", "claude");
            Assert.True(File.Exists(claude), $"Claude Code {version} is not installed: run ./test.sh, or npm ci in tests/e2e/claude-{version}.");
            _model = Process.Start(new ProcessStartInfo("node", [RepositoryRoot.Of("tests", "e2e", "model.mjs"), Ledger]) { RedirectStandardOutput = true })!;
            var port = _model.StandardOutput.ReadLine()!.Split(' ')[1];
            foreach (var (name, value) in new Dictionary<string, string>
            {
                ["ANTHROPIC_BASE_URL"] = $"http://127.0.0.1:{port}",
                ["ANTHROPIC_API_KEY"] = "dummy",
                ["CLAUDE_CONFIG_DIR"] = Path.Combine(Place.Root, "claude"),
                ["DISABLE_TELEMETRY"] = "1",
                ["DISABLE_ERROR_REPORTING"] = "1",
                ["DISABLE_AUTOUPDATER"] = "1",
                ["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] = "1",
                ["IS_SANDBOX"] = "1",
                ["HOME"] = Directory.CreateDirectory(Path.Combine(Place.Root, "home")).FullName, // the CLI's shells read the profile of whoever runs the tests
                ["NO_PROXY"] = "127.0.0.1,localhost",
            })
            {
                Place.Variables[name] = value;
            }

            change?.Invoke(Place.Variables);
            Client = Place.Connect();
            Client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { ["agents.claude.path"] = claude } });
        }

        internal Place Place { get; } = new();

        internal WireClient Client { get; private set; }

        internal string Ledger => Path.Combine(Place.Root, "ledger.ndjson");

        internal long Dispatch(int number, string script, string mode = "bypassPermissions")
        {
            var card = (long)Client.Ask("card/create", new JsonObject { ["title"] = $"card {number}", ["number"] = number, ["body"] = $"[[model:{script}]] please" })["card"]!["id"]!;
            return (long)Client.Ask("run/dispatch", new JsonObject { ["cardId"] = card, ["permissionMode"] = mode })["run"]!["id"]!;
        }

        internal JsonObject Until(string what, Func<JsonObject, bool> wanted) => Spine.Place.Until(Client, what, wanted);

        internal JsonObject UntilState(long run, params string[] states) => Spine.Place.Run(Until($"run {run} {string.Join(" or ", states)}", board => states.Contains((string)Spine.Place.Run(board, run)["state"]!)), run);

        internal string FileOf(long run, int number, string name) => Path.Combine(Place.Repository, ".kanbots", "worktrees", $"issue-{number}-{run}", name);

        /// <summary>The CLI's own totals: per process, the last result's total, or for a session-wide one the last of all.</summary>
        internal decimal OwnTotal(int number, long run, int launches)
        {
            decimal sum = 0;
            for (var launch = 1; launch <= launches; launch++)
            {
                var results = File.ReadAllLines(Path.Combine(Place.RunFolder(number, run, launch), "stdout.ndjson")).Select(line => JsonNode.Parse(line)!).Where(line => (string?)line["type"] == "result").ToList();
                var isSessionWide = results.Any(result => result["model_usage_since_last_result"] is not null);
                var last = results.Count == 0 ? 0 : (decimal)results[^1]["total_cost_usd"]!;
                sum = isSessionWide ? last : sum + last;
            }

            return sum;
        }

        /// <summary>The files in which the CLI keeps a conversation.</summary>
        internal string[] Sessions(string id)
        {
            var folder = Path.Combine(Place.Root, "claude", "projects");
            return Directory.Exists(folder) ? Directory.GetFiles(folder, $"{id}.jsonl", SearchOption.AllDirectories) : [];
        }

        /// <summary>Kills the host, and with it the agent, when the CLI has saved that it uses a tool.</summary>
        internal JsonObject KillInMidTool(int number, long run)
        {
            var busy = Spine.Place.Run(Until("it uses a tool", board => Spine.Place.Run(board, run)["currentTool"] is not null), run);
            Spine.Place.Until("the conversation is saved", () => Sessions((string)busy["sessionId"]!).Any(file => File.ReadAllText(file).Contains("\"tool_use\"")));
            var host = JsonNode.Parse(File.ReadAllText(Path.Combine(Place.RunFolder(number, run), "host.json")))!;
            Spine.Place.Kill((int)host["hostPid"]!);
            return UntilState(run, "interrupted");
        }

        /// <summary>What the model's own ledger says that a session cost, in micro-dollars, by the list prices of the models that the two CLIs call.</summary>
        internal decimal LedgerMicroUsd(params string[] sessions) => File.ReadAllLines(Ledger).Select(line => JsonNode.Parse(line)!)
            .Where(call => call["usage"] is not null && sessions.Contains((string?)call["session"]))
            .Sum(call =>
            {
                var (input, output) = PricePerMillion((string)call["model"]!);
                return ((int)call["usage"]!["input_tokens"]! * input) + ((int)call["usage"]!["output_tokens"]! * output);
            });

        private static (decimal Input, decimal Output) PricePerMillion(string model) => model switch
        {
            _ when model.StartsWith("claude-opus-4-8") => (5, 25),
            _ when model.StartsWith("claude-opus-5-5") => (4, 20),
            _ => throw new InvalidOperationException($"The test knows no price of {model}."),
        };

        /// <summary>Allows whatever is asked until the run has one of the states.</summary>
        internal void AllowUntil(long run, params string[] states) => Until($"run {run} {string.Join(" or ", states)}", board =>
        {
            foreach (var decision in board["decisions"]!.AsArray())
            {
                Client.Ask("decision/answer", new JsonObject { ["decisionId"] = (string)decision!["id"]!, ["allow"] = true });
            }

            return states.Contains((string)Spine.Place.Run(board, run)["state"]!);
        });

        public void Dispose()
        {
            Place.Dispose();
            _model.Kill();
            _model.Dispose();
        }
    }

    private static JsonObject Answer(JsonNode decision, string words) => new()
    {
        ["decisionId"] = (string)decision["id"]!,
        ["answers"] = new JsonArray(new JsonObject { ["questionId"] = "q1", ["values"] = new JsonArray(words) }),
    };

    [Theory]
    [InlineData(Old)]
    [InlineData(New)]
    public void Three_at_once_and_a_question_is_answered_in_own_words(string version)
    {
        using var scene = new Scene(version);
        var ask = scene.Dispatch(1, "ask");
        var others = new[] { scene.Dispatch(2, "plain"), scene.Dispatch(3, "subagent") };
        Assert.Equal("inReview", (string?)scene.UntilState(others[0], "inReview", "failed")["state"]);
        Assert.Equal("finished", (string?)scene.UntilState(others[1], "finished", "failed")["state"]);
        var board = scene.Until("the question is open", board => board["decisions"]!.AsArray().Count == 1);
        Assert.Equal("awaitingDecision", (string?)Place.Run(board, ask)["state"]);
        scene.Client.Ask("decision/answer", Answer(board["decisions"]![0]!, "neither: write our own, please"));
        Assert.Equal("inReview", (string?)scene.UntilState(ask, "inReview", "failed")["state"]);
        Assert.Equal("asked\n", File.ReadAllText(scene.FileOf(ask, 1, "asked.txt")));
        Assert.Contains("neither: write our own, please", File.ReadAllText(Path.Combine(scene.Place.RunFolder(1, ask), "stdout.ndjson")));
        foreach (var (number, run) in new[] { (1, ask), (2, others[0]), (3, others[1]) })
        {
            var cost = (long)Place.Run(scene.Client, run)["costMicroUsd"]!;
            Assert.True(cost > 0);
            Assert.Equal(decimal.Round(scene.OwnTotal(number, run, 1) * 1_000_000m), cost);
            Assert.Equal(scene.LedgerMicroUsd((string)Place.Run(scene.Client, run)["sessionId"]!), cost);
        }
    }

    [Theory]
    [InlineData(Old)]
    [InlineData(New)]
    public void Permissions_are_asked_denied_and_allowed(string version)
    {
        using var scene = new Scene(version);
        var run = scene.Dispatch(1, "permission", "ask");
        var first = scene.Until("the first permission", board => board["decisions"]!.AsArray().Count == 1)["decisions"]![0]!;
        Assert.Equal("permission", (string?)first["kind"]);
        Assert.Equal("Bash", (string?)first["tool"]!["name"]);
        scene.Client.Ask("decision/answer", new JsonObject { ["decisionId"] = (string)first["id"]!, ["allow"] = false, ["reason"] = "not this one" });
        var second = scene.Until("the second permission", board => board["decisions"]!.AsArray().Any(decision => (string?)decision!["id"] != (string?)first["id"]))["decisions"]![0]!;
        scene.Client.Ask("decision/answer", new JsonObject { ["decisionId"] = (string)second["id"]!, ["allow"] = true });
        scene.UntilState(run, "inReview");
        Assert.False(File.Exists(scene.FileOf(run, 1, "one.txt")));
        Assert.True(File.Exists(scene.FileOf(run, 1, "two.txt")));
    }

    [Theory]
    [InlineData(Old)]
    [InlineData(New)]
    public void A_reply_in_mid_turn_is_acknowledged_and_a_stop_in_mid_tool_ends_the_tool(string version)
    {
        using var scene = new Scene(version);
        var longer = scene.Dispatch(1, "longer");
        var slow = scene.Dispatch(2, "slow");
        scene.Until("both use a tool", board => new[] { longer, slow }.All(run => Place.Run(board, run)["currentTool"] is not null));
        var message = (string)scene.Client.Ask("run/reply", new JsonObject { ["runId"] = longer, ["text"] = "and mind the tests" })["messageId"]!;
        var stopped = scene.Client.Ask("run/stop", new JsonObject { ["runId"] = slow })["run"]!;
        Assert.Equal("stopped", (string?)stopped["state"]);
        var host = JsonNode.Parse(File.ReadAllText(Path.Combine(scene.Place.RunFolder(2, slow), "host.json")))!;
        Assert.False(Place.IsAlive((int)host["agentPid"]!));
        var worktree = Path.GetDirectoryName(scene.FileOf(slow, 2, "x"))!;
        Assert.DoesNotContain(Directory.GetDirectories("/proc"), folder => int.TryParse(Path.GetFileName(folder), out _) && Cmdline(folder).Contains("setTimeout(()=>{}, 600000)") && new DirectoryInfo(Path.Combine(folder, "cwd")).LinkTarget == worktree);
        scene.UntilState(longer, "inReview");
        var thread = scene.Client.Call("run/events", new JsonObject { ["runId"] = longer, ["limit"] = 500 })["items"]!.AsArray();
        Assert.Contains(thread, item => (string?)item!["kind"] == "userMessage" && (string?)item["messageId"] == message);
        Assert.Equal(1, (int)Place.Run(scene.Client, longer)["launch"]!);
    }

    private static string Cmdline(string folder)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, "cmdline"));
        }
        catch (IOException)
        {
            return "";
        }
    }

    [Theory]
    [InlineData(Old)]
    [InlineData(New)]
    public void After_a_kill_the_same_session_is_resumed_and_the_cost_is_the_CLIs_own(string version)
    {
        using var scene = new Scene(version);
        var run = scene.Dispatch(1, "slow");
        var interrupted = scene.KillInMidTool(1, run);
        scene.Client.Ask("run/resume", new JsonObject { ["runId"] = run, ["text"] = "[[model:resumed]] go on" });
        var ended = scene.UntilState(run, "inReview", "failed");
        Assert.True((string?)ended["state"] == "inReview", ended.ToJsonString());
        Assert.Equal((string?)interrupted["sessionId"], (string?)ended["sessionId"]);
        Assert.Equal("resumed\n", File.ReadAllText(scene.FileOf(run, 1, "resumed.txt")));
        Assert.Equal(scene.LedgerMicroUsd((string)ended["sessionId"]!), (long)ended["costMicroUsd"]!);

        // A second, orderly resume: what the CLI says in total is what the card says, less nothing and plus nothing.
        var plain = scene.Dispatch(2, "plain");
        scene.UntilState(plain, "inReview");
        scene.Client.Ask("run/reply", new JsonObject { ["runId"] = plain, ["text"] = "[[model:resumed]] and this" });
        scene.Until("the second launch has ended", board => (int)Place.Run(board, plain)["launch"]! == 2 && (string)Place.Run(board, plain)["state"]! == "inReview");
        Assert.Equal(decimal.Round(scene.OwnTotal(2, plain, 2) * 1_000_000m), (long)Place.Run(scene.Client, plain)["costMicroUsd"]!);
    }

    [Theory]
    [InlineData(Old)]
    [InlineData(New)]
    public void An_agent_that_lost_its_conversation_is_told_everything_again(string version)
    {
        using var scene = new Scene(version);
        var run = scene.Dispatch(1, "forgetful");
        var interrupted = scene.KillInMidTool(1, run);
        File.WriteAllText(scene.FileOf(run, 1, "go-on"), "");
        foreach (var saved in scene.Sessions((string)interrupted["sessionId"]!))
        {
            File.Delete(saved);
        }

        scene.Client.Ask("run/resume", new JsonObject { ["runId"] = run });
        var ended = scene.UntilState(run, "inReview", "failed");
        Assert.True((string?)ended["state"] == "inReview", ended.ToJsonString());
        Assert.Equal(3, (int)ended["launch"]!);
        Assert.NotEqual((string?)interrupted["sessionId"], (string?)ended["sessionId"]);
        Assert.Equal("remembered\n", File.ReadAllText(scene.FileOf(run, 1, "remembered.txt")));
    }

    [Theory]
    [InlineData(Old)]
    [InlineData(New)]
    public void A_plan_is_a_decision_and_is_carried_out_when_it_is_allowed(string version)
    {
        using var scene = new Scene(version);
        var run = scene.Dispatch(1, "plan", "plan");
        var first = scene.Until("the plan", board => board["decisions"]!.AsArray().Count == 1)["decisions"]![0]!;
        Assert.Equal("plan", (string?)first["kind"]);
        Assert.Contains("Write the file", (string?)first["tool"]!["description"]);
        scene.Client.Ask("decision/answer", new JsonObject { ["decisionId"] = (string)first["id"]!, ["allow"] = false, ["reason"] = "smaller, please" });
        var second = scene.Until("the next plan", board => board["decisions"]!.AsArray().Any(decision => (string?)decision!["id"] != (string?)first["id"]))["decisions"]![0]!;
        scene.Client.Ask("decision/answer", new JsonObject { ["decisionId"] = (string)second["id"]!, ["allow"] = true });
        scene.AllowUntil(run, "inReview", "finished", "failed");
        Assert.True(File.Exists(scene.FileOf(run, 1, "planned.txt")));
        Assert.Contains("smaller, please", File.ReadAllText(Path.Combine(scene.Place.RunFolder(1, run), "stdout.ndjson")));
    }

    [Theory]
    [InlineData(Old)]
    [InlineData(New)]
    public void Who_is_root_or_not_signed_in_is_told_what_to_do(string version)
    {
        using var scene = new Scene(version, variables => variables["IS_SANDBOX"] = "");
        var refused = scene.UntilState(scene.Dispatch(1, "plain"), "failed");
        Assert.Equal("refusedAsRoot", (string?)refused["reason"]!["kind"]);
        Assert.Contains("IS_SANDBOX=1", (string?)refused["reason"]!["message"]);

        using var stranger = new Scene(version, variables => variables["ANTHROPIC_API_KEY"] = "");
        var unknown = stranger.UntilState(stranger.Dispatch(1, "plain"), "failed");
        Assert.Equal("notSignedIn", (string?)unknown["reason"]!["kind"]);
        Assert.Contains("sign in", (string?)unknown["reason"]!["message"]);
        Assert.Equal("notSignedIn", (string?)stranger.Client.Call("agent/list")["agents"]![0]!["status"]);
    }

    [Theory]
    [InlineData(Old)]
    [InlineData(New)]
    public void An_error_of_the_provider_fails_the_run_with_its_words(string version)
    {
        using var scene = new Scene(version);
        var failed = scene.UntilState(scene.Dispatch(1, "failing"), "failed");
        Assert.Contains("this is not possible", (string?)failed["reason"]!["message"]);
    }

    [Theory]
    [InlineData(Old)]
    [InlineData(New)]
    public void A_model_that_nobody_knows_fails_the_run_with_its_name_and_the_next_step(string version)
    {
        using var scene = new Scene(version);
        var card = (long)scene.Client.Ask("card/create", new JsonObject { ["title"] = "t", ["number"] = 1, ["body"] = "[[model:plain]]" })["card"]!["id"]!;
        var failed = scene.UntilState((long)scene.Client.Ask("run/dispatch", new JsonObject { ["cardId"] = card, ["model"] = "no-such-model" })["run"]!["id"]!, "failed");
        Assert.Equal("modelUnknown", (string?)failed["reason"]!["kind"]);
        Assert.Contains("no-such-model", (string?)failed["reason"]!["message"]);
        Assert.Contains("dispatch the card again", (string?)failed["reason"]!["message"]);
        var thread = scene.Client.Call("run/events", new JsonObject { ["runId"] = (long)failed["id"]! })["items"]!.AsArray();
        Assert.Equal("modelUnknown", (string?)Assert.Single(thread, item => (string?)item!["kind"] == "result")!["outcome"]);
    }
}
