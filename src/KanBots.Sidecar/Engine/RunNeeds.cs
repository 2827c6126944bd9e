using System.Text.Json;
using System.Text.Json.Serialization;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Engine;

/// <summary>Something that we placed in a worktree and that no change of the run's may contain.</summary>
/// <param name="Path">Relative to the worktree, with slashes.</param>
/// <param name="Kind">file, or links: a folder of links into the main working tree.</param>
/// <param name="Bytes">Of a file; the number of the links of a folder.</param>
internal sealed record Placed(string Path, string Kind, long Bytes)
{
    internal const string File = "file";
    internal const string Links = "links";
}

/// <summary>Where a run's <c>node_modules</c> come from.</summary>
/// <param name="Strategy">inherit, symlink, setup or none.</param>
/// <param name="Reason">A sentence.</param>
internal sealed record ModulesFrom(string Strategy, string Reason);

/// <summary>What a run's worktree was given besides git's files. Kept beside its launches, since it holds for all of them; serve is the only writer.</summary>
/// <param name="PortBase">The first port of the run's block; 0 before one was chosen.</param>
/// <param name="Notices">What a person should know of it, one for each kind.</param>
internal sealed record RunNeeds(int Format, int PortBase, IReadOnlyList<Placed> Placed, IReadOnlyList<Notice> Notices, ModulesFrom? NodeModules = null)
{
    internal static RunNeeds None { get; } = new(1, 0, [], []);

    internal RunNeeds Say(Notice notice) => this with { Notices = [.. Notices.Where(other => other.Kind != notice.Kind), notice] };

    internal RunNeeds Unsay(string kind) => this with { Notices = [.. Notices.Where(other => other.Kind != kind)] };

    /// <summary>Null when nothing is known, which is said by nobody: a run of an earlier build, or one that was never prepared.</summary>
    internal static RunNeeds? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(PrivateFiles.ReadAll(path), RunNeedsJson.Default.RunNeeds);
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    internal void Write(string path)
    {
        PrivateFiles.MakeFolder(System.IO.Path.GetDirectoryName(path)!);
        PrivateFiles.Replace(path, JsonSerializer.SerializeToUtf8Bytes(this, RunNeedsJson.Default.RunNeeds));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RunNeeds))]
internal sealed partial class RunNeedsJson : JsonSerializerContext;
