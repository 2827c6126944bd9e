using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <summary>The submodules of a new worktree: those that the main working tree has, from its own copies, so that nothing is fetched. Only a
/// commit that is not among them is asked of its server, and nobody is asked for a password.</summary>
internal static class Submodules
{
    /// <summary>Submodules within submodules.</summary>
    internal const int DepthMax = 5;

    /// <summary>Submodules of one level.</summary>
    internal const int CountMax = 200;

    private static readonly string[] Silent = ["GIT_ASKPASS=true", "SSH_ASKPASS_REQUIRE=never"];

    /// <param name="environment">Of the client whose run it is: its keys reach the servers.</param>
    /// <returns>What could not be had, and why: sentences.</returns>
    internal static async Task<IReadOnlyList<string>> FillAsync(GitRunner git, Repository repository, string worktree, IReadOnlyList<string> environment, CancellationToken cancellation)
    {
        var said = new List<string>();
        await FillAsync(git, worktree, repository.CommonFolder, 1, [.. environment, .. Silent], said, cancellation);
        return said;
    }

    /// <param name="source">The git folder of the same tree in the main working tree.</param>
    private static async Task FillAsync(GitRunner git, string tree, string source, int depth, IReadOnlyList<string> environment, List<string> said, CancellationToken cancellation)
    {
        if (depth > DepthMax || PrivateFiles.Look(System.IO.Path.Combine(tree, ".gitmodules")) is null)
        {
            return;
        }

        var listed = await git.RunAsync(new GitCommand("config", tree, ["config", "--file", ".gitmodules", "--null", "--get-regexp", @"^submodule\..*\.path$"], ExitCodes: [1]), cancellation);
        foreach (var entry in listed.Text.Split('\0', StringSplitOptions.RemoveEmptyEntries).Take(CountMax).Select(entry => entry.Split('\n', 2)).Where(parts => parts.Length == 2))
        {
            var (name, path) = (entry[0]["submodule.".Length..^".path".Length], entry[1]);
            var url = await git.RunAsync(new GitCommand("config", source, ["--git-dir", source, "config", "--get", $"submodule.{name}.url"], ExitCodes: [1]), cancellation);
            if (url.ExitCode != 0 || name.Split('/').Contains("..") || path.Split('/').Contains(".."))
            {
                continue; // the main working tree has not initialised it either
            }

            var copy = System.IO.Path.Combine(source, "modules", name);
            if (await FillOneAsync(git, tree, name, path, url.Text.TrimEnd('\n'), copy, depth, environment, cancellation) is { } why)
            {
                said.Add($"The submodule {path} is missing: {why} Run `git submodule update --init --recursive` in the worktree.");
            }
            else
            {
                await FillAsync(git, System.IO.Path.Combine(tree, path), copy, depth + 1, environment, said, cancellation);
            }
        }
    }

    /// <returns>Why it is missing, or null.</returns>
    private static async Task<string?> FillOneAsync(GitRunner git, string tree, string name, string path, string url, string copy, int depth, IReadOnlyList<string> environment, CancellationToken cancellation)
    {
        Task<CommandResult> Git(string folder, bool writes, params string[] arguments) =>
            git.RunAsync(new GitCommand(arguments.First(word => word[0] is not '-' && !word.Contains('=')), folder, arguments, writes, Environment: environment), cancellation);
        var folder = System.IO.Path.Combine(tree, path);
        string[] init = depth > 1 ? ["--init"] : []; // at the top the shared configuration has it already, and is not written to
        try
        {
            try
            {
                if (File.Exists(System.IO.Path.Combine(copy, "HEAD")))
                {
                    await Git(tree, true, ["-c", $"submodule.{name}.url={copy}", "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", .. init, "--no-fetch", "--", path]);
                    return null;
                }
            }
            catch (GitFailure)
            {
                // The main working tree's copy has not got this commit: its server may.
            }
            finally
            {
                if (PrivateFiles.Look(System.IO.Path.Combine(folder, ".git")) is not null)
                {
                    await Git(folder, true, "remote", "set-url", "origin", url);
                    if (depth > 1)
                    {
                        await Git(tree, true, "config", $"submodule.{name}.url", url);
                    }
                }
            }

            await Git(tree, false, ["submodule", "--quiet", "update", .. init, "--", path]);
            return null;
        }
        catch (GitFailure failure)
        {
            return failure.Message;
        }
    }
}
