using System.Globalization;
using System.Text;
using KanBots.Sidecar.Protocol;

namespace KanBots.Sidecar.Cli;

/// <param name="Colour">Colour only repeats what a word says already.</param>
/// <param name="Width">Columns of the terminal.</param>
/// <param name="Answerable">The person can answer in the board itself, and needs no hint how else.</param>
internal sealed record BoardStyle(bool Colour, int Width, bool Answerable = false);

/// <summary>The board as lines of text: grouped by state, what waits for a person first.</summary>
internal static class BoardText
{
    /// <summary>A notice may run over several lines of a narrow terminal: its end says what to do.</summary>
    private const int NoticeWidth = 600;

    internal static IReadOnlyList<string> Render(BoardSnapshot board, BoardStyle style, DateTimeOffset now)
    {
        var running = board.Runs.Count(run => run.State is RunState.Preparing or RunState.Running);
        var queued = board.Runs.Count(run => run.State == RunState.Queued);
        List<string> lines = [$"KanBots  {running} running, {board.Decisions.Count} waiting for you, {queued} queued   spent today {Money(board.Spend.TodayMicroUsd)}{Of(board.Spend.DayBudgetMicroUsd)}"];
        lines.AddRange((board.Notices ?? []).Select(notice => $"! {TerminalText.Line(notice.Message, Math.Max(style.Width, NoticeWidth))}"));
        if (board.Spend.Warning is { } day)
        {
            lines.Add($"! {TerminalText.Line(day.Message, Math.Max(style.Width, NoticeWidth))}");
        }

        if (board.Cards.Count == 0)
        {
            lines.Add("No cards yet. Add one: kanbots-sidecar card add \"What is to be done\"");
        }

        var runs = board.Runs.ToDictionary(run => run.Id);
        foreach (var card in board.Cards.OrderBy(Rank).ThenBy(card => card.Column).ThenBy(card => card.Position))
        {
            lines.AddRange(Card(board, card, LatestRun(card, runs), style, now));
        }

        return lines;
    }

    internal static string Money(long microUsd) => (microUsd is 0 or >= 1_000_000 ? microUsd / 1_000_000m : decimal.Round(microUsd / 1_000_000m, 4)).ToString(microUsd is 0 or >= 1_000_000 ? "$0.00" : "$0.0000", CultureInfo.InvariantCulture);

    private static string Of(long? budget) => budget is { } limit ? $" of {Money(limit)}" : "";

    private static int Rank(Card card) => card.Dot switch { Dot.AwaitingDecision => 0, Dot.Running => 1, Dot.InReview => 2, Dot.Failed or Dot.Interrupted => 3, Dot.Queued => 4, _ => 5 };

    private static Run? LatestRun(Card card, Dictionary<long, Run> runs) => card.RunIds.Where(runs.ContainsKey).Select(id => runs[id]).LastOrDefault();

    private static IEnumerable<string> Card(BoardSnapshot board, Card card, Run? run, BoardStyle style, DateTimeOffset now)
    {
        var (sign, word, colour) = Face(card, run);
        var cost = card.CostMicroUsd > 0 ? $"  {Money(card.CostMicroUsd)}{Of(run?.Budget.MicroUsd)}" : "";
        var time = run?.StartedAt is { } started ? $"  {Elapsed((run.EndedAt ?? now) - started)}" : "";
        var tail = $"  {word}{cost}{time}";
        var title = TerminalText.Line($"#{card.Number} {card.Title}", Math.Max(20, style.Width - tail.Length - 3));
        yield return $"{Paint(sign, colour, style)} {title}{tail}";
        foreach (var line in Details(board, run, style.Width - 4, style.Answerable, now))
        {
            yield return $"    {line}";
        }
    }

    private static IEnumerable<string> Details(BoardSnapshot board, Run? run, int width, bool answerable, DateTimeOffset now)
    {
        if (run is null)
        {
            yield break;
        }

        foreach (var decision in board.Decisions.Where(decision => decision.RunId == run.Id))
        {
            foreach (var line in Decision(decision, width, answerable))
            {
                yield return line;
            }
        }

        if (run.Setup is { } setup)
        {
            yield return TerminalText.Line(setup.Waiting ? $"setup waits for another run's, {Elapsed(now - setup.Since)}" : $"setup {Elapsed(now - setup.Since)}: {setup.LastLine}", width);
        }

        if (run is { State: RunState.Running, CurrentTool: { } tool })
        {
            yield return TerminalText.Line(tool, width);
        }

        if (run is { State: RunState.InReview or RunState.Interrupted or RunState.Stopped or RunState.Failed, Dirty: true, DiffStat: { } stat })
        {
            yield return $"{stat.Files} {(stat.Files == 1 ? "file" : "files")}, +{stat.Insertions} -{stat.Deletions} on {run.Branch}";
        }

        foreach (var line in Notes(run))
        {
            yield return line;
        }

        if (run.Reason is { } reason)
        {
            yield return TerminalText.Line(reason.Message, width);
        }

        foreach (var notice in run.Notices ?? [])
        {
            yield return TerminalText.Line($"note: {notice.Message}", width);
        }

        foreach (var conflict in run.Conflicts ?? [])
        {
            var with = conflict.RunId is { } other ? board.Runs.FirstOrDefault(known => known.Id == other) is { } known ? $"#{known.CardNumber}" : FormattableString.Invariant($"run {other}") : conflict.Target;
            yield return TerminalText.Line($"conflicts with {with} in {string.Join(", ", conflict.Paths)}", width);
        }

        if (run.LeftRunning > 0)
        {
            yield return $"left running: {run.LeftRunning} processes (stop ends them)";
        }
    }

    /// <summary>What a person should know of a live run. With its card: plain output says a line once, and two cards can have the same.</summary>
    internal static IEnumerable<string> Notes(Run run)
    {
        foreach (var warning in run.Warnings ?? [])
        {
            yield return TerminalText.Line($"! #{run.CardNumber}: {warning.Message}", NoticeWidth);
        }

        if (run.Stall is { } stall)
        {
            yield return TerminalText.Line($"! #{run.CardNumber}: silent since {stall.Since.UtcDateTime.ToString("HH:mm:ss", CultureInfo.InvariantCulture)} UTC. {stall.Message}", NoticeWidth);
        }
    }

    internal static IEnumerable<string> Decision(Decision decision, int width, bool answerable = false)
    {
        if (decision.Kind != DecisionKind.Question)
        {
            yield return TerminalText.Line($"{decision.Tool?.Name}: {decision.Tool?.Description ?? decision.Tool?.Input?.GetRawText() ?? ""}", width);
        }

        foreach (var question in decision.Questions)
        {
            yield return TerminalText.Line(question.Text, width);
            for (var i = 0; i < question.Options.Count; i++)
            {
                yield return TerminalText.Line($"  {i + 1}. {question.Options[i].Label}{(question.Options[i].Description is { } text ? $" - {text}" : "")}", width);
            }
        }

        if (!answerable)
        {
            yield return $"answer with: kanbots-sidecar answer {decision.CardNumber} {(decision.Kind == DecisionKind.Question ? "\"…\"" : "--allow | --deny")}";
        }
    }

    private static (string Sign, string Word, int Colour) Face(Card card, Run? run) => card.Dot switch
    {
        Dot.Running => ("●", run?.State == RunState.Preparing ? "preparing" : "running", 33),
        Dot.AwaitingDecision => ("◆", "waiting for you", 93),
        Dot.InReview => ("●", "in review", 32),
        Dot.Failed => ("●", "failed", 31),
        Dot.Interrupted => ("◌", "interrupted", 31),
        Dot.Queued => ("○", "queued", 34),
        _ => ("·", run?.State is { } state ? state.ToString().ToLowerInvariant() : card.Column.ToString().ToLowerInvariant(), 0),
    };

    private static string Paint(string text, int colour, BoardStyle style) => style.Colour && colour > 0 ? new StringBuilder().Append('\u001b').Append('[').Append(colour).Append('m').Append(text).Append("\u001b[0m").ToString() : text;

    private static string Elapsed(TimeSpan time) => time.TotalHours >= 1 ? $"{(int)time.TotalHours} h {time.Minutes} min" : time.TotalMinutes >= 1 ? $"{time.Minutes} min {time.Seconds} s" : $"{time.Seconds} s";
}
