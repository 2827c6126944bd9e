using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <summary>What all worktrees of a repository, or all repositories of a user, share, and the guard cannot keep: configuration and hooks.
/// Compared before and after a launch. Of values only a hash is held, since configuration may name passwords.</summary>
/// <param name="Facts">From "config NAME", "global NAME", "hook NAME" or "file NAME" to a hash of what stands there.</param>
internal sealed record SharedState(IReadOnlyDictionary<string, string> Facts)
{
    /// <summary>Number of hooks, and bytes of one, that are looked at.</summary>
    internal const int HooksMax = 200;
    internal const int HookBytesMax = 4 << 20;

    /// <summary>Number of names in one sentence.</summary>
    internal const int NamesSaid = 8;

    /// <summary>What git and editors write when a person makes a branch. Only a change of what was there is worth a word.</summary>
    private static readonly string[] OfNewBranches = [".remote", ".merge", ".rebase", ".vscode-merge-base", ".github-pr-owner-number", ".github-pr-base-branch"];

    private static readonly string[] Files = ["info/attributes", "info/exclude", "info/grafts", "objects/info/alternates", "shallow"];

    /// <param name="environment">The agent's, which says where the user's own configuration is.</param>
    internal static async Task<SharedState> ReadAsync(GitRunner git, Repository repository, IReadOnlyList<string> environment, CancellationToken cancellation)
    {
        var facts = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await AddConfigAsync("config", ["config", "--file", Path.Combine(repository.CommonFolder, "config"), "--null", "--list"]);
        if (File.Exists(Path.Combine(repository.CommonFolder, "config.worktree")))
        {
            await AddConfigAsync("config", ["config", "--file", Path.Combine(repository.CommonFolder, "config.worktree"), "--null", "--list"]);
        }

        await AddConfigAsync("global", ["config", "--global", "--null", "--list"]);
        var hooks = new DirectoryInfo(Path.Combine(repository.CommonFolder, "hooks"));
        foreach (var hook in hooks.Exists ? hooks.EnumerateFiles().OrderBy(file => file.Name, StringComparer.Ordinal).Take(HooksMax) : [])
        {
            facts[$"hook {hook.Name}"] = OfFile(hook);
        }

        foreach (var name in Files)
        {
            var file = new FileInfo(Path.Combine(repository.CommonFolder, name));
            if (file.Exists)
            {
                facts[$"file {name}"] = OfFile(file);
            }
        }

        return new SharedState(facts);

        async Task AddConfigAsync(string kind, string[] arguments)
        {
            // 1 and 128: there is none, or none that git can read; then there is nothing to compare.
            var listed = await git.RunAsync(new GitCommand("config", repository.CommonFolder, arguments, ExitCodes: [1, 128], Environment: environment), cancellation);
            foreach (var entries in listed.Text.Split('\0', StringSplitOptions.RemoveEmptyEntries).GroupBy(entry => entry.Split('\n', 2)[0], StringComparer.Ordinal))
            {
                facts[$"{kind} {entries.Key}"] = Hash(Encoding.UTF8.GetBytes(string.Join('\0', entries)));
            }
        }
    }

    /// <summary>Sentences for a person, each with its kind. None when nothing differs.</summary>
    internal static IReadOnlyList<(string Kind, string Message)> Compare(SharedState before, SharedState after)
    {
        var changed = before.Facts.Keys.Union(after.Facts.Keys, StringComparer.Ordinal)
            .Where(name => before.Facts.GetValueOrDefault(name) != after.Facts.GetValueOrDefault(name) && !IsOfNewBranch(name, before))
            .Order(StringComparer.Ordinal)
            .ToLookup(name => name.Split(' ', 2)[0], name => name.Split(' ', 2)[1] + (before.Facts.ContainsKey(name) ? after.Facts.ContainsKey(name) ? "" : " (removed)" : " (new)"));
        var said = new List<(string, string)>();
        Say("config", "sharedConfigChanged", names => $"While it ran, the git configuration that all worktrees share changed: {names}. If that was not you, look with `git config --local --list` and take it back with `git config --local --unset NAME`.");
        Say("hook", "sharedHooksChanged", names => $"While it ran, hooks that all worktrees share changed: {names}. If that was not you, look at them in the hooks folder of the repository before you commit.");
        Say("global", "userConfigChanged", names => $"While it ran, your own git configuration changed: {names}. If that was not you, look with `git config --global --list`.");
        Say("file", "sharedFilesChanged", names => $"While it ran, files that all worktrees share changed in the repository's git folder: {names}.");
        return said;

        void Say(string kind, string reason, Func<string, string> sentence)
        {
            var names = changed[kind].ToList();
            if (names.Count > 0)
            {
                said.Add((reason, sentence(string.Join(", ", names.Take(NamesSaid)) + (names.Count > NamesSaid ? $" and {names.Count - NamesSaid} more" : ""))));
            }
        }
    }

    internal void Write(string path) => PrivateFiles.Replace(path, JsonSerializer.SerializeToUtf8Bytes(this, SharedStateJson.Default.SharedState));

    /// <returns>Null when there is none, or none that can be read.</returns>
    internal static SharedState? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(PrivateFiles.ReadAll(path), SharedStateJson.Default.SharedState);
        }
        catch (Exception absent) when (absent is IOException or JsonException)
        {
            return null;
        }
    }

    private static bool IsOfNewBranch(string name, SharedState before) =>
        !before.Facts.ContainsKey(name) && name.StartsWith("config branch.", StringComparison.Ordinal) && OfNewBranches.Any(ending => name.EndsWith(ending, StringComparison.Ordinal));

    private static string OfFile(FileInfo file)
    {
        var mode = OperatingSystem.IsWindows() ? "" : FormattableString.Invariant($"{(int)file.UnixFileMode}");
        return file.LinkTarget is { } target ? $"link {Hash(Encoding.UTF8.GetBytes(target))}"
            : file.Length > HookBytesMax ? FormattableString.Invariant($"{file.Length} bytes {mode}")
            : $"{Hash(File.ReadAllBytes(file.FullName))} {mode}";
    }

    private static string Hash(byte[] content) => Base64Url.EncodeToString(SHA256.HashData(content).AsSpan(0, 16));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SharedState))]
internal sealed partial class SharedStateJson : JsonSerializerContext;
