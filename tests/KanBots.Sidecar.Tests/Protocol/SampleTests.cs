using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Protocol;

/// <summary>Golden samples of everything that travels. The TypeScript side reads the same files in tests/conformance.</summary>
public sealed class SampleTests
{
    private static string Folder => RepositoryRoot.Of("schema", "samples");

    [Fact]
    public void The_committed_samples_are_what_the_records_write()
    {
        var wanted = Samples.TypeNames.ToDictionary(name => $"{name}.json", Samples.FileOf);
        if (Environment.GetEnvironmentVariable("UPDATE_EXPECT") == "1")
        {
            Directory.CreateDirectory(Folder);
            Array.ForEach(Directory.GetFiles(Folder, "*.json"), File.Delete);
            foreach (var (file, text) in wanted)
            {
                File.WriteAllText(Path.Combine(Folder, file), text);
            }
        }

        Assert.True(Directory.Exists(Folder), "schema/samples is missing: run this test with UPDATE_EXPECT=1.");
        var found = Directory.GetFiles(Folder).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal);
        Assert.Equal(wanted.Keys.Order(StringComparer.Ordinal), found);
        foreach (var (file, text) in wanted)
        {
            Assert.True(File.ReadAllText(Path.Combine(Folder, file)) == text, $"schema/samples/{file} is stale: run this test with UPDATE_EXPECT=1, look at the difference and commit it.");
        }
    }

    [Fact]
    public void Every_sample_is_written_again_as_it_was_read()
    {
        foreach (var (name, sample) in Committed())
        {
            Assert.Equal(sample.ToJsonString(), JsonNode.Parse(Samples.Rewrite(name, sample.ToJsonString()))!.ToJsonString());
        }
    }

    [Fact]
    public void Members_from_the_future_are_ignored_wherever_they_stand()
    {
        foreach (var (name, sample) in Committed())
        {
            var before = sample.ToJsonString();
            var more = sample.DeepClone();
            AddUnknown(more);
            Assert.Equal(before, JsonNode.Parse(Samples.Rewrite(name, more.ToJsonString()))!.ToJsonString());
        }
    }

    /// <summary>Not into what is open by design: maps of settings, origins and limits, and what an agent gave.</summary>
    private static void AddUnknown(JsonNode? node)
    {
        if (node is JsonArray array)
        {
            foreach (var item in array)
            {
                AddUnknown(item);
            }
        }
        else if (node is JsonObject members)
        {
            foreach (var (key, value) in members.ToList())
            {
                if (key is not ("values" or "origins" or "limits" or "input" or "id" or "token" or "progressToken"))
                {
                    AddUnknown(value);
                }
            }

            members["fromTheFuture"] = new JsonArray(1, new JsonObject { ["kind"] = "new" });
        }
    }

    private static IEnumerable<(string Name, JsonNode Sample)> Committed()
    {
        var samples = Samples.TypeNames.SelectMany(name => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, $"{name}.json")))!.AsArray().Select(sample => (name, sample!))).ToList();
        Assert.True(samples.Count > 100, $"only {samples.Count} samples");
        return samples.Where(sample => sample.Item2 is JsonObject);
    }
}
