using System.Globalization;
using KanBots.Sidecar.Protocol;

namespace KanBots.Sidecar.Cli;

/// <summary><c>worktrees</c>: all of the repository, what each is and takes, and taking some away after showing what that means.</summary>
internal static class WorktreesVerb
{
    private const int PathWidth = 300;

    private static ProtocolJson Json => ProtocolJson.Default;

    internal static async Task<int> RunAsync(Client client, Arguments arguments)
    {
        var listed = await client.RequestAsync(Methods.WorktreeList, new WorktreeListParams(), Json.WorktreeListParams, Json.WorktreeListResult);
        var chosen = arguments.Words.Count == 0 ? listed.Worktrees : [.. listed.Worktrees.Where(item => arguments.Words.Any(word => IsMeant(item, word)))];
        if (arguments.Words.FirstOrDefault(word => !listed.Worktrees.Any(item => IsMeant(item, word))) is { } unknown)
        {
            throw new UsageException($"No worktree is '{unknown}'. Name a path, a card such as #88, or a class: {string.Join(", ", Enum.GetValues<WorktreeClass>().Select(Name))}.");
        }

        if (!arguments.Has("--remove"))
        {
            foreach (var line in chosen.SelectMany(Lines))
            {
                Console.Out.WriteLine(line);
            }

            if (listed.TrashBytes > 0)
            {
                Console.Out.WriteLine($"`worktrees --remove trash` would free {Size(listed.TrashBytes)} for good.");
            }

            return 0;
        }

        return arguments.Words.Count > 0 ? await RemoveAsync(client, chosen, arguments) : throw new UsageException("Say which worktrees: kanbots-sidecar worktrees --remove merged");
    }

    private static async Task<int> RemoveAsync(Client client, IReadOnlyList<WorktreeItem> chosen, Arguments arguments)
    {
        var wish = new WorktreeRemoveParams(Verbs.NewId(), [.. chosen.Select(item => item.Path)], null, arguments.Has("--foreign"));
        var shown = await client.RequestAsync(Methods.WorktreeRemove, wish, Json.WorktreeRemoveParams, Json.WorktreeRemoveResult);
        var result = arguments.Has("--yes") && shown.Worktrees.Any(one => one.Removal != WorktreeRemoval.Nothing)
            ? await client.RequestAsync(Methods.WorktreeRemove, wish with { Plan = shown.Plan }, Json.WorktreeRemoveParams, Json.WorktreeRemoveResult)
            : shown;
        foreach (var one in result.Worktrees)
        {
            Console.Out.WriteLine($"{Words(one)}  {TerminalText.Line(one.Path, PathWidth)}");
            foreach (var lost in one.Done ? [] : one.Loses)
            {
                Console.Out.WriteLine($"           loses {TerminalText.Line(lost, PathWidth)}");
            }

            if (one.Why is { } why)
            {
                Console.Out.WriteLine($"           {TerminalText.Line(why, PathWidth)}");
            }
        }

        if (result.Worktrees.Any(one => one is { Removal: not WorktreeRemoval.Nothing, Done: false, Why: null }))
        {
            Console.Out.WriteLine($"Nothing was removed yet; {Size(result.Worktrees.Sum(one => one.Bytes))} would be free. Add --yes to do it.");
        }

        return result.Worktrees.All(one => one.Why is null) ? 0 : 1;
    }

    private static string Words(RemovedWorktree one) => (one.Removal, one.Done) switch
    {
        (WorktreeRemoval.Nothing, _) => "stays    ",
        (WorktreeRemoval.Discard, true) => "discarded",
        (WorktreeRemoval.Discard, false) => "discard  ",
        (WorktreeRemoval.Free, true) => "freed    ",
        (WorktreeRemoval.Free, false) => "free     ",
        (WorktreeRemoval.Forget, true) => "forgotten",
        (WorktreeRemoval.Forget, false) => "forget   ",
        (_, true) => "removed  ",
        _ => "remove   ",
    };

    private static bool IsMeant(WorktreeItem item, string word) =>
        item.Path == word || item.Path == Path.GetFullPath(word) || Name(item.Class) == word || (item.CardNumber is { } number && word == FormattableString.Invariant($"#{number}"));

    private static IEnumerable<string> Lines(WorktreeItem item)
    {
        var card = item.CardNumber is { } number ? FormattableString.Invariant($"#{number} ") : "";
        yield return $"{Name(item.Class),-9} {Size(item.Bytes),9}  {card}{TerminalText.Line(item.Branch ?? item.Commit?[..10] ?? "", PathWidth)}  {TerminalText.Line(item.Path, PathWidth)}";
        if (item.MergedInto is { } branch)
        {
            yield return $"{"",21}{TerminalText.Line(branch, PathWidth)} has all of it";
        }

        if (item.RestorableUntil is { } until)
        {
            yield return $"{"",21}`restore {item.CardNumber}` brings it back until {until.ToLocalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}";
        }

        if (item is { Why: { } why, Class: not WorktreeClass.Main })
        {
            yield return $"{"",21}{TerminalText.Line(why, PathWidth)}";
        }
    }

    private static string Name(WorktreeClass kind) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(kind.ToString());

    internal static string Size(long bytes) => bytes switch
    {
        < 1_000 => FormattableString.Invariant($"{bytes} B"),
        < 1_000_000 => FormattableString.Invariant($"{bytes / 1e3:0} kB"),
        < 1_000_000_000 => FormattableString.Invariant($"{bytes / 1e6:0.0} MB"),
        _ => FormattableString.Invariant($"{bytes / 1e9:0.0} GB"),
    };
}
