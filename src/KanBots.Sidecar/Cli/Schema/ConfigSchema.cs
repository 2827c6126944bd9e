using System.Text.Json.Nodes;
using KanBots.Sidecar.Rpc;

namespace KanBots.Sidecar.Cli.Schema;

/// <summary>The settings as a JSON schema, from the table that reads and checks them. <c>unit</c> is what a number counts, <c>enumDescriptions</c> what each
/// value of an <c>enum</c> does.</summary>
internal static class ConfigSchema
{
    internal static JsonObject Make()
    {
        var properties = new JsonObject();
        foreach (var setting in Config.All)
        {
            var schema = setting.Schema();
            schema["default"] = setting.Default;
            schema["description"] = setting.Description;
            properties[setting.Name] = schema;
        }

        return new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "KanBots Sidecar settings",
            ["type"] = "object",
            ["properties"] = properties,
            ["additionalProperties"] = false,
        };
    }
}
