using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

public sealed class GitLocksTests
{
    /// <summary>The agent's git holds locks of the user's repository, not only of its worktree. That one which is killed leaves them is
    /// shown by Processes/PutAwayTests.</summary>
    /// <param name="how">Who ends it: the host at a stop or a discard; serve when its host is killed; the guard when serve is killed too.</param>
    [Theory]
    [InlineData("stop")]
    [InlineData("kill")]
    [InlineData("discard")]
    [InlineData("host")]
    [InlineData("host and serve")]
    public void A_git_of_the_agent_that_is_ended_leaves_no_lock(string how)
    {
        using var place = new Place();
        Place.Git(place.Repository, "update-ref", "refs/remotes/origin/gone", "HEAD");
        Place.Git(place.Repository, "pack-refs", "--all");
        var pids = Path.Combine(place.Root, "pids");
        Directory.CreateDirectory(pids);
        place.Script("hold", $$"""[{"tool":"Bash","sh":"(printf 'start\\ndelete refs/remotes/origin/gone\\nprepare\\n'; exec sleep 600) | sh -c 'echo $$ > {{pids}}/git; exec git update-ref --stdin'"}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "hold"));
        Place.Until("git holds its locks", () => new[] { "packed-refs.lock", "refs/remotes/origin/gone.lock" }.All(name => File.Exists(Path.Combine(place.Repository, ".git", name))));
        var git = int.Parse(File.ReadAllText(Path.Combine(pids, "git")));
        var host = Assert.Single(place.HostPids(1, run));
        var on = new JsonObject { ["runId"] = run };
        switch (how)
        {
            case "stop":
                Assert.Equal("stopped", (string?)client.Ask("run/stop", on)["run"]!["state"]);
                break;
            case "kill":
                File.AppendAllText(Path.Combine(place.RunFolder(1, run), "control.ndjson"), "{\"op\":\"kill\"}\n");
                Place.UntilState(client, run, "stopped", "interrupted", "failed");
                break;
            case "discard":
                client.Ask("run/discard", on);
                break;
            case "host":
                Place.Kill(host);
                Place.UntilState(client, run, "interrupted");
                break;
            default:
                Place.Kill(place.ServePid);
                Place.Kill(host);
                Place.Until("the guard has ended the tree", () => !Place.IsAlive(git));
                Assert.Empty(Locks(place));
                client = place.Connect();
                Place.UntilState(client, run, "interrupted");
                break;
        }

        Assert.False(Place.IsAlive(git));
        Assert.Empty(Locks(place));
        Place.Git(place.Repository, "gc", "-q", "--prune=now");
        Place.Git(place.Repository, "update-ref", "-d", "refs/remotes/origin/gone");
    }

    /// <summary>Those of git: ours are held by the kernel, and only the files stay.</summary>
    private static string[] Locks(Place place) =>
        [.. Directory.GetFiles(Path.Combine(place.Repository, ".git"), "*.lock", SearchOption.AllDirectories).Where(path => !path.StartsWith(place.State, StringComparison.Ordinal))];
}
