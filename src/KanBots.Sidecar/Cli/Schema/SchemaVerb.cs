using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using KanBots.Sidecar.Protocol;

namespace KanBots.Sidecar.Cli.Schema;

/// <summary><c>kanbots-sidecar schema [folder]</c>: writes the wire's JSON schema, its TypeScript types, and the JSON schema of the settings.</summary>
internal static class SchemaVerb
{
    internal const string JsonFile = "protocol.schema.json";
    internal const string TypeScriptFile = "protocol.ts";
    internal const string ConfigFile = "config.schema.json";

    internal static int Run(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (var (name, text) in Generate())
        {
            File.WriteAllText(Path.Combine(folder, name), text);
        }

        return 0;
    }

    /// <summary>Every generated file with its text, ending in a newline.</summary>
    internal static IReadOnlyDictionary<string, string> Generate()
    {
        var model = WireModel.Read();
        return new Dictionary<string, string> { [JsonFile] = Text(JsonSchema(model)), [TypeScriptFile] = TypeScript(model), [ConfigFile] = Text(ConfigSchema.Make()) };
    }

    private static JsonObject JsonSchema(WireModel model)
    {
        var definitions = new JsonObject();
        foreach (var type in model.Types)
        {
            definitions[type.Name] = Definition(type);
        }

        var methods = new JsonObject();
        foreach (var method in Wire.Methods)
        {
            var entry = new JsonObject { ["direction"] = DirectionName(method.Direction), ["params"] = Reference(WireModel.NameOf(method.Params)) };
            if (method.Result is not null)
            {
                entry["result"] = Reference(WireModel.NameOf(method.Result));
            }

            methods[method.Name] = entry;
        }

        var errors = new JsonObject();
        foreach (var code in Enum.GetValues<ErrorCode>())
        {
            errors[JsonNamingPolicy.CamelCase.ConvertName(code.ToString())] = (int)code;
        }

        return new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "KanBots Sidecar protocol",
            ["methods"] = methods,
            ["errorCodes"] = errors,
            ["$defs"] = definitions,
        };
    }

    private static string Text(JsonObject root)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            root.WriteTo(writer);
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static JsonObject Definition(NamedType type)
    {
        if (type.Values is not null)
        {
            return new JsonObject { ["type"] = "string", ["enum"] = Strings(type.Values) };
        }

        if (type.Variants is not null)
        {
            var variants = new JsonArray();
            foreach (var variant in type.Variants)
            {
                variants.Add((JsonNode)Reference(variant));
            }

            return new JsonObject { ["oneOf"] = variants };
        }

        var properties = new JsonObject();
        var required = new List<string>();
        if (type.Kind is not null)
        {
            properties["kind"] = new JsonObject { ["const"] = type.Kind };
            required.Add("kind");
        }

        foreach (var field in type.Fields)
        {
            properties[field.Name] = SchemaOf(field.Shape);
            if (field.Required)
            {
                required.Add(field.Name);
            }
        }

        return new JsonObject { ["type"] = "object", ["properties"] = properties, ["required"] = Strings(required) };
    }

    private static JsonObject SchemaOf(Shape shape)
    {
        switch (shape)
        {
            case Shape.Scalar scalar:
                var value = new JsonObject { ["type"] = scalar.JsonType };
                if (scalar.Format is not null)
                {
                    value["format"] = scalar.Format;
                }

                return value;
            case Shape.List list:
                return new JsonObject { ["type"] = "array", ["items"] = SchemaOf(list.Item) };
            case Shape.Map map:
                return new JsonObject { ["type"] = "object", ["additionalProperties"] = SchemaOf(map.Value) };
            case Shape.Named named:
                return Reference(named.Name);
            default:
                return new JsonObject();
        }
    }

    private static JsonObject Reference(string name) => new() { ["$ref"] = $"#/$defs/{name}" };

    private static JsonArray Strings(IEnumerable<string> values)
    {
        var array = new JsonArray();
        foreach (var value in values)
        {
            array.Add((JsonNode)JsonValue.Create(value));
        }

        return array;
    }

    private static string DirectionName(Direction direction) => JsonNamingPolicy.CamelCase.ConvertName(direction.ToString());

    private static string TypeScript(WireModel model)
    {
        var text = new StringBuilder("// Generated by `kanbots-sidecar schema` from the records of KanBots.Sidecar.Protocol. Do not edit.\n");
        foreach (var type in model.Types)
        {
            text.Append('\n');
            if (type.Values is not null)
            {
                text.Append($"export type {type.Name} = {string.Join(" | ", type.Values.Select(value => $"\"{value}\""))};\n");
            }
            else if (type.Variants is not null)
            {
                text.Append($"export type {type.Name} =\n{string.Join("\n", type.Variants.Select(variant => $"  | {variant}"))};\n");
            }
            else
            {
                text.Append($"export interface {type.Name} {{\n");
                if (type.Kind is not null)
                {
                    text.Append($"  kind: \"{type.Kind}\";\n");
                }

                foreach (var field in type.Fields)
                {
                    text.Append($"  {field.Name}{(field.Required ? "" : "?")}: {TypeScriptOf(field.Shape)};\n");
                }

                text.Append("}\n");
            }
        }

        text.Append("\n/** Requests that a client sends: params and result by method. */\nexport interface Requests {\n");
        foreach (var method in Wire.Methods.Where(method => method.Result is not null))
        {
            text.Append($"  \"{method.Name}\": {{ params: {WireModel.NameOf(method.Params)}; result: {WireModel.NameOf(method.Result!)} }};\n");
        }

        text.Append("}\n\n/** Notifications: params by method. */\nexport interface Notifications {\n");
        foreach (var method in Wire.Methods.Where(method => method.Result is null))
        {
            text.Append($"  \"{method.Name}\": {WireModel.NameOf(method.Params)};\n");
        }

        text.Append("}\n\nexport const ErrorCodes = {\n");
        foreach (var code in Enum.GetValues<ErrorCode>())
        {
            text.Append($"  {JsonNamingPolicy.CamelCase.ConvertName(code.ToString())}: {(int)code},\n");
        }

        return text.Append("} as const;\n").ToString();
    }

    private static string TypeScriptOf(Shape shape) => shape switch
    {
        Shape.Scalar { JsonType: "integer" or "number" } => "number",
        Shape.Scalar scalar => scalar.JsonType,
        Shape.List list => $"readonly {Parenthesised(TypeScriptOf(list.Item))}[]",
        Shape.Map map => $"Readonly<Record<string, {TypeScriptOf(map.Value)}>>",
        Shape.Named named => named.Name,
        _ => "unknown",
    };

    private static string Parenthesised(string type) => type.Contains(' ') ? $"({type})" : type;
}
