using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Engine;

/// <param name="SignedIn">Null when it cannot be told without asking the provider.</param>
internal sealed record FoundAgent(string? Path, string? Version, bool? SignedIn, string? Problem);

/// <summary>Looks for agent CLIs on this machine.</summary>
internal static class AgentDetection
{
    private static readonly CommandLimits Limits = new(TimeSpan.FromSeconds(15), 64 * 1024);

    /// <param name="environment">The client's, since its PATH and its keys are what a run will have.</param>
    internal static async Task<FoundAgent> ClaudeAsync(string? configured, IReadOnlyList<string> environment, CancellationToken cancellation)
    {
        var variables = environment.Select(line => line.Split('=', 2)).Where(parts => parts is [_, { Length: > 0 }]).ToLookup(parts => parts[0], parts => parts[1], OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal);
        var home = variables["HOME"].FirstOrDefault() ?? variables["USERPROFILE"].FirstOrDefault() ?? "/";
        var path = Executables.Find(configured ?? "claude", home, variables["PATH"].FirstOrDefault() ?? "") ?? (configured is null ? Executables.Find(Path.Combine(home, ".claude", "local", "claude"), home) : null);
        if (path is null)
        {
            return new FoundAgent(null, null, null, configured is null
                ? "Claude Code was not found on PATH. Install it (`npm install -g @anthropic-ai/claude-code`), or set agents.claude.path."
                : $"{configured} was not found or is not executable. Correct agents.claude.path.");
        }

        try
        {
            var result = await ShortCommand.RunAsync(path, ["--version"], home, new Dictionary<string, string?>(), default, Limits, cancellation);
            var version = result.Text.Split(' ', '\n')[0].Trim();
            var credentials = Path.Combine(variables["CLAUDE_CONFIG_DIR"].FirstOrDefault() ?? Path.Combine(home, ".claude"), ".credentials.json");
            bool? signedIn = variables.Contains("ANTHROPIC_API_KEY") || variables.Contains("ANTHROPIC_AUTH_TOKEN") || variables.Contains("CLAUDE_CODE_OAUTH_TOKEN") || variables.Contains("CLAUDE_CODE_USE_BEDROCK") || variables.Contains("CLAUDE_CODE_USE_VERTEX") || File.Exists(credentials);
            return new FoundAgent(path, version, signedIn, result.ExitCode == 0 ? null : $"{path} --version ended with code {result.ExitCode}. Reinstall it.");
        }
        catch (Exception failure) when (failure is IOException or TimeoutException)
        {
            return new FoundAgent(path, null, null, $"{path} could not be run: {failure.Message}");
        }
    }
}
