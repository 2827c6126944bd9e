using System.Text.Json;
using System.Text.Json.Serialization;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Engine;

/// <summary>Settings that the core does not need: where programs and worktrees are. Null means the default.</summary>
internal sealed record FileSettings(string? ClaudePath = null, string? WorktreeRoot = null, string? WorktreeBaseRef = null, int? RunsKeepDays = null, long? RunsKeepBytes = null, bool? PassCredentials = null)
{
    /// <summary>Days after its end for which what a run's agent said is kept.</summary>
    internal const int KeepDays = 30;

    /// <summary>Bytes of all streams together beyond which the oldest go first.</summary>
    internal const long KeepBytes = 2L << 30;

    /// <summary>Days. More is not worth a number: it is for ever.</summary>
    internal const int KeepDaysMax = 36_500;

    internal static FileSettings Read(string path) =>
        File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), FileSettingsJson.Default.FileSettings) ?? new FileSettings() : new FileSettings();

    internal void Write(string path) => PrivateFiles.Replace(path, JsonSerializer.SerializeToUtf8Bytes(this, FileSettingsJson.Default.FileSettings));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FileSettings))]
internal sealed partial class FileSettingsJson : JsonSerializerContext;
