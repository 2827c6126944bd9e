using System.Globalization;
using System.Text.Json;
using KanBots.Sidecar.Board;
using Microsoft.Data.Sqlite;

namespace KanBots.Sidecar.Journal;

/// <summary>That a board is being, or was, made again from what else there is. Lies beside the database and outlives it.</summary>
/// <param name="Why">What was wrong, in the words of whoever found it.</param>
/// <param name="KeptAs">The name under which the broken files lie in the same folder.</param>
/// <param name="Done">False while the new database may hold only part of the board.</param>
internal sealed record RebuildNote(int Format, DateTimeOffset At, string Why, string KeptAs, bool Done);

/// <summary>Finds out that a database is broken, and keeps it aside: never deleted, never overwritten, since it may hold what nobody else has.</summary>
internal static class Rescue
{
    /// <summary>Of the main file, in bytes: a larger one is not read through at start, and its damage is found where it is read.</summary>
    internal const long CheckedBytesMax = 64L << 20;

    private const int WalHeaderBytes = 32;
    private static readonly string[] Suffixes = ["", "-wal", "-shm"];

    internal static string NotePath(string database) => Path.Combine(Path.GetDirectoryName(database)!, "rebuilt.json");

    internal static RebuildNote? ReadNote(string database)
    {
        try
        {
            return File.Exists(NotePath(database)) ? JsonSerializer.Deserialize(File.ReadAllBytes(NotePath(database)), JournalJson.Default.RebuildNote) : null;
        }
        catch (JsonException)
        {
            return null; // whatever was rebuilt then, the database that is there now speaks for itself
        }
    }

    internal static byte[] Write(RebuildNote note) => [.. JsonSerializer.SerializeToUtf8Bytes(note, JournalJson.Default.RebuildNote), (byte)'\n'];

    /// <summary>Named by the time, and by a number when that is taken.</summary>
    internal static RebuildNote Begin(string database, string why, DateTimeOffset now)
    {
        var stem = $"{Path.GetFileName(database)}.broken-{now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}";
        var name = stem;
        for (var i = 2; Suffixes.Any(suffix => File.Exists(Beside(database, name) + suffix)); i++)
        {
            name = FormattableString.Invariant($"{stem}-{i}");
        }

        return new RebuildNote(1, now, why, name, Done: false);
    }

    internal static string Beside(string database, string name) => Path.Combine(Path.GetDirectoryName(database)!, name);

    /// <summary>Moves what lies at the database's path to where the note says. What a crash in the middle of an earlier rebuild has left
    /// is moved too, to a name of its own.</summary>
    internal static void KeepAside(string database, RebuildNote note, DateTimeOffset now)
    {
        var kept = Beside(database, note.KeptAs);
        var unfinished = Beside(database, Begin(database, note.Why, now).KeptAs);
        foreach (var suffix in Suffixes.Where(suffix => File.Exists(database + suffix)))
        {
            File.Move(database + suffix, (File.Exists(kept + suffix) ? unfinished : kept) + suffix);
        }
    }

    /// <summary>What SQLite would take for an empty board, or would silently leave out.</summary>
    /// <param name="wasThere">A board was opened here before.</param>
    /// <returns>What is wrong, or null.</returns>
    internal static string? LookBeforeOpen(string database, bool wasThere)
    {
        if (wasThere && new FileInfo(database) is not { Exists: true, Length: > 0 })
        {
            return "the database is missing or empty";
        }

        if (new FileInfo(database + "-wal") is { Exists: true, Length: > 0 } wal)
        {
            using var file = new FileStream(wal.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var header = new byte[WalHeaderBytes];
            if (file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length || header is not [0x37, 0x7f, 0x06, 0x82 or 0x83, ..])
            {
                return "the database's write-ahead log is not one";
            }
        }

        return null;
    }

    /// <summary>Damage of the content. A full disk, a lock or a missing right is none: waiting or a person helps there.</summary>
    internal static bool IsDamage(Exception failure) => failure switch
    {
        SqliteException { SqliteErrorCode: 1 or 11 or 24 or 26 } => true, // ERROR (a schema that is not ours), CORRUPT, FORMAT, NOTADB
        SqliteException or IOException or UnauthorizedAccessException or OutOfMemoryException => false,
        JsonException or InvalidDataException or FormatException or InvalidCastException or InvalidOperationException or NullReferenceException or ArgumentException or OverflowException => true,
        _ => false,
    };

    /// <summary>The fold of every event that can still be read: up to the damage, and back to it from the end.</summary>
    internal static BoardState Salvage(string path)
    {
        var state = BoardState.Empty("");
        if (new FileInfo(path) is not { Exists: true, Length: > 0 })
        {
            return state;
        }

        var ascending = new List<(long Seq, Event Event)>();
        var descending = new List<(long Seq, Event Event)>();
        if (!TryRead(path, "asc", ascending))
        {
            _ = TryRead(path, "desc", descending);
            descending.Reverse();
        }

        var last = ascending.Count == 0 ? 0 : ascending[^1].Seq;
        foreach (var (_, happened) in ascending.Concat(descending.Where(row => row.Seq > last)))
        {
            try
            {
                state = happened is Event.RunArchived ? state : Evolver.Evolve(state, happened); // whoever reads it all again has them all at hand
            }
            catch (Exception part) when (IsDamage(part))
            {
                // It had a shape, and a part of it was missing: the others count.
            }
        }

        return state;
    }

    /// <returns>False when the damage was met.</returns>
    private static bool TryRead(string path, string order, List<(long Seq, Event Event)> into)
    {
        try
        {
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, Mode = SqliteOpenMode.ReadOnly }.ToString());
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = $"select seq, kind, json from journal order by seq {order}";
            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                try
                {
                    into.Add((reader.GetInt64(0), EventJson.Read(reader.GetString(1), reader.GetFieldValue<byte[]>(2))));
                }
                catch (Exception row) when (row is not SqliteException && IsDamage(row))
                {
                    // One event that cannot be read must not take the others with it.
                }
            }

            return true;
        }
        catch (SqliteException)
        {
            return false;
        }
    }
}
