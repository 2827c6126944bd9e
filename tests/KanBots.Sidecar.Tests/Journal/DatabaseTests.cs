using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Journal;
using KanBots.Sidecar.Processes;
using Microsoft.Data.Sqlite;

namespace KanBots.Sidecar.Tests.Journal;

/// <summary>The journal in a real SQLite file.</summary>
public sealed class DatabaseTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 9, 10, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("kanbots-db-").FullName;

    private string DatabasePath => Path.Combine(_folder, "board.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Database Open(string build = "build-1")
    {
        PrivateFiles.Touch(DatabasePath);
        return Database.Open(DatabasePath, "epoch-1", build);
    }

    /// <summary>A second look at the file, once nobody has it open.</summary>
    private T Sql<T>(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={DatabasePath};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (T)Convert.ChangeType(command.ExecuteScalar()!, typeof(T), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static string Text(BoardState state) => Encoding.UTF8.GetString(Snapshot.Write(state));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void What_is_loaded_is_the_fold_of_what_was_appended(int seed)
    {
        var events = new RandomEvents(seed).Take(1_500);
        using (var database = Open())
        {
            foreach (var some in events.Chunk(7))
            {
                database.Append(some, Now);
            }
        }

        using var again = Open();
        Assert.Equal(Text(Evolver.EvolveAll(BoardState.Empty("epoch-1"), events)), Text(again.Load()));
    }

    [Fact]
    public void Random_events_are_of_every_kind_of_the_journal() =>
        Assert.Equal(EventJson.Kinds.Order(), new RandomEvents(1).Take(1_500).Select(happened => happened.GetType().Name).Distinct().Order());

    [Fact]
    public void An_event_survives_the_journal_whole()
    {
        foreach (var happened in new RandomEvents(9).Take(500))
        {
            var (kind, json) = EventJson.Write(happened);
            Assert.Equal(Encoding.UTF8.GetString(json), Encoding.UTF8.GetString(EventJson.Write(EventJson.Read(kind, json)).Json));
        }

        Assert.Throws<InvalidDataException>(() => EventJson.Read("Unheard", "{}"u8));
    }

    private List<Event> WithSnapshot()
    {
        var events = new RandomEvents(4).Take(Database.EventsPerSnapshot + 100);
        using var database = Open();
        var state = database.Load();
        foreach (var some in events.Chunk(50))
        {
            database.Append(some, Now);
            state = Evolver.EvolveAll(state, some);
            database.KeepSnapshot(state);
        }

        return events;
    }

    [Fact]
    public void A_snapshot_and_what_came_after_are_the_same_state_as_everything_from_the_start()
    {
        var events = WithSnapshot();
        Assert.Equal(Database.EventsPerSnapshot, Sql<long>("select seq from snapshot"));
        var full = Text(Evolver.EvolveAll(BoardState.Empty("epoch-1"), events));
        // Only a state that comes from the snapshot can be right without the events before it.
        Sql<string>("delete from journal where seq <= 1000 returning ''");
        using (var same = Open())
        {
            Assert.Equal(full, Text(same.Load()));
        }

        using var other = Open("build-2");
        Assert.Equal(Text(Evolver.EvolveAll(BoardState.Empty("epoch-1"), events.Skip(1_000))), Text(other.Load()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("half")]
    [InlineData("bits")]
    [InlineData("""{"revision":1,"cards":[null],"runs":[],"decisions":[],"spend":[],"served":[]}""")]
    public void A_damaged_snapshot_is_left_and_the_journal_read(string damage)
    {
        var events = WithSnapshot();
        using (var connection = new SqliteConnection($"Data Source={DatabasePath};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = damage switch
            {
                "half" => "update snapshot set json = substr(json, 1, length(json) / 2)",
                "bits" => "update snapshot set json = zeroblob(length(json))",
                _ => "update snapshot set json = cast($json as blob)",
            };
            command.Parameters.AddWithValue("$json", damage);
            command.ExecuteNonQuery();
        }

        using var database = Open();
        Assert.Equal(Text(Evolver.EvolveAll(BoardState.Empty("epoch-1"), events)), Text(database.Load()));
    }

    private static IndexedLine Indexed(long seq, int items, long from, long to, int launch = 1) => new(launch, from, to, seq, items, 0, Now);

    [Fact]
    public void What_was_read_what_it_caused_and_how_far_it_went_come_together_or_not_at_all()
    {
        using (var database = Open())
        {
            database.Ingest(1, 1, 10, "{\"a\":1}", [Indexed(1, 2, 0, 10)], [new Event.CardDeleted(1)], Now);
            // The second line has a number that is taken: nothing of this may stay.
            Assert.Throws<SqliteException>(() => database.Ingest(1, 1, 30, "{\"a\":2}", [Indexed(3, 1, 10, 20), Indexed(1, 1, 20, 30)], [new Event.CardDeleted(2)], Now));
            Assert.Equal(new StreamPosition(10, "{\"a\":1}", 3), database.Position(1, 1));
            Assert.Single(database.Lines(1, 0, 9));
            database.Ingest(1, 1, 30, "{\"a\":3}", [Indexed(3, 1, 10, 30)], [new Event.CardDeleted(3)], Now);
        }

        Assert.Equal("""{"cardId":1},{"cardId":3}""", Sql<string>("select group_concat(cast(json as text)) from journal"));
    }

    [Fact]
    public void The_position_goes_on_over_launches_and_restarts()
    {
        using (var database = Open())
        {
            Assert.Equal(new StreamPosition(0, null, 1), database.Position(1, 1));
            database.Ingest(1, 1, 10, "one", [Indexed(1, 2, 0, 4), Indexed(3, 1, 4, 10)], [], Now);
            Assert.Equal(new StreamPosition(0, null, 4), database.Position(1, 2)); // another stream, the same thread
            database.Ingest(1, 2, 5, "two", [Indexed(4, 1, 0, 5, launch: 2)], [], Now);
        }

        using var again = Open();
        Assert.Equal(new StreamPosition(10, "one", 5), again.Position(1, 1));
        Assert.Equal(new StreamPosition(5, "two", 5), again.Position(1, 2));
        Assert.Equal(new StreamPosition(0, null, 1), again.Position(2, 1));
        Assert.Equal([1, 3, 4], again.Lines(1, 0, 9).Select(line => line.FirstSeq));
        Assert.Equal([1, 3], again.Lines(1, 1, 2).Select(line => line.FirstSeq)); // item 2 is in the first line
        Assert.Equal([4], again.Lines(1, 3, 9).Select(line => line.FirstSeq));
        Assert.Equal(Indexed(1, 2, 0, 4), again.Lines(1, 0, 1).Single());
    }

    /// <summary>Against a list of them, beside another run's.</summary>
    [Fact]
    public void The_lines_after_and_before_any_item_are_found_from_either_side()
    {
        using var database = Open();
        var random = new Random(5);
        var lines = new List<IndexedLine>();
        for (long seq = 1; lines.Count < 60; seq += lines[^1].Items)
        {
            lines.Add(Indexed(seq, random.Next(1, 5), 10 * seq, (10 * seq) + 5));
        }

        database.Ingest(2, 1, 10_000, "one", lines, [], Now);
        database.Ingest(1, 1, 10_000, "other", [Indexed(1, 500, 0, 10)], [], Now);
        database.Ingest(3, 1, 10_000, "other", [Indexed(1, 500, 0, 10)], [], Now);
        for (var seq = 0; seq < lines[^1].FirstSeq + 6; seq++)
        {
            foreach (var limit in new[] { 1, 3, 100 })
            {
                Assert.Equal(lines.Where(line => line.FirstSeq + line.Items - 1 > seq).Take(limit), database.Lines(2, seq, limit));
                Assert.Equal(lines.Where(line => line.FirstSeq < seq).Reverse().Take(limit), database.LinesBack(2, seq, limit));
            }
        }

        Assert.Equal(lines[^1], database.LinesBack(2, long.MaxValue, 1).Single());
    }

    [Fact]
    public void Lines_beyond_what_the_stream_still_has_are_cut_back_and_read_again()
    {
        using var database = Open();
        database.Ingest(1, 1, 30, "one", [Indexed(1, 1, 0, 10), Indexed(2, 1, 10, 20) with { Failure = "rateLimited" }, Indexed(3, 1, 20, 30)], [], Now);
        database.Ingest(2, 1, 30, "other", [Indexed(1, 1, 0, 30) with { Failure = "billing" }], [], Now);
        Assert.Equal([null, "rateLimited", null], database.Lines(1, 0, 9).Select(line => line.Failure));
        Assert.Equal(2, database.CutBack(1, 1, 15));
        Assert.Equal(new StreamPosition(10, "one", 2), database.Position(1, 1));
        Assert.Equal(new StreamPosition(30, "other", 2), database.Position(2, 1));
        Assert.Equal(0, database.CutBack(1, 1, 10));
        Assert.Equal(1, database.CutBack(1, 1, 0));
        Assert.Equal(new StreamPosition(0, "one", 1), database.Position(1, 1));
        database.Ingest(1, 1, 20, "again", [Indexed(1, 1, 0, 10), Indexed(2, 1, 10, 20)], [], Now);
        Assert.Equal([null, null], database.Lines(1, 0, 9).Select(line => line.Failure)); // of what is gone nothing is left
        Assert.Equal("billing", database.Lines(2, 0, 9).Single().Failure);
    }

    [Fact]
    public void A_board_of_a_newer_build_is_not_touched()
    {
        Open().Dispose();
        Sql<string>("update meta set value='2' where key='storageVersion' returning ''");
        var refused = Assert.Throws<StorageNewerException>(() => Open().Dispose());
        Assert.Contains("Update", refused.Message, StringComparison.Ordinal);
        Assert.Equal("2", Sql<string>("select value from meta where key='storageVersion'")); // and it is not locked either
    }

    [Fact]
    public void The_first_epoch_stays()
    {
        Open().Dispose();
        using var again = Database.Open(DatabasePath, "epoch-2", "build-1");
        Assert.Equal("epoch-1", again.Epoch);
    }

    [Fact]
    public void Of_two_at_once_the_second_fails_in_bounded_time_and_the_first_goes_on()
    {
        using (var first = Open())
        {
            var clock = Stopwatch.StartNew();
            Assert.Throws<SqliteException>(() => Open());
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(4 * Database.BusyTimeoutSeconds));
            first.Append([new Event.CardDeleted(1)], Now);
        }

        using var later = Open();
        Assert.Equal(1, later.Load().Revision);
    }

    [Fact]
    public void Only_its_user_can_read_the_board_and_what_sqlite_puts_beside_it()
    {
        using var database = Open();
        database.Append([new Event.CardDeleted(1)], Now);
        var files = Directory.GetFiles(_folder).ToDictionary(path => Path.GetFileName(path), path => new FileInfo(path).UnixFileMode);
        Assert.Contains("board.db-wal", files.Keys);
        Assert.All(files, file => Assert.Equal((file.Key, UnixFileMode.UserRead | UnixFileMode.UserWrite), (file.Key, file.Value)));
    }

    [Fact]
    public void An_event_of_a_newer_build_is_no_damage()
    {
        using (var database = Open())
        {
            database.Append([new Event.CardDeleted(1)], Now);
        }

        Sql<string>("update journal set kind='SomethingNew' returning ''");
        var before = File.ReadAllBytes(DatabasePath);
        Assert.Throws<StorageNewerException>(() => Database.OpenOrRescue(DatabasePath, "epoch-2", "build-1", wasThere: true, Now, PrivateFiles.Touch, note => Assert.Fail(note.Why)));
        Assert.Equal(["board.db"], Directory.GetFiles(_folder).Select(Path.GetFileName).Where(name => !name!.Contains('-')));
        Assert.Equal(before.Length, new FileInfo(DatabasePath).Length);
    }

    [Fact]
    public void A_database_that_somebody_has_open_is_no_damage()
    {
        using var first = Open();
        Assert.Throws<SqliteException>(() => Database.OpenOrRescue(DatabasePath, "epoch-2", "build-1", wasThere: true, Now, PrivateFiles.Touch, note => Assert.Fail(note.Why)));
        first.Append([new Event.CardDeleted(1)], Now);
    }

    [Fact]
    public void A_file_that_is_no_board_is_refused_aloud()
    {
        File.WriteAllBytes(DatabasePath, Encoding.UTF8.GetBytes(new string('x', 8192)));
        Assert.Throws<SqliteException>(() => Open());
    }
}
