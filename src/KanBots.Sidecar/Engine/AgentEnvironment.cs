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
    private static readonly string[] Exact = ["ELECTRON_RUN_AS_NODE", "ELECTRON_NO_ATTACH_CONSOLE", "CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT", "NODE_OPTIONS_VSCODE"];
    private static readonly string[] Prefixes = ["VSCODE_", "KANBOTS_", "CLAUDE_CODE_SESSION", "CLAUDE_SESSION", "IDEA_", "RIDER_", "JETBRAINS_", "FIG_JETBRAINS_"];

    /// <summary>What speaks for the person at a forge or at a prompt. Reaches agents only when agents.passCredentials says so.</summary>
    private static readonly string[] Credentials =
    [
        "GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GITHUB_PAT", "HOMEBREW_GITHUB_API_TOKEN", "GITLAB_TOKEN", "GL_TOKEN", "GITLAB_ACCESS_TOKEN",
        "GITLAB_PRIVATE_TOKEN", "CI_JOB_TOKEN", "GITEA_TOKEN", "FORGEJO_TOKEN", "BITBUCKET_TOKEN", "BITBUCKET_ACCESS_TOKEN", "BITBUCKET_APP_PASSWORD", "AZURE_DEVOPS_EXT_PAT", "SYSTEM_ACCESSTOKEN",
        "SSH_ASKPASS", "SUDO_ASKPASS", "GIT_ASKPASS",
    ];

    /// <summary>A user's own configuration entries are kept; every other GIT_ variable names a place that is not the worktree.</summary>
    private static readonly string[] KeptGit = ["GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_SSL_", "GIT_AUTHOR_", "GIT_COMMITTER_"];

    /// <summary>Variables that decide which programs an agent finds, and which provider it talks to and pays.</summary>
    private static readonly string[] Deciding =
        ["PATH", "ANTHROPIC_", "CLAUDE_CODE_USE_", "CLAUDE_CODE_OAUTH_", "CLAUDE_CONFIG_DIR", "AWS_", "CLOUD_ML_REGION", "GOOGLE_", "VERTEX_REGION_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "NODE_EXTRA_CA_CERTS"];

    internal static IReadOnlyList<string> Of(IEnumerable<string> client, bool passCredentials) => [.. client.Where(line => IsKept(NameOf(line), passCredentials))];

    private static bool IsKept(string name, bool passCredentials) =>
        Credentials.Contains(name) ? passCredentials
        : !Exact.Contains(name)
            && !Prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))
            && (!name.StartsWith("GIT_", StringComparison.Ordinal) || KeptGit.Any(kept => name.StartsWith(kept, StringComparison.Ordinal)));

    /// <summary>Names, and keyed hashes of what decides programs and provider: enough to tell that a later launch differs, and no secret.
    /// What the guard adds is new for every launch and not part of it.</summary>
    /// <param name="token">The launch's: the key, so that equal values of two launches do not look alike.</param>
    internal static LaunchEnvironment Describe(IReadOnlyList<string> lines, string token) =>
        new([.. lines.Select(NameOf).Order(StringComparer.Ordinal)], DecidingOf(lines).ToDictionary(pair => pair.Key, pair => Hash(pair.Value, token)), []);

    /// <returns>Names of the deciding variables that are not as they were in that launch.</returns>
    internal static IReadOnlyList<string> Differing(IReadOnlyList<string> lines, LaunchFile before)
    {
        var now = DecidingOf(lines);
        var was = before.Environment.Deciding;
        return [.. now.Keys.Union(was.Keys, StringComparer.Ordinal)
            .Where(name => !now.TryGetValue(name, out var value) || !was.TryGetValue(name, out var hash) || Hash(value, before.Token) != hash)
            .Order(StringComparer.Ordinal)];
    }

    private static Dictionary<string, string> DecidingOf(IReadOnlyList<string> lines) =>
        lines.Where(line => Deciding.Any(name => name.EndsWith('_') ? line.StartsWith(name, StringComparison.Ordinal) : NameOf(line) == name))
            .GroupBy(NameOf, StringComparer.Ordinal)
            .ToDictionary(same => same.Key, same => same.Last()[(same.Key.Length + 1)..]);

    private static string Hash(string value, string token) => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(token), Encoding.UTF8.GetBytes(value)));

    private static string NameOf(string line) => line.Split('=', 2)[0];
}
