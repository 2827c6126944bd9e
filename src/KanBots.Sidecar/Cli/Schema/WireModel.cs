using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using KanBots.Sidecar.Protocol;

namespace KanBots.Sidecar.Cli.Schema;

/// <summary>The shape of one value on the wire.</summary>
internal abstract record Shape
{
    internal sealed record Scalar(string JsonType, string? Format = null) : Shape;

    internal sealed record Any : Shape;

    internal sealed record List(Shape Item) : Shape;

    internal sealed record Map(Shape Value) : Shape;

    internal sealed record Named(string Name) : Shape;
}

internal sealed record Field(string Name, Shape Shape, bool Required, bool Nullable);

/// <summary>One named type: the values of an enum, the variants of a union, or the fields of an object.
/// A variant of a union carries its <c>kind</c>.</summary>
internal sealed record NamedType(string Name, IReadOnlyList<string>? Values, IReadOnlyList<string>? Variants, IReadOnlyList<Field> Fields, string? Kind = null);

/// <summary>Reads the wire's records into named types, by the same metadata that serialises them, so that the schema cannot say
/// anything else than what travels.</summary>
internal sealed class WireModel
{
    private readonly SortedDictionary<string, NamedType> _types = new(StringComparer.Ordinal);

    internal IReadOnlyCollection<NamedType> Types => _types.Values;

    internal static WireModel Read()
    {
        var model = new WireModel();
        foreach (var method in Wire.Methods)
        {
            model.Add(method.Params, null);
            if (method.Result is not null)
            {
                model.Add(method.Result, null);
            }
        }

        model.Add(ProtocolJson.Default.ErrorData, null);
        return model;
    }

    internal static string NameOf(JsonTypeInfo info) => info.Type.Name;

    private void Add(JsonTypeInfo info, string? kind)
    {
        var name = NameOf(info);
        if (_types.TryGetValue(name, out var known) && (kind is null || known.Kind == kind))
        {
            return;
        }

        _types[name] = new NamedType(name, null, null, [], kind); // a placeholder ends recursion
        if (info.PolymorphismOptions is { } union && kind is null)
        {
            foreach (var variant in union.DerivedTypes)
            {
                Add(ProtocolJson.Default.GetTypeInfo(variant.DerivedType)!, (string)variant.TypeDiscriminator!);
            }

            _types[name] = new NamedType(name, null, [.. union.DerivedTypes.Select(variant => variant.DerivedType.Name)], []);
            return;
        }

        _types[name] = new NamedType(name, null, null, [.. info.Properties.Select(ReadField)], kind);
    }

    private Field ReadField(JsonPropertyInfo property)
    {
        var underlying = Nullable.GetUnderlyingType(property.PropertyType);
        return new Field(property.Name, ReadShape(underlying ?? property.PropertyType), property.IsRequired, underlying is not null || property.IsGetNullable);
    }

    private Shape ReadShape(Type type)
    {
        if (type.IsEnum)
        {
            _types[type.Name] = new NamedType(type.Name, [.. Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName)], null, []);
            return new Shape.Named(type.Name);
        }

        if (type == typeof(string) || type == typeof(JsonText))
        {
            return new Shape.Scalar("string");
        }

        if (type == typeof(DateTimeOffset))
        {
            return new Shape.Scalar("string", "date-time");
        }

        if (type == typeof(bool))
        {
            return new Shape.Scalar("boolean");
        }

        if (type == typeof(int) || type == typeof(long))
        {
            return new Shape.Scalar("integer");
        }

        if (type == typeof(double))
        {
            return new Shape.Scalar("number");
        }

        if (type == typeof(JsonElement) || type == typeof(JsonNode))
        {
            return new Shape.Any();
        }

        var info = ProtocolJson.Default.GetTypeInfo(type) ?? throw new InvalidOperationException($"{type} is not a type of the wire");
        switch (info.Kind)
        {
            case JsonTypeInfoKind.Enumerable:
                return new Shape.List(ReadShape(info.ElementType!));
            case JsonTypeInfoKind.Dictionary:
                return new Shape.Map(ReadShape(Nullable.GetUnderlyingType(info.ElementType!) ?? info.ElementType!));
            default:
                Add(info, null);
                return new Shape.Named(type.Name);
        }
    }
}
