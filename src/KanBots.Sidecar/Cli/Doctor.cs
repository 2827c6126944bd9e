using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Git;
using KanBots.Sidecar.Processes;
using KanBots.Sidecar.Rpc;
using KanBots.Sidecar.Serving;

namespace KanBots.Sidecar.Cli;

/// <summary><c>doctor</c>: each finding with its next step. Starts nothing and changes nothing.</summary>
internal static class Doctor
{
    internal static async Task<int> RunAsync(string folder)
    {
        var problems = 0;
        void Good(string text) => Console.Out.WriteLine($"ok       {text}");
        void Bad(string text)
        {
            problems++;
            Console.Out.WriteLine($"problem  {text}");
        }

        var git = new GitRunner(TimeProvider.System);
        try
        {
            var version = await git.RunAsync(new GitCommand("version", "/", ["version"]), CancellationToken.None);
            Good(version.Text.Trim());
        }
        catch (GitFailure missing)
        {
            Bad(missing.Message);
        }

        FileSettings settings = new();
        try
        {
            var paths = new Paths(await Repository.FindAsync(git, folder, CancellationToken.None));
            Good($"repository {paths.Repository.Root}{(paths.Repository.IsBare ? " (bare)" : "")}");
            var from = await Base.ChooseAsync(git, paths.Repository, null, null, CancellationToken.None);
            Good($"runs start from {from.Ref} ({from.Commit[..10]})");
            settings = FileSettings.Read(paths.Settings);
            await StateAsync(git, paths, Good, Bad);
        }
        catch (GitFailure failure)
        {
            Bad(failure.Message);
        }

        var claude = await AgentDetection.ClaudeAsync(settings.ClaudePath, Spawn.OwnEnvironment(), CancellationToken.None);
        if (claude.Problem is { } problem)
        {
            Bad(problem);
        }
        else
        {
            Good($"Claude Code {claude.Version} at {claude.Path}");
            if (claude.SignedIn == false)
            {
                Bad("Claude Code is not signed in. Run `claude` once in a terminal, or set ANTHROPIC_API_KEY.");
            }
        }

        Console.Out.WriteLine(problems == 0 ? "Nothing is missing." : $"{problems} to look at.");
        return problems == 0 ? 0 : 1;
    }

    private static async Task StateAsync(GitRunner git, Paths paths, Action<string> good, Action<string> bad)
    {
        if (PrivateFiles.Look(paths.State) is not { } facts)
        {
            good("no board yet: the first command makes one");
            return;
        }

        if (!facts.IsPrivate)
        {
            bad($"{paths.State} can be read by others. Run: chmod 700 '{paths.State}'");
        }
        else
        {
            good($"board in {paths.State}, private");
        }

        var listed = await Worktrees.ListAsync(git, paths.Repository.IsBare ? paths.Repository.CommonFolder : paths.Repository.Root, CancellationToken.None);
        foreach (var tree in listed.Where(tree => tree.IsMissing && RunIds.Of(tree.Path) > 0))
        {
            bad($"the worktree {tree.Path} is gone from the disk. Its branch {tree.Branch} is kept; forget the worktree with `git worktree prune`.");
        }

        Leftovers(paths, good, bad);
    }

    /// <summary>What is found here is ended by others: doctor changes nothing.</summary>
    private static void Leftovers(Paths paths, Action<string> good, Action<string> bad)
    {
        var found = Engine.Leftovers.Find(paths).ToList();
        foreach (var (card, run, pids) in found)
        {
            bad($"run {run} of card #{card} has left {pids.Count} {(pids.Count == 1 ? "process" : "processes")} running ({string.Join(", ", pids)}). End them: kanbots-sidecar stop {card}");
        }

        if (found.Count == 0)
        {
            good("no process was left behind");
        }
    }
}
