using System.Security.Cryptography;
using System.Text;
using KanBots.Sidecar.RunHost;

namespace KanBots.Sidecar.Engine;

/// <summary>The client that dispatched or resumed a run.</summary>
/// <param name="IsTrusted">Whether its workspace is trusted now: trust may be taken back after the wish was granted. Where nobody remembers
/// the client, after a restart of serve, the wish stands, which only a trusted one could have.</param>
internal sealed record RunClient(IReadOnlyList<string> Environment, Func<bool> IsTrusted);

/// <summary>The environment that an agent gets: the dispatching client's, less what would point its tools at the editor, at another
/// repository or at credentials that were not meant for it. Held in memory only.</summary>
internal static class AgentEnvironment
{
    private static readonly string[] Exact = ["GH_TOKEN", "GITHUB_TOKEN", "SSH_ASKPASS", "SUDO_ASKPASS", "ELECTRON_RUN_AS_NODE", "CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT", "NODE_OPTIONS_VSCODE"];
    private static readonly string[] Prefixes = ["VSCODE_", "KANBOTS_", "CLAUDE_CODE_SESSION", "CLAUDE_SESSION"];

    /// <summary>A user's own configuration entries are kept; every other GIT_ variable names a place that is not the worktree.</summary>
    private static readonly string[] KeptGit = ["GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_SSL_", "GIT_AUTHOR_", "GIT_COMMITTER_"];

    internal static IReadOnlyList<string> Of(IEnumerable<string> client) => [.. client.Where(line => IsKept(line.Split('=', 2)[0]))];

    private static bool IsKept(string name) =>
        !Exact.Contains(name)
        && !Prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))
        && (!name.StartsWith("GIT_", StringComparison.Ordinal) || KeptGit.Any(kept => name.StartsWith(kept, StringComparison.Ordinal)));

    /// <summary>Names and a hash: enough to tell that a later launch differs, and no secret. What the guard adds is new for every launch and
    /// not part of it.</summary>
    internal static LaunchEnvironment Describe(IReadOnlyList<string> lines)
    {
        var sorted = lines.Order(StringComparer.Ordinal).ToList();
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', sorted)));
        return new LaunchEnvironment([.. sorted.Select(line => line.Split('=', 2)[0])], Convert.ToHexStringLower(hash), []);
    }
}
