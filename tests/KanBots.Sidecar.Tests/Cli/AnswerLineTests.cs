using KanBots.Sidecar.Cli;
using KanBots.Sidecar.Protocol;

namespace KanBots.Sidecar.Tests.Cli;

public sealed class AnswerLineTests
{
    private static readonly Question Toast = new("q1", "Which?", [new("Radix", "one more dependency"), new("From scratch"), new("a, b")], MultiSelect: false);
    private static readonly Question Several = Toast with { Id = "q2", MultiSelect = true };

    private static Decision Ask(string id, params Question[] questions) => new(id, 1, 88, DecisionKind.Question, DecisionState.Open, DateTimeOffset.UnixEpoch, questions);

    private static Decision Permit(string id) => new(id, 1, 88, DecisionKind.Permission, DecisionState.Open, DateTimeOffset.UnixEpoch, []);

    private static (AnswerLine Line, DecisionAnswerParams? Sent) Type(AnswerLine line, string text)
    {
        DecisionAnswerParams? sent = null;
        foreach (var c in text)
        {
            var key = c switch
            {
                '\n' => new ConsoleKeyInfo('\r', ConsoleKey.Enter, false, false, false),
                '\b' => new ConsoleKeyInfo('\b', ConsoleKey.Backspace, false, false, false),
                '\u0015' => new ConsoleKeyInfo('\u0015', ConsoleKey.U, false, false, true),
                _ => new ConsoleKeyInfo(c, default, false, false, false),
            };
            (line, var request) = line.Press(key, "r");
            sent = request ?? sent;
        }

        return (line, sent);
    }

    private static string[] Said(DecisionAnswerParams? sent) => [.. sent!.Answers!.Select(answer => $"{answer.QuestionId}={string.Join('|', answer.Values)}")];

    [Theory]
    [InlineData("1\n", "q1=Radix")]
    [InlineData("from SCRATCH\n", "q1=From scratch")]
    [InlineData("4\n", "q1=4")]
    [InlineData("  neither, use ours \n", "q1=neither, use ours")]
    [InlineData("xx\b\b2\n", "q1=From scratch")]
    [InlineData("nonsense\u00151\n", "q1=Radix")]
    [InlineData("ä👍\b\u0001!\n", "q1=ä!")]
    public void What_is_typed_is_the_answer(string typed, string answer)
    {
        var (line, sent) = Type(new AnswerLine().On([Ask("d", Toast)]), typed);
        Assert.Equal([answer], Said(sent));
        Assert.Equal("", line.Text);
    }

    [Theory]
    [InlineData("1,2", "q2=Radix|From scratch")]
    [InlineData(" 2 , radix ,2", "q2=From scratch|Radix")]
    [InlineData("a, b", "q2=a, b")]
    [InlineData("1, and some cake", "q2=1, and some cake")]
    [InlineData(",", "q2=,")]
    public void Several_options_are_named_with_commas(string typed, string answer) =>
        Assert.Equal([answer], Said(Type(new AnswerLine().On([Ask("d", Several)]), typed + "\n").Sent));

    [Fact]
    public void Several_questions_are_answered_one_after_the_other_and_sent_together()
    {
        var (line, sent) = Type(new AnswerLine().On([Ask("d", Toast, Several)]), "1\n");
        Assert.Null(sent);
        line = line.On([Ask("d", Toast, Several)]);
        Assert.Contains("question 2 of 2", line.Show(100), StringComparison.Ordinal);
        Assert.Equal(["q1=Radix", "q2=Radix|From scratch"], Said(Type(line, "1,2\n").Sent));
    }

    [Fact]
    public void A_permission_takes_yes_or_no_with_a_reason_and_nothing_else()
    {
        var line = new AnswerLine().On([Permit("d")]);
        Assert.True(Type(line, "Y\n").Sent!.Allow);
        var no = Type(line, "no  not in CI\n").Sent!;
        Assert.Equal((false, "not in CI"), (no.Allow, no.Reason));
        var (unclear, sent) = Type(line, "maybe\n");
        Assert.Null(sent);
        Assert.Equal("maybe", unclear.Text);
        Assert.Null(Type(line, "\n").Sent);
    }

    [Fact]
    public void What_was_typed_for_one_question_is_never_sent_to_another()
    {
        var line = Type(new AnswerLine().On([Ask("first", Toast), Ask("second", Toast)]), "half an ans").Line;
        Assert.Equal("half an ans", line.On([Ask("earlier", Toast), Ask("first", Toast)]).Text);
        line = line.On([Ask("second", Toast)]);
        Assert.Equal(("second", ""), (line.For!.Id, line.Text));
        Assert.Null(line.On([]).For);
        Assert.Null(Type(line.On([]), "words\n").Sent);
    }

    [Fact]
    public void The_line_fits_the_terminal_and_shows_the_end_of_what_is_typed()
    {
        var line = Type(new AnswerLine().On([Ask("d", Toast)]), new string('x', 100) + "end").Line;
        foreach (var width in new[] { 40, 60, 80 })
        {
            Assert.True(line.Show(width)!.Length <= Math.Max(width, 47), line.Show(width));
            Assert.Contains(width < 50 ? "d" : "xend", line.Show(width), StringComparison.Ordinal);
        }

        Assert.Equal(AnswerLine.TextMax, Type(line, new string('y', 5000)).Line.Text.Length);
        Assert.Null(new AnswerLine().Show(80));
        Assert.Equal("#88: It is too late.", (new AnswerLine().On([Ask("d", Toast)]) with { Said = "It is too late." }).Show(80));
    }
}
