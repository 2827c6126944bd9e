using System.Text;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <param name="Branch">Short name, null when detached.</param>
internal sealed record Worktree(string Path, string? Commit, string? Branch, bool IsMissing);

/// <summary><c>git worktree</c>.</summary>
internal static class Worktrees
{
    internal const string FolderName = ".kanbots";

    internal static async Task<IReadOnlyList<Worktree>> ListAsync(GitRunner git, string folder, CancellationToken cancellation)
    {
        var output = await git.RunAsync(new GitCommand("worktree list", folder, ["worktree", "list", "--porcelain", "-z"]), cancellation);
        return Parse(output.Text);
    }

    internal static IReadOnlyList<Worktree> Parse(string porcelain)
    {
        var list = new List<Worktree>();
        foreach (var record in porcelain.Split("\0\0", StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = record.Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ', 2)).ToLookup(parts => parts[0], parts => parts.Length > 1 ? parts[1] : "");
            if (fields["worktree"].FirstOrDefault() is { } path)
            {
                var branch = fields["branch"].FirstOrDefault();
                list.Add(new Worktree(path, fields["HEAD"].FirstOrDefault(), branch?.StartsWith("refs/heads/", StringComparison.Ordinal) == true ? branch["refs/heads/".Length..] : branch, fields.Contains("prunable")));
            }
        }

        return list;
    }

    internal static string PathOf(Repository repository, string? configuredRoot, int cardNumber, long runId)
    {
        var root = configuredRoot is null ? System.IO.Path.Combine(repository.Root, FolderName, "worktrees") : System.IO.Path.GetFullPath(configuredRoot, repository.Root);
        return System.IO.Path.Combine(root, FormattableString.Invariant($"issue-{cardNumber}-{runId}"));
    }

    /// <summary>Makes the worktree on a new branch at the commit, or finds that an earlier attempt has made exactly that: asked again
    /// after a crash it does nothing twice. Without upstream: git would write the shared config, and 12 of 32 at once fail on its lock.</summary>
    internal static async Task AddAsync(GitRunner git, Repository repository, string path, string branch, string commit, CancellationToken cancellation)
    {
        await RefuseForeignFolderAsync(git, repository, cancellation);
        Exclude(repository);
        if (await IsThereAsync(git, repository, path, branch, cancellation))
        {
            return;
        }

        var known = await BranchCommitAsync(git, repository, branch, cancellation);
        if (known is null && await BranchCommitAsync(git, repository, "kanbots", cancellation) is not null)
        {
            throw GitFailure.Named("branchNamespaceTaken", "A branch named `kanbots` is in the way of every `kanbots/…` branch. Rename it: `git branch -m kanbots <other>`.");
        }

        if (known is not null && known != commit)
        {
            throw GitFailure.Named("branchExists", $"The branch {branch} exists already with other commits. Rename or delete it.");
        }

        string[] arguments = known is null
            ? ["worktree", "add", "--quiet", "--no-track", "-b", branch, path, commit]
            : ["worktree", "add", "--quiet", "--force", path, branch]; // a branch without its worktree: an attempt that was cut off
        await git.RunAsync(new GitCommand("worktree add", repository.Root, [.. Base.At(repository), .. arguments], Writes: true), cancellation);
    }

    private static async Task<bool> IsThereAsync(GitRunner git, Repository repository, string path, string branch, CancellationToken cancellation)
    {
        var folder = repository.IsBare ? repository.CommonFolder : repository.Root;
        return (await ListAsync(git, folder, cancellation)).Any(tree => tree.Branch == branch && !tree.IsMissing && tree.Path == path && Directory.Exists(path));
    }

    private static async Task<string?> BranchCommitAsync(GitRunner git, Repository repository, string branch, CancellationToken cancellation)
    {
        var result = await git.RunAsync(new GitCommand("rev-parse", repository.Root, [.. Base.At(repository), "rev-parse", "--verify", "--quiet", $"refs/heads/{branch}"], ExitCodes: [1, 128]), cancellation);
        return result.ExitCode == 0 ? result.Text.Trim() : null;
    }

    /// <summary>A clone can bring a `.kanbots` of its own: a link out of the repository, or tracked files. Neither is written into.</summary>
    private static async Task RefuseForeignFolderAsync(GitRunner git, Repository repository, CancellationToken cancellation)
    {
        var folder = System.IO.Path.Combine(repository.Root, FolderName);
        if (PrivateFiles.Look(folder) is { IsFolder: false })
        {
            throw GitFailure.Named("kanbotsFolderForeign", $"{folder} is a link or a file. Remove it, or set worktree.root.");
        }

        if (!repository.IsBare && (await git.RunAsync(new GitCommand("ls-files", repository.Root, ["ls-files", "-z", "--", FolderName]), cancellation)).StandardOutput.Length > 0)
        {
            throw GitFailure.Named("kanbotsFolderTracked", $"{FolderName} contains tracked files. Untrack them, or set worktree.root.");
        }
    }

    private const string ExcludeLine = $"/{FolderName}/";

    private static string ExcludeFile(Repository repository) => System.IO.Path.Combine(repository.CommonFolder, "info", "exclude");

    internal static bool IsExcluded(Repository repository) =>
        File.Exists(ExcludeFile(repository)) && File.ReadLines(ExcludeFile(repository)).Any(line => line.Trim() == ExcludeLine);

    /// <summary>One line in the repository's own exclude file, which is never committed, unless it is there.</summary>
    private static void Exclude(Repository repository)
    {
        if (!IsExcluded(repository))
        {
            var path = ExcludeFile(repository);
            var text = File.Exists(path) ? File.ReadAllText(path) : "";
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
            File.AppendAllText(path, (text.Length == 0 || text.EndsWith('\n') ? "" : "\n") + ExcludeLine + "\n", new UTF8Encoding(false));
        }
    }

    /// <summary>Takes our line out again, and the folder when it is empty. Every other byte of the file stays.</summary>
    internal static void Forget(Repository repository)
    {
        if (IsExcluded(repository))
        {
            var path = ExcludeFile(repository);
            File.WriteAllText(path, string.Concat(File.ReadAllText(path).Split('\n').Where(line => line.Trim() != ExcludeLine).Select((line, index) => index == 0 ? line : "\n" + line)), new UTF8Encoding(false));
        }

        var folder = System.IO.Path.Combine(repository.Root, FolderName);
        foreach (var path in new[] { System.IO.Path.Combine(folder, "worktrees"), folder }.Where(path => Directory.Exists(path) && !Directory.EnumerateFileSystemEntries(path).Any()))
        {
            Directory.Delete(path);
        }
    }
}
