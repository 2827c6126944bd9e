using System.Collections.Immutable;

namespace KanBots.Sidecar.Board;

/// <summary>The wishes of people, each either granted or refused with a reason and never half done.</summary>
public static partial class Decider
{
    private static Refusal? Ask(Plan plan, Input.Request request) => request switch
    {
        Input.CreateCard create => Create(plan, create),
        Input.UpdateCard update => Update(plan, update),
        Input.MoveCard move => Move(plan, move),
        Input.ArchiveCard archive => Archive(plan, archive),
        Input.DeleteCard delete => Delete(plan, delete),
        Input.Dispatch dispatch => Dispatch(plan, dispatch),
        Input.Stop stop => Stop(plan, stop),
        Input.Reply reply => Reply(plan, reply),
        Input.Resume resume => Resume(plan, resume),
        Input.Discard discard => Discard(plan, discard),
        Input.Restore restore => Restore(plan, restore),
        Input.Free free => Free(plan, free),
        Input.Fork fork => Fork(plan, fork),
        Input.MarkViewed viewed => MarkViewed(plan, viewed),
        Input.ResolveConflicts resolve => ResolveConflicts(plan, resolve),
        Input.Comment comment => Comment(plan, comment),
        Input.SubmitComments submit => Submit(plan, submit),
        Input.Rewind rewind => Rewind(plan, rewind),
        Input.Promote promote => Promote(plan, promote),
        Input.Decide decide => Answer(plan, decide),
        Input.SetSettings settings => Set(plan, settings),
        _ => Invalid($"The core does not know the request {request.GetType().Name}."),
    };

    private static Refusal Invalid(string message) => new("invalidArgument", message);

    private static Refusal? CheckText(string? title, string? body, ImmutableArray<string>? labels)
    {
        if (title is not null && string.IsNullOrWhiteSpace(title))
        {
            return Invalid("A card needs a title. Give one.");
        }

        if (title?.Length > Limits.TitleLengthMax || title?.AsSpan().ContainsAny('\n', '\r') == true)
        {
            return Invalid($"A title is one line of at most {Limits.TitleLengthMax} characters. Put the rest into the body.");
        }

        if (body?.Length > Limits.BodyLengthMax)
        {
            return new Refusal("limitExceeded", $"A body has at most {Limits.BodyLengthMax} characters. Shorten it, or put it into a file of the repository.");
        }

        return labels is { } list && (list.Length > Limits.LabelsMax || list.Any(label => label.Length > Limits.LabelLengthMax))
            ? new Refusal("limitExceeded", $"A card has at most {Limits.LabelsMax} labels of {Limits.LabelLengthMax} characters.")
            : null;
    }

    private static Refusal? TooMuchText(BoardState state, Card? card, string body) =>
        state.Cards.Values.Sum(other => (long)other.Body.Length) - (card?.Body.Length ?? 0) + body.Length > Limits.BodiesLengthMax
            ? new Refusal("limitExceeded", $"The bodies of all cards have at most {Limits.BodiesLengthMax} characters together. Delete old cards, or put long texts into files of the repository.", CardId: card?.Id)
            : null;

    private static Refusal? Create(Plan plan, Input.CreateCard create)
    {
        var refusal = CheckText(create.Title, create.Body, create.Labels);
        if (refusal is not null)
        {
            return refusal;
        }

        if (plan.State.Cards.Count >= Limits.CardsMax)
        {
            return new Refusal("limitExceeded", $"The board holds at most {Limits.CardsMax} cards. Delete some first.");
        }

        if (TooMuchText(plan.State, null, create.Body) is { } tooMuch)
        {
            return tooMuch;
        }

        var number = create.Number ?? plan.State.Cards.Values.Select(card => card.Number).DefaultIfEmpty(0).Max() + 1;
        if (number <= 0)
        {
            return Invalid("A card's number is positive.");
        }

        if (plan.State.Cards.Values.FirstOrDefault(card => card.Number == number) is { } taken)
        {
            return new Refusal("invalidArgument", $"Card #{number} exists already: {taken.Title}. Choose another number.", CardId: taken.Id);
        }

        var id = plan.State.NextCardId;
        plan.Record(new Event.CardCreated(new Card(id, number, create.Title, create.Body, create.Column, EndOf(plan.State, create.Column), create.Labels, create.ParentNumber, false)));
        plan.Outcome = new Outcome(OutcomeKind.Card, id, null);
        return null;
    }

    private static Refusal NoCard(long id) => new("cardNotFound", $"There is no card with the id {id}. It may have been deleted; look at the board again.", CardId: id);

    private static Refusal NoRun(long id) => new("runNotFound", $"There is no run {id} on this board.", RunId: id);

    private static Refusal? Update(Plan plan, Input.UpdateCard update)
    {
        if (!plan.State.Cards.TryGetValue(update.CardId, out var card))
        {
            return NoCard(update.CardId);
        }

        var refusal = CheckText(update.Title, update.Body, update.Labels) ?? (update.Body is null ? null : TooMuchText(plan.State, card, update.Body));
        if (refusal is null)
        {
            plan.Record(new Event.CardChanged(card with { Title = update.Title ?? card.Title, Body = update.Body ?? card.Body, Labels = update.Labels ?? card.Labels }));
            plan.Outcome = new Outcome(OutcomeKind.Card, card.Id, null);
        }

        return refusal;
    }

    private static Refusal? Move(Plan plan, Input.MoveCard move)
    {
        if (!plan.State.Cards.TryGetValue(move.CardId, out var card))
        {
            return NoCard(move.CardId);
        }

        var others = plan.State.Cards.Values.Where(other => other.Column == move.Column && other.Id != card.Id && !other.Archived).OrderBy(other => other.Position).ThenBy(other => other.Id).ToList();
        var index = Math.Clamp(move.Index ?? others.Count, 0, others.Count);
        var before = index == 0 ? (double?)null : others[index - 1].Position;
        var after = index == others.Count ? (double?)null : others[index].Position;
        var position = (before, after) switch
        {
            (null, null) => 1,
            (null, { } next) => next - 1,
            ({ } previous, null) => previous + 1,
            ({ } previous, { } next) => previous + ((next - previous) / 2),
        };
        if (position == before || position == after)
        {
            // Halving has run out of digits: number the column anew, the moved card between its neighbours.
            others.Insert(index, card);
            for (var i = 0; i < others.Count; i++)
            {
                plan.Record(new Event.CardChanged(others[i] with { Column = move.Column, Position = i + 1 }));
            }
        }
        else
        {
            plan.Record(new Event.CardChanged(card with { Column = move.Column, Position = position }));
        }

        plan.Outcome = new Outcome(OutcomeKind.Card, card.Id, null);
        return null;
    }

    private static Refusal? LiveRunOf(BoardState state, long cardId, string what) =>
        state.RunsOf(cardId).FirstOrDefault(run => !run.IsOver) is { } live
            ? new Refusal("runLive", $"Run {live.Id} of this card is {live.State}. Stop it before the card is {what}.", live.State.ToString(), cardId, live.Id)
            : null;

    private static Refusal? Archive(Plan plan, Input.ArchiveCard archive)
    {
        if (!plan.State.Cards.TryGetValue(archive.CardId, out var card))
        {
            return NoCard(archive.CardId);
        }

        var refusal = archive.Archived ? LiveRunOf(plan.State, card.Id, "archived") : null;
        if (refusal is null)
        {
            plan.Record(new Event.CardChanged(card with { Archived = archive.Archived }));
            plan.Outcome = new Outcome(OutcomeKind.Card, card.Id, null);
        }

        return refusal;
    }

    private static Refusal? Delete(Plan plan, Input.DeleteCard delete)
    {
        if (!plan.State.Cards.ContainsKey(delete.CardId))
        {
            return NoCard(delete.CardId);
        }

        var refusal = LiveRunOf(plan.State, delete.CardId, "deleted");
        if (refusal is not null)
        {
            return refusal;
        }

        // A run that left a worktree holds work: a card takes no work with it.
        if (plan.State.RunsOf(delete.CardId).FirstOrDefault(run => run.HoldsWork) is { } kept)
        {
            if (kept.Discarded is { } gone)
            {
                return new Refusal("worktreeDirty", $"Run {kept.Id} of this card was discarded and can be restored until {gone.Until:yyyy-MM-dd}. Archive the card instead.", kept.State.ToString(), delete.CardId, kept.Id);
            }

            return new Refusal("worktreeDirty", $"Run {kept.Id} of this card has a worktree. Archive the card instead.", kept.State.ToString(), delete.CardId, kept.Id);
        }

        if (plan.State.Past.GetValueOrDefault(delete.CardId) is { Worktrees: > 0 } past)
        {
            return new Refusal("worktreeDirty", $"{past.Worktrees} older runs of this card hold work. Archive the card instead.", CardId: delete.CardId);
        }

        plan.Record(new Event.CardDeleted(delete.CardId));
        return null;
    }

    private static Refusal? Set(Plan plan, Input.SetSettings settings)
    {
        var wanted = settings.Settings;
        if (wanted.MaxParallel is < 1 or > Limits.ParallelMax)
        {
            return Invalid($"runs.maxParallel is between 1 and {Limits.ParallelMax}.");
        }

        if (CheckBudget(wanted.Budget) is { } refusal)
        {
            return refusal;
        }

        if (wanted.DayBudgetMicroUsd is <= 0 or > Limits.DayMicroUsdMax)
        {
            return Invalid($"runs.budget.dayMicroUsd is between 1 and {Limits.DayMicroUsdMax} micro-dollars ({Money(Limits.DayMicroUsdMax)}).");
        }

        plan.Record(new Event.SettingsChanged(wanted));
        return null;
    }
}
