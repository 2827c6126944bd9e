using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;
using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Journal;

/// <summary>This build is too old for what lies on disk.</summary>
internal sealed class StorageNewerException(long found, string? what = null)
    : IOException($"The board was written by a newer KanBots ({what ?? FormattableString.Invariant($"storage version {found}")}, this build knows {Database.StorageVersion}). Update this editor's extension.");

/// <summary>Where one line lies in a run's stream, and which items of the thread it holds.</summary>
/// <param name="MicroUsd">Exact cost that the line added.</param>
/// <param name="Failure">Of a turn's result that is an error, its kind; it depends on the lines before.</param>
internal readonly record struct IndexedLine(int Launch, long From, long To, long FirstSeq, int Items, long MicroUsd, DateTimeOffset At, string? Failure = null);

/// <summary>How far a launch's stream was read.</summary>
/// <param name="Decoder">The decoder's own state as JSON, null before the first line.</param>
/// <param name="NextSeq">The sequence number, within the run, of the next item.</param>
internal sealed record StreamPosition(long Offset, string? Decoder, long NextSeq);

/// <summary>The state on disk: the journal of events, and the index of each stream. One writer, one thread at a time; the exclusive
/// lock is the second guard against two serves.</summary>
internal sealed class Database : IDisposable
{
    internal const long StorageVersion = 1;
    internal const int BusyTimeoutSeconds = 5;

    /// <summary>Events after which the folded state is kept anew, so that a start replays at most so many.</summary>
    internal const int EventsPerSnapshot = 2_000;

    /// <summary>Pages in the write-ahead log, 4 KiB each, before they go into the database: then the loop waits for the disk twice.</summary>
    private const int PagesPerCheckpoint = 4_000;

    private readonly SqliteConnection _connection;
    private readonly string _build;
    private readonly Prepared _insertLine;
    private long _sinceSnapshot;

    private Database(SqliteConnection connection, string epoch, string build)
    {
        _connection = connection;
        _insertLine = new Prepared(connection, "insert into line(run, launch, at, seq, start, stop, items, cost) values($1, $2, $3, $4, $5, $6, $7, $8)");
        Epoch = epoch;
        _build = build;
    }

    internal string Epoch { get; }

    /// <param name="path">Exists, empty or not: SQLite would make it by umask, and its -wal and -shm take this file's mode.</param>
    /// <param name="newEpoch">Names a new database. A client that has another epoch starts over.</param>
    /// <param name="build">Whose snapshots can be trusted: another build may fold the same events into another shape.</param>
    /// <exception cref="StorageNewerException">Never migrated down.</exception>
    internal static Database Open(string path, string newEpoch, string build)
    {
        SQLitePCL.Batteries_V2.Init();
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = BusyTimeoutSeconds }.ToString());
        try
        {
            connection.Open();
            Prepare(connection, newEpoch);
            return new Database(connection, Scalar(connection, "select value from meta where key='epoch'")!, build);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void Prepare(SqliteConnection connection, string newEpoch)
    {
        Run(connection, "pragma locking_mode=EXCLUSIVE");
        Run(connection, "pragma journal_mode=WAL");
        Run(connection, FormattableString.Invariant($"pragma wal_autocheckpoint={PagesPerCheckpoint}"));
        Run(connection, "create table if not exists meta(key text primary key, value text not null) without rowid");
        var version = Scalar(connection, "select value from meta where key='storageVersion'");
        if (version is not null && long.Parse(version, CultureInfo.InvariantCulture) > StorageVersion)
        {
            throw new StorageNewerException(long.Parse(version, CultureInfo.InvariantCulture));
        }

        Run(connection, """
            create table if not exists journal(seq integer primary key autoincrement, at text not null, kind text not null, json blob not null);
            create index if not exists archived on journal(json_extract(cast(json as text), '$.run.id')) where kind = 'RunArchived';
            create table if not exists snapshot(id integer primary key check(id = 0), build text not null, seq integer not null, json blob not null);
            create table if not exists stream(run integer not null, launch integer not null, offset integer not null, decoder text, primary key(run, launch)) without rowid;
            create table if not exists line(run integer not null, seq integer not null, launch integer not null, start integer not null, stop integer not null, items integer not null, cost integer not null, at integer not null, primary key(run, seq)) without rowid;
            create table if not exists failure(run integer not null, seq integer not null, kind text not null, primary key(run, seq)) without rowid;
            """);
        Run(connection, "insert or ignore into meta values('storageVersion', $version), ('epoch', $epoch)", ("$version", StorageVersion.ToString(CultureInfo.InvariantCulture)), ("$epoch", newEpoch));
    }

    /// <summary>Opens it and reads it through, or keeps what is broken aside and opens a new one.</summary>
    /// <param name="wasThere">A board was opened here before: an empty file is none.</param>
    /// <returns>The database, and the note of a rebuild that is now the caller's to do.</returns>
    internal static (Database Database, RebuildNote? Rebuild) OpenOrRescue(string path, string newEpoch, string build, bool wasThere, DateTimeOffset now, Action<string> makePrivate, Action<RebuildNote> keepNote)
    {
        var note = Rescue.ReadNote(path) is { Done: false } pending ? pending : Rescue.LookBeforeOpen(path, wasThere) is { } seen ? Rescue.Begin(path, seen, now) : null;
        if (note is null)
        {
            Database? sound = null;
            try
            {
                makePrivate(path);
                sound = Open(path, newEpoch, build);
                sound.Check();
                sound._loaded = sound.Load();
                return (sound, null);
            }
            catch (Exception failure) when (Rescue.IsDamage(failure))
            {
                sound?.Dispose();
                note = Rescue.Begin(path, failure.Message, now);
            }
            catch
            {
                sound?.Dispose();
                throw;
            }
        }

        keepNote(note); // before anything moves: a crash from here on begins the rebuild again
        Rescue.KeepAside(path, note, now);
        makePrivate(path);
        return (Open(path, newEpoch, build), note);
    }

    /// <summary>A run that left the memory, as it was; null when the journal cannot say.</summary>
    internal Event.RunArchived? Archived(long run)
    {
        using var command = Command(_connection, "select json from journal where kind = 'RunArchived' and json_extract(cast(json as text), '$.run.id') = $run order by seq desc limit 1", ("$run", run));
        using var reader = command.ExecuteReader();
        return reader.Read() ? (Event.RunArchived)EventJson.Read(nameof(Event.RunArchived), reader.GetFieldValue<byte[]>(0)) : null;
    }

    private BoardState? _loaded;

    /// <summary>Pages that are torn, and not what is written in them. As long as it takes little time.</summary>
    private void Check()
    {
        if (new FileInfo(_connection.DataSource) is { Exists: true, Length: <= Rescue.CheckedBytesMax } && Scalar(_connection, "pragma quick_check(1)") is var said and not "ok")
        {
            throw new InvalidDataException(said);
        }
    }

    /// <summary>The fold of the journal: of all of it, or of what came after the last snapshot of this very build.</summary>
    internal BoardState Load()
    {
        if (_loaded is { } loaded)
        {
            _loaded = null;
            return loaded;
        }

        var (state, from) = ReadSnapshot() ?? (BoardState.Empty(Epoch), 0);
        using var command = Command(_connection, "select kind, json from journal where seq > $from order by seq", ("$from", from));
        using var reader = command.ExecuteReader();
        for (_sinceSnapshot = 0; reader.Read(); _sinceSnapshot++)
        {
            var kind = reader.GetString(0);
            if (!EventJson.Kinds.Contains(kind) && kind.Length > 0 && kind.All(char.IsAsciiLetter))
            {
                throw new StorageNewerException(0, $"the event {kind} of its journal"); // no damage: it must not be rebuilt without it
            }

            state = Evolver.Evolve(state, EventJson.Read(kind, reader.GetFieldValue<byte[]>(1)));
        }

        return state;
    }

    private (BoardState State, long Seq)? ReadSnapshot()
    {
        using var command = Command(_connection, "select seq, json from snapshot where build=$build", ("$build", _build));
        using var reader = command.ExecuteReader();
        return reader.Read() && Snapshot.Read(reader.GetFieldValue<byte[]>(1), Epoch) is { } state ? (state, reader.GetInt64(0)) : null;
    }

    /// <summary>Keeps the folded state when enough has come since the last time.</summary>
    /// <param name="state">The fold of everything in the journal.</param>
    internal void KeepSnapshot(BoardState state)
    {
        if (_sinceSnapshot >= EventsPerSnapshot)
        {
            try
            {
                Transact(durable: false, () => Run(_connection, "insert or replace into snapshot select 0, $build, coalesce(max(seq), 0), $json from journal", ("$build", _build), ("$json", Snapshot.Write(state))));
                _sinceSnapshot = 0;
            }
            catch (SqliteException failure) when (!Rescue.IsDamage(failure))
            {
                // On a full disk: the journal has everything, and the next events try again. What they order must not wait for this.
            }
        }
    }

    /// <summary>Forgets the lines of a launch beyond a length that its stream no longer has. The decoder stays as it is: what it counted was so.</summary>
    /// <returns>The number of lines forgotten.</returns>
    internal long CutBack(long run, int launch, long length)
    {
        long lines = 0;
        Transact(durable: true, () =>
        {
            lines = long.Parse(Scalar(_connection, "select cast(count(*) as text) from line where run=$run and launch=$launch and stop > $length", ("$run", run), ("$launch", launch), ("$length", length))!, CultureInfo.InvariantCulture);
            Run(_connection, "delete from line where run=$run and launch=$launch and stop > $length", ("$run", run), ("$launch", launch), ("$length", length));
            Run(_connection, "delete from failure where run=$run and seq not in (select seq from line where run=$run)", ("$run", run));
            Run(_connection, "update stream set offset = (select coalesce(max(stop), 0) from line where run=$run and launch=$launch) where run=$run and launch=$launch", ("$run", run), ("$launch", launch));
        });
        return lines;
    }

    /// <summary>Forgets where the lines of a launch are, since its stream is about to be removed; what they cost was an event and stays.
    /// One entry without bytes takes their place, with the last of their numbers, so that no number is given again.</summary>
    internal void ForgetLines(long run, int launch) => Transact(durable: true, () =>
    {
        Run(_connection, "insert or replace into line select run, max(seq + items) - 1, launch, 0, 0, 1, 0, max(at) from line where run=$run and launch=$launch and items > 0 group by run, launch", ("$run", run), ("$launch", launch));
        Run(_connection, "delete from line where run=$run and launch=$launch and stop > 0", ("$run", run), ("$launch", launch));
        Run(_connection, "delete from failure where run=$run and seq not in (select seq from line where run=$run)", ("$run", run));
    });

    /// <summary>Brings events to the disk before the effects that they order.</summary>
    internal void Append(IReadOnlyCollection<Event> events, DateTimeOffset at)
    {
        if (events.Count > 0)
        {
            Transact(durable: true, () => AppendEvents(events, at));
        }
    }

    /// <summary>In one transaction: the lines that were read, the offset reached, and what they caused. So every line counts exactly
    /// once; what power loss takes away is read again from the stream.</summary>
    internal void Ingest(long run, int launch, long offset, string decoder, IReadOnlyList<IndexedLine> lines, IReadOnlyCollection<Event> events, DateTimeOffset at) => Transact(durable: false, () =>
    {
        Run(_connection, "insert into stream values($run, $launch, $offset, $decoder) on conflict do update set offset=$offset, decoder=$decoder", ("$run", run), ("$launch", launch), ("$offset", offset), ("$decoder", decoder));
        _insertLine.Bind(0, run, launch, at.ToUnixTimeMilliseconds());
        foreach (var line in lines)
        {
            _insertLine.Bind(3, line.FirstSeq, line.From, line.To, line.Items, line.MicroUsd);
            _insertLine.Run();
            if (line.Failure is { } kind)
            {
                Run(_connection, "insert or replace into failure values($run, $seq, $kind)", ("$run", run), ("$seq", line.FirstSeq), ("$kind", kind));
            }
        }

        AppendEvents(events, at);
    });

    internal StreamPosition Position(long run, int launch)
    {
        using var command = Command(_connection, "select offset, decoder, (select coalesce(max(seq + items), 1) from line where run=$run) from stream where run=$run and launch=$launch union all select 0, null, (select coalesce(max(seq + items), 1) from line where run=$run) limit 1", ("$run", run), ("$launch", launch));
        using var reader = command.ExecuteReader();
        reader.Read();
        return new StreamPosition(reader.GetInt64(0), reader.IsDBNull(1) ? null : reader.GetString(1), reader.GetInt64(2));
    }

    /// <summary>The lines that hold the items after a sequence number, in order.</summary>
    internal IReadOnlyList<IndexedLine> Lines(long run, long afterSeq, int limit) =>
        // The first of them is found in the index: the item after may lie within a line that begins before it.
        ReadLines("run=$run and seq >= coalesce((select max(seq) from line where run=$run and seq <= $seq + 1), 0) and seq + items - 1 > $seq order by seq limit $limit", run, afterSeq, limit);

    /// <summary>The lines that hold the items before a sequence number, from the newest.</summary>
    internal IReadOnlyList<IndexedLine> LinesBack(long run, long beforeSeq, int limit) => ReadLines("run=$run and seq < $seq order by seq desc limit $limit", run, beforeSeq, limit);

    private List<IndexedLine> ReadLines(string which, long run, long seq, int limit)
    {
        using var command = Command(_connection, $"select launch, start, stop, seq, items, cost, at, (select kind from failure where failure.run = line.run and failure.seq = line.seq) from line where {which}", ("$run", run), ("$seq", seq), ("$limit", limit));
        using var reader = command.ExecuteReader();
        var lines = new List<IndexedLine>();
        while (reader.Read())
        {
            lines.Add(new IndexedLine(reader.GetInt32(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt32(4), reader.GetInt64(5), DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(6)), reader.IsDBNull(7) ? null : reader.GetString(7)));
        }

        return lines;
    }

    private void AppendEvents(IReadOnlyCollection<Event> events, DateTimeOffset at)
    {
        _sinceSnapshot += events.Count;
        foreach (var happened in events)
        {
            var (kind, json) = EventJson.Write(happened);
            Run(_connection, "insert into journal(at, kind, json) values($at, $kind, $json)", ("$at", at.ToString("O", CultureInfo.InvariantCulture)), ("$kind", kind), ("$json", json));
        }
    }

    private void Transact(bool durable, Action work)
    {
        Run(_connection, durable ? "pragma synchronous=FULL" : "pragma synchronous=NORMAL");
        Run(_connection, "begin immediate");
        try
        {
            work();
            Run(_connection, "commit");
        }
        catch
        {
            // A full disk ends the transaction by itself, and a rollback of none would hide why it failed.
            if (raw.sqlite3_get_autocommit(_connection.Handle) == 0)
            {
                Run(_connection, "rollback");
            }

            throw;
        }
    }

    private static SqliteCommand Command(SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in values)
        {
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        }

        return command;
    }

    private static void Run(SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        using var command = Command(connection, sql, values);
        command.ExecuteNonQuery();
    }

    private static string? Scalar(SqliteConnection connection, string sql, params ReadOnlySpan<(string Name, object? Value)> values)
    {
        using var command = Command(connection, sql, values);
        return command.ExecuteScalar() as string;
    }

    public void Dispose()
    {
        _insertLine.Dispose();
        _connection.Dispose();
    }

    /// <summary>A statement that SQLite reads once, without a command's parameter objects: for what is run for every line of a stream.</summary>
    private sealed class Prepared : IDisposable
    {
        private readonly SqliteConnection _connection;
        private readonly sqlite3_stmt _statement;

        /// <param name="sql">Its parameters are $1, $2 and so on, all integers.</param>
        internal Prepared(SqliteConnection connection, string sql)
        {
            _connection = connection;
            Require(raw.sqlite3_prepare_v2(connection.Handle, sql, out _statement));
        }

        /// <summary>Values stay until others take their place.</summary>
        /// <param name="first">The number of parameters before these.</param>
        internal void Bind(int first, params ReadOnlySpan<long> values)
        {
            for (var i = 0; i < values.Length; i++)
            {
                Require(raw.sqlite3_bind_int64(_statement, first + i + 1, values[i]));
            }
        }

        internal void Run()
        {
            var end = raw.sqlite3_step(_statement);
            _ = raw.sqlite3_reset(_statement); // says again what the step said
            Require(end == raw.SQLITE_DONE ? raw.SQLITE_OK : end);
        }

        private void Require(int code) => SqliteException.ThrowExceptionForRC(code, _connection.Handle);

        public void Dispose() => _statement.Dispose();
    }
}
