using System.Globalization;
using System.Text.Json;
using KanBots.Sidecar.Protocol;

namespace KanBots.Sidecar.Cli;

/// <summary>The verbs that change something, each one request or two.</summary>
internal static class Verbs
{
    /// <summary>Characters of a notice: its end says what to do.</summary>
    private const int NoticeWidth = 600;

    private static ProtocolJson Json => ProtocolJson.Default;

    internal static string NewId() => Guid.NewGuid().ToString();

    /// <summary>Cards are named by number, as on the board.</summary>
    internal static Card CardOf(BoardSnapshot board, string word) =>
        int.TryParse(word.TrimStart('#'), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? board.Cards.FirstOrDefault(card => card.Number == number) ?? throw new UsageException($"There is no card #{number} on the board.")
            : throw new UsageException($"'{word}' is not a card number.");

    internal static Run RunOf(BoardSnapshot board, string word)
    {
        var card = CardOf(board, word);
        return board.Runs.Where(run => run.CardId == card.Id).MaxBy(run => run.Id) ?? throw new UsageException($"Card #{card.Number} has no run. Dispatch it first.");
    }

    internal static async Task<int> CardAddAsync(Client client, Arguments arguments)
    {
        int? number = arguments.Value("--number") is not { } text ? null
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var wanted) ? wanted
            : throw new UsageException($"'{text}' is not a number.");
        var card = (await client.RequestAsync(Methods.CardCreate, new CardCreateParams(NewId(), arguments.Word(1, "a title"), arguments.Value("--body"), number), Json.CardCreateParams, Json.CardResult)).Card;
        Console.Out.WriteLine($"#{card.Number} {TerminalText.Clean(card.Title)}");
        return 0;
    }

    internal static async Task<int> DispatchAsync(Client client, Arguments arguments)
    {
        var board = await client.BoardAsync();
        var mode = arguments.Value("--mode") switch
        {
            null or "bypass" => PermissionMode.BypassPermissions,
            "ask" => PermissionMode.Ask,
            "plan" => PermissionMode.Plan,
            var other => throw new UsageException($"'{other}' is not a mode. Known: bypass, ask, plan."),
        };
        Budget? budget = arguments.Value("--budget") is { } dollars
            ? decimal.TryParse(dollars, NumberStyles.Number, CultureInfo.InvariantCulture, out var amount) ? new Budget((long)(amount * 1_000_000)) : throw new UsageException($"'{dollars}' is not an amount of dollars.")
            : null;
        foreach (var word in arguments.Words)
        {
            var card = CardOf(board, word);
            var run = (await client.RequestAsync(Methods.RunDispatch, new RunDispatchParams(NewId(), card.Id, null, arguments.Value("--model"), null, null, mode, arguments.Value("--base"), budget, arguments.Value("--prompt")), Json.RunDispatchParams, Json.RunResult)).Run;
            Console.Out.WriteLine($"#{card.Number} run {run.Id}: {run.Branch}");
        }

        return arguments.Words.Count > 0 ? 0 : throw new UsageException("Say which cards: kanbots-sidecar dispatch 88 89");
    }

    internal static async Task<int> AnswerAsync(Client client, Arguments arguments)
    {
        var board = await client.BoardAsync();
        var card = CardOf(board, arguments.Word(0, "which card"));
        var decision = board.Decisions.FirstOrDefault(decision => decision.CardNumber == card.Number) ?? throw new UsageException($"Card #{card.Number} asks nothing.");
        bool? allow = arguments.Has("--allow") ? true : arguments.Has("--deny") ? false : null;
        var values = arguments.Words.Skip(1).ToList();
        if (allow is null && values.Count == 0)
        {
            foreach (var line in BoardText.Decision(decision, 100))
            {
                Console.Out.WriteLine(line);
            }

            throw new UsageException("Say an answer: its number, its label, or your own words.");
        }

        List<QuestionAnswer> answers = [];
        for (var i = 0; i < decision.Questions.Count && allow is null; i++)
        {
            var said = i < values.Count ? values[i] : values[^1];
            answers.Add(new QuestionAnswer(decision.Questions[i].Id, AnswerLine.Values(decision.Questions[i], said)));
        }

        await client.RequestAsync(Methods.DecisionAnswer, new DecisionAnswerParams(NewId(), decision.Id, answers, allow, null, arguments.Value("--reason")), Json.DecisionAnswerParams, Json.DecisionResult);
        Console.Out.WriteLine($"#{card.Number} answered");
        return 0;
    }

    internal static async Task<int> ReplyAsync(Client client, Arguments arguments)
    {
        var run = RunOf(await client.BoardAsync(), arguments.Word(0, "which card"));
        await client.RequestAsync(Methods.RunReply, new RunReplyParams(NewId(), run.Id, arguments.Word(1, "the message")), Json.RunReplyParams, Json.RunReplyResult);
        Console.Out.WriteLine($"#{run.CardNumber} told");
        return 0;
    }

    internal static async Task<int> ResumeAsync(Client client, Arguments arguments)
    {
        var run = RunOf(await client.BoardAsync(), arguments.Word(0, "which card"));
        await client.RequestAsync(Methods.RunResume, new RunResumeParams(NewId(), run.Id, arguments.Words.ElementAtOrDefault(1)), Json.RunResumeParams, Json.RunResult);
        Console.Out.WriteLine($"#{run.CardNumber} resumed");
        return 0;
    }

    internal static async Task<int> StopAsync(Client client, Arguments arguments)
    {
        var run = RunOf(await client.BoardAsync(), arguments.Word(0, "which card"));
        var stopped = (await client.RequestAsync(Methods.RunStop, new RunStopParams(NewId(), run.Id), Json.RunStopParams, Json.RunResult)).Run;
        Console.Out.WriteLine($"#{run.CardNumber} {stopped.State.ToString().ToLowerInvariant()}");
        return 0;
    }

    internal static async Task<int> DiscardAsync(Client client, Arguments arguments)
    {
        var run = RunOf(await client.BoardAsync(), arguments.Word(0, "which card"));
        var discarded = await client.RequestAsync(Methods.RunDiscard, new RunDiscardParams(NewId(), run.Id), Json.RunDiscardParams, Json.RunDiscardResult);
        Console.Out.WriteLine($"#{run.CardNumber} discarded; `restore {run.CardNumber}` brings it back until {discarded.RestorableUntil.ToLocalTime().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}");
        return 0;
    }

    internal static async Task<int> RestoreAsync(Client client, Arguments arguments)
    {
        var run = RunOf(await client.BoardAsync(), arguments.Word(0, "which card"));
        var restored = (await client.RequestAsync(Methods.RunRestore, new RunRestoreParams(NewId(), run.Id), Json.RunRestoreParams, Json.RunResult)).Run;
        Console.Out.WriteLine($"#{run.CardNumber} restored to {TerminalText.Line(restored.WorktreePath, NoticeWidth)} on {restored.Branch}");
        return 0;
    }

    internal static async Task<int> ConfigAsync(Client client, Arguments arguments)
    {
        if (arguments.Words.Count >= 2)
        {
            var value = arguments.Words[1];
            using var document = JsonDocument.Parse(long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _) || value.StartsWith('[') || value is "true" or "false" ? value : $"\"{JsonEncodedText.Encode(value)}\"");
            await client.RequestAsync(Methods.ConfigSet, new ConfigSetParams(NewId(), new Dictionary<string, JsonElement?> { [arguments.Words[0]] = document.RootElement.Clone() }), Json.ConfigSetParams, Json.ConfigSetResult);
        }

        var config = await client.RequestAsync(Methods.ConfigGet, new Nothing(), Json.Nothing, Json.ConfigGetResult);
        foreach (var (name, value) in config.Values.OrderBy(entry => entry.Key, StringComparer.Ordinal).Where(entry => arguments.Words.Count == 0 || entry.Key == arguments.Words[0]))
        {
            Console.Out.WriteLine($"{name} = {value.GetRawText()} ({config.Origins[name]})");
        }

        return 0;
    }

    internal static async Task<int> ShowAsync(Client client, Arguments arguments)
    {
        var run = RunOf(await client.BoardAsync(), arguments.Word(0, "which card"));
        foreach (var notice in run.Notices ?? [])
        {
            Console.Out.WriteLine($"! {TerminalText.Line(notice.Message, NoticeWidth)}");
        }

        string? after = null;
        for (var atEnd = false; !atEnd;)
        {
            var page = await client.RequestAsync(Methods.RunEvents, new RunEventsParams(run.Id, after, 500), Json.RunEventsParams, Json.RunEventsResult);
            foreach (var item in page.Items)
            {
                Console.Out.WriteLine(ThreadText.Of(item));
            }

            (after, atEnd) = (page.Next, page.AtEnd);
        }

        foreach (var note in BoardText.Notes(run))
        {
            Console.Out.WriteLine(note);
        }

        return 0;
    }
}

/// <summary>A thread's items as plain text.</summary>
internal static class ThreadText
{
    internal static string Of(ThreadItem item)
    {
        var indent = item.ParentToolUseId is null ? "" : "    ";
        return indent + item switch
        {
            TextItem text => TerminalText.Clean(text.Body.Text),
            ThinkingItem => "(thinking)",
            ToolUseItem tool => $"> {TerminalText.Line(tool.Summary, 160)}",
            ToolResultItem result => $"  {(result.IsError ? "failed: " : "")}{TerminalText.Line(result.Body.Text, 160)}",
            AnswerItem answer => $"  {TerminalText.Line(answer.Summary, 160)}",
            QuestionItem question => $"? {TerminalText.Line(question.Summary, 160)}",
            UserMessageItem message => $"you: {TerminalText.Clean(message.Body.Text)}",
            ResultItem result => $"= {(result.IsError ? result.Outcome : "done")}  {(result.CostMicroUsd > 0 ? $"{BoardText.Money(result.CostMicroUsd)}  " : "")}{TerminalText.Line(result.Body.Text, 160)}",
            SystemItem system => $"- {TerminalText.Line(system.Summary, 160)}",
            NoticeItem notice => $"- {TerminalText.Line(notice.Message, 160)}",
            RawItem raw => $"~ {TerminalText.Line(raw.Body.Text, 160)}",
            _ => "-",
        };
    }
}
