using System.Text;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <summary>The files of a worktree at one moment, as a tree in git's own store: tracked and untracked, not ignored, with modes, links
/// and the commits of nested repositories.</summary>
/// <param name="Tree">Its object id.</param>
/// <param name="Left">Paths that git could not take in as they are, such as a nested repository without a commit or a file that may not
/// be read; at most <see cref="LeftMax"/>.</param>
internal sealed record Checkpoint(string Tree, IReadOnlyList<string> Left)
{
    internal const int LeftMax = 1_000;

    /// <summary>Files may come and go while they are taken in; then it is begun again, so often.</summary>
    private const int TriesMax = 3;

    /// <summary>A line ending that cannot be turned back is the agent's to answer for and no reason to lose the file.</summary>
    private static readonly string[] Lenient = ["-c", "core.safecrlf=false"];

    /// <summary>Through a copy of the agent's index, so that neither its index nor its files are touched; a fresh index would lose what
    /// a sparse checkout leaves out. The copy lies in <paramref name="scratch"/> and is removed.</summary>
    /// <param name="worktree">Known to be its own: what its `.git` names is gone by.</param>
    /// <param name="placed">What was put there for the agent, relative to the worktree: never part of it, also when the agent has added it.</param>
    /// <param name="fresh">Copies that are faster to work with; null for none.</param>
    internal static async Task<Checkpoint> WriteAsync(GitRunner git, string worktree, IReadOnlyList<string> placed, string scratch, CancellationToken cancellation, FreshIndexes? fresh = null)
    {
        var index = Path.Combine(scratch, $"index-{Guid.NewGuid():N}");
        try
        {
            return await ReadAsync(git, worktree, placed, index, isKept: false, cancellation, fresh);
        }
        finally
        {
            File.Delete(index);
        }
    }

    /// <param name="index">Of ours; it stays.</param>
    /// <param name="isKept">It is of an earlier look, and knows which files have not changed since; else it is made from the agent's.</param>
    internal static async Task<Checkpoint> ReadAsync(GitRunner git, string worktree, IReadOnlyList<string> placed, string index, bool isKept, CancellationToken cancellation, FreshIndexes? fresh = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (attempt > 1 || !isKept)
            {
                CopyIndex(worktree, index, fresh?.Of(worktree));
            }

            var added = await AddAsync(git, worktree, index, attempt < TriesMax ? placed : null, cancellation);
            if (added == 128 && attempt < TriesMax)
            {
                continue; // perhaps a file went away meanwhile; what stays in the way is found below
            }

            var left = added switch
            {
                0 => [],
                1 => await DifferingAsync(git, worktree, index, placed, cancellation),
                _ => await AddOneByOneAsync(git, worktree, index, await DifferingAsync(git, worktree, index, placed, cancellation), cancellation),
            };
            return new Checkpoint(await WriteTreeAsync(git, worktree, index, placed, left, cancellation), [.. left.Take(LeftMax)]);
        }
    }

    /// <summary>Takes in only these files.</summary>
    /// <param name="index">Of an earlier look.</param>
    /// <param name="paths">From the top, with slashes: all that may have changed since.</param>
    /// <returns>False when it takes a look at everything to tell.</returns>
    internal static async Task<bool> TakeChangedAsync(GitRunner git, string worktree, string index, IReadOnlyCollection<string> paths, CancellationToken cancellation)
    {
        var there = paths.ToLookup(path => PrivateFiles.Look(Path.Combine(worktree, path)) switch { null => "gone", { IsFolder: true } => "folder", _ => "file" });
        return !there["folder"].Any()
            && (!there["gone"].Any() || (await git.RunAsync(new GitCommand("update-index", worktree, ["update-index", "--remove", "-z", "--stdin"], ExitCodes: [1, 128], IndexFile: index, Input: Nul(there["gone"])), cancellation)).ExitCode == 0)
            && (!there["file"].Any() || (await git.RunAsync(new GitCommand("add", worktree, ["--literal-pathspecs", .. Lenient, "add", "--all", "--sparse", "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul"], ExitCodes: [1, 128], IndexFile: index, Input: Nul(there["file"])), cancellation)).ExitCode == 0);
    }

    /// <returns>The tree of an index; null when none can be made of it.</returns>
    internal static async Task<string?> TreeOfAsync(GitRunner git, string worktree, string index, CancellationToken cancellation)
    {
        var written = await git.RunAsync(new GitCommand("write-tree", worktree, ["write-tree"], ExitCodes: [128], IndexFile: index), cancellation);
        return written.ExitCode == 0 ? written.Text.Trim() : null;
    }

    private static void CopyIndex(string worktree, string index, string? fresh)
    {
        var own = fresh ?? Path.Combine(Worktrees.RecordIn(worktree), "index");
        File.Delete(index);
        if (File.Exists(own))
        {
            File.Copy(own, index);
        }
    }

    /// <param name="placed">Null to take nothing in.</param>
    /// <returns>git's exit code: 1 when it left something out and said so, 128 when it did nothing.</returns>
    private static async Task<int> AddAsync(GitRunner git, string worktree, string index, IReadOnlyList<string>? placed, CancellationToken cancellation)
    {
        if (placed is null)
        {
            return 128;
        }

        var specs = placed.Select(path => $":(exclude,top,literal){path}").Prepend(":(top)");
        var result = await git.RunAsync(new GitCommand("add", worktree, [.. Lenient, "add", "--all", "--sparse", "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul"], ExitCodes: [1, 128], IndexFile: index, Input: Nul(specs)), cancellation);
        return result.ExitCode;
    }

    /// <summary>What the index does not have as it is.</summary>
    private static async Task<List<string>> DifferingAsync(GitRunner git, string worktree, string index, IReadOnlyList<string> placed, CancellationToken cancellation)
    {
        var result = await git.RunAsync(new GitCommand("ls-files", worktree, ["ls-files", "-z", "--modified", "--deleted", "--others", "--exclude-standard", "--full-name", ":/"], IndexFile: index), cancellation);
        return [.. result.Text.Split('\0', StringSplitOptions.RemoveEmptyEntries).Distinct().Where(path => !placed.Any(ours => path == ours || path.StartsWith($"{ours}/", StringComparison.Ordinal)))];
    }

    /// <summary>Halves what git refuses until what is in the way stands alone.</summary>
    /// <returns>What was in the way.</returns>
    private static async Task<List<string>> AddOneByOneAsync(GitRunner git, string worktree, string index, List<string> paths, CancellationToken cancellation)
    {
        var left = new List<string>();
        var parts = new Stack<List<string>>([paths]);
        while (parts.TryPop(out var part))
        {
            if (part.Count == 0 || left.Count >= LeftMax)
            {
                left.AddRange(part);
                continue;
            }

            var result = await git.RunAsync(new GitCommand("add", worktree, ["--literal-pathspecs", .. Lenient, "add", "--all", "--sparse", "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul"], ExitCodes: [1, 128], IndexFile: index, Input: Nul(part)), cancellation);
            if (result.ExitCode == 0)
            {
                continue;
            }

            if (part.Count == 1)
            {
                left.Add(part[0]);
                continue;
            }

            parts.Push(part[(part.Count / 2)..]);
            parts.Push(part[..(part.Count / 2)]);
        }

        return left;
    }

    private static async Task<string> WriteTreeAsync(GitRunner git, string worktree, string index, IReadOnlyList<string> placed, List<string> left, CancellationToken cancellation)
    {
        if (placed.Count > 0)
        {
            await git.RunAsync(new GitCommand("rm", worktree, ["--literal-pathspecs", "rm", "-r", "-f", "--cached", "--quiet", "--ignore-unmatch", "--sparse", "--pathspec-from-file=-", "--pathspec-file-nul"], IndexFile: index, Input: Nul(placed)), cancellation);
        }

        var result = await git.RunAsync(new GitCommand("write-tree", worktree, ["write-tree"], ExitCodes: left.Count > 0 ? [128] : null, IndexFile: index), cancellation);
        if (result.ExitCode != 0)
        {
            // What is left stands there in the three versions of a merge that is under way, of which no tree can be made.
            await git.RunAsync(new GitCommand("update-index", worktree, ["update-index", "--force-remove", "-z", "--stdin"], IndexFile: index, Input: Nul(left)), cancellation);
            result = await git.RunAsync(new GitCommand("write-tree", worktree, ["write-tree"], IndexFile: index), cancellation);
        }

        return result.Text.Trim();
    }

    private static byte[] Nul(IEnumerable<string> paths) => Encoding.UTF8.GetBytes(string.Concat(paths.Select(path => $"{path}\0")));
}
