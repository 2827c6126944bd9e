using System.Diagnostics;
using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>A real repository with a board of its own: temp folder, cache, runtime folder and scripts. Its path has a space and letters
/// beyond ASCII, as users' paths do.</summary>
internal sealed class Place : IDisposable
{
    private readonly List<WireClient> _clients = [];

    internal Place(string name = "Übung eins")
    {
        Root = Directory.CreateTempSubdirectory("kb-").FullName;
        Repository = Path.Combine(Root, name);
        Directory.CreateDirectory(Scripts);
        Directory.CreateDirectory(Runtime);
        Git(Root, "init", "-q", "-b", "main", Repository);
        File.WriteAllText(Path.Combine(Repository, "readme.txt"), "one\n");
        Commit("first");
    }

    internal static string Configuration { get; } = AppContext.BaseDirectory.Contains("/Release/") ? "Release" : "Debug";

    /// <summary>The build under test; KANBOTS_EXECUTABLE names another one, such as the published.</summary>
    internal static string Sidecar { get; } = Environment.GetEnvironmentVariable("KANBOTS_EXECUTABLE") is { Length: > 0 } named ? named : RepositoryRoot.Of("src", "KanBots.Sidecar", "bin", Configuration, "net10.0", "kanbots-sidecar");

    /// <summary>The same sources as version 99.0.0, which test.sh builds.</summary>
    internal static string NewerSidecar => RepositoryRoot.Of("artifacts", "newer", "kanbots-sidecar") is var path && File.Exists(path) ? path : throw new InvalidOperationException($"{path} is missing: run ./test.sh, which builds it.");

    /// <summary>The scripted agent; KANBOTS_FAKE_AGENT names another build of it, such as the native one.</summary>
    internal static string FakeAgent { get; } = Environment.GetEnvironmentVariable("KANBOTS_FAKE_AGENT") is { Length: > 0 } named ? named : RepositoryRoot.Of("tests", "KanBots.FakeAgent", "bin", Configuration, "net10.0", "kanbots-fake-agent");

    internal string Root { get; }

    internal string Repository { get; }

    internal string Executable { get; set; } = Sidecar;

    /// <summary>A command that runs the executable, in another role or with less: empty, or a program and its arguments.</summary>
    internal IReadOnlyList<string> Prefix { get; set; } = [];

    internal string Scripts => Path.Combine(Root, "scripts");

    internal string Runtime => Path.Combine(Root, "run");

    internal string Cache => Path.Combine(Root, "cache");

    internal string State => Path.Combine(Repository, ".git", "kanbots");

    internal Dictionary<string, string> Variables { get; } = [];

    internal string RunFolder(int card, long run, int launch = 1) => Path.Combine(State, "runs", $"{card}-{run}", $"{launch}");

    /// <summary>The pids of all hosts, and of all agents, that the launches of a run have had, in their order.</summary>
    internal IReadOnlyList<int> HostPids(int card, long run) => Pids(card, run, "hostPid");

    internal IReadOnlyList<int> AgentPids(int card, long run) => Pids(card, run, "agentPid");

    internal int? AgentPid(int card, long run) => AgentPids(card, run) is [.., var last] ? last : null;

    private List<int> Pids(int card, long run, string name)
    {
        var folder = Path.Combine(State, "runs", $"{card}-{run}");
        return Directory.Exists(folder)
            ? [.. Directory.GetDirectories(folder).OrderBy(launch => int.Parse(Path.GetFileName(launch))).Select(launch => Path.Combine(launch, "host.json")).Where(File.Exists).Select(file => (int?)JsonNode.Parse(File.ReadAllText(file))![name]).OfType<int>()]
            : [];
    }

    internal void Script(string name, string json) => File.WriteAllText(Path.Combine(Scripts, $"{name}.json"), json);

    /// <returns>The path of a program that is this text.</returns>
    internal string Program(string name, string text)
    {
        var path = Path.Combine(Root, name);
        File.WriteAllText(path, text.ReplaceLineEndings("\n") + "\n");
        Process.Start("/bin/chmod", ["500", path]).WaitForExit();
        return path;
    }

    internal void Commit(string message)
    {
        Git(Repository, "add", "-A");
        Git(Repository, "-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "-q", "-m", message);
    }

    internal static string Git(string folder, params string[] arguments)
    {
        using var git = Process.Start(new ProcessStartInfo("git", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = git.StandardError.ReadToEndAsync();
        var output = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        Assert.True(git.ExitCode == 0, $"git {string.Join(' ', arguments)}: {error.Result}");
        return output;
    }

    internal ProcessStartInfo Command(string folder, params string[] arguments)
    {
        string[] all = [.. Prefix, Executable, .. arguments];
        var start = new ProcessStartInfo(all[0], all[1..]) { WorkingDirectory = folder };
        start.Environment["XDG_CACHE_HOME"] = Cache;
        start.Environment["XDG_RUNTIME_DIR"] = Runtime;
        start.Environment["FAKE_AGENT_SCRIPTS"] = Scripts;
        start.Environment["FAKE_AGENT_RECORD"] = "1";
        foreach (var (name, value) in Variables)
        {
            start.Environment[name] = value;
        }

        return start;
    }

    /// <summary>A relay gives up after ten seconds, which a serve may need to come up where twenty processes want two cores; a plugin starts the next relay then, and so do we.</summary>
    internal WireClient Connect(string? folder = null, bool trusted = true)
    {
        for (var more = ConnectsMax - 1; ; more--)
        {
            var client = new WireClient(Command(folder ?? Repository, "--stdio"));
            _clients.Add(client);
            try
            {
                client.Call("initialize", new JsonObject { ["clientName"] = "test", ["workspaceFolder"] = folder ?? Repository, ["trusted"] = trusted, ["capabilities"] = new JsonArray() });
                return client;
            }
            catch (InvalidOperationException failure) when (more > 0 && failure.Message.Contains("did not answer within", StringComparison.Ordinal))
            {
                // The next one finds the serve that this one has started.
            }
        }
    }

    private const int ConnectsMax = 6;

    /// <summary>Connected, with the scripted agent, and room and money for many runs.</summary>
    internal WireClient Start(int parallel = 32, string? folder = null)
    {
        var client = Connect(folder);
        client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { ["agents.claude.path"] = FakeAgent, ["runs.maxParallel"] = parallel, ["runs.budget.dayMicroUsd"] = 1_000_000_000 } });
        return client;
    }

    internal static long Card(WireClient client, int number, string script) =>
        (long)client.Ask("card/create", new JsonObject { ["title"] = $"card {number}", ["number"] = number, ["body"] = $"[[fake:{script}]]" })["card"]!["id"]!;

    internal static long Dispatch(WireClient client, long card) => (long)client.Ask("run/dispatch", new JsonObject { ["cardId"] = card })["run"]!["id"]!;

    internal static JsonObject Run(JsonObject board, long id) => board["runs"]!.AsArray().Select(run => run!.AsObject()).Single(run => (long)run["id"]! == id);

    internal static JsonObject Run(WireClient client, long id) => Run(client.Call("board/get"), id);

    /// <summary>Waits until the board is as wanted; says what it was when it never came.</summary>
    internal static JsonObject Until(WireClient client, string what, Func<JsonObject, bool> wanted, int seconds = 180)
    {
        for (var clock = Stopwatch.StartNew(); ;)
        {
            var board = client.Call("board/get");
            if (wanted(board))
            {
                return board;
            }

            Assert.True(clock.Elapsed.TotalSeconds < seconds, $"never: {what}. The board: {board.ToJsonString()}");
            Thread.Sleep(30);
        }
    }

    internal static JsonObject UntilState(WireClient client, long run, params string[] states) =>
        Run(Until(client, $"run {run} {string.Join(" or ", states)}", board => states.Contains((string)Run(board, run)["state"]!)), run);

    internal static void Until(string what, Func<bool> wanted, double seconds = 120)
    {
        for (var clock = Stopwatch.StartNew(); !wanted(); Thread.Sleep(10))
        {
            Assert.True(clock.Elapsed.TotalSeconds < seconds, $"never within {seconds} s: {what}");
        }
    }

    /// <summary>Lets a random time go by before a kill: the moment of it, not a wait for anything.</summary>
    internal static void Moment(int milliseconds) => Thread.Sleep(milliseconds);

    internal int ServePid => (int)JsonNode.Parse(File.ReadAllText(Path.Combine(State, "serve.json")))!["pid"]!;

    /// <summary>By the children's own word: each wrote its pid into a file. A zombie is gone.</summary>
    internal static bool IsAlive(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            return text[text.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Until it is gone, and its lock with it: a killed process lives on for a moment.</summary>
    internal void KillServe()
    {
        var pid = ServePid;
        Kill(pid);
        Until("the killed serve is gone", () => !IsAlive(pid) && ThreadsOf(pid) <= 1);
    }

    /// <summary>While one of a killed process's threads has yet to end, its locks are held, though it is a zombie already.</summary>
    private static int ThreadsOf(int pid)
    {
        try
        {
            return Directory.GetDirectories($"/proc/{pid}/task").Length;
        }
        catch (IOException)
        {
            return 0; // reaped
        }
    }

    /// <param name="signal">As <c>kill</c> names it.</param>
    internal static void Signal(int pid, string signal) => Process.Start("/bin/kill", [$"-{signal}", $"{pid}"]).WaitForExit();

    internal static void Kill(int pid) => Process.Start("/bin/kill", ["-9", $"{pid}"]).WaitForExit();

    public void Dispose()
    {
        _clients.ForEach(client => client.Dispose());
        if (File.Exists(Path.Combine(State, "serve.json")) && IsAlive(ServePid))
        {
            Kill(ServePid);
        }

        foreach (var host in Directory.Exists(State) ? Directory.GetFiles(State, "host.json", SearchOption.AllDirectories) : [])
        {
            var file = JsonNode.Parse(File.ReadAllText(host))!;
            if (IsAlive((int)file["hostPid"]!) && File.ReadAllText($"/proc/{file["hostPid"]}/cmdline").Contains("run-host"))
            {
                Kill((int)file["hostPid"]!);
            }
        }

        try
        {
            Directory.Delete(Root, recursive: true);
        }
        catch (IOException)
        {
            // a killed process may still be writing its last line; the temp folder is cleaned by the system
        }
    }
}
