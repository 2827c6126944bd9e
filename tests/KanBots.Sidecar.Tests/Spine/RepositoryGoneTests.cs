using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>The repository is taken away under a serve and its runs: an agent that nobody can see must not go on spending.</summary>
public sealed class RepositoryGoneTests
{
    private const int Seconds = 60;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_repository_that_is_gone_takes_its_serve_hosts_and_agents_with_it(bool moved)
    {
        using var place = new Place();
        var pids = Path.Combine(place.Root, "pids");
        Directory.CreateDirectory(pids);
        place.Script("tree", $$"""[{"write":"half.txt","text":"half"},{"sh":"setsid sh -c 'echo $$ > {{pids}}/a; exec sleep 600' > /dev/null 2>&1 & sleep 0.1"},{"tool":"Bash","sh":"echo $$ > {{pids}}/b; exec sleep 600"}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "tree"));
        Place.Until("the children said who they are", () => Directory.GetFiles(pids).Count(file => new FileInfo(file).Length > 0) == 2);
        Place.Until("the host knows its agent", () => place.AgentPid(1, run) is not null);
        var ours = Directory.GetFiles(pids).Select(file => int.Parse(File.ReadAllText(file))).Append(place.AgentPid(1, run)!.Value).Append(place.HostPids(1, run)[0]).Append(place.ServePid).ToList();
        Assert.All(ours, pid => Assert.True(Place.IsAlive(pid)));

        var elsewhere = Path.Combine(place.Root, "elsewhere");
        System.Diagnostics.Process.Start(moved ? "mv" : "rm", moved ? [place.Repository, elsewhere] : ["-rf", place.Repository]).WaitForExit();

        Assert.Equal(3, client.WaitForExit()); // serve has left
        Place.Until("serve, host and the whole tree are gone", () => !ours.Any(Place.IsAlive), Seconds);
        Assert.False(Directory.Exists(place.Repository), "nobody made the folders again");
        if (moved)
        {
            var again = place.Connect(elsewhere);
            Place.UntilState(again, run, "interrupted");
            Place.Kill((int)again.Call("sidecar/status")["pid"]!);
        }
    }

    [Fact]
    public void A_deleted_lock_file_ends_the_serve_and_the_next_one_finds_the_runs()
    {
        using var place = new Place();
        place.Script("long", """[{"tool":"Bash","ms":600000}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "long"));
        Place.UntilState(client, run, "running");
        var serve = place.ServePid;
        File.Delete(Path.Combine(place.State, "lock"));
        Assert.Equal(3, client.WaitForExit());
        Place.Until("serve is gone", () => !Place.IsAlive(serve));
        var again = place.Connect();
        Assert.Equal("running", (string?)Place.Run(again, run)["state"]);
        Assert.Equal("stopped", (string?)again.Ask("run/stop", new JsonObject { ["runId"] = run })["run"]!["state"]);
    }
}
