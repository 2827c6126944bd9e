using System.Text.Json;
using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Protocol;
using Core = KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Rpc;

/// <summary>Settings by name, as clients know them.</summary>
internal static class Config
{
    /// <summary>Of a setting that is a text, in characters.</summary>
    internal const int TextLengthMax = 4_096;

    internal static ConfigGetResult Read(BoardEngine engine)
    {
        var (core, file, defaults) = (engine.View.State.Settings, engine.Settings, Core.Settings.Default);
        var values = new Dictionary<string, JsonElement>();
        var origins = new Dictionary<string, string>();
        Say("agents.claude.path", file.ClaudePath ?? "claude", file.ClaudePath is null);
        Put("agents.passCredentials", file.PassCredentials is true ? "true" : "false", file.PassCredentials is null);
        Say("worktree.root", file.WorktreeRoot ?? "", file.WorktreeRoot is null);
        Say("worktree.baseRef", file.WorktreeBaseRef ?? "", file.WorktreeBaseRef is null);
        SayList("worktree.include", file.WorktreeInclude);
        Say("worktree.nodeModules", file.WorktreeNodeModules ?? "", file.WorktreeNodeModules is null);
        if (file.WorktreeSetup is { } argv)
        {
            SayList("worktree.setup", argv);
        }
        else
        {
            Say("worktree.setup", file.WorktreeSetupScript ?? "", file.WorktreeSetupScript is null);
        }

        SayNumber("worktree.setupMinutes", file.WorktreeSetupMinutes ?? FileSettings.SetupMinutes, file.WorktreeSetupMinutes is null);
        SayNumber("checkpoints.keepDays", file.CheckpointsKeepDays ?? FileSettings.KeepDays, file.CheckpointsKeepDays is null);
        Put("promote.trailers", file.PromoteTrailers is false ? "false" : "true", file.PromoteTrailers is null);
        SayNumber("runs.keepDays", file.RunsKeepDays ?? FileSettings.KeepDays, file.RunsKeepDays is null);
        SayNumber("runs.keepBytes", file.RunsKeepBytes ?? FileSettings.KeepBytes, file.RunsKeepBytes is null);
        SayNumber("runs.stall.toolSeconds", (long)file.Stalls.Tool.TotalSeconds, file.StallToolSeconds is null);
        SayNumber("runs.stall.modelSeconds", (long)file.Stalls.Model.TotalSeconds, file.StallModelSeconds is null);
        SayNumber("runs.stall.resultSeconds", (long)file.Stalls.Result.TotalSeconds, file.StallResultSeconds is null);
        SayNumber("runs.maxParallel", core.MaxParallel, core.MaxParallel == defaults.MaxParallel);
        SayNumber("runs.budget.microUsd", core.Budget.MicroUsd, core.Budget.MicroUsd == defaults.Budget.MicroUsd);
        SayNumber("runs.budget.turns", core.Budget.Turns, core.Budget.Turns == defaults.Budget.Turns);
        SayNumber("runs.budget.minutes", core.Budget.Minutes, core.Budget.Minutes == defaults.Budget.Minutes);
        SayNumber("runs.budget.dayMicroUsd", core.DayBudgetMicroUsd, core.DayBudgetMicroUsd == defaults.DayBudgetMicroUsd);
        return new ConfigGetResult(values, origins);

        void Say(string name, string value, bool isDefault) => Put(name, $"\"{JsonEncodedText.Encode(value)}\"", isDefault);

        void SayList(string name, IReadOnlyList<string>? values) => Put(name, $"[{string.Join(',', (values ?? []).Select(value => $"\"{JsonEncodedText.Encode(value)}\""))}]", values is null);

        void SayNumber(string name, long value, bool isDefault) => Put(name, FormattableString.Invariant($"{value}"), isDefault);

        void Put(string name, string json, bool isDefault)
        {
            using var document = JsonDocument.Parse(json);
            values[name] = document.RootElement.Clone();
            origins[name] = isDefault ? "default" : "repository";
        }
    }

    /// <exception cref="RpcException">A name is unknown or a value has the wrong type.</exception>
    internal static (Core.Settings Core, FileSettings File) Change(Core.Settings core, FileSettings file, IReadOnlyDictionary<string, JsonElement?> values, string repositoryRoot)
    {
        var defaults = Core.Settings.Default;
        foreach (var (name, value) in values)
        {
            switch (name)
            {
                case "agents.claude.path":
                    file = file with { ClaudePath = Line(name, value) };
                    break;
                case "agents.passCredentials":
                    file = file with { PassCredentials = Flag(name, value) };
                    break;
                case "worktree.root":
                    file = file with { WorktreeRoot = Folder(name, Line(name, value), repositoryRoot) };
                    break;
                case "worktree.baseRef":
                    file = file with { WorktreeBaseRef = Line(name, value) };
                    break;
                case "worktree.include":
                    file = file with { WorktreeInclude = List(name, value) };
                    break;
                case "worktree.nodeModules":
                    file = file with { WorktreeNodeModules = Strategy(name, Text(name, value)) };
                    break;
                case "worktree.setup" when value is { ValueKind: JsonValueKind.Array }:
                    file = file with { WorktreeSetup = List(name, value), WorktreeSetupScript = null };
                    break;
                case "worktree.setup":
                    file = file with { WorktreeSetup = null, WorktreeSetupScript = Short(name, Text(name, value)) };
                    break;
                case "worktree.setupMinutes":
                    file = file with { WorktreeSetupMinutes = IsDefault(value) ? null : (int)Number(name, value, FileSettings.SetupMinutes, FileSettings.SetupMinutesMax) };
                    break;
                case "checkpoints.keepDays":
                    file = file with { CheckpointsKeepDays = IsDefault(value) ? null : (int)Number(name, value, FileSettings.KeepDays, FileSettings.KeepDaysMax) };
                    break;
                case "promote.trailers":
                    file = file with { PromoteTrailers = Flag(name, value) };
                    break;
                case "runs.keepDays":
                    file = file with { RunsKeepDays = IsDefault(value) ? null : (int)Number(name, value, FileSettings.KeepDays, FileSettings.KeepDaysMax) };
                    break;
                case "runs.keepBytes":
                    file = file with { RunsKeepBytes = IsDefault(value) ? null : Number(name, value, FileSettings.KeepBytes, long.MaxValue) };
                    break;
                case "runs.stall.toolSeconds":
                    file = file with { StallToolSeconds = Seconds(name, value) };
                    break;
                case "runs.stall.modelSeconds":
                    file = file with { StallModelSeconds = Seconds(name, value) };
                    break;
                case "runs.stall.resultSeconds":
                    file = file with { StallResultSeconds = Seconds(name, value) };
                    break;
                case "runs.maxParallel":
                    core = core with { MaxParallel = (int)Number(name, value, defaults.MaxParallel, Core.Limits.ParallelMax) };
                    break;
                case "runs.budget.microUsd":
                    core = core with { Budget = core.Budget with { MicroUsd = Number(name, value, defaults.Budget.MicroUsd, Core.Limits.RunMicroUsdMax) } };
                    break;
                case "runs.budget.turns":
                    core = core with { Budget = core.Budget with { Turns = (int)Number(name, value, defaults.Budget.Turns, Core.Limits.TurnsMax) } };
                    break;
                case "runs.budget.minutes":
                    core = core with { Budget = core.Budget with { Minutes = (int)Number(name, value, defaults.Budget.Minutes, Core.Limits.MinutesMax) } };
                    break;
                case "runs.budget.dayMicroUsd":
                    core = core with { DayBudgetMicroUsd = Number(name, value, defaults.DayBudgetMicroUsd, Core.Limits.DayMicroUsdMax) };
                    break;
                default:
                    throw new RpcException(ErrorCode.SettingUnknown, $"There is no setting '{name}'.", new ErrorData("settingUnknown"));
            }
        }

        return (core, file);
    }

    private static string? Text(string name, JsonElement? value) => value switch
    {
        null or { ValueKind: JsonValueKind.Null } => null,
        { ValueKind: JsonValueKind.String } text => text.GetString() is { Length: > 0 } said ? said : null,
        _ => throw new RpcException(ErrorCode.InvalidArgument, $"{name} is a text.", new ErrorData("invalidArgument")),
    };

    private static int? Seconds(string name, JsonElement? value) => IsDefault(value) ? null : (int)Number(name, value, 1, FileSettings.StallSecondsMax);

    /// <summary>Null for the default, and for an empty list, which says the same.</summary>
    private static IReadOnlyList<string>? List(string name, JsonElement? value)
    {
        if (IsDefault(value))
        {
            return null;
        }

        if (value is not { ValueKind: JsonValueKind.Array } array || array.EnumerateArray().Any(one => one.ValueKind != JsonValueKind.String || (name == "worktree.include" && one.GetString()!.AsSpan().ContainsAny('\n', '\r'))))
        {
            throw Invalid($"{name} is a list of texts{(name == "worktree.include" ? " of one line each" : "")}.");
        }

        var list = array.EnumerateArray().Select(one => Short(name, one.GetString())!).ToList();
        return list.Count > FileSettings.ListMax ? throw Invalid($"{name} has at most {FileSettings.ListMax} entries.")
            : name == "worktree.setup" && list is ["", ..] ? throw Invalid($"{name} begins with the program.")
            : list.Count == 0 ? null
            : list;
    }

    private static string? Short(string name, string? text) =>
        text is null || (text.Length <= FileSettings.ListTextMax && !text.Contains('\0')) ? text : throw Invalid($"{name} has at most {FileSettings.ListTextMax} characters in each entry. Put the rest into a script of the repository.");

    private static string? Strategy(string name, string? value) =>
        value is null || FileSettings.NodeModulesStrategies.Contains(value) ? value : throw Invalid($"{name} is {string.Join(", ", FileSettings.NodeModulesStrategies)}, or empty for the default.");

    private static RpcException Invalid(string message) => new(ErrorCode.InvalidArgument, message, new ErrorData("invalidArgument"));

    /// <summary>A path or a name on one line, that no program takes for an option.</summary>
    private static string? Line(string name, JsonElement? value) => Text(name, value) is not { } said || (said.Length <= TextLengthMax && said[0] != '-' && !said.Any(char.IsControl))
        ? Text(name, value)
        : throw new RpcException(ErrorCode.InvalidArgument, $"{name} is one line of at most {TextLengthMax} characters and does not begin with a dash.", new ErrorData("invalidArgument"));

    /// <summary>A folder outside the repository is named in full, so that no ".." leads there by mistake; git's own folder holds no worktrees.</summary>
    private static string? Folder(string name, string? said, string repositoryRoot)
    {
        if (said is null)
        {
            return null;
        }

        var below = Path.GetRelativePath(repositoryRoot, Path.GetFullPath(said, repositoryRoot)).Split(Path.DirectorySeparatorChar);
        return (Path.IsPathRooted(said) || below[0] != "..") && !below.Contains(".git")
            ? said
            : throw new RpcException(ErrorCode.InvalidArgument, $"{name} is a folder inside the repository, but not of git's own, or the full path of one outside it.", new ErrorData("invalidArgument"));
    }

    private static bool IsDefault(JsonElement? value) => value is null or { ValueKind: JsonValueKind.Null };

    private static bool? Flag(string name, JsonElement? value) => value switch
    {
        null or { ValueKind: JsonValueKind.Null } => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw new RpcException(ErrorCode.InvalidArgument, $"{name} is true or false.", new ErrorData("invalidArgument")),
    };

    private static long Number(string name, JsonElement? value, long byDefault, long most) => value switch
    {
        null or { ValueKind: JsonValueKind.Null } => byDefault,
        { ValueKind: JsonValueKind.Number } number when number.TryGetInt64(out var said) && said >= 1 && said <= most => said,
        _ => throw new RpcException(ErrorCode.InvalidArgument, $"{name} is a whole number between 1 and {most}{(name.EndsWith("icroUsd", StringComparison.Ordinal) ? $" (micro-dollars; {Core.Purse.Say(most)})" : "")}.", new ErrorData("invalidArgument")),
    };
}
