using System.Reflection;
using KanBots.Sidecar.Cli.Schema;
using KanBots.Sidecar.Protocol;

namespace KanBots.Sidecar.Tests.Protocol;

public sealed class SchemaDriftTests
{
    [Fact]
    public void The_committed_schema_is_what_the_records_say()
    {
        foreach (var (name, text) in SchemaVerb.Generate())
        {
            var path = RepositoryRoot.Of("schema", name);
            Assert.True(File.Exists(path) && File.ReadAllText(path) == text, $"schema/{name} is stale: run `dotnet run --project src/KanBots.Sidecar -- schema schema` and commit it.");
        }
    }

    [Fact]
    public void Every_method_name_has_its_entry_in_the_wire_table_and_no_other_is_there()
    {
        var names = typeof(Methods).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!).Order().ToArray();
        Assert.Equal(names, Wire.Methods.Select(method => method.Name).Order());
        Assert.Equal(names.Length, names.Distinct().Count());
    }

    [Fact]
    public void Every_thread_item_of_the_protocol_is_a_variant_with_its_kind()
    {
        var kinds = WireModel.Read().Types.Where(type => type.Kind is not null).Select(type => type.Kind!).Order();
        Assert.Equal(new[] { "answer", "checkpoint", "notice", "question", "raw", "result", "system", "text", "thinking", "toolResult", "toolUse", "userMessage" }, kinds);
    }
}
