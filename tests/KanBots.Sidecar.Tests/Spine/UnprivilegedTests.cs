using System.Diagnostics;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>Folders that may not be written, as a user who is not root: root passes every such obstacle.</summary>
public sealed class UnprivilegedTests : IDisposable
{
    private const string User = "65534";
    private static readonly string[] AsUser = ["setpriv", "--reuid", User, "--regid", User, "--clear-groups", "--no-new-privs"];

    private readonly Place _place = new();

    public UnprivilegedTests()
    {
        // The build may lie where only its owner can read it.
        var build = Path.Combine(_place.Root, "build");
        Run("cp", "-rL", Path.GetDirectoryName(Place.Sidecar)!, build);
        Run("cp", "-rL", Path.GetDirectoryName(Place.FakeAgent)!, Path.Combine(_place.Root, "agent"));
        _place.Executable = Path.Combine(build, Path.GetFileName(Place.Sidecar));
        _place.Prefix = AsUser;
        _place.Variables["HOME"] = Path.Combine(_place.Root, "home");
        Directory.CreateDirectory(_place.Variables["HOME"]);
        _place.Script("work", """[{"write":"work.txt","text":"work"},{"say":"done"}]""");
        Run("chown", "-R", $"{User}:{User}", _place.Root);
        Run("chmod", "700", _place.Runtime);
    }

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Where_nothing_is_in_the_way_an_ordinary_user_can_work()
    {
        var client = Start();
        Assert.Equal("inReview", (string?)Place.UntilState(client, Place.Dispatch(client, Place.Card(client, 1, "work")), "inReview", "failed")["state"]);
    }

    [Fact]
    public void A_working_folder_that_is_read_only_is_said_and_another_root_helps()
    {
        Run("chmod", "555", _place.Repository);
        Assert.True(IsRefused("mkdir", Path.Combine(_place.Repository, ".kanbots")), "the obstacle is real");
        var client = Start();
        var card = Place.Card(client, 1, "work");
        var failed = Place.UntilState(client, Place.Dispatch(client, card), "failed");
        Assert.Equal("permissionDenied", (string?)failed["reason"]!["kind"]);
        Assert.Contains("worktree.root", (string?)failed["reason"]!["message"]);

        client.Ask("config/set", new() { ["values"] = new System.Text.Json.Nodes.JsonObject { ["worktree.root"] = Path.Combine(_place.Root, "elsewhere") } });
        var second = Place.UntilState(client, Place.Dispatch(client, card), "inReview", "failed");
        Assert.StartsWith(Path.Combine(_place.Root, "elsewhere"), (string?)second["worktreePath"]);
        Assert.Equal("inReview", (string?)second["state"]);
    }

    [Fact]
    public void A_git_folder_that_is_read_only_is_said_with_the_next_step()
    {
        var git = Path.Combine(_place.Repository, ".git");
        Run("chmod", "555", git);
        Assert.True(IsRefused("mkdir", Path.Combine(git, "kanbots")), "the obstacle is real");
        var (code, error) = Relay();
        Assert.NotEqual(0, code);
        Assert.Contains(Path.Combine(git, "kanbots"), error);
        Assert.Contains("write", error);
        Assert.DoesNotContain("   at ", error);

        Run("chmod", "755", git);
        Assert.NotNull(Start().Call("board/get")["cards"]);
    }

    [Fact]
    public void A_home_that_may_not_be_written_is_said_with_the_next_step()
    {
        var home = _place.Variables["HOME"];
        Run("chmod", "555", home);
        Assert.True(IsRefused("mkdir", Path.Combine(home, ".cache")), "the obstacle is real");
        _place.Variables["XDG_CACHE_HOME"] = "";
        var (code, error) = Relay();
        Assert.NotEqual(0, code);
        Assert.Contains(".cache", error);
        Assert.Contains("XDG_CACHE_HOME", error);
        Assert.DoesNotContain("   at ", error);

        _place.Variables.Remove("XDG_CACHE_HOME");
        Assert.NotNull(Start().Call("board/get")["cards"]);
    }

    [Fact]
    public void A_file_that_may_not_be_read_is_named_keeps_nothing_else_out_and_goes_with_its_worktree()
    {
        _place.Script("lock", """[{"write":"work.txt","text":"work"},{"sh":"echo locked > locked.txt && chmod 000 locked.txt"},{"say":"done"}]""");
        var client = Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "lock"));
        var worktree = (string)Place.UntilState(client, run, "inReview")["worktreePath"]!;
        Assert.True(IsRefused("cat", Path.Combine(worktree, "locked.txt")), "the obstacle is real");
        var changes = client.Call("review/changes", new() { ["runId"] = run });
        Assert.Equal(["work.txt"], changes["files"]!.AsArray().Select(file => (string)file!["path"]!));
        Assert.Equal(["locked.txt"], changes["left"]!.AsArray().Select(path => (string)path!));
        client.Ask("run/discard", new() { ["runId"] = run });
        client.Ask("run/restore", new() { ["runId"] = run });
        Assert.Equal("locked\n", File.ReadAllText(Path.Combine(worktree, "locked.txt")));
        Assert.Equal(UnixFileMode.None, new FileInfo(Path.Combine(worktree, "locked.txt")).UnixFileMode);
    }

    private WireClient Start()
    {
        var client = _place.Connect();
        client.Ask("config/set", new() { ["values"] = new System.Text.Json.Nodes.JsonObject { ["agents.claude.path"] = Path.Combine(_place.Root, "agent", Path.GetFileName(Place.FakeAgent)) } });
        return client;
    }

    private (int Code, string Error) Relay()
    {
        var start = _place.Command(_place.Repository, "--stdio");
        start.RedirectStandardError = start.RedirectStandardInput = start.RedirectStandardOutput = true;
        using var relay = Process.Start(start)!;
        relay.StandardInput.Close();
        var error = relay.StandardError.ReadToEnd();
        relay.WaitForExit();
        return (relay.ExitCode, error);
    }

    private static bool IsRefused(params string[] command)
    {
        using var tried = Process.Start(new ProcessStartInfo(AsUser[0], [.. AsUser[1..], .. command]) { RedirectStandardError = true })!;
        var said = tried.StandardError.ReadToEnd();
        tried.WaitForExit();
        return tried.ExitCode != 0 && said.Contains("Permission denied", StringComparison.Ordinal);
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
