using System.Text;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <param name="Path">Relative to the working tree, with slashes.</param>
internal sealed record CopiedFile(string Path, long Bytes);

/// <param name="Said">What was left out and why: sentences.</param>
internal sealed record Copied(IReadOnlyList<CopiedFile> Files, IReadOnlyList<string> Said);

/// <summary>Brings files into a worktree that git ignores and that an agent needs all the same, such as <c>.env</c>. Only copies are made:
/// a link would let the agent write into the main working tree. What is not ignored in the worktree too is left out, since it would show
/// as a change.</summary>
internal static class IgnoredFiles
{
    internal const string ListName = ".worktreeinclude";

    /// <summary>Files that are copied for one worktree.</summary>
    internal const int FilesMax = 5_000;

    /// <summary>Bytes of all of them together.</summary>
    internal const long BytesMax = 256L << 20;

    /// <summary>Bytes of the list. A longer one is not one.</summary>
    internal const int ListBytesMax = 64 * 1024;

    /// <summary>Paths that one sentence names.</summary>
    private const int NamedMax = 3;

    /// <param name="patterns">Of the settings, as in a .gitignore; they come after the list's own.</param>
    /// <param name="readsList">The working tree is trusted: its list may be read.</param>
    internal static async Task<Copied> CopyAsync(GitRunner git, Repository repository, string worktree, IReadOnlyList<string> patterns, bool readsList, string scratch, CancellationToken cancellation)
    {
        var said = new List<string>();
        var text = new StringBuilder();
        var list = System.IO.Path.Combine(repository.Root, ListName);
        if (repository.IsBare)
        {
            return new Copied([], []);
        }

        if (readsList)
        {
            text.Append(ReadList(list, said));
        }
        else if (File.Exists(list))
        {
            said.Add($"{ListName} was not read, since the workspace is not trusted.");
        }

        foreach (var pattern in patterns)
        {
            text.Append(pattern).Append('\n');
        }

        if (text.ToString().All(char.IsWhiteSpace))
        {
            return new Copied([], said);
        }

        var wanted = await WantedAsync(git, repository, text.ToString(), scratch, cancellation);
        var ignoredHere = await IgnoredAsync(git, repository.Root, wanted, cancellation);
        var linked = ignoredHere.Where(path => new FileInfo(System.IO.Path.Combine(repository.Root, path)).LinkTarget is not null || !IsOfRealFolders(repository.Root, path) || !IsOfRealFolders(worktree, path)).ToHashSet();
        List<string> plain = [.. ignoredHere.Where(path => !linked.Contains(path))]; // git refuses to look behind a link
        var ignoredThere = await IgnoredAsync(git, worktree, plain, cancellation);
        Name(said, [.. linked.Order(StringComparer.Ordinal)], "not copied, because it is a link or lies behind one");
        Name(said, [.. plain.Except(ignoredThere)], "not copied, because the run's base tracks it or does not ignore it");
        return await Task.Run(() => Copy(repository.Root, worktree, ignoredThere, scratch, said, cancellation), cancellation);
    }

    private static string ReadList(string path, List<string> said)
    {
        var file = new FileInfo(path);
        if (!file.Exists)
        {
            return "";
        }

        if (file.LinkTarget is not null || file.Length > ListBytesMax)
        {
            said.Add($"{ListName} was not read: it is a link, or longer than {ListBytesMax} bytes.");
            return "";
        }

        return Encoding.UTF8.GetString(PrivateFiles.ReadAll(path)) + "\n";
    }

    /// <summary>git itself reads the patterns. Our worktrees, and what packages bring along, are never meant.</summary>
    private static async Task<IReadOnlyList<string>> WantedAsync(GitRunner git, Repository repository, string patterns, string scratch, CancellationToken cancellation)
    {
        var file = System.IO.Path.Combine(scratch, $"include-{Guid.NewGuid():N}");
        try
        {
            PrivateFiles.Replace(file, Encoding.UTF8.GetBytes(patterns));
            string[] arguments = ["ls-files", "-z", "--others", "--ignored", $"--exclude-from={file}", "--", ".", ":(exclude,glob)**/node_modules/**", $":(exclude,top){Worktrees.FolderName}"];
            return Split((await git.RunAsync(new GitCommand("ls-files", repository.Root, arguments), cancellation)).Text);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Those that the tree's own rules ignore and that its index does not have.</summary>
    private static async Task<IReadOnlyList<string>> IgnoredAsync(GitRunner git, string folder, IReadOnlyList<string> paths, CancellationToken cancellation) => paths.Count == 0
        ? []
        : Split((await git.RunAsync(new GitCommand("check-ignore", folder, ["check-ignore", "-z", "--stdin"], ExitCodes: [1], Input: Encoding.UTF8.GetBytes(string.Concat(paths.Select(path => path + '\0')))), cancellation)).Text);

    private static string[] Split(string text) => [.. text.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(path => !path.EndsWith('/')).Order(StringComparer.Ordinal)];

    private static Copied Copy(string from, string to, IReadOnlyList<string> paths, string scratch, List<string> said, CancellationToken cancellation)
    {
        var copied = new List<CopiedFile>();
        var over = new List<string>();
        long bytes = 0;
        foreach (var path in paths)
        {
            cancellation.ThrowIfCancellationRequested();
            var source = new FileInfo(System.IO.Path.Combine(from, path));
            var target = System.IO.Path.Combine(to, path);
            if (!source.Exists || path.Split('/').Any(name => name is ".." || name.Equals(".git", StringComparison.OrdinalIgnoreCase)))
            {
                continue; // gone since git saw it, or of a repository inside
            }

            if (copied.Count >= FilesMax || bytes + source.Length > BytesMax)
            {
                over.Add(path);
            }
            else
            {
                if (new FileInfo(target) is { Exists: false, LinkTarget: null })
                {
                    Bring(source.FullName, target, scratch);
                }

                bytes += source.Length;
                copied.Add(new CopiedFile(path, source.Length));
            }
        }

        Name(said, over, $"not copied: at most {FilesMax} files and {BytesMax >> 20} MiB are. Narrow worktree.include or {ListName}, or let the setup command fetch it");
        return new Copied(copied, said);
    }

    /// <summary>Whole or not at all, with its mode: a crash leaves no half file behind.</summary>
    private static void Bring(string source, string target, string scratch)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
        var half = System.IO.Path.Combine(scratch, $"copy-{Guid.NewGuid():N}");
        try
        {
            File.Copy(source, half);
            File.Move(half, target, overwrite: false);
        }
        finally
        {
            File.Delete(half);
        }
    }

    /// <summary>No folder above the file is a link: neither does one lead out of the tree.</summary>
    private static bool IsOfRealFolders(string root, string path)
    {
        var folder = root;
        foreach (var name in path.Split('/')[..^1])
        {
            folder = System.IO.Path.Combine(folder, name);
            if (PrivateFiles.Look(folder) is { IsFolder: false })
            {
                return false;
            }
        }

        return true;
    }

    private static void Name(List<string> said, List<string> paths, string why)
    {
        if (paths.Count > 0)
        {
            said.Add($"{string.Join(", ", paths.Take(NamedMax))}{(paths.Count > NamedMax ? FormattableString.Invariant($" and {paths.Count - NamedMax} more") : "")}: {why}.");
        }
    }
}
