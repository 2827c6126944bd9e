using System.Text.Json;
using System.Text.Json.Serialization;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Engine;

/// <summary>Settings that the core does not need: where programs and worktrees are. Null means the default.</summary>
internal sealed record FileSettings(string? ClaudePath = null, string? WorktreeRoot = null, string? WorktreeBaseRef = null)
{
    internal static FileSettings Read(string path) =>
        File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), FileSettingsJson.Default.FileSettings) ?? new FileSettings() : new FileSettings();

    internal void Write(string path) => PrivateFiles.Replace(path, JsonSerializer.SerializeToUtf8Bytes(this, FileSettingsJson.Default.FileSettings));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FileSettings))]
internal sealed partial class FileSettingsJson : JsonSerializerContext;
