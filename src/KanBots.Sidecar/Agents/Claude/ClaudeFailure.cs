namespace KanBots.Sidecar.Agents.Claude;

/// <summary>Turns the CLI's failures into a kind and the sentence that a person needs, with the next step.</summary>
internal static class ClaudeFailure
{
    private static readonly (string Part, string Kind, string Message)[] Startup =
    [
        ("cannot be used with root/sudo", "refusedAsRoot", "Claude Code refuses to run as root without questions. Run as another user, dispatch in ask mode, or set IS_SANDBOX=1 in a container."),
        ("is already in use", "sessionInUse", "The session id is in use already. Dispatch the card again."),
        ("No conversation found", "sessionUnknown", "Claude Code does not know the session any more. Dispatch the card again; the worktree is kept."),
        ("unknown option", "badFlag", "This Claude Code does not know a flag that we use. Update it: `claude update`."),
        ("requires --verbose", "badFlag", "This Claude Code does not know a flag that we use. Update it: `claude update`."),
        ("Invalid API key", "notSignedIn", SignIn),
        ("Please run /login", "notSignedIn", SignIn),
        ("Error parsing streaming input", "tornInput", "The agent could not read our message and ended. Resume the run."),
        ("Input must be provided", "noInput", "The agent's input was closed before our message reached it. Resume the run."),
    ];

    private const string SignIn = "Claude Code is not signed in. Run `claude` once in a terminal and sign in, or set ANTHROPIC_API_KEY, then resume.";

    /// <summary>For an agent that ended before its first turn did: only stderr says why.</summary>
    internal static (string Kind, string Message) OfStartup(string stderr, int? exitCode, int? signal)
    {
        foreach (var (part, kind, message) in Startup)
        {
            if (stderr.Contains(part, StringComparison.OrdinalIgnoreCase))
            {
                return (kind, message);
            }
        }

        var said = stderr.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault();
        var how = signal is { } number ? $"was ended by signal {number}" : $"ended with code {exitCode}";
        return ("agentFailed", said is null ? $"The agent {how} without a word. Resume the run, or look at its thread." : $"The agent {how}: {said.TrimEnd('.')}. Resume the run, or look at its thread.");
    }

    internal static (string Kind, string Message) OfResult(string subtype, string? error, string text) => (subtype, error) switch
    {
        _ when text.Contains("No conversation found", StringComparison.OrdinalIgnoreCase) => ("sessionUnknown", "Claude Code does not know the session any more."),
        ("error_max_turns", _) => ("maxTurns", "The agent reached its limit of turns. Resume it to continue."),
        ("error_max_budget_usd", _) => ("maxBudget", "The agent reached its own budget. Resume it with a larger one."),
        (_, "authentication_failed") => ("notSignedIn", SignIn),
        (_, "billing_error") => ("billing", $"The account cannot pay: {text}. Add credit, then resume."),
        (_, "model_not_found") => ("modelUnknown", $"{text.Split(". ")[0].TrimEnd('.')}: it does not exist, or this account may not use it. Choose another model and dispatch the card again; the worktree is kept."),
        (_, "rate_limit") => ("rateLimited", $"The provider's limit is reached: {text}. Resume it: it waits for the end of the limit, and goes on by itself."),
        (_, "overloaded" or "server_error") => ("providerDown", $"The provider did not answer: {text}. Resume later."),
        _ => ("agentError", text.Length == 0 ? $"The agent reported {subtype}. Look at its thread." : text),
    };
}
