using System.Text.Json;
using System.Text.Json.Nodes;
using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Protocol;
using Core = KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Rpc;

/// <summary>Where settings are kept: those that the core obeys, and the others.</summary>
internal sealed record KeptSettings(Core.Settings Core, FileSettings File);

/// <summary>One setting: how it is said, checked and described.</summary>
/// <param name="Description">For who reads it in an editor's settings: a sentence or two, without the unit.</param>
internal abstract record Setting(string Name, string Description)
{
    internal abstract JsonNode Default { get; }

    /// <returns>Null while it has its default.</returns>
    internal abstract JsonNode? Said(KeptSettings kept);

    /// <param name="value">Null, and JSON's null, for the default.</param>
    /// <exception cref="RpcException">The value is not one that it can have.</exception>
    internal abstract KeptSettings With(KeptSettings kept, JsonElement? value, string repositoryRoot);

    /// <summary>What JSON schema says of its values, without default and description.</summary>
    internal abstract JsonObject Schema();

    protected static bool IsDefault(JsonElement? value) => value is null or { ValueKind: JsonValueKind.Null };

    protected static RpcException Invalid(string message) => new(ErrorCode.InvalidArgument, message, new ErrorData("invalidArgument"));

    /// <summary>An empty text says the default.</summary>
    protected string? TextOf(JsonElement? value) => value switch
    {
        null or { ValueKind: JsonValueKind.Null } => null,
        { ValueKind: JsonValueKind.String } text => text.GetString() is { Length: > 0 } said ? said : null,
        _ => throw Invalid($"{Name} is a text."),
    };

    internal sealed record Flag(string Name, string Description, bool ByDefault, Func<FileSettings, bool?> Get, Func<FileSettings, bool?, FileSettings> Set) : Setting(Name, Description)
    {
        internal override JsonNode Default => JsonValue.Create(ByDefault);

        internal override JsonNode? Said(KeptSettings kept) => Get(kept.File) is { } said ? JsonValue.Create(said) : null;

        internal override KeptSettings With(KeptSettings kept, JsonElement? value, string repositoryRoot) => kept with
        {
            File = Set(kept.File, value switch
            {
                _ when IsDefault(value) => null,
                { ValueKind: JsonValueKind.True } => true,
                { ValueKind: JsonValueKind.False } => false,
                _ => throw Invalid($"{Name} is true or false."),
            }),
        };

        internal override JsonObject Schema() => new() { ["type"] = "boolean" };
    }

    /// <summary>A whole number from 1 on.</summary>
    /// <param name="Get">Null for the default.</param>
    internal sealed record Number(string Name, string Description, string Unit, long ByDefault, long Most, Func<KeptSettings, long?> Get, Func<KeptSettings, long?, KeptSettings> Set) : Setting(Name, Description)
    {
        internal const string Money = "micro-dollars";

        internal override JsonNode Default => JsonValue.Create(ByDefault);

        internal override JsonNode? Said(KeptSettings kept) => Get(kept) is { } said ? JsonValue.Create(said) : null;

        internal override KeptSettings With(KeptSettings kept, JsonElement? value, string repositoryRoot) => Set(kept, value switch
        {
            _ when IsDefault(value) => null,
            { ValueKind: JsonValueKind.Number } number when number.TryGetInt64(out var said) && said >= 1 && said <= Most => said,
            _ => throw Invalid($"{Name} is a whole number between 1 and {Most}{(Unit == Money ? $" (micro-dollars; {Core.Purse.Say(Most)})" : "")}."),
        });

        internal override JsonObject Schema() => new() { ["type"] = "integer", ["minimum"] = 1, ["maximum"] = Most, ["unit"] = Unit };
    }

    /// <summary>A path or a name on one line, that no program takes for an option.</summary>
    /// <param name="IsFolder">Of worktrees: outside the repository it is named in full.</param>
    internal sealed record Line(string Name, string Description, string ByDefault, Func<FileSettings, string?> Get, Func<FileSettings, string?, FileSettings> Set, bool IsFolder = false) : Setting(Name, Description)
    {
        internal override JsonNode Default => JsonValue.Create(ByDefault);

        internal override JsonNode? Said(KeptSettings kept) => Get(kept.File) is { } said ? JsonValue.Create(said) : null;

        internal override KeptSettings With(KeptSettings kept, JsonElement? value, string repositoryRoot)
        {
            var said = TextOf(value);
            return said is not null && (said.Length > Config.TextLengthMax || said[0] == '-' || said.Any(char.IsControl))
                ? throw Invalid($"{Name} is one line of at most {Config.TextLengthMax} characters and does not begin with a dash.")
                : said is not null && IsFolder && !IsPlaceForWorktrees(said, repositoryRoot)
                ? throw Invalid($"{Name} is a folder inside the repository, but not of git's own, or the full path of one outside it.")
                : kept with { File = Set(kept.File, said) };
        }

        internal override JsonObject Schema() => new() { ["type"] = "string", ["maxLength"] = Config.TextLengthMax };

        /// <summary>A folder outside the repository is named in full, so that no ".." leads there by mistake; git's own folder holds no worktrees.</summary>
        private static bool IsPlaceForWorktrees(string said, string repositoryRoot)
        {
            var below = Path.GetRelativePath(repositoryRoot, Path.GetFullPath(said, repositoryRoot)).Split(Path.DirectorySeparatorChar);
            return (Path.IsPathRooted(said) || below[0] != "..") && !below.Contains(".git");
        }
    }

    /// <summary>One of some words, or empty for the default.</summary>
    /// <param name="Empty">What the default does.</param>
    /// <param name="Words">Each with what it does.</param>
    internal sealed record Choice(string Name, string Description, string Empty, IReadOnlyList<(string Word, string Does)> Words, Func<FileSettings, string?> Get, Func<FileSettings, string?, FileSettings> Set) : Setting(Name, Description)
    {
        internal override JsonNode Default => JsonValue.Create("");

        internal override JsonNode? Said(KeptSettings kept) => Get(kept.File) is { } said ? JsonValue.Create(said) : null;

        internal override KeptSettings With(KeptSettings kept, JsonElement? value, string repositoryRoot) => TextOf(value) is var said && (said is null || Words.Any(one => one.Word == said))
            ? kept with { File = Set(kept.File, said) }
            : throw Invalid($"{Name} is {string.Join(", ", Words.Select(one => one.Word))}, or empty for the default.");

        internal override JsonObject Schema() => new()
        {
            ["type"] = "string",
            ["enum"] = Texts(Words.Select(one => one.Word).Prepend("")),
            ["enumDescriptions"] = Texts(Words.Select(one => one.Does).Prepend(Empty)),
        };
    }

    /// <summary>Texts of one line each.</summary>
    internal sealed record Lines(string Name, string Description, Func<FileSettings, IReadOnlyList<string>?> Get, Func<FileSettings, IReadOnlyList<string>?, FileSettings> Set) : Setting(Name, Description)
    {
        internal override JsonNode Default => new JsonArray();

        internal override JsonNode? Said(KeptSettings kept) => Get(kept.File) is { } said ? Texts(said) : null;

        internal override KeptSettings With(KeptSettings kept, JsonElement? value, string repositoryRoot) => kept with { File = Set(kept.File, ListOf(value, "of one line each", text => !text.AsSpan().ContainsAny('\n', '\r'))) };

        internal override JsonObject Schema() => ListSchema("array");
    }

    /// <summary>A program with its arguments, or one line for a shell.</summary>
    internal sealed record Command(string Name, string Description, Func<FileSettings, (IReadOnlyList<string>? Argv, string? Script)> Get, Func<FileSettings, IReadOnlyList<string>?, string?, FileSettings> Set) : Setting(Name, Description)
    {
        internal override JsonNode Default => JsonValue.Create("");

        internal override JsonNode? Said(KeptSettings kept) => Get(kept.File) switch
        {
            ({ } argv, _) => Texts(argv),
            (_, { } script) => JsonValue.Create(script),
            _ => null,
        };

        internal override KeptSettings With(KeptSettings kept, JsonElement? value, string repositoryRoot)
        {
            if (value is not { ValueKind: JsonValueKind.Array })
            {
                return kept with { File = Set(kept.File, null, TextOf(value) is { } script ? Short(script) : null) };
            }

            var argv = ListOf(value, "", _ => true);
            return argv is ["", ..] ? throw Invalid($"{Name} begins with the program.") : kept with { File = Set(kept.File, argv, null) };
        }

        internal override JsonObject Schema()
        {
            var schema = ListSchema("array", "string");
            schema["maxLength"] = FileSettings.ListTextMax;
            return schema;
        }
    }

    /// <summary>Null for the default, and for an empty list, which says the same.</summary>
    private List<string>? ListOf(JsonElement? value, string of, Func<string, bool> isEntry)
    {
        if (IsDefault(value))
        {
            return null;
        }

        if (value is not { ValueKind: JsonValueKind.Array } array || array.EnumerateArray().Any(one => one.ValueKind != JsonValueKind.String || !isEntry(one.GetString()!)))
        {
            throw Invalid($"{Name} is a list of texts{(of.Length > 0 ? $" {of}" : "")}.");
        }

        var list = array.EnumerateArray().Select(one => Short(one.GetString()!)).ToList();
        return list.Count > FileSettings.ListMax ? throw Invalid($"{Name} has at most {FileSettings.ListMax} entries.") : list.Count == 0 ? null : list;
    }

    private string Short(string text) =>
        text.Length <= FileSettings.ListTextMax && !text.Contains('\0') ? text : throw Invalid($"{Name} has at most {FileSettings.ListTextMax} characters in each entry. Put the rest into a script of the repository.");

    private static JsonObject ListSchema(params string[] types) => new()
    {
        ["type"] = types.Length == 1 ? JsonValue.Create(types[0]) : Texts(types),
        ["items"] = new JsonObject { ["type"] = "string", ["maxLength"] = FileSettings.ListTextMax },
        ["maxItems"] = FileSettings.ListMax,
    };

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => JsonValue.Create(text))]);
}
