using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>Names, numbers, paths and refs that a client makes up: each has a named answer, and no file comes or goes anywhere.</summary>
public sealed class WireThreatTests
{
    private static readonly string[] Odd = ["../../../../tmp/x", "..", "a/../../b", "-x", "--upload-pack=touch mark", "line\nbreak", "nul\0byte", "\u001b[2J", "", " ", new string('x', 100_000), "@{-1}", "^main", "main^{/x}", "HEAD:readme.txt", "refs/heads/../../x", "ext::sh -c touch% mark"];

    [Fact]
    public void No_base_model_or_effort_leads_anywhere()
    {
        using var place = new Place();
        place.Script("work", """[{"say":"hi"}]""");
        var client = place.Start();
        var before = HostileRepositoryTests.Listing(place);
        var number = 0;
        foreach (var odd in Odd)
        {
            foreach (var name in new[] { "baseRef", "model", "effort", "persona" })
            {
                var card = Place.Card(client, ++number, "work");
                try
                {
                    var run = (long)client.Ask("run/dispatch", new JsonObject { ["cardId"] = card, [name] = odd })["run"]!["id"]!;
                    Assert.True(name == "baseRef" || !(odd.Length is 0 or > 1_000 || odd[0] == '-' || odd.Any(char.IsControl)), $"{name} '{odd}' was taken");
                    if (name == "baseRef")
                    {
                        var failed = Place.UntilState(client, run, "failed");
                        Assert.Equal("unknownRevision", (string?)failed["reason"]!["kind"]);
                    }
                    else
                    {
                        client.Ask("run/stop", new JsonObject { ["runId"] = run });
                    }
                }
                catch (WireError refused)
                {
                    Assert.Equal("invalidArgument", refused.Kind);
                    Assert.EndsWith(".", refused.Message);
                }
            }
        }

        Assert.Equal(before, [.. HostileRepositoryTests.Listing(place).Where(line => !line.Contains("kanbots", StringComparison.Ordinal) && !line.Contains("/.git/worktrees", StringComparison.Ordinal) && !line.Contains("/.git/logs", StringComparison.Ordinal) && !line.Contains("/info/exclude", StringComparison.Ordinal))
            .Concat(before.Where(line => line.Contains("kanbots", StringComparison.Ordinal) || line.Contains("/.git/worktrees", StringComparison.Ordinal) || line.Contains("/.git/logs", StringComparison.Ordinal) || line.Contains("/info/exclude", StringComparison.Ordinal))).Order(StringComparer.Ordinal)]);
    }

    [Fact]
    public void No_number_cursor_or_id_leads_anywhere()
    {
        using var place = new Place();
        place.Script("work", """[{"say":"hi"}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "work"));
        Place.UntilState(client, run, "finished");
        var before = HostileRepositoryTests.Listing(place);
        foreach (var number in new JsonNode[] { 0, -1, long.MinValue, long.MaxValue, 1.5, "../1", "1\n2", new JsonArray(), new JsonObject() })
        {
            Named(client, "card/create", new JsonObject { ["title"] = "t", ["number"] = number.DeepClone() });
            Named(client, "run/events", new JsonObject { ["runId"] = number.DeepClone() });
            Named(client, "run/subscribe", new JsonObject { ["runId"] = number.DeepClone() });
            Named(client, "run/resume", new JsonObject { ["runId"] = number.DeepClone() });
            Named(client, "run/stop", new JsonObject { ["runId"] = number.DeepClone() });
            Named(client, "run/dispatch", new JsonObject { ["cardId"] = number.DeepClone() });
            Named(client, "card/delete", new JsonObject { ["cardId"] = number.DeepClone() });
        }

        foreach (var odd in Odd.Append("-1").Append("99999999999999999999"))
        {
            Named(client, "run/events", new JsonObject { ["runId"] = run, ["after"] = odd });
            Named(client, "decision/answer", new JsonObject { ["decisionId"] = odd, ["allow"] = true });
            Named(client, "run/reply", new JsonObject { ["runId"] = run, ["text"] = "t", ["replaces"] = odd });
            Named(client, "run/dispatch", new JsonObject { ["cardId"] = 1, ["agent"] = odd });
        }

        Assert.Equal(before, HostileRepositoryTests.Listing(place));
        Assert.Single(client.Call("board/get")["cards"]!.AsArray());
    }

    [Fact]
    public void No_setting_leads_outside_by_mistake_or_into_gits_own_folder()
    {
        using var place = new Place();
        var client = place.Start();
        var before = HostileRepositoryTests.Listing(place);
        var settings = File.ReadAllText(Path.Combine(place.State, "settings.json"));
        foreach (var odd in new[] { "..", "../x", "a/../../x", ".git", ".git/hooks", "sub/.git/x", Path.Combine(place.Repository, ".git", "objects"), "-x", "--x", "a\nb", "a\0b", new string('x', 10_000) })
        {
            Named(client, "config/set", new JsonObject { ["values"] = new JsonObject { ["worktree.root"] = odd } });
        }

        foreach (var name in new[] { "agents.claude.path", "worktree.baseRef" })
        {
            foreach (var odd in new[] { "-x", "a\nb", "a\0b", new string('x', 10_000) })
            {
                Named(client, "config/set", new JsonObject { ["values"] = new JsonObject { [name] = odd } });
            }
        }

        Named(client, "config/set", new JsonObject { ["values"] = new JsonObject { ["../settings"] = "x" } });
        Assert.Equal(settings, File.ReadAllText(Path.Combine(place.State, "settings.json")));
        Assert.Equal(before, HostileRepositoryTests.Listing(place));
        client.Ask("config/set", new JsonObject { ["values"] = new JsonObject { ["worktree.root"] = Path.Combine(place.Root, "trees") } }); // named in full: meant so
    }

    [Fact]
    public void A_client_of_another_repository_knows_nothing_of_this_board()
    {
        using var place = new Place();
        using var elsewhere = new Place();
        place.Script("work", """[{"ask":[{"question":"Which?","header":"H","multiSelect":false,"options":[{"label":"A"}]}]}]""");
        var client = place.Start();
        var run = Place.Dispatch(client, Place.Card(client, 1, "work"));
        var decision = (string)Place.Until(client, "it asks", board => board["decisions"]!.AsArray().Count == 1)["decisions"]![0]!["id"]!;
        var stranger = elsewhere.Connect();
        Assert.Empty(stranger.Call("board/get")["cards"]!.AsArray());
        foreach (var (method, parameters) in HostileRepositoryTests.Writing().Where(one => one.Method is not ("card/create" or "config/set" or "worktree/remove")))
        {
            parameters["decisionId"] = parameters.ContainsKey("decisionId") ? decision : null;
            Assert.Contains(Assert.Throws<WireError>(() => stranger.Ask(method, parameters)).Kind, new[] { "cardNotFound", "runNotFound", "decisionNotFound" });
        }

        var worktree = (string)Place.Run(client, run)["worktreePath"]!;
        Assert.Equal("invalidArgument", Assert.Throws<WireError>(() => stranger.Ask("worktree/remove", new JsonObject { ["paths"] = new JsonArray(worktree), ["foreign"] = true })).Kind);
        Assert.True(Directory.Exists(worktree));
        Assert.Equal("awaitingDecision", (string?)Place.Run(client, run)["state"]);
    }

    private static void Named(WireClient client, string method, JsonObject parameters)
    {
        var refused = Assert.Throws<WireError>(() => client.Ask(method, parameters));
        Assert.False(refused.Kind is null or "internalError", $"{method} {parameters.ToJsonString()[..Math.Min(100, parameters.ToJsonString().Length)]}: {refused.Message}");
        Assert.EndsWith(".", refused.Message);
    }
}
