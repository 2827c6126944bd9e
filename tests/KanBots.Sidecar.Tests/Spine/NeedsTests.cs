using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>What agents find in their worktrees besides git's files.</summary>
public sealed class NeedsTests
{
    internal static string Worktree(WireClient client, long run) => (string)Place.Run(client, run)["worktreePath"]!;

    [Fact]
    public void Each_run_has_ports_of_its_own_which_a_resume_and_another_serve_keep()
    {
        using var place = new Place();
        place.Script("port", """[{"sh":"printf '%s\n' \"$KANBOTS_PORT\" >> ports.txt; printf '%s\n' \"$KANBOTS_WORKTREE\" \"$KANBOTS_MAIN_WORKTREE\" > places.txt"}]""");
        var client = place.Start();
        var runs = Enumerable.Range(1, 3).Select(number => Place.Dispatch(client, Place.Card(client, number, "port"))).ToArray();
        foreach (var run in runs)
        {
            Place.UntilState(client, run, "inReview");
        }

        var ports = runs.Select(run => File.ReadAllText(Path.Combine(Worktree(client, run), "ports.txt")).Trim()).ToArray();
        Assert.Equal(3, ports.Distinct().Count());
        Assert.All(ports, port => Assert.InRange(int.Parse(port), 20_000, 31_999));
        Assert.Equal([Worktree(client, runs[0]), place.Repository], File.ReadAllLines(Path.Combine(Worktree(client, runs[0]), "places.txt")));
        Assert.Equal(int.Parse(ports[1]), (int)client.Call("run/details", new JsonObject { ["runId"] = runs[1] })["portBase"]!);

        Place.Kill(place.ServePid);
        client = place.Connect();
        client.Ask("run/resume", new JsonObject { ["runId"] = runs[1], ["text"] = "[[fake:port]]" });
        Place.Until(client, "launch 2 is over", board => (int)Place.Run(board, runs[1])["launch"]! == 2 && (string)Place.Run(board, runs[1])["state"]! == "inReview");
        Assert.Equal([ports[1], ports[1]], File.ReadAllLines(Path.Combine(Worktree(client, runs[1]), "ports.txt")));
    }
}
