using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Tests.Board;

/// <summary>Small boards to start an example from, and a core that is driven by hand.</summary>
internal sealed class Boards
{
    internal static readonly DateTimeOffset Start = new(2026, 11, 25, 8, 0, 0, TimeSpan.Zero);
    private int _requests;

    internal BoardState State { get; private set; } = BoardState.Empty("epoch");

    internal DateTimeOffset Now { get; set; } = Start;

    /// <summary>A request id that was not used before.</summary>
    internal string Id => FormattableString.Invariant($"request-{++_requests}");

    internal Decided Do(Input input)
    {
        Now += TimeSpan.FromSeconds(1);
        var decided = Decider.Decide(State, input, Now);
        State = Evolver.EvolveAll(State, decided.Events);
        return decided;
    }

    internal Decided Granted(Input.Request request)
    {
        var decided = Do(request);
        Assert.Null(decided.Refusal);
        return decided;
    }

    /// <returns>The refusal, which caused nothing and has a sentence.</returns>
    internal Refusal Refused(Input.Request request)
    {
        var before = State;
        var decided = Do(request);
        Assert.NotNull(decided.Refusal);
        Assert.Empty(decided.Events);
        Assert.Empty(decided.Effects);
        Assert.Same(before, State);
        Assert.Matches(@"^\S.{10,}\.$", decided.Refusal.Message);
        return decided.Refusal;
    }

    internal void Put(Event happened) => State = Evolver.Evolve(State, happened);

    internal long Card(string title = "Card", Column column = Column.Todo, int? number = null) =>
        Granted(new Input.CreateCard(Id, title, "", number, column, [], null)).Outcome!.Id;

    internal Input.Dispatch Dispatch(long card, long? microUsd = null, int? turns = null, PermissionMode mode = PermissionMode.Ask) =>
        new(Id, card, "claude", null, null, null, mode, null, microUsd, turns, null, null, "session", FormattableString.Invariant($"first-{card}-{_requests}"));

    /// <returns>A new run of a new card, whose agent is in its first turn.</returns>
    internal long Running(long? microUsd = null, int? turns = null, long? card = null)
    {
        var run = Granted(Dispatch(card ?? Card(), microUsd, turns)).Outcome!.Id;
        _ = Do(new Input.Prepared(run, FormattableString.Invariant($"/w/{run}"), "origin/main", "c0ffee"));
        _ = Do(new Input.TurnStarted(run, 1, null, null));
        _ = Do(new Input.MessageEchoed(run, 1, State.Runs[run].Messages[0].Id));
        return run;
    }

    internal Decided EndTurn(long run, bool isError = false) => Do(new Input.TurnEnded(run, State.Runs[run].Launch, new TurnOutcome(isError, false, null, null), 1));

    internal Decided End(long run, LaunchEndKind kind = LaunchEndKind.Exited, bool dirty = false, int left = 0) =>
        Do(new Input.LaunchEnded(run, State.Runs[run].Launch, new LaunchEnd(kind, kind == LaunchEndKind.Exited ? 0 : null, null, null), dirty, new DiffStat(dirty ? 1 : 0, 0, 0), left));

    internal string Ask(long run, DecisionKind kind = DecisionKind.Question, string request = "q1", string tool = "Bash")
    {
        var id = FormattableString.Invariant($"{run}-{State.Runs[run].Launch}-{request}");
        _ = Do(Asked(run, State.Runs[run].Launch, kind, request, tool));
        return id;
    }

    internal static Input.DecisionAsked Asked(long run, int launch, DecisionKind kind = DecisionKind.Question, string request = "q1", string tool = "Bash") =>
        new(run, launch, FormattableString.Invariant($"{run}-{launch}-{request}"), kind, request, "toolu", tool, "{}", null, kind == DecisionKind.Question ? [new Question("q1", "Which?", null, [new QuestionOption("Left", null)], false)] : []);

    internal Input.Decide Answer(string decision, bool allow = true, bool remember = false, string? says = null) =>
        new(Id, decision, new Verdict(allow, says is null ? [] : [new Answer("q1", [says])], allow ? null : "Not now.", remember), "somebody", FormattableString.Invariant($"answer-{_requests}"));

    internal Input.Reply Reply(long run, string text = "Also this.") => new(Id, run, text, FormattableString.Invariant($"reply-{_requests}"), null);

    internal Input.Resume Resume(long run) => new(Id, run, null, FormattableString.Invariant($"resume-{_requests}"));

    internal Input.Stop Stop(long run) => new(Id, run, "user");
}
