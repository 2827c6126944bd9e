using System.Globalization;
using System.Text;
using KanBots.Sidecar.Git;
using KanBots.Sidecar.Protocol;
using LandingStrategy = KanBots.Sidecar.Protocol.LandingStrategy;

namespace KanBots.Sidecar.Cli;

/// <summary><c>changes</c>, <c>diff</c> and <c>checkpoints</c>: what the latest run of a card has done to its files.</summary>
internal static class ReviewVerbs
{
    private const int PathWidth = 200;

    private static ProtocolJson Json => ProtocolJson.Default;

    internal static async Task<int> ChangesAsync(Client client, Arguments arguments)
    {
        var run = Verbs.RunOf(await client.BoardAsync(), arguments.Word(0, "which card"));
        string? next = null;
        do
        {
            var page = await client.RequestAsync(Methods.ReviewChanges, new ReviewChangesParams(run.Id, arguments.Value("--since"), null, next), Json.ReviewChangesParams, Json.ReviewChangesResult);
            foreach (var line in page.Files.Select(Line))
            {
                Console.Out.WriteLine(line);
            }

            next = page.Next;
            if (next is null)
            {
                foreach (var line in Total(page))
                {
                    Console.Out.WriteLine(line);
                }
            }
        }
        while (next is not null);
        return 0;
    }

    internal static string Line(ChangedFile file)
    {
        var lines = file.Binary ? "binary" : FormattableString.Invariant($"+{file.Insertions} -{file.Deletions}");
        var name = file.PreviousPath is { } before ? $"{TerminalText.Line(before, PathWidth)} -> {TerminalText.Line(file.Path, PathWidth)}" : TerminalText.Line(file.Path, PathWidth);
        return $"{file.Status.ToString()[0]}  {lines,-12} {name}{(file is { PreviousMode: { } old, Mode: { } mode } ? $"  ({old} -> {mode})" : "")}";
    }

    internal static IEnumerable<string> Total(ReviewChangesResult last)
    {
        yield return last.Total.Files == 0 ? "Nothing has changed." : FormattableString.Invariant($"{last.Total.Files} {(last.Total.Files == 1 ? "file" : "files")}, +{last.Total.Insertions} -{last.Total.Deletions}");
        foreach (var path in last.Left ?? [])
        {
            yield return $"! git cannot take in {TerminalText.Line(path, PathWidth)}; it stays in the worktree.";
        }
    }

    /// <summary>As git makes it. To a terminal without what an agent could do to it by its text.</summary>
    internal static async Task<int> DiffAsync(Client client, Arguments arguments)
    {
        var run = Verbs.RunOf(await client.BoardAsync(), arguments.Word(0, "which card"));
        var shown = await client.RequestAsync(Methods.ReviewChanges, new ReviewChangesParams(run.Id, arguments.Value("--since"), null, null, 1), Json.ReviewChangesParams, Json.ReviewChangesResult);
        var diff = await new GitRunner(TimeProvider.System).RunAsync(new GitCommand("diff", run.WorktreePath, ["--literal-pathspecs", "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--find-renames", shown.Base, shown.Tree, "--", .. arguments.Words.Skip(1)]), CancellationToken.None);
        if (Console.IsOutputRedirected)
        {
            using var output = Console.OpenStandardOutput();
            await output.WriteAsync(diff.StandardOutput); // whatever reads it gets a patch that applies
            return 0;
        }

        foreach (var line in Encoding.UTF8.GetString(diff.StandardOutput.Span).Split('\n'))
        {
            Console.Out.WriteLine(Coloured(TerminalText.Clean(line.Replace("\t", "    ", StringComparison.Ordinal))));
        }

        return 0;
    }

    internal static async Task<int> RewindAsync(Client client, Arguments arguments)
    {
        var run = Verbs.RunOf(await client.BoardAsync(), arguments.Word(0, "which card"));
        var checkpoint = arguments.Word(1, "which checkpoint");
        await client.RequestAsync(Methods.RunRewind, new RunRewindParams(Verbs.NewId(), run.Id, checkpoint), Json.RunRewindParams, Json.RunResult);
        Console.Out.WriteLine($"#{run.CardNumber} is back at {TerminalText.Line(checkpoint, PathWidth)}; what was there is its last checkpoint");
        return 0;
    }

    internal static async Task<int> ForkAsync(Client client, Arguments arguments)
    {
        var run = Verbs.RunOf(await client.BoardAsync(), arguments.Word(0, "which card"));
        var forked = (await client.RequestAsync(Methods.RunFork, new RunForkParams(Verbs.NewId(), run.Id, arguments.Words.ElementAtOrDefault(1), arguments.Value("--prompt")), Json.RunForkParams, Json.RunResult)).Run;
        Console.Out.WriteLine($"#{run.CardNumber} run {forked.Id} begins where run {run.Id} was: {forked.Branch}");
        return 0;
    }

    /// <summary>Its agent brings its work together with what it conflicts with.</summary>
    internal static async Task<int> ResolveAsync(Client client, Arguments arguments)
    {
        var run = Verbs.RunOf(await client.BoardAsync(), arguments.Word(0, "which card"));
        await client.RequestAsync(Methods.RunResolveConflicts, new RunResolveConflictsParams(Verbs.NewId(), run.Id, arguments.Value("--branch")), Json.RunResolveConflictsParams, Json.RunReplyResult);
        Console.Out.WriteLine($"#{run.CardNumber} is told to resolve its conflicts");
        return 0;
    }

    /// <summary>Lands what is there now; a branch of the card's number unless another is named.</summary>
    internal static async Task<int> PromoteAsync(Client client, Arguments arguments)
    {
        var run = Verbs.RunOf(await client.BoardAsync(), arguments.Word(0, "which card"));
        LandingStrategy? strategy = arguments.Value("--strategy") switch
        {
            null => null,
            "squash" => LandingStrategy.Squash,
            "merge" => LandingStrategy.Merge,
            "rebase" => LandingStrategy.Rebase,
            var other => throw new UsageException($"'{other}' is not a strategy. Known: squash, merge, rebase."),
        };
        var onto = arguments.Value("--onto") ?? FormattableString.Invariant($"issue-{run.CardNumber}");
        var shown = await client.RequestAsync(Methods.ReviewChanges, new ReviewChangesParams(run.Id, Limit: 1), Json.ReviewChangesParams, Json.ReviewChangesResult);
        List<string>? paths = arguments.Words.Count > 1 ? [.. arguments.Words.Skip(1)] : null;
        var promoted = await client.RequestAsync(Methods.RunPromote, new RunPromoteParams(Verbs.NewId(), run.Id, onto, shown.Tree, strategy, arguments.Value("--message"), paths), Json.RunPromoteParams, Json.RunPromoteResult);
        Console.Out.WriteLine($"#{run.CardNumber} landed on {TerminalText.Line(onto, PathWidth)} as {promoted.Commit[..10]}");
        return 0;
    }

    private static string Coloured(string line) => line switch
    {
        ['+', ..] when !line.StartsWith("+++", StringComparison.Ordinal) => $"\u001b[32m{line}\u001b[0m",
        ['-', ..] when !line.StartsWith("---", StringComparison.Ordinal) => $"\u001b[31m{line}\u001b[0m",
        ['@', '@', ..] => $"\u001b[36m{line}\u001b[0m",
        _ => line,
    };

    internal static async Task<int> CheckpointsAsync(Client client, Arguments arguments)
    {
        var run = Verbs.RunOf(await client.BoardAsync(), arguments.Word(0, "which card"));
        var details = await client.RequestAsync(Methods.RunDetails, new RunDetailsParams(run.Id), Json.RunDetailsParams, Json.RunDetailsResult);
        foreach (var checkpoint in details.Checkpoints)
        {
            Console.Out.WriteLine($"{checkpoint.Id}  {checkpoint.At.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)}  {TerminalText.Line(checkpoint.Why, PathWidth)}{(checkpoint.Left is { } left ? $"  without {left} paths" : "")}");
        }

        if (details.Checkpoints.Count == 0)
        {
            Console.Out.WriteLine("There is none yet. One is taken at the end of each turn.");
        }

        return 0;
    }
}
