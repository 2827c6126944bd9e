using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Tests.Board;

public sealed class CardTests
{
    private readonly Boards _boards = new();

    private long[] In(Column column) => [.. _boards.State.Cards.Values.Where(card => card.Column == column).OrderBy(card => card.Position).Select(card => card.Id)];

    private Input.MoveCard To(long card, Column column, int? index) => new(_boards.Id, card, column, index);

    [Fact]
    public void Each_wish_about_a_card_that_cannot_be_is_refused_by_kind()
    {
        var card = _boards.Card(number: 7);
        var refusals = new Dictionary<Input.Request, string>
        {
            [new Input.CreateCard(_boards.Id, " ", "", null, Column.Todo, [], null)] = "invalidArgument",
            [new Input.CreateCard(_boards.Id, "two\nlines", "", null, Column.Todo, [], null)] = "invalidArgument",
            [new Input.CreateCard(_boards.Id, new string('t', Limits.TitleLengthMax + 1), "", null, Column.Todo, [], null)] = "invalidArgument",
            [new Input.CreateCard(_boards.Id, "t", new string('b', Limits.BodyLengthMax + 1), null, Column.Todo, [], null)] = "limitExceeded",
            [new Input.CreateCard(_boards.Id, "t", "", null, Column.Todo, [.. Enumerable.Repeat("l", Limits.LabelsMax + 1)], null)] = "limitExceeded",
            [new Input.CreateCard(_boards.Id, "t", "", null, Column.Todo, [new string('l', Limits.LabelLengthMax + 1)], null)] = "limitExceeded",
            [new Input.CreateCard(_boards.Id, "t", "", 0, Column.Todo, [], null)] = "invalidArgument",
            [new Input.CreateCard(_boards.Id, "t", "", 7, Column.Todo, [], null)] = "invalidArgument",
            [new Input.UpdateCard(_boards.Id, 99, "t", null, null)] = "cardNotFound",
            [new Input.UpdateCard(_boards.Id, card, "", null, null)] = "invalidArgument",
            [new Input.ArchiveCard(_boards.Id, 99, true)] = "cardNotFound",
            [new Input.DeleteCard(_boards.Id, 99)] = "cardNotFound",
            [To(99, Column.Done, null)] = "cardNotFound",
            [_boards.Dispatch(99)] = "cardNotFound",
            [new Input.SetSettings(_boards.Id, Settings.Default with { MaxParallel = 0 })] = "invalidArgument",
            [new Input.SetSettings(_boards.Id, Settings.Default with { MaxParallel = Limits.ParallelMax + 1 })] = "invalidArgument",
            [new Input.SetSettings(_boards.Id, Settings.Default with { DayBudgetMicroUsd = 0 })] = "invalidArgument",
            [new Input.SetSettings(_boards.Id, Settings.Default with { Budget = new Budget(1, 0, 1) })] = "invalidArgument",
        };

        foreach (var (request, kind) in refusals)
        {
            Assert.Equal(kind, _boards.Refused(request).Kind);
        }
    }

    [Fact]
    public void A_card_takes_the_next_number_and_the_end_of_its_column()
    {
        var first = _boards.Card(number: 88);
        var second = _boards.Card();
        Assert.Equal(89, _boards.State.Cards[second].Number);
        Assert.Equal([first, second], In(Column.Todo));
    }

    [Theory]
    [InlineData(0, new long[] { 3, 1, 2 })]
    [InlineData(1, new long[] { 1, 3, 2 })]
    [InlineData(2, new long[] { 1, 2, 3 })]
    [InlineData(99, new long[] { 1, 2, 3 })]
    [InlineData(-1, new long[] { 3, 1, 2 })]
    [InlineData(null, new long[] { 1, 2, 3 })]
    public void A_moved_card_lands_at_its_index(int? index, long[] order)
    {
        _ = _boards.Card();
        _ = _boards.Card();
        var moved = _boards.Card(column: Column.Done);
        _ = _boards.Granted(To(moved, Column.Todo, index));
        Assert.Equal(order, In(Column.Todo));
    }

    [Fact]
    public void Halving_between_two_cards_never_runs_out()
    {
        var cards = Enumerable.Range(0, 4).Select(_ => _boards.Card()).ToArray();
        var renumbered = false;
        for (var i = 0; i < 300; i++)
        {
            // The last two change places between the first two, for ever closer to the first.
            var moved = In(Column.Todo)[2];
            renumbered |= _boards.Granted(To(moved, Column.Todo, 1)).Events.Length > 2;
            Assert.Equal(moved, In(Column.Todo)[1]);
            Assert.Equal(4, _boards.State.Cards.Values.Select(card => card.Position).Distinct().Count());
        }

        Assert.True(renumbered, "300 halvings of a double were never renumbered");
        Assert.Equal(cards[0], In(Column.Todo)[0]);
    }

    [Fact]
    public void A_card_with_a_run_under_way_is_neither_archived_nor_deleted()
    {
        var run = _boards.Running();
        var card = _boards.State.Runs[run].CardId;
        Assert.Equal("runLive", _boards.Refused(new Input.ArchiveCard(_boards.Id, card, true)).Kind);
        Assert.Equal("runLive", _boards.Refused(new Input.DeleteCard(_boards.Id, card)).Kind);
        Assert.Equal("runLive", _boards.Refused(_boards.Dispatch(card)).Kind);
        _ = _boards.End(run);
        _ = _boards.Granted(new Input.ArchiveCard(_boards.Id, card, true));
        Assert.Equal("worktreeDirty", _boards.Refused(new Input.DeleteCard(_boards.Id, card)).Kind);
    }

    [Fact]
    public void A_deleted_card_takes_its_runs_along_and_no_run_id_comes_again()
    {
        var card = _boards.Card();
        var run = _boards.Granted(_boards.Dispatch(card)).Outcome!.Id;
        _ = _boards.Do(new Input.PrepareFailed(run, new Reason("repositoryLocked", "git is locked.")));
        _ = _boards.Granted(new Input.DeleteCard(_boards.Id, card));
        Assert.Empty(_boards.State.Runs);
        Assert.Equal(run + 1, _boards.Granted(_boards.Dispatch(_boards.Card())).Outcome!.Id);
    }

    [Fact]
    public void A_served_request_is_known_for_a_week_and_then_forgotten_when_there_are_many()
    {
        var request = new Input.CreateCard("same", "Card", "", null, Column.Todo, [], null);
        var first = _boards.Granted(request).Outcome;
        _boards.Now += TimeSpan.FromDays(7) - TimeSpan.FromMinutes(1);
        var again = _boards.Do(request);
        Assert.Equal(first, again.Outcome);
        Assert.Empty(again.Events);

        _boards.Now += TimeSpan.FromMinutes(2);
        _ = _boards.Card();
        Assert.Equal(first, _boards.Do(request).Outcome); // the clock may have been set: what is recent by count is known however old it seems
        for (var i = 0; i < Limits.ServedRequestsKeptMin; i++)
        {
            _ = _boards.Card(); // what is served next clears out what is too old
        }

        Assert.False(_boards.State.Served.ContainsKey("same"));
        Assert.NotEqual(first, _boards.Granted(request).Outcome);
    }

    [Fact]
    public void A_refused_request_may_be_granted_later()
    {
        var request = new Input.UpdateCard("same", 1, "Renamed", null, null);
        Assert.Equal("cardNotFound", _boards.Refused(request).Kind);
        _ = _boards.Card();
        _ = _boards.Granted(request);
        Assert.Equal("Renamed", _boards.State.Cards[1].Title);
    }

    [Fact]
    public void The_column_follows_the_run_and_a_person_overrules_it()
    {
        var run = _boards.Running();
        var card = _boards.State.Runs[run].CardId;
        Assert.Equal(Column.InProgress, _boards.State.Cards[card].Column);
        _ = _boards.Granted(To(card, Column.Backlog, null));
        _ = _boards.EndTurn(run);
        Assert.Equal(Column.Backlog, _boards.State.Cards[card].Column);
        _ = _boards.End(run, dirty: true);
        Assert.Equal(Column.Review, _boards.State.Cards[card].Column);
    }
}
