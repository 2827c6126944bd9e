using System.Xml.Linq;
using KanBots.Sidecar.Cli;
using KanBots.Sidecar.Protocol;
using BoardState = KanBots.Sidecar.Board.BoardState;

namespace KanBots.Sidecar.Tests.Architecture;

public sealed class RoomTests
{
    private const string Root = "KanBots.Sidecar";
    private static readonly string[] Assemblies = [typeof(Help).Assembly.Location, typeof(Methods).Assembly.Location, typeof(BoardState).Assembly.Location];
    private static readonly IReadOnlyDictionary<string, string[]> Table = RoomTable.Parse(File.ReadAllText(RepositoryRoot.Of("ARCHITECTURE.md")));

    [Fact]
    public void Every_room_uses_exactly_the_rooms_that_the_table_of_ARCHITECTURE_names()
    {
        var uses = Assemblies.SelectMany(assembly => RoomReader.Read(assembly, name => RoomOf(name, Root))).ToLookup(use => (use.From, use.To));
        var allowed = Table.SelectMany(row => row.Value.Select(to => (From: row.Key, To: to))).ToHashSet();
        var forbidden = uses.Where(edge => !allowed.Contains(edge.Key))
            .Select(edge => $"{edge.Key.From} may not use {edge.Key.To}, but does:\n{string.Join('\n', edge.Select(use => $"  {use.User} -> {use.Used}").Distinct())}");
        var unused = allowed.Where(edge => !uses.Contains(edge)).Select(edge => $"{edge.From} may use {edge.To} in the table, but nothing does: take it out of the table.");
        var wrong = forbidden.Concat(unused).ToArray();
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void Every_folder_of_the_executable_is_a_room_of_the_table_and_every_file_has_the_namespace_of_its_folder()
    {
        var source = RepositoryRoot.Of("src", Root);
        var folders = Directory.GetDirectories(source).Select(folder => Path.GetFileName(folder)!).Where(name => name is not ("bin" or "obj" or "Properties"));
        Assert.Equal(Table.Keys.Except(["Protocol", "Board"]).Order(), folders.Order());
        foreach (var file in folders.SelectMany(folder => Directory.GetFiles(Path.Combine(source, folder), "*.cs", SearchOption.AllDirectories)))
        {
            var wanted = $"namespace {Root}.{Path.GetRelativePath(source, Path.GetDirectoryName(file)!).Replace(Path.DirectorySeparatorChar, '.')};";
            Assert.True(File.ReadLines(file).Contains(wanted), $"{Path.GetRelativePath(RepositoryRoot.Path, file)}: error: expected `{wanted}`");
        }
    }

    [Theory]
    [InlineData("Rpc")]
    [InlineData("Serving")]
    [InlineData("Cli")]
    public void Nothing_near_an_editor_knows_one_agent_from_another(string room)
    {
        var uses = RoomReader.Read(Assemblies[0], name => name == $"{Root}.{room}" || name.StartsWith($"{Root}.{room}.", StringComparison.Ordinal) ? room : name.StartsWith($"{Root}.Agents.", StringComparison.Ordinal) ? "one agent" : null);
        Assert.DoesNotContain(uses, use => use.From == room);
    }

    [Theory]
    [InlineData("Protocol")]
    [InlineData("Board")]
    public void Protocol_and_Board_refer_to_no_project_and_carry_no_package_into_the_executable(string name)
    {
        var project = XDocument.Load(RepositoryRoot.Of("src", $"{Root}.{name}", $"{Root}.{name}.csproj"));
        Assert.DoesNotContain(project.Descendants(), element => element.Name.LocalName is "ProjectReference" or "PackageReference" or "Reference");
    }

    [Fact]
    public void The_reader_sees_an_edge_however_it_is_hidden()
    {
        var sample = $"{typeof(RoomTests).Namespace}.Samples";
        var seen = RoomReader.Read(typeof(RoomTests).Assembly.Location, name => RoomOf(name, sample)).ToArray();
        Assert.All(seen, use => Assert.Equal(("One", "Two"), (use.From, use.To)));
        Assert.Equal(
            ["ByAttribute", "ByBaseType", "ByCatch", "ByConstraint`1", "ByField", "ByInterface", "ByIterator", "ByLambda", "ByNested", "ByRecordParameter", "ByStateMachine", "ByTypeArgument", "ByTypeOf"],
            seen.Select(use => use.User.Split('.')[^1]).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_table_is_read_from_the_document_as_it_stands()
    {
        var table = RoomTable.Parse("# A\n## Rooms\n| room | may use | what |\n|---|---|---|\n| `src/K.Board` | — | core |\n| `src/KanBots.Sidecar` | both | exe |\n| `Git/` | Processes, Board | x |\n## B\n| `Rpc/` | Git | y |\n");
        Assert.Equal(["Board", "Git"], table.Keys.Order());
        Assert.Empty(table["Board"]);
        Assert.Equal(["Processes", "Board"], table["Git"]);
    }

    /// <summary>The room is the first word below the root; the root itself, where Program joins all rooms, is none.</summary>
    private static string? RoomOf(string name, string root) => name.StartsWith($"{root}.", StringComparison.Ordinal) ? name[(root.Length + 1)..].Split('.')[0] : null;
}
