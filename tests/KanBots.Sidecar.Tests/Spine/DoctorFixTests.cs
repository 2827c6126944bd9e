using System.Diagnostics;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>doctor shows what was left over and changes nothing; with --fix it does what it said, and takes no work with it.</summary>
public sealed class DoctorFixTests
{
    private static (int Code, string Output) Doctor(Place place, params string[] arguments)
    {
        var start = place.Command(place.Repository, ["doctor", .. arguments]);
        start.RedirectStandardOutput = true;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    private static string Picture(Place place) => string.Join("\n", Directory.EnumerateFileSystemEntries(place.Root, "*", SearchOption.AllDirectories).Where(path => !path.StartsWith(place.Cache, StringComparison.Ordinal)).Order(StringComparer.Ordinal)) + File.ReadAllText(Path.Combine(place.Repository, ".git/info/exclude"));

    private static int Count(string output, string word) => output.Split('\n').Count(line => line.StartsWith(word, StringComparison.Ordinal));

    [Fact]
    public void Every_left_over_is_shown_first_and_fixed_when_asked()
    {
        using var place = new Place();
        place.Variables["ANTHROPIC_API_KEY"] = "key";
        var pid = Path.Combine(place.Root, "daemon.pid");
        place.Script("daemon", $$"""[{"write":"w.txt","text":"w"},{"sh":"setsid sh -c 'echo $$ > {{pid}}; exec sleep 600' > /dev/null 2>&1 < /dev/null & sleep 0.2"}]""");
        place.Script("work", """[{"write":"w.txt","text":"w"}]""");
        var client = place.Start();
        var daemon = Place.Dispatch(client, Place.Card(client, 1, "daemon"));
        var gone = Place.Dispatch(client, Place.Card(client, 2, "work"));
        var staged = Place.Dispatch(client, Place.Card(client, 3, "work"));
        var kept = Place.UntilState(client, daemon, "inReview");
        var path = (string)Place.UntilState(client, gone, "inReview")["worktreePath"]!;
        var stagedPath = (string)Place.UntilState(client, staged, "inReview")["worktreePath"]!;
        Assert.Contains("1 to look at.", Doctor(place).Output); // the daemon alone, while all is well

        Place.Kill(place.ServePid);
        client.WaitForExit();
        Place.Git(stagedPath, "add", "-A");
        Directory.Delete(path, recursive: true);
        Directory.Delete(stagedPath, recursive: true);
        Place.Git(place.Repository, "worktree", "add", "-q", "-b", "mine", Path.Combine(place.Root, "mine"));
        Directory.Delete(Path.Combine(place.Root, "mine"), recursive: true);
        File.WriteAllText(Path.Combine(place.State, "settings.json.999999999.tmp"), "{");
        File.WriteAllText(Path.Combine(place.State, "scratch", "index-left"), "x");
        File.WriteAllText(Path.Combine(place.Repository, ".git/info/exclude"), "theirs\n");
        var process = int.Parse(File.ReadAllText(pid));

        var before = Picture(place);
        var (code, output) = Doctor(place);
        Assert.Equal(1, code);
        Assert.Equal(before, Picture(place));
        Assert.True(Place.IsAlive(process));
        Assert.Equal(6, Count(output, "would"));
        Assert.Contains("6 can be fixed: kanbots-sidecar doctor --fix", output);

        (code, output) = Doctor(place, "--fix");
        Assert.Equal(1, code);
        Assert.Equal(5, Count(output, "fixed"));
        Assert.Equal(1, Count(output, "not done"));
        Assert.Contains("Changes were staged in", output);
        Assert.False(Place.IsAlive(process));
        Assert.False(File.Exists(Path.Combine(place.State, "settings.json.999999999.tmp")));
        Assert.Empty(Directory.GetFiles(Path.Combine(place.State, "scratch")));
        Assert.Equal("theirs\n/.kanbots/\n", File.ReadAllText(Path.Combine(place.Repository, ".git/info/exclude")));
        var trees = Place.Git(place.Repository, "worktree", "list", "--porcelain");
        Assert.DoesNotContain(path, trees);
        Assert.Contains(stagedPath, trees);
        Assert.Contains(Path.Combine(place.Root, "mine"), trees); // the user's own, however gone
        Assert.Equal("w", File.ReadAllText(Path.Combine((string)kept["worktreePath"]!, "w.txt")));
        Assert.Equal(3, Place.Git(place.Repository, "branch", "--list", "kanbots/*").Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);

        (code, output) = Doctor(place, "--fix");
        Assert.Equal(0, Count(output, "fixed"));
        var again = place.Connect();
        Assert.Equal("inReview", (string?)Place.Run(again, daemon)["state"]);
        Assert.Equal("worktreeMissing", (string?)Place.Run(again, gone)["reason"]!["kind"]);
    }

    [Fact]
    public void A_live_serve_and_a_live_run_are_nothing_left_over()
    {
        using var place = new Place();
        place.Variables["ANTHROPIC_API_KEY"] = "key";
        place.Script("long", """[{"tool":"Bash","ms":600000}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "long"));
        Place.UntilState(client, run, "running");
        Place.Until("its agent lives", () => place.AgentPid(1, run) is { } pid && Place.IsAlive(pid));
        var (code, output) = Doctor(place, "--fix");
        Assert.Contains("nothing was left over", output);
        Assert.Equal(0, code);
        Assert.Equal("running", (string?)Place.Run(client, run)["state"]);
    }
}
