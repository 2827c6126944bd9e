using System.Collections.Immutable;
using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Tests.Journal;

/// <summary>Events of all kinds, about few cards and runs so that they meet; not in an order that the decider would give.</summary>
internal sealed class RandomEvents(int seed)
{
    private static readonly DateTimeOffset Start = new(2026, 11, 22, 9, 10, 0, TimeSpan.Zero);

    private readonly Random _random = new(seed);
    private int _number;

    internal List<Event> Take(int count) => [.. Enumerable.Range(0, count).Select(_ => Next())];

    private DateTimeOffset At => Start.AddMinutes(_number * 37);

    private long Id => _random.Next(1, 12);

    private string Text => _random.Next(5) switch { 0 => "", 1 => "é漢😀\u2028", 2 => "\"quoted\"\n\0", 3 => new string('x', _random.Next(300)), _ => $"text {_random.Next(10)}" };

    private string? Maybe => _random.Next(3) == 0 ? null : Text;

    private string DecisionId => $"d-{Id}";

    private string MessageId => $"m-{_random.Next(5)}";

    private T Any<T>() where T : struct, Enum => Enum.GetValues<T>()[_random.Next(Enum.GetValues<T>().Length)];

    private ImmutableArray<T> Some<T>(Func<T> one) => [.. Enumerable.Range(0, _random.Next(3)).Select(_ => one())];

    private Event Next()
    {
        _number++;
        return _random.Next(52) switch
        {
            0 => new Event.CardCreated(Card()),
            1 => new Event.CardChanged(Card()),
            2 => _random.Next(4) == 0 ? new Event.CardDeleted(Id) : new Event.CardCreated(Card()),
            3 => new Event.SettingsChanged(new Settings(_random.Next(1, 9), Budget(), _random.Next())),
            4 => new Event.RequestServed($"request-{_random.Next(100)}", new Outcome(Any<OutcomeKind>(), Id, Maybe), At),
            5 => new Event.RunIdsSeen(Id),
            6 => new Event.RunQueued(Run()),
            7 => new Event.PreparingStarted(Id),
            8 => new Event.WorktreePrepared(Id, Text, Text, Text),
            9 => new Event.LaunchOrdered(Id, _random.Next(1, 4), At),
            10 => new Event.TurnBegan(Id, Maybe, Maybe),
            11 => new Event.TurnFinished(Id, new TurnOutcome(_random.Next(2) == 0, _random.Next(2) == 0, Maybe, Maybe), _random.Next(9), _random.Next(2) == 0 ? null : $"2026-11-{_random.Next(10, 30)}"),
            12 => new Event.CostAdded(Id, _random.Next(1_000_000), $"2026-11-{_random.Next(10, 30)}"),
            13 => new Event.CostEstimated(Id, _random.Next(1_000_000)),
            14 => new Event.BudgetRaised(Id, Budget()),
            15 => new Event.DecisionOpened(Decision()),
            16 => new Event.DecisionClosed(DecisionId, Any<DecisionState>(), At, Maybe, _random.Next(2) == 0 ? null : Verdict()),
            17 => new Event.MessageAdded(Id, Message()),
            18 => new Event.MessageTold(Id, MessageId, 1),
            19 => new Event.MessageDropped(Id, MessageId),
            20 => new Event.InputCloseOrdered(Id),
            21 => new Event.SessionLost(Id, Text),
            22 => new Event.MessageDelivered(Id, MessageId),
            30 => new Event.ModelsUsed(Id, Some(() => new ModelUse(Text, _random.Next(1_000), _random.Next(2) == 0, 1, 2, 3, 4)), _random.Next(3), $"2026-11-{_random.Next(10, 30)}"),
            32 => new Event.HoldLifted("claude"),
            31 => new Event.HoldSet(new Hold("claude", Maybe, At, At.AddHours(1), _random.Next(2) == 0, _random.Next(4))),
            29 => new Event.DayWarned($"2026-11-{_random.Next(10, 30)}", new Reason(Text, Text)),
            28 => new Event.BudgetWarned(Id, new Reason(Text, Text)),
            27 => new Event.InputKept(Id),
            36 => new Event.CheckpointTaken(Id, new CheckpointMark(Text, Text, At, Text, _random.Next(3))),
            37 => new Event.WorktreeMoveOrdered(Id, Any<WorktreeMove>()),
            38 => new Event.WorktreeMoveFailed(Id, new MoveFailure(new Reason(Text, Text), Some(() => Text))),
            39 => new Event.RunDiscarded(Id, new Discarded(Any<RunState>(), Text, At, At)),
            40 => new Event.RunRestored(Id),
            41 => new Event.PromoteOrdered(Id, new PromoteOrder(Text, Any<LandingStrategy>(), Maybe, Some(() => Text), Text)),
            43 => new Event.RewindOrdered(Id, Text),
            44 => new Event.RunRewound(Id, new DiffStat(1, 2, 3)),
            45 => new Event.CommentKept(Id, new ReviewComment($"c-{_random.Next(3)}", Text, _random.Next(9), _random.Next(2) == 0, Text, Maybe, At)),
            48 => new Event.RunFreed(Id, At),
            49 => new Event.FilesViewed(Id, Some(() => new ViewedFile(Text, Text)), _random.Next(2) == 0),
            51 => new Event.BaseChosen(Id, Text, Text),
            50 => new Event.CheckpointsPruned(Id, Some(() => Text)),
            46 => new Event.CommentDropped(Id, $"c-{_random.Next(3)}"),
            47 => new Event.CommentsSent(Id),
            42 => new Event.RunPromoted(Id, new Promoted(Text, Text, At)),
            26 => new Event.LeftoversCounted(Id, _random.Next(3)),
            23 => new Event.BackgroundTasksCounted(Id, _random.Next(3)),
            24 => new Event.StopOrdered(Id, Text),
            33 => new Event.RunNoticed(Id, new Reason(Text, Text)),
            34 => new Event.RunArchived(Run(), Some(Decision)),
            35 => new Event.RunRecalled(Run(), Some(Decision)),
            _ => new Event.RunEnded(Id, Any<RunState>(), _random.Next(2) == 0 ? null : new Reason(Text, Text), _random.Next(2) == 0, _random.Next(2) == 0 ? null : new DiffStat(1, 2, 3), _random.Next(3), At),
        };
    }

    private Budget Budget() => new(_random.NextInt64(1, long.MaxValue), _random.Next(1, 500), _random.Next(1, 500));

    private Card Card() => new(Id, _random.Next(1, 12), Text, Text, Any<Column>(), _random.NextDouble() * 1e6, Some(() => Text), _random.Next(2) == 0 ? null : 3, _random.Next(2) == 0);

    private Message Message() => new(MessageId, Text, Any<MessageState>());

    private Verdict Verdict() => new(_random.Next(2) == 0, Some(() => new Answer("q1", Some(() => Text))), Maybe, _random.Next(2) == 0);

    private Decision Decision() => new(
        DecisionId, Id, 1, 1, Any<DecisionKind>(), DecisionState.Open, Maybe, Maybe, Maybe, Maybe, Maybe,
        Some(() => new Question("q1", Text, Maybe, Some(() => new QuestionOption(Text, Maybe)), _random.Next(2) == 0)), At, null, null, null);

    private Run Run() => new(
        Id, Id, 1, Any<RunState>(), "claude", Maybe, Maybe, Maybe, Any<PermissionMode>(), Maybe, Text, Text, Text, Text, Budget(), Text, _random.Next(2) == 0, _random.Next(3), _random.Next(2) == 0,
        _random.Next(9), _random.Next(), _random.Next(), At, _random.Next(2) == 0 ? null : At, null, Maybe, _random.Next(2) == 0, _random.Next(2) == 0,
        _random.Next(2) == 0 ? null : new TurnOutcome(true, false, Maybe, Maybe), _random.Next(3), _random.Next(2) == 0, _random.Next(2) == 0 ? null : new DiffStat(1, 2, 3), 0, null, Some(Message));
}
