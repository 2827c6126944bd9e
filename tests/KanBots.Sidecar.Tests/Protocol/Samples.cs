using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using KanBots.Sidecar.Cli.Schema;
using KanBots.Sidecar.Protocol;

namespace KanBots.Sidecar.Tests.Protocol;

/// <summary>Makes samples of every type of the wire from its metadata: one with every member, one with none that may be absent, and of a
/// union both for each variant. The values are odd on purpose: the largest numbers, letters beyond ASCII, quotes, a line break.</summary>
internal static class Samples
{
    private static readonly JsonSerializerOptions Written = new() { WriteIndented = true, NewLine = "\n" };

    internal static IReadOnlyList<string> TypeNames { get; } = [.. WireModel.Read().Types.Select(type => type.Name)];

    /// <summary>The text of <c>schema/samples/TYPE.json</c>: an array, each element as the serialiser writes it.</summary>
    internal static string FileOf(string typeName)
    {
        var array = new JsonArray([.. Of(typeName).Select(sample => JsonNode.Parse(Rewrite(typeName, sample.ToJsonString())))]);
        return array.ToJsonString(Written) + "\n";
    }

    /// <summary>Read as the type and written again.</summary>
    internal static string Rewrite(string typeName, string json)
    {
        var info = ProtocolJson.Default.GetTypeInfo(RootOf(TypeOf(typeName)))!;
        return JsonSerializer.Serialize(JsonSerializer.Deserialize(json, info), info);
    }

    private static Type TypeOf(string name) => typeof(ProtocolJson).Assembly.GetType($"KanBots.Sidecar.Protocol.{name}") ?? throw new InvalidOperationException($"{name} is no type of the wire");

    /// <summary>A variant travels as its union, with its kind.</summary>
    private static Type RootOf(Type type) => type.BaseType is { } union && Variants(union).Count > 0 ? union : type;

    private static IList<JsonDerivedType> Variants(Type type) => type == typeof(object) || type.IsValueType ? [] : ProtocolJson.Default.GetTypeInfo(type)?.PolymorphismOptions?.DerivedTypes ?? [];

    private static IEnumerable<JsonNode> Of(string typeName)
    {
        var type = TypeOf(typeName);
        return type.IsEnum ? Enum.GetNames(type).Select(name => (JsonNode)JsonNamingPolicy.CamelCase.ConvertName(name)!) : Both(type);
    }

    private static IEnumerable<JsonNode> Both(Type type)
    {
        if (type.IsClass && type != typeof(string) && RootOf(type) is var root && Variants(root) is { Count: > 0 } variants)
        {
            return variants.Where(variant => type == root || variant.DerivedType == type).SelectMany(variant => new[] { Variant(variant, true), Variant(variant, false) });
        }

        var (full, least) = (Make(type, "", true), Make(type, "", false));
        return JsonNode.DeepEquals(full, least) ? [full] : [full, least];
    }

    private static JsonObject Variant(JsonDerivedType variant, bool full)
    {
        var made = new JsonObject { ["kind"] = (string)variant.TypeDiscriminator! };
        foreach (var (name, value) in Members(variant.DerivedType, full))
        {
            made[name] = value;
        }

        return made;
    }

    private static IEnumerable<(string Name, JsonNode Value)> Members(Type type, bool full) =>
        ProtocolJson.Default.GetTypeInfo(type)!.Properties
            .Where(property => full || property.IsRequired)
            .Select(property => (property.Name, Make(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType, property.Name, full)));

    private static JsonNode Make(Type type, string name, bool full)
    {
        if (type.IsEnum)
        {
            var names = Enum.GetNames(type);
            return JsonNamingPolicy.CamelCase.ConvertName(full ? names[^1] : names[0]);
        }

        return type switch
        {
            _ when type == typeof(string) || type == typeof(JsonText) => full ? $"{name}: \"Grüße\", 世界 🚀\n" : "",
            _ when type == typeof(DateTimeOffset) => full ? "2026-11-25T23:59:59.999Z" : "2026-01-01T00:00:00.000Z",
            _ when type == typeof(bool) => full,
            _ when type == typeof(int) => full ? int.MaxValue : 0,
            _ when type == typeof(long) => full ? 9_007_199_254_740_991 : 0, // 2^53 - 1, the largest that every client can read
            _ when type == typeof(double) => full ? 1.5 : 0,
            _ when type == typeof(JsonElement) => full ? JsonNode.Parse("""{"any":[1,null,"x",{"deep":true}]}""")! : JsonValue.Create("any"),
            _ => Composed(type, full),
        };
    }

    private static JsonNode Composed(Type type, bool full)
    {
        var info = ProtocolJson.Default.GetTypeInfo(type)!;
        switch (info.Kind)
        {
            case JsonTypeInfoKind.Enumerable:
                return full ? new JsonArray([.. Both(info.ElementType!)]) : new JsonArray();
            case JsonTypeInfoKind.Dictionary:
                var value = Nullable.GetUnderlyingType(info.ElementType!) ?? info.ElementType!;
                return full ? new JsonObject { ["one.name"] = Make(value, "one.name", true), ["other.name"] = Make(value, "other.name", false) } : new JsonObject();
            default:
                var made = new JsonObject();
                foreach (var (name, member) in Members(type, full))
                {
                    made[name] = member;
                }

                return made;
        }
    }
}
