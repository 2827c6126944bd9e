using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>What a dispatched agent can reach: of git, of the environment, of secrets.</summary>
public sealed class AgentHandsTests
{
    private const string Secret = "hunter2-0a1b2c3d";

    [Fact]
    public void A_dispatched_agent_commits_but_pushes_nothing_and_moves_no_other_ref()
    {
        using var place = new Place();
        var origin = Path.Combine(place.Root, "origin.git");
        Place.Git(place.Root, "init", "-q", "--bare", "-b", "main", origin);
        Place.Git(place.Repository, "remote", "add", "origin", origin);
        Place.Git(place.Repository, "push", "-q", "origin", "main");
        Place.Git(place.Repository, "branch", "precious");
        Shell(place, "hands", """
            git config user.name A; git config user.email a@example.com 2>/dev/null
            echo work >work.txt; git add -A; git -c user.name=A -c user.email=a@example.com commit -qm work && echo committed >said
            git push origin HEAD 2>push; git push origin HEAD:main --no-verify 2>>push
            git branch -f precious HEAD 2>branch; git update-ref refs/heads/main HEAD 2>>branch
            git tag v1 2>>branch; git stash 2>>branch; true
            """);
        var (bare, refs) = (Place.Git(origin, "for-each-ref"), Place.Git(place.Repository, "for-each-ref"));
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "hands"));
        var done = Place.UntilState(client, run, "inReview", "failed");

        var worktree = (string)done["worktreePath"]!;
        string Said(string file) => File.ReadAllText(Path.Combine(worktree, file));
        Assert.Equal("committed\n", Said("said"));
        Assert.Contains("agents do not push", Said("push"));
        Assert.Contains("may move no ref but its own branch kanbots/issue-1-1; refs/heads/precious stays as it is", Said("branch"));
        Assert.Equal(bare, Place.Git(origin, "for-each-ref"));
        Assert.Equal(refs, string.Concat(Place.Git(place.Repository, "for-each-ref").Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.EndsWith("refs/heads/kanbots/issue-1-1") && !line.Contains("\trefs/kanbots/")).Select(line => line + "\n")));
        Assert.Equal("1\n", Place.Git(place.Repository, "rev-list", "--count", "main..kanbots/issue-1-1"));

        // It could write the configuration that all worktrees share, so that is said on its card.
        var notice = Assert.Single(done["notices"]!.AsArray())!;
        Assert.Equal("sharedConfigChanged", (string?)notice["kind"]);
        Assert.Contains("user.email (new), user.name (new)", (string?)notice["message"]);
    }

    [Fact]
    public void What_a_setup_command_does_to_shared_configuration_is_said_on_the_card()
    {
        using var place = new Place();
        Shell(place, "work", "echo work >work.txt");
        var client = place.Start();
        client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { ["worktree.setup"] = "git config core.hooksPath .husky/_" } });
        var done = Place.UntilState(client, Place.Dispatch(client, Place.Card(client, 1, "work")), "inReview", "failed");
        Assert.Equal(".husky/_\n", Place.Git(place.Repository, "config", "--local", "core.hooksPath"));
        var notice = Assert.Single(done["notices"]!.AsArray(), notice => (string?)notice!["kind"] == "sharedConfigChanged")!;
        Assert.Contains("core.hookspath (new)", (string?)notice["message"]);
    }

    [Fact]
    public void Credentials_of_the_editor_and_the_forge_reach_an_agent_only_when_the_setting_says_so()
    {
        using var place = new Place();
        Shell(place, "env", "env >env-$(ls | grep -c env-); true");
        string[] kept = ["KEPT", "ANTHROPIC_BASE_URL", "GIT_AUTHOR_NAME"];
        string[] credentials = ["GH_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN", "SSH_ASKPASS", "GIT_ASKPASS"];
        string[] editor = ["VSCODE_GIT_IPC_HANDLE", "VSCODE_GIT_ASKPASS_MAIN", "ELECTRON_RUN_AS_NODE", "GIT_DIR_X", "GIT_INDEX_FILE", "CLAUDECODE", "CLAUDE_CODE_SSE_PORT", "JETBRAINS_REMOTE", "KANBOTS_OTHER"];
        foreach (var name in kept.Concat(credentials).Concat(editor))
        {
            place.Variables[name] = $"{Secret}-{name}";
        }

        var client = place.Start();
        var card = Place.Card(client, 1, "env");
        var run = Place.UntilState(client, Place.Dispatch(client, card), "inReview");
        var got = Environment(run, 0);
        Assert.All(kept, name => Assert.Equal($"{Secret}-{name}", got[name]));
        Assert.All(credentials.Concat(editor), name => Assert.False(got.ContainsKey(name), name));

        client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { ["agents.passCredentials"] = true } });
        var second = Place.UntilState(client, Place.Dispatch(client, Place.Card(client, 2, "env")), "inReview");
        got = Environment(second, 0);
        Assert.All(credentials, name => Assert.Equal($"{Secret}-{name}", got[name]));
        Assert.All(editor, name => Assert.False(got.ContainsKey(name), name));

        Dictionary<string, string> Environment(JsonObject run, int number) =>
            File.ReadAllLines(Path.Combine((string)run["worktreePath"]!, $"env-{number}")).Where(line => line.Contains('=')).GroupBy(line => line.Split('=')[0]).ToDictionary(line => line.Key, line => line.Last().Split('=', 2)[1]);
    }

    [Fact]
    public void No_value_of_the_environment_is_written_anywhere_or_stands_on_a_command_line()
    {
        using var place = new Place();
        place.Variables["ANTHROPIC_API_KEY"] = $"{Secret}-key";
        place.Variables["MY_PASSWORD"] = $"{Secret}-password";
        place.Script("long", """[{"say":"hello"},{"tool":"Bash","ms":600000}]""");
        place.Script("bad", """[{"stderr":"no"},{"exit":3}]""");
        var client = place.Start();
        var failed = Place.Dispatch(client, Place.Card(client, 2, "bad"));
        var run = Place.Dispatch(client, Place.Card(client, 1, "long"));
        Place.UntilState(client, failed, "failed");
        Place.Until("the agent runs", () => place.AgentPid(1, run) is not null);
        Assert.ThrowsAny<Exception>(() => client.Ask("run/dispatch", new JsonObject { ["cardId"] = 99 }));

        var agent = place.AgentPid(1, run)!.Value;
        Assert.Contains(Secret, File.ReadAllText($"/proc/{agent}/environ")); // the agent has it: what is looked for can be found
        foreach (var pid in place.HostPids(1, run).Append(agent).Append(place.ServePid))
        {
            Assert.DoesNotContain(Secret, File.ReadAllText($"/proc/{pid}/cmdline"));
        }

        client.Ask("run/stop", new JsonObject { ["runId"] = run });
        var written = Directory.EnumerateFiles(place.Root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
            .Where(file => new FileInfo(file) is { Length: > 0 and < 64 << 20 } && !file.StartsWith(place.Cache, StringComparison.Ordinal)).ToList();
        Assert.Contains(written, file => file.EndsWith("launch.json", StringComparison.Ordinal));
        Assert.DoesNotContain(written, file => File.ReadAllText(file).Contains(Secret, StringComparison.Ordinal));
        Assert.Contains("MY_PASSWORD", File.ReadAllText(Path.Combine(place.RunFolder(1, run), "launch.json")));
    }

    [Fact]
    public void A_launch_with_another_path_or_provider_than_the_one_before_says_so()
    {
        using var place = new Place();
        place.Script("talk", """[{"say":"hello"},{"write":"a.txt","text":"a"}]""");
        place.Variables["ANTHROPIC_BASE_URL"] = "http://one.example";
        place.Variables["UNIMPORTANT"] = "one";
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "talk"));
        Assert.Null(Place.UntilState(client, run, "inReview")["notices"]);

        client.Ask("run/resume", new JsonObject { ["runId"] = run, ["text"] = "again" });
        Assert.Null(Place.Run(Place.Until(client, "the second launch is over", board => (int)Place.Run(board, run)["launch"]! == 2 && (string?)Place.Run(board, run)["state"] == "inReview"), run)["notices"]);

        Place.Kill(place.ServePid);
        place.Variables["ANTHROPIC_BASE_URL"] = "http://two.example";
        place.Variables["ANTHROPIC_MODEL"] = "new";
        place.Variables["PATH"] = $"/opt/elsewhere:{System.Environment.GetEnvironmentVariable("PATH")}";
        place.Variables["UNIMPORTANT"] = "two";
        client = place.Connect();
        client.Ask("run/resume", new JsonObject { ["runId"] = run, ["text"] = "and again" });
        var third = Place.Run(Place.Until(client, "the third launch is over", board => (int)Place.Run(board, run)["launch"]! == 3 && (string?)Place.Run(board, run)["state"] == "inReview"), run);
        var notice = Assert.Single(third["notices"]!.AsArray())!;
        Assert.Equal("environmentDiffers", (string?)notice["kind"]);
        Assert.Contains("Launch 3 has another environment than launch 2: ANTHROPIC_BASE_URL, ANTHROPIC_MODEL, PATH.", (string?)notice["message"]);
        Assert.DoesNotContain("two.example", (string?)notice["message"]);
    }

    private static void Shell(Place place, string name, string script) =>
        place.Script(name, new JsonArray(new JsonObject { ["sh"] = script.ReplaceLineEndings("\n") }, new JsonObject { ["say"] = "done" }).ToJsonString());
}
