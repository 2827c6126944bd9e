namespace KanBots.Sidecar.Agents.Claude;

/// <summary>How the CLI is to be started.</summary>
/// <param name="Mode">bypassPermissions, ask or plan.</param>
internal sealed record ClaudeLaunch(string Executable, string SessionId, bool Resume, string Mode, string? Model, string? Effort)
{
    /// <summary>The agent's own deny rule: one layer of the push guard. It matches the text of a command only.</summary>
    private const string Settings = """{"permissions":{"deny":["Bash(git push)","Bash(git push:*)"]}}""";

    /// <summary>The mission's flags, and the two stdio ones that make questions possible at all. The prompt is never here: it goes
    /// through stdin. No flag that takes several values is used, since such a flag swallows what follows.</summary>
    internal IReadOnlyList<string> ToArgv()
    {
        List<string> argv =
        [
            Executable, "-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose",
            "--permission-mode", Mode switch { "ask" => "default", "plan" => "plan", _ => "bypassPermissions" },
            "--permission-prompt-tool", "stdio", "--replay-user-messages", "--settings", Settings,
            Resume ? "--resume" : "--session-id", SessionId,
        ];
        if (Model is not null)
        {
            argv.AddRange(["--model", Model]);
        }

        if (Effort is not null)
        {
            argv.AddRange(["--effort", Effort]);
        }

        return argv;
    }
}
