using System.Text.Json;
using System.Text.Json.Nodes;
using KanBots.Sidecar.Cli.Schema;
using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Protocol;
using KanBots.Sidecar.Rpc;
using Core = KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Tests.Rpc;

/// <summary>The committed schema of the settings against what a client is told and may set.</summary>
public sealed class ConfigTests
{
    private static readonly KeptSettings Untouched = new(Core.Settings.Default, new FileSettings());

    private static readonly JsonObject Schema = JsonNode.Parse(File.ReadAllText(RepositoryRoot.Of("schema", SchemaVerb.ConfigFile)))!["properties"]!.AsObject();

    public static TheoryData<string> Names => [.. Schema.Select(setting => setting.Key)];

    private static KeptSettings Set(KeptSettings kept, string name, JsonNode? value) =>
        Config.Change(kept, new Dictionary<string, JsonElement?> { [name] = JsonDocument.Parse(value?.ToJsonString() ?? "null").RootElement }, "/repository");

    private static (string Value, string Origin) Told(KeptSettings kept, string name) => Config.Read(kept) is var told ? (JsonNode.Parse(told.Values[name].GetRawText())!.ToJsonString(), told.Origins[name]) : default;

    [Fact]
    public void Every_setting_is_in_the_schema_with_a_description_and_the_default_that_a_client_is_told()
    {
        Assert.Equal(Config.Read(Untouched).Values.Keys, Schema.Select(setting => setting.Key));
        Assert.All(Schema, setting => Assert.Matches(@"^[A-Z].{20,200}\.$", (string)setting.Value!["description"]!));
        Assert.All(Schema, setting => Assert.Equal((setting.Value!["default"]!.ToJsonString(), "default"), Told(Untouched, setting.Key)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_the_schema_allows_may_be_set_and_what_is_beyond_it_is_refused(string name)
    {
        var schema = Schema[name]!.AsObject();
        var (allowed, refused) = Values(schema);
        foreach (var value in allowed)
        {
            var changed = Set(Untouched, name, value);
            Assert.Equal((value.ToJsonString(), JsonNode.DeepEquals(value, schema["default"]) ? "default" : "repository"), (Told(changed, name).Value, Told(changed, name).Origin));
            Assert.All(Schema.Where(other => other.Key != name), other => Assert.Equal("default", Told(changed, other.Key).Origin));
            Assert.Equal(JsonSerializer.Serialize(Config.Read(Untouched)), JsonSerializer.Serialize(Config.Read(Set(changed, name, null))));
        }

        Assert.All(refused, value => Assert.Equal("invalidArgument", Assert.Throws<RpcException>(() => Set(Untouched, name, value)).Details!.Kind));
    }

    [Fact]
    public void A_name_that_is_none_is_refused() => Assert.Equal(ErrorCode.SettingUnknown, Assert.Throws<RpcException>(() => Set(Untouched, "runs.maxparallel", 1)).Code);

    private static (JsonNode[] Allowed, JsonNode[] Refused) Values(JsonObject setting)
    {
        var type = setting["type"]!.ToJsonString();
        JsonNode[] words = setting["enum"]?.AsArray().Select(word => word!).ToArray() ?? [];
        return type switch
        {
            "\"boolean\"" => ([!(bool)setting["default"]!], ["true", 1]),
            "\"integer\"" => ([(long)setting["minimum"]!, (long)setting["maximum"]!], [(long)setting["minimum"]! - 1, (long)setting["maximum"]! + 1, 1.5, "1"]),
            "\"string\"" when words.Length > 0 => (words, ["other", 1, true]),
            "\"string\"" => ([Text(setting)], [Text(setting) + "x", "-x", "a\nb", 1]),
            _ => ([new JsonArray(Text(setting["items"]!), "b"), List(setting, 0)], [new JsonArray(Text(setting["items"]!) + "x"), List(setting, 1), new JsonArray(1), type.Contains("string", StringComparison.Ordinal) ? Text(setting) + "x" : "x"]),
        };
    }

    private static string Text(JsonNode setting) => new('x', (int)setting["maxLength"]!);

    private static JsonArray List(JsonObject setting, int more) => [.. Enumerable.Range(0, (int)setting["maxItems"]! + more).Select(i => (JsonNode)$"{i}")];
}
