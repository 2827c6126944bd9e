using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace KanBots.FakeAgent;

/// <summary>Plays a script, turn by turn. See the README beside this file for the steps.</summary>
internal sealed class Agent
{
    private readonly Wire _wire = new();
    private readonly string _session;
    private readonly List<PosixSignalRegistration> _ignored = [];
    private decimal _cost;
    private decimal _costAtTurnStart;
    private int _messageId;
    private int _exitCode;

    internal Agent(string[] args)
    {
        _session = After(args, "--session-id") ?? After(args, "--resume") ?? Guid.NewGuid().ToString();
        if (args.Contains("--version"))
        {
            Console.Out.WriteLine("2.1.330 (scripted agent)");
            Environment.Exit(0);
        }
    }

    internal int Run()
    {
        _wire.Cost = () => _cost;
        _wire.Start();
        string[] steps = [];
        while (_wire.Messages.Take() is { } message)
        {
            var text = TextOf(message);
            var script = ScriptFor(text, isFirst: steps.Length == 0);
            steps = ["played"];
            Turn(message, script);
        }

        return _exitCode;
    }

    private static string? After(string[] args, string flag) => Array.IndexOf(args, flag) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;

    private static string TextOf(JsonObject message) => message["message"]!["content"] switch
    {
        JsonArray blocks => string.Join("\n", blocks.Select(block => (string?)block!["text"])),
        { } text => (string)text!,
        null => "",
    };

    /// <summary>The script named by [[fake:NAME]] in the message; a message without one is answered in a sentence.</summary>
    private static JsonArray ScriptFor(string text, bool isFirst)
    {
        var named = Regex.Match(text, @"\[\[fake:([\w.-]+)\]\]");
        var folder = Environment.GetEnvironmentVariable("FAKE_AGENT_SCRIPTS") ?? Path.Combine(AppContext.BaseDirectory, "scripts");
        var path = Path.Combine(folder, $"{(named.Success ? named.Groups[1].Value : "default")}.json");
        if (File.Exists(path) && (named.Success || isFirst))
        {
            return JsonNode.Parse(File.ReadAllText(path))!.AsArray();
        }

        if (named.Success)
        {
            Console.Error.WriteLine($"kanbots-fake-agent: no script {path}");
            Environment.Exit(1);
        }

        return new JsonArray(new JsonObject { ["say"] = $"You said: {text}" });
    }

    private void Turn(JsonObject message, JsonArray steps)
    {
        _wire.Interrupted = false;
        _costAtTurnStart = _cost;
        var clock = Stopwatch.StartNew();
        if (steps.FirstOrDefault()?["exit"] is { } code && steps.Count == 1)
        {
            Environment.Exit((int)code);
        }

        var silent = steps.Any(step => step!["stderrOnly"] is not null);
        if (silent)
        {
            Console.Error.WriteLine((string)steps.First(step => step!["stderrOnly"] is not null)!["stderrOnly"]!);
            Environment.Exit(1);
        }

        Emit("system", new JsonObject { ["subtype"] = "init", ["cwd"] = Environment.CurrentDirectory, ["model"] = "scripted-1", ["permissionMode"] = "bypassPermissions", ["claude_code_version"] = "2.1.330", ["tools"] = new JsonArray() });
        Replay(message);
        string? error = null;
        foreach (var step in steps)
        {
            if (_wire.Interrupted)
            {
                break;
            }

            error ??= Play(step!.AsObject());
            while (_wire.Messages.TryTake(out var queued))
            {
                if (queued is null)
                {
                    _wire.Messages.Add(null);
                    break;
                }

                Replay(queued);
            }
        }

        var interrupted = _wire.Interrupted;
        if (interrupted)
        {
            Emit("user", new JsonObject { ["message"] = new JsonObject { ["role"] = "user", ["content"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = "[Request interrupted by user for tool use]" }) } });
        }

        var result = new JsonObject
        {
            ["subtype"] = interrupted ? "error_during_execution" : "success",
            ["is_error"] = interrupted || error is not null,
            ["duration_ms"] = clock.ElapsedMilliseconds,
            ["num_turns"] = 1,
            ["total_cost_usd"] = _cost,
            ["model_usage_since_last_result"] = new JsonObject { ["scripted-1"] = new JsonObject { ["costUSD"] = _cost - _costAtTurnStart } },
            ["terminal_reason"] = interrupted ? "aborted_tools" : "completed",
        };
        if (!interrupted)
        {
            result["result"] = error ?? "Done.";
        }

        _exitCode = interrupted || error is not null ? 1 : 0;
        Emit("result", result);
        if (steps.Any(step => step!["hangAfterResult"] is not null))
        {
            Thread.Sleep(Timeout.Infinite);
        }
    }

    private void Replay(JsonObject message)
    {
        var echo = message.DeepClone().AsObject();
        echo["isReplay"] = true;
        echo["session_id"] = _session;
        _wire.Send(echo);
    }

    private void Emit(string type, JsonObject body)
    {
        body["type"] = type; // not first: the order of keys means nothing
        body["session_id"] = _session;
        body["uuid"] = Guid.NewGuid().ToString();
        _wire.Send(body);
    }

    private void Block(JsonObject block, string role = "assistant") => Emit(role, new JsonObject
    {
        ["message"] = new JsonObject { ["id"] = $"msg_{_messageId++}", ["role"] = role, ["model"] = "scripted-1", ["content"] = new JsonArray(block) },
        ["parent_tool_use_id"] = null,
    });

    /// <returns>The API error that the turn ends with, if this step makes one.</returns>
    private string? Play(JsonObject step)
    {
        var (name, value) = step.First();
        _cost += (decimal?)step["usd"] ?? 0;
        switch (name)
        {
            case "say":
                Block(new JsonObject { ["type"] = "text", ["text"] = (string)value! });
                break;
            case "think":
                Block(new JsonObject { ["type"] = "thinking", ["thinking"] = (string)value! });
                break;
            case "tool":
                Tool(step, (string)value!);
                break;
            case "ask":
                Question(value!.AsArray(), (int?)step["cancelAfterMs"]);
                break;
            case "permission":
                Permission((string)value!, step["input"]!.AsObject());
                break;
            case "wait":
                Wait(TimeSpan.FromMilliseconds((int)value!));
                break;
            case "write":
                var path = Path.Combine(Environment.CurrentDirectory, (string)value!);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.WriteAllText(path, (string)step["text"]!);
                break;
            case "sh":
                Shell((string)value!);
                break;
            case "raw":
                _wire.SendBytes(Encoding.UTF8.GetBytes((string)value! + "\n"));
                break;
            case "base64":
                _wire.SendBytes(Convert.FromBase64String((string)value!));
                break;
            case "split":
                foreach (var one in Encoding.UTF8.GetBytes(new JsonObject { ["type"] = "assistant", ["message"] = new JsonObject { ["content"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = (string)value! }) } }.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n"))
                {
                    _wire.SendBytes([one]);
                }

                break;
            case "giant":
                Block(new JsonObject { ["type"] = "text", ["text"] = new string('x', (int)value!) });
                break;
            case "flood":
                for (long sent = 0, line = 0; sent < (long)value!; sent += 1000)
                {
                    Block(new JsonObject { ["type"] = "text", ["text"] = $"{line++} {new string('f', 800)}" });
                }

                break;
            case "barrier":
                Barrier((string)value!, (int)step["count"]!);
                break;
            case "ignoreSignals":
                _ignored.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true));
                _ignored.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => context.Cancel = true));
                break;
            case "deaf":
                Thread.Sleep(Timeout.Infinite); // hears no interrupt, no end of input
                break;
            case "background":
                Emit("system", new JsonObject { ["subtype"] = "background_tasks_changed", ["tasks"] = new JsonArray([.. Enumerable.Range(0, (int)value!).Select(task => (JsonNode)new JsonObject { ["id"] = $"task-{task}" })]) });
                break;
            case "stderr":
                Console.Error.WriteLine((string)value!);
                break;
            case "exit":
                Environment.Exit((int)value!);
                break;
            case "error":
                return (string)value!;
        }

        return null;
    }

    private void Tool(JsonObject step, string tool)
    {
        var id = $"toolu_{Guid.NewGuid():N}";
        Block(new JsonObject { ["type"] = "tool_use", ["id"] = id, ["name"] = tool, ["input"] = step["input"]?.DeepClone() ?? new JsonObject() });
        if (step["sh"] is { } script)
        {
            Shell((string)script!);
        }

        Wait(TimeSpan.FromMilliseconds((int?)step["ms"] ?? 0));
        Block(new JsonObject { ["type"] = "tool_result", ["tool_use_id"] = id, ["content"] = (string?)step["result"] ?? "ok", ["is_error"] = _wire.Interrupted }, "user");
    }

    /// <summary>Waits unless an interrupt comes: a fake tool is as easy to interrupt as a real one.</summary>
    private void Wait(TimeSpan time)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < time && !_wire.Interrupted;)
        {
            Thread.Sleep(10);
        }
    }

    private static void Shell(string script)
    {
        using var shell = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", script]) { UseShellExecute = false, RedirectStandardInput = true })!;
        shell.StandardInput.Close();
        shell.WaitForExit();
    }

    private void Question(JsonArray questions, int? cancelAfterMs)
    {
        var input = new JsonObject { ["questions"] = questions.DeepClone() };
        var id = $"toolu_{Guid.NewGuid():N}";
        Block(new JsonObject { ["type"] = "tool_use", ["id"] = id, ["name"] = "AskUserQuestion", ["input"] = input.DeepClone() });
        var reply = AskAndWait(new JsonObject { ["subtype"] = "can_use_tool", ["tool_name"] = "AskUserQuestion", ["input"] = input, ["tool_use_id"] = id }, cancelAfterMs);
        var answers = reply?["updatedInput"]?["answers"]?.AsObject();
        var said = answers is null || answers.Count == 0 ? "The user did not answer the questions." : $"Your questions have been answered: {string.Join(", ", answers.Select(answer => $"\"{answer.Key}\"=\"{answer.Value}\""))}";
        Block(new JsonObject { ["type"] = "tool_result", ["tool_use_id"] = id, ["content"] = said }, "user");
        if (answers is not null && Environment.GetEnvironmentVariable("FAKE_AGENT_RECORD") is not null)
        {
            File.WriteAllText(Path.Combine(Environment.CurrentDirectory, ".fake-answers.json"), answers.ToJsonString());
        }
    }

    private void Permission(string tool, JsonObject input)
    {
        var id = $"toolu_{Guid.NewGuid():N}";
        Block(new JsonObject { ["type"] = "tool_use", ["id"] = id, ["name"] = tool, ["input"] = input.DeepClone() });
        var reply = AskAndWait(new JsonObject { ["subtype"] = "can_use_tool", ["tool_name"] = tool, ["input"] = input.DeepClone(), ["tool_use_id"] = id }, null);
        var allowed = (string?)reply?["behavior"] == "allow";
        Block(new JsonObject { ["type"] = "tool_result", ["tool_use_id"] = id, ["content"] = allowed ? "done" : (string?)reply?["message"] ?? "denied", ["is_error"] = !allowed }, "user");
    }

    private JsonObject? AskAndWait(JsonObject request, int? cancelAfterMs)
    {
        var id = _wire.Ask(request);
        for (var clock = Stopwatch.StartNew(); ;)
        {
            if (_wire.Replies.TryRemove(id, out var reply))
            {
                return reply["response"] as JsonObject;
            }

            if (_wire.Interrupted || clock.ElapsedMilliseconds > cancelAfterMs)
            {
                _wire.Send(new JsonObject { ["type"] = "control_cancel_request", ["request_id"] = id });
                return null;
            }

            Thread.Sleep(5);
        }
    }

    /// <summary>Waits until so many agents stand here: proof that they live at the same time.</summary>
    private void Barrier(string folder, int count)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, $"{Environment.ProcessId}"), "");
        while (Directory.GetFiles(folder).Length < count && !_wire.Interrupted)
        {
            Thread.Sleep(20);
        }
    }
}
