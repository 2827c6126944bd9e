namespace KanBots.Sidecar.Git;

/// <summary>What a run starts from: a name for people, a commit for git.</summary>
internal sealed record Base(string Ref, string Commit)
{
    /// <summary>The wanted ref; else the default branch of the repository: origin/HEAD, else the configured one, else the current
    /// branch. Never just "whatever HEAD is" without saying so.</summary>
    internal static async Task<Base> ChooseAsync(GitRunner git, Repository repository, string? wanted, string? configured, CancellationToken cancellation)
    {
        if (wanted is not null)
        {
            return await CommitOfAsync(git, repository, wanted, cancellation) is { } named
                ? new Base(wanted, named)
                : throw GitFailure.Named("unknownRevision", $"git does not know the base '{wanted}'. Name a branch, a tag or a commit.");
        }

        // The remote's default branch may have been deleted since the clone: the link then points nowhere, and is no answer.
        if (await SymbolicAsync(git, repository, "refs/remotes/origin/HEAD", cancellation) is { } origin && await CommitOfAsync(git, repository, origin, cancellation) is { } theirs)
        {
            return new Base(origin, theirs);
        }

        if (configured is not null)
        {
            return await CommitOfAsync(git, repository, configured, cancellation) is { } commit
                ? new Base(configured, commit)
                : throw GitFailure.Named("unknownRevision", $"git does not know '{configured}', which the setting worktree.baseRef names. Correct or remove the setting.");
        }

        if (await CommitOfAsync(git, repository, "HEAD", cancellation) is not { } head)
        {
            throw GitFailure.Named("unbornHead", "The repository has no commit yet. Make the first commit, then dispatch again.");
        }

        return new Base(await SymbolicAsync(git, repository, "HEAD", cancellation) ?? "HEAD (detached)", head);
    }

    private static async Task<string?> SymbolicAsync(GitRunner git, Repository repository, string name, CancellationToken cancellation)
    {
        var result = await git.RunAsync(new GitCommand("symbolic-ref", repository.Root, [.. At(repository), "symbolic-ref", "--quiet", "--short", name], ExitCodes: [1, 128]), cancellation);
        return result.ExitCode == 0 ? result.Text.TrimEnd('\n') : null;
    }

    private static async Task<string?> CommitOfAsync(GitRunner git, Repository repository, string name, CancellationToken cancellation)
    {
        var result = await git.RunAsync(new GitCommand("rev-parse", repository.Root, [.. At(repository), "rev-parse", "--verify", "--quiet", "--end-of-options", $"{name}^{{commit}}"], ExitCodes: [1, 128]), cancellation);

        // A name such as "^main" is a range to git, which answers with a caret and no failure.
        return result.ExitCode == 0 && result.Text.TrimEnd('\n') is var id && id.All(char.IsAsciiHexDigit) ? id : null;
    }

    /// <summary>The root of a bare repository is only the folder beside it.</summary>
    internal static string[] At(Repository repository) => repository.IsBare ? ["--git-dir", repository.CommonFolder] : [];
}
