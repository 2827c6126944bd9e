namespace KanBots.Sidecar.Board;

/// <summary>Silence beyond which an agent is said to have stalled.</summary>
/// <param name="Tool">Of an agent whose tool runs.</param>
/// <param name="Model">Of an agent that waits for its model, or has not begun.</param>
/// <param name="Result">Of an agent that is done, whose process does not end.</param>
public sealed record StallLimits(TimeSpan Tool, TimeSpan Model, TimeSpan Result)
{
    public static StallLimits Default { get; } = new(TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(2));
}

/// <summary>An agent from which nothing has come for long. It is only said: nothing is stopped for it, and the next word ends it.</summary>
/// <param name="Kind">"tool", "model", "start" or "afterResult".</param>
/// <param name="Since">Its last sign of life.</param>
/// <param name="Message">For a person, with the next step. It does not change while the stall lasts.</param>
public sealed record Stall(string Kind, DateTimeOffset Since, string Message);

/// <summary>Says who has stalled. It is no event: it follows from what is known at each moment, after a restart as before.</summary>
public static class Stalls
{
    /// <param name="heardAt">When the launch's stream last grew.</param>
    /// <param name="tool">The tool that runs, in one line; null when none does.</param>
    public static Stall? Of(BoardState state, Run run, DateTimeOffset heardAt, string? tool, StallLimits limits, DateTimeOffset now)
    {
        if (run is not { State: RunState.Running, LaunchLive: true, StopAsked: null })
        {
            return null; // who waits for a person is waited for, and who is being stopped ends
        }

        var kind = run switch
        {
            { InTurn: true } => tool is null ? "model" : "tool",
            { Outcome: null } => "start",
            { InputClosed: true } => "afterResult",
            _ => null, // a task of its own runs, or somebody has just told it something
        };
        var limit = kind switch { "tool" => limits.Tool, "afterResult" => limits.Result, _ => limits.Model };
        if (kind is null || now - heardAt < limit)
        {
            return null;
        }

        // An answer is news for the agent: its silence begins anew.
        var since = state.Decisions.Values.Where(decision => decision.RunId == run.Id && decision.Launch == run.Launch && decision.AnsweredAt is not null)
            .Select(decision => decision.AnsweredAt!.Value).Append(heardAt).Append(run.LaunchedAt ?? heardAt).Max();
        return now - since < limit ? null : new Stall(kind, since, Say(kind, tool, limit));
    }

    private static string Say(string kind, string? tool, TimeSpan limit) => kind switch
    {
        "tool" => $"Its tool has said nothing for more than {Say(limit)}: {tool}. Wait for it, or stop the run and resume it with another advice.",
        "afterResult" => $"It was done more than {Say(limit)} ago, and its process does not end. Stop it; what it has done is kept.",
        "start" => $"It was started more than {Say(limit)} ago and has not begun. Stop it and resume it, or look at stderr.log of its launch.",
        _ => $"Its model has said nothing for more than {Say(limit)}. Wait for it, or stop the run and resume it.",
    };

    private static string Say(TimeSpan time) => time.TotalSeconds % 60 == 0 ? FormattableString.Invariant($"{time.TotalMinutes:0} min") : FormattableString.Invariant($"{time.TotalSeconds:0} s");
}
