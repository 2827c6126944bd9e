using KanBots.Sidecar.Git;
using KanBots.Sidecar.Rpc;
using KanBots.Sidecar.Serving;

namespace KanBots.Sidecar.Cli;

/// <summary>From a command line to a verb. 0: done. 1: refused or failed. 2: the command line is wrong.</summary>
internal static class Terminal
{
    private static readonly string[] NoOptions = [];

    internal static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        try
        {
            return args[0] switch
            {
                "board" => await WithClientAsync(args, NoOptions, ["--once", "--until-idle"], (client, arguments) => BoardVerb.RunAsync(client, arguments.Has("--once"), arguments.Has("--until-idle"))),
                "card" when args.Count > 1 && args[1] == "add" => await WithClientAsync(args, ["--number", "--body"], NoOptions, Verbs.CardAddAsync),
                "dispatch" => await WithClientAsync(args, ["--mode", "--model", "--base", "--budget", "--prompt"], NoOptions, Verbs.DispatchAsync),
                "answer" => await WithClientAsync(args, ["--reason"], ["--allow", "--deny"], Verbs.AnswerAsync),
                "reply" => await WithClientAsync(args, NoOptions, NoOptions, Verbs.ReplyAsync),
                "stop" => await WithClientAsync(args, NoOptions, NoOptions, Verbs.StopAsync),
                "resume" => await WithClientAsync(args, NoOptions, NoOptions, Verbs.ResumeAsync),
                "show" => await WithClientAsync(args, NoOptions, NoOptions, Verbs.ShowAsync),
                "rewind" => await WithClientAsync(args, NoOptions, NoOptions, ReviewVerbs.RewindAsync),
                "fork" => await WithClientAsync(args, ["--prompt"], NoOptions, ReviewVerbs.ForkAsync),
                "resolve" => await WithClientAsync(args, ["--branch"], NoOptions, ReviewVerbs.ResolveAsync),
                "worktrees" => await WithClientAsync(args, NoOptions, ["--remove", "--yes", "--foreign"], WorktreesVerb.RunAsync),
                "promote" => await WithClientAsync(args, ["--onto", "--strategy", "--message"], NoOptions, ReviewVerbs.PromoteAsync),
                "discard" => await WithClientAsync(args, NoOptions, NoOptions, Verbs.DiscardAsync),
                "restore" => await WithClientAsync(args, NoOptions, NoOptions, Verbs.RestoreAsync),
                "changes" => await WithClientAsync(args, ["--since"], NoOptions, ReviewVerbs.ChangesAsync),
                "diff" => await WithClientAsync(args, ["--since"], NoOptions, ReviewVerbs.DiffAsync),
                "checkpoints" => await WithClientAsync(args, NoOptions, NoOptions, ReviewVerbs.CheckpointsAsync),
                "cost" => await WithClientAsync(args, ["--days"], NoOptions, CostVerb.RunAsync),
                "config" => await WithClientAsync(args, NoOptions, NoOptions, Verbs.ConfigAsync),
                "doctor" => await Doctor.RunAsync(Environment.CurrentDirectory, Arguments.Parse([.. args.Skip(1)], NoOptions, ["--fix"]).Has("--fix")),
                "uninstall" => await Uninstall.RunAsync(Environment.CurrentDirectory, Arguments.Parse([.. args.Skip(1)], NoOptions, ["--yes"]).Has("--yes")),
                _ => throw new UsageException($"There is no command '{args[0]}'. See --help."),
            };
        }
        catch (UsageException wrong)
        {
            Console.Error.WriteLine($"kanbots-sidecar: {wrong.Message}");
            return 2;
        }
        catch (Exception refused) when (refused is RpcException or GitFailure or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"kanbots-sidecar: {TerminalText.Clean(refused.Message)}");
            return 1;
        }
    }

    private static async Task<int> WithClientAsync(IReadOnlyList<string> args, IReadOnlyCollection<string> valued, IReadOnlyCollection<string> flags, Func<Client, Arguments, Task<int>> verb)
    {
        var arguments = Arguments.Parse([.. args.Skip(1)], valued, flags);
        await using var client = await Client.ConnectAsync(Environment.CurrentDirectory);
        return await verb(client, arguments);
    }
}
