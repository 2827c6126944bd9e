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

        if (await OriginAsync(git, repository, cancellation) is { } origin)
        {
            return origin;
        }

        if (configured is not null)
        {
            return await CommitOfAsync(git, repository, configured, cancellation) is { } commit
                ? new Base(configured, commit)
                : throw GitFailure.Named("unknownRevision", $"git does not know '{configured}', which the setting worktree.baseRef names. Correct or remove the setting.");
        }

        return await HeadAsync(git, repository, cancellation) ?? throw GitFailure.Named("unbornHead", "The repository has no commit yet. Make the first commit, then dispatch again.");
    }

    /// <summary>The remote's default branch. It may have been deleted since the clone: the link then points nowhere, and git does not list it.</summary>
    private static async Task<Base?> OriginAsync(GitRunner git, Repository repository, CancellationToken cancellation)
    {
        var result = await git.RunAsync(new GitCommand("for-each-ref", repository.Root, [.. At(repository), "for-each-ref", "--format=%(objectname) %(symref:short)", "refs/remotes/origin/HEAD"]), cancellation);
        return result.Text.TrimEnd('\n').Split(' ', 2) is [var commit, { Length: > 0 } name] ? new Base(name, commit) : null;
    }

    /// <summary>The current branch, if it has a commit.</summary>
    private static async Task<Base?> HeadAsync(GitRunner git, Repository repository, CancellationToken cancellation)
    {
        var result = await git.RunAsync(new GitCommand("rev-parse", repository.Root, [.. At(repository), "rev-parse", "--revs-only", "HEAD", "--abbrev-ref", "HEAD"]), cancellation);
        return result.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries) is [var commit, var branch] ? new Base(branch == "HEAD" ? "HEAD (detached)" : branch, commit) : null;
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
