using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Tests.Board.Simulation;

/// <summary>People and their clients: what they wish for, seldom what would be wise. They see the board as it is and now and then ask
/// for something that is not there.</summary>
internal sealed class People(Random random)
{
    private const int CardsMax = 6;
    private static readonly long[] DayBudgets = [500_000, 2_000_000, 5_000_000, 20_000_000, 1_000_000_000, 1_000_000_000];
    private int _requests;
    private int _messages;

    private string NextRequest() => $"request-{++_requests}";

    private string NextMessage() => $"message-{++_messages}";

    internal Input.Request Wish(BoardState state)
    {
        var dice = random.Next(100);
        if (state.Cards.Count == 0 || (dice < 6 && state.Cards.Count < CardsMax))
        {
            return new Input.CreateCard(NextRequest(), $"Card {_requests}", "", random.Next(10) == 0 ? random.Next(0, 5) : null, (Column)random.Next(5), [], null);
        }

        return dice switch
        {
            < 12 => new Input.MoveCard(NextRequest(), Card(state), (Column)random.Next(5), random.Next(3) == 0 ? null : random.Next(0, 4)),
            < 14 => new Input.UpdateCard(NextRequest(), Card(state), random.Next(4) == 0 ? " " : "Renamed", null, null),
            < 17 => new Input.ArchiveCard(NextRequest(), Card(state), random.Next(2) == 0),
            < 20 => new Input.DeleteCard(NextRequest(), random.Next(2) == 0 ? Card(state) : Free(state)),
            < 40 => Dispatch(state),
            < 46 => new Input.Stop(NextRequest(), Run(state), "user"),
            < 58 => Reply(state),
            < 72 => new Input.Resume(NextRequest(), Run(state), random.Next(3) == 0 ? null : "Go on.", NextMessage()),
            < 74 => new Input.Discard(NextRequest(), Run(state)),
            < 75 when random.Next(3) == 0 && state.Runs.Values.FirstOrDefault(run => !run.Comments.IsEmpty) is { } drafted => new Input.Comment(NextRequest(), drafted.Id, drafted.Comments[0].Id, "a.txt", 1, false, random.Next(2) == 0 ? "" : "Why not?", null),
            < 75 => random.Next(2) == 0 ? new Input.Comment(NextRequest(), Run(state), null, "a.txt", random.Next(3), random.Next(2) == 0, random.Next(5) == 0 ? "" : "Why?", null) : new Input.SubmitComments(NextRequest(), state.Runs.Values.LastOrDefault(run => !run.Comments.IsEmpty)?.Id ?? Run(state), null, NextMessage()),
            < 76 when random.Next(3) == 0 => new Input.Free(NextRequest(), state.Runs.Values.FirstOrDefault(run => run.Discarded is not null)?.Id ?? Run(state)),
            < 76 => new Input.Restore(NextRequest(), Run(state)),
            < 77 when state.Runs.Values.FirstOrDefault(run => !run.Checkpoints.IsEmpty) is { } kept => new Input.Rewind(NextRequest(), kept.Id, kept.Checkpoints[random.Next(kept.Checkpoints.Length)].Id),
            < 78 when random.Next(2) == 0 => random.Next(3) switch
            {
                0 => new Input.Fork(NextRequest(), state.Runs.Values.FirstOrDefault(run => !run.Checkpoints.IsEmpty)?.Id ?? Run(state), null, random.Next(2) == 0 ? null : "Another way.", $"session-{_requests}", NextMessage()),
                1 => new Input.MarkViewed(NextRequest(), Run(state), [new ViewedFile("a.txt", random.Next(2) == 0 ? "c0ffee" : "")], random.Next(3) > 0),
                _ => new Input.ResolveConflicts(NextRequest(), Run(state), "main", ["a.txt"], NextMessage()),
            },
            < 79 => new Input.Promote(NextRequest(), Run(state), new PromoteOrder("main", (LandingStrategy)random.Next(3), null, random.Next(4) == 0 ? ["a.txt"] : [], "c0ffee")),
            < 95 => Answer(state),
            _ => new Input.SetSettings(NextRequest(), new Settings(random.Next(0, 5), new Budget(random.Next(1, 30) * 100_000L, random.Next(1, 12), random.Next(5, 90)), DayBudgets[random.Next(DayBudgets.Length)])),
        };
    }

    private Input.Dispatch Dispatch(BoardState state) => new(
        NextRequest(),
        Card(state),
        random.Next(3) == 0 ? "other" : "claude",
        random.Next(4) == 0 ? "model-a" : null,
        null,
        null,
        (PermissionMode)random.Next(3),
        null,
        random.Next(2) == 0 ? null : random.Next(1, 20) * 100_000L,
        random.Next(2) == 0 ? null : random.Next(1, 10),
        random.Next(2) == 0 ? null : random.Next(5, 60),
        random.Next(2) == 0 ? null : "Mind the tests.",
        $"session-{_requests}",
        NextMessage());

    private Input.Reply Reply(BoardState state) => new(NextRequest(), Run(state), random.Next(20) == 0 ? "" : "Also this.", NextMessage(), Lost(state));

    private Input.Decide Answer(BoardState state)
    {
        var decisions = state.Decisions.Values.Where(decision => decision.State == DecisionState.Open || random.Next(10) == 0).OrderBy(decision => decision.Id, StringComparer.Ordinal).ToList();
        var decision = decisions.Count == 0 ? null : decisions[random.Next(decisions.Count)];
        var allow = random.Next(4) > 0;
        var answers = decision?.Kind == DecisionKind.Question && random.Next(10) > 0 ? new[] { new Answer("q1", [random.Next(2) == 0 ? "Left" : "Something else"]) } : [];
        return new Input.Decide(NextRequest(), decision?.Id ?? "no-such-decision", new Verdict(allow, [.. answers], allow ? null : "Not now.", random.Next(3) == 0), "somebody", NextMessage());
    }

    /// <summary>Now and then a message that was lost, of whatever run, to be said again.</summary>
    private string? Lost(BoardState state) => random.Next(3) > 0 ? null : state.Runs.Values.SelectMany(run => run.Messages).FirstOrDefault(message => message.State == MessageState.Lost)?.Id;

    /// <summary>A card whose runs have left no work behind, or any.</summary>
    private long Free(BoardState state) => state.Cards.Keys.Where(id => state.RunsOf(id).Any() && !state.RunsOf(id).Any(run => run.IsLive || run.HoldsWork)).DefaultIfEmpty(Card(state)).First();

    private long Card(BoardState state) => random.Next(30) == 0 ? 999 : state.Cards.Keys.ElementAt(random.Next(state.Cards.Count));

    private long Run(BoardState state) => !state.Past.IsEmpty && random.Next(5) == 0 ? state.Past.Values.First().Ids[0] : state.Runs.Count == 0 || random.Next(30) == 0 ? 999 : state.Runs.Keys.ElementAt(random.Next(state.Runs.Count));
}
