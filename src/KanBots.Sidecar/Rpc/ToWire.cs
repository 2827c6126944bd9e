using System.Text.Json;
using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Protocol;
using Core = KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Rpc;

/// <summary>From the core's records to the wire's. The only place where the two meet in this direction.</summary>
internal static partial class ToWire
{
    /// <summary>Ended runs that travel with the board; older ones are found through their cards.</summary>
    internal const int EndedRunsMax = 200;

    /// <summary>Run ids of one card that travel: the newest.</summary>
    internal const int RunIdsMax = 1_000;

    internal static BoardSnapshot Snapshot(BoardView view, DateTimeOffset now)
    {
        var state = view.State;
        var cards = state.Cards.Values.Where(card => !card.Archived).ToList();
        var shown = cards.Select(card => card.Id).ToHashSet();
        var ended = state.Runs.Values.Where(run => run.IsOver && shown.Contains(run.CardId)).OrderByDescending(run => run.EndedAt).Take(EndedRunsMax).Select(run => run.Id).ToHashSet();
        var runs = state.Runs.Values.Where(run => !run.IsOver || ended.Contains(run.Id)).ToList();
        return new BoardSnapshot(
            view.Epoch,
            view.Revision,
            Enum.GetValues<Column>(),
            [.. cards.Select(card => Card(state, card))],
            [.. runs.Select(run => Run(view, run))],
            [.. state.Decisions.Values.Where(decision => decision.State == Core.DecisionState.Open).OrderBy(decision => decision.AskedAt).Select(Decision)],
            Spend(state, now),
            Notices(view),
            state.Epoch);
    }

    /// <summary>Null when there is nothing to say.</summary>
    internal static IReadOnlyList<BoardNotice>? Notices(BoardView view) => view.Notices.IsDefaultOrEmpty ? null : [.. view.Notices.Select(notice => new BoardNotice(notice.Kind, notice.Message))];

    /// <summary>What a client that has <paramref name="before"/> must be told, or null when it sees no difference.</summary>
    internal static BoardDidChangeParams? Changes(BoardView before, BoardView after, DateTimeOffset now)
    {
        var (old, state) = (before.State, after.State);
        var changedRuns = state.Runs.Values.Where(run => !old.Runs.TryGetValue(run.Id, out var was) || !ReferenceEquals(was, run) || !before.IsSame(after, run.Id)).ToList();
        var touched = changedRuns.Select(run => run.CardId).ToHashSet();
        var changedCards = state.Cards.Values.Where(card => !card.Archived && (touched.Contains(card.Id) || !old.Cards.TryGetValue(card.Id, out var was) || !ReferenceEquals(was, card))).ToList();
        var removed = new Removed(
            [.. old.Cards.Values.Where(card => !card.Archived && (!state.Cards.TryGetValue(card.Id, out var now) || now.Archived)).Select(card => card.Id)],
            [.. old.Runs.Keys.Where(id => !state.Runs.ContainsKey(id))],
            [.. old.Decisions.Keys.Where(id => !state.Decisions.ContainsKey(id))]);
        return new BoardDidChangeParams(
            after.Epoch,
            after.Revision,
            before.Revision,
            [.. changedCards.Select(card => Card(state, card))],
            [.. changedRuns.Select(run => Run(after, run))],
            [.. ChangedDecisions(before, after).Select(Decision)],
            removed,
            Spend(state, now),
            after.Notices == before.Notices ? null : Notices(after) ?? []);
    }

    internal static IReadOnlyList<Core.Decision> ChangedDecisions(BoardView before, BoardView after)
    {
        var (old, now) = (before.State.Decisions, after.State.Decisions);
        return ReferenceEquals(old, now) ? [] : [.. now.Values.Where(decision => !old.TryGetValue(decision.Id, out var was) || !ReferenceEquals(was, decision))];
    }

    private static Spend Spend(Core.BoardState state, DateTimeOffset now)
    {
        var purse = Core.Purse.Of(state, now);
        return new Spend(purse.SpentMicroUsd, state.SpendByDay.Values.Sum() + state.Runs.Values.Sum(run => run.EstimateMicroUsd), purse.DayMicroUsd, purse.ReservedMicroUsd, state.DayWarning is { } said && said.Day == Core.Purse.DayOf(now) ? Warning(said.Warning) : null);
    }

    internal static Card Card(Core.BoardState state, Core.Card card)
    {
        var runs = state.RunsOf(card.Id).ToList();
        var past = state.Past.GetValueOrDefault(card.Id, Core.PastRuns.None);
        var active = runs.LastOrDefault(run => !run.IsOver);
        return new Card(
            card.Id,
            card.Number,
            new CardSource(SourceKind.Local),
            card.Title,
            card.Body,
            (Column)card.Column,
            card.Position,
            card.Labels,
            DotOf(active ?? runs.LastOrDefault(), state),
            past.MicroUsd + runs.Sum(run => run.CostMicroUsd),
            [.. past.Ids.Concat(runs.Select(run => run.Id)).Order().TakeLast(RunIdsMax)],
            card.ParentNumber,
            active?.Id,
            card.Archived ? true : null);
    }

    /// <summary>Derived, never stored: a card cannot say something else than its runs.</summary>
    private static Dot DotOf(Core.Run? run, Core.BoardState state) => run?.State switch
    {
        null => Dot.None,
        Core.RunState.Queued => Dot.Queued,
        Core.RunState.Preparing or Core.RunState.Running => Dot.Running,
        Core.RunState.AwaitingDecision => Dot.AwaitingDecision,
        _ when state.OpenDecisionsOf(run.Id).Any() => Dot.AwaitingDecision,
        Core.RunState.InReview => Dot.InReview,
        Core.RunState.Failed => Dot.Failed,
        Core.RunState.Interrupted => Dot.Interrupted,
        _ => Dot.None,
    };

    internal static Run Run(BoardView view, Core.Run run) => new(
        run.Id,
        run.CardId,
        run.CardNumber,
        run.State == Core.RunState.Running && view.Setups.ContainsKey(run.Id) ? RunState.Preparing : (RunState)run.State,
        run.Agent,
        (PermissionMode)run.PermissionMode,
        run.Branch,
        run.WorktreePath,
        run.BaseRef,
        run.BaseCommit,
        run.Launch,
        run.CostMicroUsd,
        run.EstimateMicroUsd > 0,
        new Budget(run.Budget.MicroUsd, run.Budget.Turns, run.Budget.Minutes),
        run.Turns,
        run.Dirty,
        run.LeftRunning,
        run.Fork?.RunId,
        run.Model,
        run.SessionId,
        run.StartedAt,
        run.EndedAt,
        view.Tools.GetValueOrDefault(run.Id),
        run.DiffStat is { } stat ? new DiffStat(stat.Files, stat.Insertions, stat.Deletions) : null,
        (run.Reason ?? view.Waits.GetValueOrDefault(run.Id)) is { } reason ? new RunReason(reason.Kind, reason.Message, reason.Until) : null,
        Undelivered(run),
        Notices(view, run),
        run.IsOver || run.Warnings.IsEmpty ? null : [.. run.Warnings.Select(Warning)],
        view.Stalls.GetValueOrDefault(run.Id) is { } stall ? new RunStall(stall.Kind, stall.Since, stall.Message) : null,
        view.Setups.GetValueOrDefault(run.Id) is { } setup ? new RunSetup(setup.IsWaiting, setup.Since, setup.LastLine) : null,
        run.Discarded is { FreeBegun: false } discarded ? discarded.Until : null,
        run.Promoted is { } landed ? new RunPromotion(landed.Branch, landed.Commit, landed.At) : null,
        view.Conflicts.GetValueOrDefault(run.Id) is { IsDefaultOrEmpty: false } conflicts ? [.. conflicts.Select(conflict => new Protocol.RunConflict([.. conflict.Paths], conflict.OtherRunId, conflict.Target))] : null);

    /// <summary>Of its worktree, then of what happened meanwhile.</summary>
    private static IReadOnlyList<RunReason>? Notices(BoardView view, Core.Run run)
    {
        var given = view.Needs.GetValueOrDefault(run.Id)?.Notices.Select(notice => new RunReason(notice.Kind, notice.Message)) ?? [];
        return given.Concat(run.Notices.Select(notice => new RunReason(notice.Kind, notice.Message))).ToList() is { Count: > 0 } all ? all : null;
    }

    private static BudgetWarning Warning(Core.Reason warning) => new(warning.Kind, warning.Message);

    internal static RunDetailsResult Details(BoardView view, Core.Run run, string? setupLog)
    {
        var needs = view.Needs.GetValueOrDefault(run.Id);
        return new RunDetailsResult(
            Run(view, run),
            [.. (needs?.Placed ?? []).Select(placed => new PlacedPath(placed.Path, placed.Kind == Placed.Links ? PlacedKind.Links : PlacedKind.File, placed.Bytes))],
            [.. run.Checkpoints.Select(mark => new Checkpoint(mark.Id, mark.Tree, mark.At, mark.Why, mark.Left == 0 ? null : mark.Left))],
            [.. run.Comments.Select(Comment)],
            needs is { PortBase: > 0 } ? needs.PortBase : null,
            needs?.NodeModules is { } modules ? new NodeModulesChoice(modules.Strategy, modules.Reason) : null,
            setupLog);
    }

    internal static ReviewComment Comment(Core.ReviewComment comment) => new(comment.Id, comment.Path, comment.Line, comment.OnBase ? ReviewSide.Base : ReviewSide.Head, comment.Text, comment.At, comment.Tree);

    /// <summary>Lost with a launch, or said too late for one and not sent since: null when there are none.</summary>
    private static IReadOnlyList<UndeliveredMessage>? Undelivered(Core.Run run)
    {
        var messages = run.Messages.Where(message => message.State == Core.MessageState.Lost || (run.IsOver && message.State == Core.MessageState.Waiting)).ToList();
        return messages.Count == 0 ? null : [.. messages.Select(message => new UndeliveredMessage(message.Id, ThreadItems.Cut(message.Text)))];
    }

    internal static Decision Decision(Core.Decision decision) => new(
        decision.Id,
        decision.RunId,
        decision.CardNumber,
        (DecisionKind)decision.Kind,
        (DecisionState)decision.State,
        decision.AskedAt,
        [.. decision.Questions.Select(question => new Question(question.Id, question.Text, [.. question.Options.Select(option => new QuestionOption(option.Label, option.Description))], question.MultiSelect, question.Header))],
        decision.AnsweredAt,
        decision.AnsweredBy,
        Tool(decision));

    private static DecisionTool? Tool(Core.Decision decision)
    {
        if (decision.Kind == Core.DecisionKind.Question)
        {
            return null;
        }

        JsonElement? input = null;
        if (decision.ToolInput is { Length: < 64 * 1024 } text)
        {
            using var document = JsonDocument.Parse(text);
            input = document.RootElement.Clone();
        }

        return new DecisionTool(decision.ToolName ?? "budget", input, decision.Description);
    }

    internal static string NameOf(ErrorCode code) => JsonNamingPolicy.CamelCase.ConvertName(code.ToString());

    internal static RpcException Error(Core.Refusal refusal)
    {
        // Kinds are the camelCase names of the codes; one that has no code of its own is an invalid argument.
        var code = Enum.TryParse<ErrorCode>(refusal.Kind, ignoreCase: true, out var known) ? known : ErrorCode.InvalidArgument;
        return new RpcException(code, refusal.Message, new ErrorData(NameOf(code), null, refusal.CardId, refusal.RunId, refusal.DecisionId, refusal.State is { } state ? JsonNamingPolicy.CamelCase.ConvertName(state) : null));
    }
}
