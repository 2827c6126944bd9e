using System.Text.Json.Nodes;
using System.Xml.Linq;
using KanBots.Sidecar.Tests.Spine;
using Xunit.Abstractions;

namespace KanBots.Sidecar.Tests.Architecture;

/// <summary>What is shipped is run, because trimming and native images break what a debug build cannot show: JSON contexts, native
/// libraries, resources.</summary>
public sealed class PublishTests(ITestOutputHelper output)
{
    public static TheoryData<string> Profiles => [.. Directory.GetFiles(RepositoryRoot.Of("src", "KanBots.Sidecar", "Properties", "PublishProfiles")).Select(file => Path.GetFileNameWithoutExtension(file)!).Order()];

    private static string Version { get; } = XDocument.Load(RepositoryRoot.Of("Directory.Build.props")).Descendants("Version").Single().Value;

    [Theory]
    [MemberData(nameof(Profiles))]
    public void A_published_sidecar_is_made_without_one_warning_and_says_the_one_version(string profile)
    {
        var published = Published.Of(profile);
        output.WriteLine($"{profile}: {published.Bytes / 1e6:0.0} MB in {published.Files} files, published in {published.Took.TotalSeconds:0} s (0: as before)");
        Assert.Empty(Published.Complaints(published.Log));
        Assert.Equal($"kanbots-sidecar {Version}\n", published.Run("--version"));
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public void A_published_sidecar_says_the_committed_schema(string profile)
    {
        var folder = Directory.CreateTempSubdirectory("kb-").FullName;
        try
        {
            Published.Of(profile).Run("schema", folder);
            Assert.Equal(Directory.GetFiles(RepositoryRoot.Of("schema")).Select(Path.GetFileName).Order(), Directory.GetFiles(folder).Select(Path.GetFileName).Order());
            Assert.All(Directory.GetFiles(folder), file => Assert.Equal(File.ReadAllText(RepositoryRoot.Of("schema", Path.GetFileName(file))), File.ReadAllText(file)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Profiles))]
    public void A_published_sidecar_serves_a_board_over_stdio_and_keeps_it_in_SQLite(string profile)
    {
        using var place = new Place();
        using var client = new WireClient(Published.Of(profile).Command(place.Command(place.Repository, "--stdio")));
        var hello = new JsonObject { ["clientName"] = "test", ["workspaceFolder"] = place.Repository, ["trusted"] = true, ["capabilities"] = new JsonArray() };
        Assert.Equal(Version, (string?)client.Call("initialize", hello)["serverVersion"]);
        Assert.Empty(client.Call("board/get")["cards"]!.AsArray());
        var card = client.Ask("card/create", new JsonObject { ["title"] = "Überall", ["number"] = 7 })["card"]!;
        Assert.Equal("Überall", (string?)card["title"]);
        Assert.Equal((long)card["id"]!, (long)Assert.Single(client.Call("board/get")["cards"]!.AsArray())!["id"]!);
        var refused = Assert.Throws<WireError>(() => client.Ask("run/dispatch", new JsonObject { ["cardId"] = 999 }));
        Assert.Equal("cardNotFound", refused.Kind);
        Assert.True(File.Exists(Path.Combine(place.State, "kanbots.db")), "the database is not where it belongs");
    }
}
