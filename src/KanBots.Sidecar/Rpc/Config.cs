using System.Text.Json;
using System.Text.Json.Nodes;
using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Protocol;
using Core = KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Rpc;

/// <summary>Settings by name, as clients know them. What they are asked for, what is refused and schema/config.schema.json all come from this table.</summary>
internal static class Config
{
    /// <summary>Of a setting that is a text, in characters.</summary>
    internal const int TextLengthMax = 4_096;

    private static Core.Settings Usual => Core.Settings.Default;

    internal static IReadOnlyList<Setting> All { get; } =
    [
        new Setting.Line("agents.claude.path", "The program that runs Claude Code: a name that is found on PATH, or a full path.", "claude", file => file.ClaudePath, (file, path) => file with { ClaudePath = path }),
        new Setting.Flag("agents.passCredentials", "Pass credentials of forges and editors that stand in the environment, such as GH_TOKEN, on to agents.", false, file => file.PassCredentials, (file, said) => file with { PassCredentials = said }),
        new Setting.Line("worktree.root", "The folder in which the worktrees of runs are made. Empty: `.kanbots/worktrees` in the main working tree.", "", file => file.WorktreeRoot, (file, root) => file with { WorktreeRoot = root }, IsFolder: true),
        new Setting.Line("worktree.baseRef", "The branch, tag or commit on which runs begin when the remote names no default branch. Empty: the current branch.", "", file => file.WorktreeBaseRef, (file, said) => file with { WorktreeBaseRef = said }),
        new Setting.Lines("worktree.include", "Ignored files that each worktree gets copies of, such as `.env`: patterns as in .gitignore. The file .worktreeinclude adds to them.", file => file.WorktreeInclude, (file, patterns) => file with { WorktreeInclude = patterns }),
        new Setting.Choice(
            "worktree.nodeModules",
            "Where the node_modules of a worktree come from.",
            "Those of the main working tree when the lock files are equal, else the setup command.",
            [.. FileSettings.NodeModulesStrategies.Select(word => (word, NodeModulesText(word)))],
            file => file.WorktreeNodeModules,
            (file, word) => file with { WorktreeNodeModules = word }),
        new Setting.Command(
            "worktree.setup",
            "The command that runs in each new worktree before its agent: a list of the program and its arguments, or one line for `sh`. Empty: none.",
            file => (file.WorktreeSetup, file.WorktreeSetupScript),
            (file, argv, script) => file with { WorktreeSetup = argv, WorktreeSetupScript = script }),
        OfFile("worktree.setupMinutes", "How long the setup command may take. The wait for its turn does not count.", "minutes", FileSettings.SetupMinutes, FileSettings.SetupMinutesMax, file => file.WorktreeSetupMinutes, (file, said) => file with { WorktreeSetupMinutes = (int?)said }),
        OfFile("checkpoints.keepDays", "How long the checkpoints of a run are kept. The last one of a worktree that is there or can be restored stays.", "days", FileSettings.KeepDays, FileSettings.KeepDaysMax, file => file.CheckpointsKeepDays, (file, said) => file with { CheckpointsKeepDays = (int?)said }),
        new Setting.Flag("promote.trailers", "Name the run and its agent at the end of the commit message when a run is promoted.", true, file => file.PromoteTrailers, (file, said) => file with { PromoteTrailers = said }),
        OfFile("runs.keepDays", "How long the thread of a run is kept after its end. Its costs stay.", "days", FileSettings.KeepDays, FileSettings.KeepDaysMax, file => file.RunsKeepDays, (file, said) => file with { RunsKeepDays = (int?)said }),
        OfFile("runs.keepBytes", "How much is kept of all threads together. Beyond it the oldest go first, but not the last of a run that is still open.", "bytes", FileSettings.KeepBytes, FileSettings.KeepBytesMax, file => file.RunsKeepBytes, (file, said) => file with { RunsKeepBytes = said }),
        OfStall("runs.stall.toolSeconds", "After how long without a word from a tool a card says that it has stalled. Nothing is stopped for it.", Core.StallLimits.Default.Tool, file => file.StallToolSeconds, (file, said) => file with { StallToolSeconds = said }),
        OfStall("runs.stall.modelSeconds", "After how long without a word from the model a card says that it has stalled. Nothing is stopped for it.", Core.StallLimits.Default.Model, file => file.StallModelSeconds, (file, said) => file with { StallModelSeconds = said }),
        OfStall("runs.stall.resultSeconds", "After how long a card says that an agent has not ended although it is done.", Core.StallLimits.Default.Result, file => file.StallResultSeconds, (file, said) => file with { StallResultSeconds = said }),
        OfCore("runs.maxParallel", "How many runs work at once. The others wait in the queue.", "runs", Core.Limits.ParallelMax, core => core.MaxParallel, (core, said) => core with { MaxParallel = (int)said }),
        OfCore("runs.budget.microUsd", "What a run may spend before it is interrupted and asks: 1,000,000 is $1.", Setting.Number.Money, Core.Limits.RunMicroUsdMax, core => core.Budget.MicroUsd, (core, said) => core with { Budget = core.Budget with { MicroUsd = said } }),
        OfCore("runs.budget.turns", "How many turns of the model a run may take before it is interrupted and asks.", "turns", Core.Limits.TurnsMax, core => core.Budget.Turns, (core, said) => core with { Budget = core.Budget with { Turns = (int)said } }),
        OfCore("runs.budget.minutes", "How long a run may work before it is interrupted and asks.", "minutes", Core.Limits.MinutesMax, core => core.Budget.Minutes, (core, said) => core with { Budget = core.Budget with { Minutes = (int)said } }),
        OfCore("runs.budget.dayMicroUsd", "What all runs together may spend in a day: 1,000,000 is $1. Beyond it live runs are interrupted and ask, and others wait.", Setting.Number.Money, Core.Limits.DayMicroUsdMax, core => core.DayBudgetMicroUsd, (core, said) => core with { DayBudgetMicroUsd = said }),
    ];

    private static readonly Dictionary<string, Setting> ByName = All.ToDictionary(setting => setting.Name);

    internal static ConfigGetResult Read(KeptSettings kept)
    {
        var values = new Dictionary<string, JsonElement>();
        var origins = new Dictionary<string, string>();
        foreach (var setting in All)
        {
            var said = setting.Said(kept);
            values[setting.Name] = Element(said ?? setting.Default);
            origins[setting.Name] = said is null ? "default" : "repository";
        }

        return new ConfigGetResult(values, origins);
    }

    /// <exception cref="RpcException">A name is unknown or a value has the wrong type.</exception>
    internal static KeptSettings Change(KeptSettings kept, IReadOnlyDictionary<string, JsonElement?> values, string repositoryRoot) =>
        values.Aggregate(kept, (now, change) => ByName.TryGetValue(change.Key, out var setting)
            ? setting.With(now, change.Value, repositoryRoot)
            : throw new RpcException(ErrorCode.SettingUnknown, $"There is no setting '{change.Key}'.", new ErrorData("settingUnknown")));

    private static JsonElement Element(JsonNode node)
    {
        using var document = JsonDocument.Parse(node.ToJsonString());
        return document.RootElement.Clone();
    }

    private static Setting.Number OfFile(string name, string description, string unit, long byDefault, long most, Func<FileSettings, long?> get, Func<FileSettings, long?, FileSettings> set) =>
        new(name, description, unit, byDefault, most, kept => get(kept.File), (kept, said) => kept with { File = set(kept.File, said) });

    private static Setting.Number OfStall(string name, string description, TimeSpan byDefault, Func<FileSettings, int?> get, Func<FileSettings, int?, FileSettings> set) =>
        OfFile(name, description, "seconds", (long)byDefault.TotalSeconds, FileSettings.StallSecondsMax, file => get(file), (file, said) => set(file, (int?)said));

    /// <summary>The core does not remember whether somebody has said its default.</summary>
    private static Setting.Number OfCore(string name, string description, string unit, long most, Func<Core.Settings, long> get, Func<Core.Settings, long, Core.Settings> set) =>
        new(name, description, unit, get(Usual), most, kept => get(kept.Core) is var said && said == get(Usual) ? null : said, (kept, said) => kept with { Core = set(kept.Core, said ?? get(Usual)) });

    private static string NodeModulesText(string word) => word switch
    {
        Git.NodeModules.Inherit => "Those of the main working tree, which Node.js finds above the worktree.",
        Git.NodeModules.Symlink => "A folder of links to those of the main working tree.",
        Git.NodeModules.Setup => "The setup command makes them.",
        _ => "Nobody makes them.",
    };
}
