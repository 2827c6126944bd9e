using System.Text.Json;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <summary>Where the <c>node_modules</c> of a worktree come from.</summary>
/// <param name="Strategy">inherit: Node.js, npm and npx look upward and find those of the main working tree, below which the worktree
/// lies. symlink: a folder of links to them. setup: the setup command makes them. none: nobody does.</param>
internal sealed record NodeModules(string Strategy, string Reason)
{
    internal const string Inherit = "inherit";
    internal const string Symlink = "symlink";
    internal const string Setup = "setup";
    internal const string Nobody = "none";

    internal const string FolderName = "node_modules";

    /// <summary>Links that are made for one worktree.</summary>
    internal const int LinksMax = 20_000;

    internal static IReadOnlyList<string> Strategies { get; } = [Inherit, Symlink, Setup, Nobody];

    private static readonly string[] LockFiles = ["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb"];

    /// <returns>Null when the base is no project of Node.js.</returns>
    internal static async Task<NodeModules?> ChooseAsync(GitRunner git, Repository repository, string worktree, string commit, string? wanted, bool hasSetup, CancellationToken cancellation)
    {
        if (await BlobAsync(git, repository, commit, "package.json", cancellation) is null)
        {
            return null;
        }

        if (wanted is Setup && !hasSetup)
        {
            return new NodeModules(Nobody, "worktree.nodeModules is `setup`, but there is no setup command. Set worktree.setup, for example to [\"npm\", \"ci\"].");
        }

        if (wanted is Setup or Nobody)
        {
            return new NodeModules(wanted, "As worktree.nodeModules says.");
        }

        var obstacle = await ObstacleAsync(git, repository, worktree, commit, isLink: wanted == Symlink, cancellation);
        return (wanted, obstacle, hasSetup) switch
        {
            (null, null, _) => new NodeModules(Inherit, "Its lock file is that of the main working tree, whose node_modules it finds above itself."),
            (null, { } why, true) => new NodeModules(Setup, $"{why} The setup command makes them."),
            (null, { } why, false) => new NodeModules(Nobody, $"{why} Set worktree.setup, for example to [\"npm\", \"ci\"], or worktree.nodeModules."),
            ({ } strategy, null, _) => new NodeModules(strategy, "As worktree.nodeModules says; its lock file is that of the main working tree."),
            ({ } strategy, { } why, _) => new NodeModules(strategy, $"As worktree.nodeModules says. Beware: {Lower(why)}"),
        };
    }

    private static string Lower(string sentence) => char.ToLowerInvariant(sentence[0]) + sentence[1..];

    /// <summary>Why the main working tree's own are not the right ones, or null.</summary>
    private static async Task<string?> ObstacleAsync(GitRunner git, Repository repository, string worktree, string commit, bool isLink, CancellationToken cancellation)
    {
        if (repository.IsBare)
        {
            return "There is no main working tree that has node_modules.";
        }

        if (!Directory.Exists(Path.Combine(repository.Root, FolderName)))
        {
            return "The main working tree has no node_modules.";
        }

        if (!isLink && !worktree.StartsWith(repository.Root + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            return "The worktree does not lie below the main working tree, so that Node.js finds no node_modules above it.";
        }

        if (await HasOwnPackagesAsync(git, repository, commit, cancellation))
        {
            return "The repository has packages of its own in node_modules (workspaces, file: or link:), and those of the main working tree lead to its files instead of the run's.";
        }

        var seen = false;
        foreach (var name in LockFiles)
        {
            var ours = await BlobAsync(git, repository, commit, name, cancellation);
            var path = Path.Combine(repository.Root, name);
            var theirs = File.Exists(path) ? (await git.RunAsync(new GitCommand("hash-object", repository.Root, ["hash-object", $"--path={name}", "--", name]), cancellation)).Text.Trim() : null;
            if (ours != theirs)
            {
                return $"{name} of the run's base is not that of the main working tree.";
            }

            seen |= ours is not null;
        }

        return seen ? null : "There is no lock file that says which node_modules it needs.";
    }

    private static async Task<string?> BlobAsync(GitRunner git, Repository repository, string commit, string path, CancellationToken cancellation)
    {
        var result = await git.RunAsync(new GitCommand("rev-parse", repository.Root, [.. Base.At(repository), "rev-parse", "--verify", "--quiet", $"{commit}:{path}"], ExitCodes: [1, 128]), cancellation);
        return result.ExitCode == 0 ? result.Text.Trim() : null;
    }

    private static async Task<bool> HasOwnPackagesAsync(GitRunner git, Repository repository, string commit, CancellationToken cancellation)
    {
        if (await BlobAsync(git, repository, commit, "pnpm-workspace.yaml", cancellation) is not null)
        {
            return true;
        }

        var text = (await git.RunAsync(new GitCommand("cat-file", repository.Root, [.. Base.At(repository), "cat-file", "blob", $"{commit}:package.json"]), cancellation)).StandardOutput;
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
            return document.RootElement.ValueKind == JsonValueKind.Object
                && (document.RootElement.TryGetProperty("workspaces", out _) || document.RootElement.EnumerateObject().Any(HasLocal));
        }
        catch (JsonException)
        {
            return false; // a package.json that nobody can read has no say; npm will say so
        }
    }

    private static bool HasLocal(JsonProperty property) =>
        property.Name.EndsWith("ependencies", StringComparison.Ordinal)
        && property.Value.ValueKind == JsonValueKind.Object
        && property.Value.EnumerateObject().Any(one => one.Value.ValueKind == JsonValueKind.String && one.Value.GetString()!.Split(':')[0] is "file" or "link" or "portal" or "workspace");

    /// <summary>A real folder whose entries are links, since one link would not do: <c>node_modules/</c> in a .gitignore does not match it,
    /// so that it would show as a change, and <c>npm ci</c> empties the folder that it finds, which would be the main working tree's. Folders
    /// of scopes and of programs are real ones too, for the same reason. Hidden files are the package managers' own notes, and stay out.</summary>
    /// <returns>The number of links; null when the worktree does not ignore the folder, or has one.</returns>
    internal static async Task<int?> LinkAsync(GitRunner git, Repository repository, string worktree, CancellationToken cancellation)
    {
        var (from, to) = (Path.Combine(repository.Root, FolderName), Path.Combine(worktree, FolderName));
        var ignored = await git.RunAsync(new GitCommand("check-ignore", worktree, ["check-ignore", "--quiet", "--", FolderName + "/"], ExitCodes: [1]), cancellation);
        return ignored.ExitCode != 0 || !Directory.Exists(from) || PrivateFiles.Look(to) is { IsFolder: false } ? null : Link(from, to, 0);
    }

    private static int Link(string from, string to, int made)
    {
        Directory.CreateDirectory(to);
        foreach (var entry in new DirectoryInfo(from).EnumerateFileSystemInfos().OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            var target = Path.Combine(to, entry.Name);
            if (made >= LinksMax)
            {
                return made;
            }

            if (entry is DirectoryInfo { LinkTarget: null } && (entry.Name[0] == '@' || entry.Name == ".bin"))
            {
                made = Link(entry.FullName, target, made);
            }
            else if (entry.Name[0] != '.')
            {
                made++;
                if (PrivateFiles.Look(target) is null)
                {
                    _ = entry is DirectoryInfo ? Directory.CreateSymbolicLink(target, entry.FullName) : File.CreateSymbolicLink(target, entry.FullName);
                }
            }
        }

        return made;
    }
}
