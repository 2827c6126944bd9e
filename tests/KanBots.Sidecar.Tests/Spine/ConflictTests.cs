using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>What would not go together is on the cards before anybody lands anything.</summary>
public sealed class ConflictTests
{
    private static string Said(JsonNode board, long run) => string.Join("; ", (Place.Run(board.AsObject(), run)["conflicts"]?.AsArray() ?? []).Select(conflict => $"{(conflict!["runId"] is { } other ? $"run {other}" : (string)conflict["target"]!)}: {string.Join(' ', conflict["paths"]!.AsArray())}").Order(StringComparer.Ordinal));

    [Fact]
    public void Runs_that_conflict_with_each_other_or_with_their_target_say_so_until_it_is_over()
    {
        using var place = new Place();
        Place.Git(place.Repository, "config", "user.name", "Una");
        Place.Git(place.Repository, "config", "user.email", "una@example.com");
        place.Script("one", """[{"write":"readme.txt","text":"by one\n"},{"write":"only one.txt","text":"1\n"},{"say":"done"}]""");
        place.Script("two", """[{"write":"readme.txt","text":"by two\n"},{"write":"only two.txt","text":"2\n"},{"say":"done"}]""");
        place.Script("three", """[{"write":"only three.txt","text":"3\n"},{"say":"done"}]""");
        var client = place.Start();
        var one = Place.Dispatch(client, Place.Card(client, 1, "one"));
        var two = Place.Dispatch(client, Place.Card(client, 2, "two"));
        var three = Place.Dispatch(client, Place.Card(client, 3, "three"));
        foreach (var run in new[] { one, two, three })
        {
            Place.UntilState(client, run, "inReview");
        }

        var board = Place.Until(client, "one and two conflict", board => Said(board, one).Length > 0 && Said(board, two).Length > 0);
        Assert.Equal(($"run {two}: readme.txt", $"run {one}: readme.txt", ""), (Said(board, one), Said(board, two), Said(board, three)));
        Assert.Contains(client.Notifications("board/didChange"), change => change["runs"]!.AsArray().Any(run => run!["conflicts"] is not null));

        var tree = (string)client.Call("review/changes", new JsonObject { ["runId"] = one })["tree"]!;
        client.Ask("run/promote", new JsonObject { ["runId"] = one, ["targetBranch"] = "main", ["expectedTree"] = tree });
        Place.Until(client, "two conflicts with what has landed", board => Said(board, two) == "main: readme.txt");
        client.Ask("run/discard", new JsonObject { ["runId"] = two });
        Place.Until(client, "nothing conflicts", board => Said(board, two).Length == 0 && Said(board, three).Length == 0);
    }
}
