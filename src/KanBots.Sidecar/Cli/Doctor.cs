using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Git;
using KanBots.Sidecar.Processes;
using KanBots.Sidecar.Rpc;
using KanBots.Sidecar.Serving;

namespace KanBots.Sidecar.Cli;

/// <summary><c>doctor</c>: each finding with its next step. Starts nothing, and changes nothing unless <c>--fix</c> is given: then it does
/// what it says without it.</summary>
internal static class Doctor
{
    internal static async Task<int> RunAsync(string folder, bool fix)
    {
        var (problems, fixable) = (0, 0);
        void Good(string text) => Console.Out.WriteLine($"ok       {text}");
        void Bad(string text)
        {
            problems++;
            Console.Out.WriteLine($"problem  {text}");
        }

        var git = new GitRunner(TimeProvider.System);
        try
        {
            Good(await git.RequireRecentAsync(CancellationToken.None));
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
            var findings = await StateAsync(git, paths, Good, Bad);
            foreach (var finding in findings)
            {
                Bad(finding.What);
                if (fix && finding.Fix is { } act)
                {
                    var (done, said) = await TryAsync(act);
                    Console.Out.WriteLine($"{(done ? "fixed" : "not done"),-8} {said ?? finding.Would}");
                    problems -= done ? 1 : 0;
                }
                else if (finding.Fix is not null)
                {
                    fixable++;
                    Console.Out.WriteLine($"would    {finding.Would}");
                }
            }

            if (findings.Count == 0)
            {
                Good("nothing was left over");
            }
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

        if (fixable > 0)
        {
            Console.Out.WriteLine($"{fixable} can be fixed: kanbots-sidecar doctor --fix does what is said after \"would\".");
        }

        Console.Out.WriteLine(problems == 0 ? "Nothing is missing." : $"{problems} to look at.");
        return problems == 0 ? 0 : 1;
    }

    private static async Task<(bool Done, string? Said)> TryAsync(Func<Task> act)
    {
        try
        {
            await act();
            return (true, null);
        }
        catch (Exception failure) when (failure is GitFailure or IOException or UnauthorizedAccessException)
        {
            return (false, failure.Message);
        }
    }

    private static async Task<IReadOnlyList<Finding>> StateAsync(GitRunner git, Paths paths, Action<string> good, Action<string> bad)
    {
        if (PrivateFiles.Look(paths.State) is not { } facts)
        {
            good("no board yet: the first command makes one");
            return [];
        }

        if (!facts.IsPrivate)
        {
            bad($"{paths.State} can be read by others. Run: chmod 700 '{paths.State}'");
        }
        else
        {
            good($"board in {paths.State}, private");
        }

        return await DoctorFindings.FindAsync(git, paths);
    }
}
