using System.Globalization;
using KanBots.Sidecar.Protocol;

namespace KanBots.Sidecar.Cli;

/// <summary>The line below a live board in which a person answers the oldest open question. Keys go in, a request comes out; it draws
/// and sends nothing itself.</summary>
/// <param name="For">What is being answered; null when nothing asks.</param>
/// <param name="Given">The answers to the questions before the one that is shown.</param>
/// <param name="Said">What the sidecar had to say about the last answer, until the next key.</param>
internal sealed record AnswerLine(Decision? For = null, string Text = "", string? Said = null)
{
    internal const int TextMax = 4096;

    internal IReadOnlyList<QuestionAnswer> Given { get; init; } = [];

    /// <summary>Stays with its question while that is open. When it is not, what was typed for it is not taken for an answer to another.</summary>
    internal AnswerLine On(IReadOnlyList<Decision> open) =>
        open.FirstOrDefault(decision => decision.Id == For?.Id) is { } same ? this with { For = same } : new AnswerLine(open.Count > 0 ? open[0] : null, Said: Said);

    /// <returns>The line after the key, and the request once every question has its answer.</returns>
    internal (AnswerLine Line, DecisionAnswerParams? Request) Press(ConsoleKeyInfo key, string requestId) => key switch
    {
        { Key: ConsoleKey.Enter } => Enter(requestId),
        { Key: ConsoleKey.Backspace } => (this with { Text = WithoutLast(Text), Said = null }, null),
        { Key: ConsoleKey.Escape } or { Key: ConsoleKey.U, Modifiers: ConsoleModifiers.Control } => (this with { Text = "", Said = null }, null),
        { KeyChar: var c } when For is not null && !char.IsControl(c) && Text.Length < TextMax => (this with { Text = Text + c, Said = null }, null),
        _ => (this, null),
    };

    private static string WithoutLast(string text) => text.Length == 0 ? "" : StringInfo.ParseCombiningCharacters(text) is [.., var last] ? text[..last] : "";

    private (AnswerLine Line, DecisionAnswerParams? Request) Enter(string requestId)
    {
        var said = Text.Trim();
        if (For is null || said.Length == 0)
        {
            return (this, null);
        }

        if (For.Kind != DecisionKind.Question)
        {
            var (word, reason) = said.Split(' ', 2) is [var first, var rest] ? (first, rest.Trim()) : (said, null);
            return word.ToLowerInvariant() switch
            {
                "y" or "yes" => (this with { Text = "" }, new DecisionAnswerParams(requestId, For.Id, Allow: true)),
                "n" or "no" => (this with { Text = "" }, new DecisionAnswerParams(requestId, For.Id, Allow: false, Reason: reason)),
                _ => (this with { Said = "type y, or n with a reason" }, null),
            };
        }

        IReadOnlyList<QuestionAnswer> answers = [.. Given, new QuestionAnswer(For.Questions[Given.Count].Id, Values(For.Questions[Given.Count], said))];
        var next = this with { Text = "", Given = answers };
        return answers.Count < For.Questions.Count ? (next, null) : (next with { Given = [] }, new DecisionAnswerParams(requestId, For.Id, answers));
    }

    /// <summary>The line with as much of the end of what was typed as there is room for; null when nothing asks and nothing is said.</summary>
    internal string? Show(int width)
    {
        if (For is null)
        {
            return Said is null ? null : TerminalText.Line(Said, width);
        }

        var what = For.Kind != DecisionKind.Question ? "y, or n and why"
            : For.Questions.Count > 1 ? $"question {Given.Count + 1} of {For.Questions.Count}"
            : "a number or your own words";
        var label = $"Answer #{For.CardNumber} ({what}): ";
        if (Said is not null && Text.Length == 0)
        {
            return TerminalText.Line($"#{For.CardNumber}: {Said}", width);
        }

        var room = Math.Max(1, width - label.Length - 1);
        return label + (Text.Length <= room ? Text : Text[^room..]);
    }

    /// <summary>What was said, as values: an option by its number or label, several of them with commas where the question takes several,
    /// else the words themselves.</summary>
    internal static IReadOnlyList<string> Values(Question question, string said)
    {
        var parts = question.MultiSelect ? said.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) : [said];
        var options = parts.Select(part => Option(question, part)).ToList();
        return options.Count > 0 && options.TrueForAll(option => option is not null) ? [.. options.OfType<string>().Distinct()] : [Option(question, said) ?? said];
    }

    private static string? Option(Question question, string said) =>
        int.TryParse(said, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index >= 1 && index <= question.Options.Count
            ? question.Options[index - 1].Label
            : question.Options.FirstOrDefault(option => option.Label.Equals(said, StringComparison.OrdinalIgnoreCase))?.Label;
}
