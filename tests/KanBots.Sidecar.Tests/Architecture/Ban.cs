using System.Text.RegularExpressions;

namespace KanBots.Sidecar.Tests.Architecture;

/// <summary>Code that may stand in a few places only.</summary>
/// <param name="Area">The folder in which it is looked for.</param>
/// <param name="Pattern">Looked for in C# without its strings and comments, or in all of it when it begins with a quote.</param>
/// <param name="Use">What to use instead.</param>
/// <param name="Homes">Files, or folders with a slash at their end, below the area where it belongs.</param>
internal sealed record Ban(string Area, string Pattern, string Name, string Use, params string[] Homes)
{
    internal const string Executable = "src/KanBots.Sidecar/";
    internal const string Tests = "tests/KanBots.Sidecar.Tests/";

    /// <summary>What depends on the folder; what is banned everywhere is in BannedSymbols.txt of each project.</summary>
    internal static readonly Ban[] All =
    [
        new(Executable, @"\bConsole\.(Write|Out\b|SetOut)", "Console.Out", "Log, or Console.Error in Serving/Relay: stdout belongs to the transport", "Cli/", "Program.cs"),
        new(Executable, @"\bConsole\.(?!(Write|Out\b|SetOut))", "Console", "Log: serve and run host have no terminal", "Cli/", "Program.cs", "Serving/Relay.cs"),
        new(Executable, @"\bnew Process\b|\bProcessStartInfo\b", "Process", "Processes/ShortCommand, or Processes/Spawn for what outlives us", "Processes/ShortCommand.cs"),
        new(Executable, @"\bSpawn\.Start\(", "Spawn.Start", "a launch of Engine, a run host, or ServeConnect", "Processes/", "RunHost/", "Engine/", "Serving/ServeConnect.cs"),
        new(Executable, "\"git\"", "\"git\"", "Git/GitRunner, which cleans the environment and reads the failures", "Git/GitRunner.cs", "Processes/Unix/HeldLocks.cs"),
        new(Executable, @"\b(DllImport|LibraryImport)\b", "a system call", "a function of Processes, which has one for every system", "Processes/"),
        new(Executable, @"\bSqlite(Connection|Command|Transaction)\b", "SQLite", "Journal/Database: one writer, one place", "Journal/"),
        new(Executable, @"\bDirectory\.Delete\(.*,|\brecursive: true|\.DeleteFolder\(", "a recursive delete", "git worktree remove; a person's folder is never deleted by us", "Serving/Build.cs", "Processes/PrivateFiles.cs", "Git/Guard.cs", "Git/Landing.cs", "Git/Trash.cs", "Cli/Uninstall.cs"),
        new(Executable, @"\bThread\.Sleep\(", "Thread.Sleep", "an event, a watch or a deadline; a pause belongs where the system offers no event", "Processes/", "RunHost/Host.cs", "Engine/EngineStreams.cs"),
        new(Executable, @"\bTask\.Delay\(", "Task.Delay", "a signal; a pause belongs to the few places that retry, look for idleness or keep the pace of a screen", "Git/GitRunner.cs", "Serving/Serve.cs", "Serving/ServeConnect.cs", "Cli/BoardVerb.cs", "Rpc/ClientSession.cs"),
        new(Tests, @"\bThread\.Sleep\(", "Thread.Sleep", "a wait for a condition with a deadline and a reason, such as Place.Until", "Spine/Place.cs", "Spine/SurvivalTests.cs"),
        new(Tests, @"\bTask\.Delay\(", "Task.Delay", "a wait for a condition with a deadline and a reason", "Rpc/SlowReaderTests.cs"),
        new(Tests, @"\b(Fact|Theory)\(.*\bSkip\b", "a skipped test", "an assertion of what happens today, with the issue's number"),
        new(Tests, @"\bnew Random\(\)|\bRandom\.Shared\b", "an unseeded Random", "a fixed seed that the failure prints"),
    ];

    internal bool Forbids(string path, string line) =>
        path.StartsWith(Area, StringComparison.Ordinal)
        && !Homes.Any(home => home.EndsWith('/') ? path.StartsWith(Area + home, StringComparison.Ordinal) : path == Area + home)
        && Regex.IsMatch(Pattern[0] == '"' ? line : Code(line), Pattern);

    /// <summary>The line with its strings emptied and its comment cut off.</summary>
    private static string Code(string line) => Regex.Replace(Regex.Replace(line, """
        "([^"\\]|\\.)*"
        """.Trim(), "\"\""), "//.*", "");
}
