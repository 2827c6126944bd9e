using System.Text.Json;
using System.Text.Json.Serialization;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Engine;

/// <summary>Settings that the core does not need: where programs and worktrees are. Null means the default.</summary>
/// <param name="WorktreeInclude">Patterns of ignored files that a worktree gets copies of.</param>
/// <param name="WorktreeNodeModules">A strategy of <see cref="Git.NodeModules"/>.</param>
/// <param name="WorktreeSetup">The setup command as an argv.</param>
/// <param name="WorktreeSetupScript">The same as a line for <c>sh -c</c>; one of the two is null.</param>
internal sealed record FileSettings(
    string? ClaudePath = null,
    string? WorktreeRoot = null,
    string? WorktreeBaseRef = null,
    int? RunsKeepDays = null,
    long? RunsKeepBytes = null,
    IReadOnlyList<string>? WorktreeInclude = null,
    string? WorktreeNodeModules = null,
    IReadOnlyList<string>? WorktreeSetup = null,
    string? WorktreeSetupScript = null,
    int? WorktreeSetupMinutes = null,
    int? StallToolSeconds = null,
    int? StallModelSeconds = null,
    int? StallResultSeconds = null,
    bool? PassCredentials = null,
    int? CheckpointsKeepDays = null,
    bool? PromoteTrailers = null)
{
    /// <summary>Patterns of worktree.include, or arguments of worktree.setup.</summary>
    internal const int ListMax = 200;

    /// <summary>Characters of each of them.</summary>
    internal const int ListTextMax = 4_000;

    /// <summary>Minutes that the setup command may take, the wait for its turn not counted.</summary>
    internal const int SetupMinutes = 10;

    internal const int SetupMinutesMax = 24 * 60;

    internal static IReadOnlyList<string> NodeModulesStrategies => Git.NodeModules.Strategies;

    /// <summary>What is to be run; null when nothing is. A script is one argument of the shell, and no value of ours is put into it.</summary>
    internal IReadOnlyList<string>? SetupArgv => WorktreeSetup ?? (WorktreeSetupScript is { } script ? ["sh", "-c", script] : null);

    /// <summary>Days after its end for which what a run's agent said is kept.</summary>
    internal const int KeepDays = 30;

    /// <summary>Bytes of all streams together beyond which the oldest go first.</summary>
    internal const long KeepBytes = 2L << 30;

    /// <summary>Bytes. No disk has more, and every client can read the number.</summary>
    internal const long KeepBytesMax = 1L << 50;

    /// <summary>Days. More is not worth a number: it is for ever.</summary>
    internal const int KeepDaysMax = 36_500;

    /// <summary>Seconds: a week. A silence of more is as good as not looked for.</summary>
    internal const int StallSecondsMax = 7 * 24 * 60 * 60;

    internal StallLimits Stalls => new(
        StallToolSeconds is { } tool ? TimeSpan.FromSeconds(tool) : StallLimits.Default.Tool,
        StallModelSeconds is { } model ? TimeSpan.FromSeconds(model) : StallLimits.Default.Model,
        StallResultSeconds is { } result ? TimeSpan.FromSeconds(result) : StallLimits.Default.Result);

    internal static FileSettings Read(string path) =>
        File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), FileSettingsJson.Default.FileSettings) ?? new FileSettings() : new FileSettings();

    internal void Write(string path) => PrivateFiles.Replace(path, JsonSerializer.SerializeToUtf8Bytes(this, FileSettingsJson.Default.FileSettings));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FileSettings))]
internal sealed partial class FileSettingsJson : JsonSerializerContext;
