namespace KanBots.Sidecar.Tests.Architecture;

/// <summary>The table "Rooms" of ARCHITECTURE.md: which room may use which. The document is the only place that says so.</summary>
internal static class RoomTable
{
    private const string Executable = "src/KanBots.Sidecar";

    /// <returns>By room, the rooms it may use; a room is named by the last word of its path (`Git/` is Git).</returns>
    internal static IReadOnlyDictionary<string, string[]> Parse(string markdown)
    {
        var lines = markdown.Split('\n').SkipWhile(line => line != "## Rooms").Skip(1).TakeWhile(line => !line.StartsWith("## ", StringComparison.Ordinal));
        var rows = lines.Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('|', StringSplitOptions.TrimEntries));
        return rows.Where(cells => cells[1] != $"`{Executable}`").ToDictionary(cells => Name(cells[1]), cells => cells[2] == "—" ? [] : cells[2].Split(',', StringSplitOptions.TrimEntries));
    }

    private static string Name(string cell) => cell.Trim('`').TrimEnd('/').Split('/', '.')[^1];
}
