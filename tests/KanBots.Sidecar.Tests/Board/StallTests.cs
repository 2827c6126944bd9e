using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Tests.Board;

/// <summary>Who is silent for long is said to be, with the next step, and only then.</summary>
public sealed class StallTests
{
    private readonly Boards _boards = new();

    private Stall? Of(long run, DateTimeOffset heardAt, string? tool = null) => Stalls.Of(_boards.State, _boards.State.Runs[run], heardAt, tool, StallLimits.Default, _boards.Now);

    [Theory]
    [InlineData("tool", 10)]
    [InlineData("model", 5)]
    [InlineData("start", 5)]
    [InlineData("afterResult", 2)]
    public void Each_kind_has_its_limit(string kind, int minutes)
    {
        var run = kind == "start" ? Started() : _boards.Running();
        if (kind == "afterResult")
        {
            _ = _boards.EndTurn(run);
        }

        var tool = kind == "tool" ? "Bash npm test" : null;
        var heardAt = _boards.Now;
        _boards.Now = heardAt.AddMinutes(minutes).AddMilliseconds(-1);
        Assert.Null(Of(run, heardAt, tool));
        _boards.Now = heardAt.AddMinutes(minutes);
        var stall = Of(run, heardAt, tool);
        Assert.Equal((kind, heardAt), (stall!.Kind, stall.Since));
        Assert.Contains($"more than {minutes} min", stall.Message);
        Assert.Contains("top ", stall.Message); // stop it, or stop the run: the next step
        Assert.Null(Of(run, _boards.Now, tool)); // a word ends it
        _boards.Now = _boards.Now.AddHours(1);
        Assert.Equal(stall, Of(run, heardAt, tool)); // and it is the same while it lasts
    }

    private long Started()
    {
        var run = _boards.Granted(_boards.Dispatch(_boards.Card())).Outcome!.Id;
        _ = _boards.Do(new Input.Prepared(run, "/w/1", "origin/main", "c0ffee"));
        return run;
    }

    [Fact]
    public void Who_waits_for_a_person_has_not_stalled_and_its_silence_begins_with_the_answer()
    {
        var run = _boards.Running();
        var heardAt = _boards.Now;
        var question = _boards.Ask(run);
        _boards.Now += TimeSpan.FromHours(3);
        Assert.Null(Of(run, heardAt, "AskUserQuestion"));
        _ = _boards.Granted(_boards.Answer(question, says: "Left"));
        var answered = _boards.Now;
        Assert.Null(Of(run, heardAt, "AskUserQuestion"));
        _boards.Now += TimeSpan.FromMinutes(10);
        Assert.Equal(answered, Of(run, heardAt, "AskUserQuestion")!.Since);
    }

    [Fact]
    public void Tasks_of_its_own_a_stop_and_an_end_are_no_stall()
    {
        var (tasks, stopped, over) = (_boards.Running(), _boards.Running(), _boards.Running());
        var heardAt = _boards.Now;
        _ = _boards.Do(new Input.BackgroundTasksChanged(tasks, 1, 1));
        _ = _boards.EndTurn(tasks);
        _ = _boards.Granted(_boards.Stop(stopped));
        _ = _boards.EndTurn(over);
        _ = _boards.End(over);
        _boards.Now += TimeSpan.FromHours(3);
        Assert.All(new[] { tasks, stopped, over }, run => Assert.Null(Of(run, heardAt)));
    }
}
