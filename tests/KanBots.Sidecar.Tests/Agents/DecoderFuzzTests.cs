using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KanBots.Sidecar.Agents.Claude;
using Xunit.Abstractions;

namespace KanBots.Sidecar.Tests.Agents;

public sealed class DecoderFuzzTests(ITestOutputHelper output)
{
    private const int Seed = 20261122;

    private static readonly int Count = Environment.GetEnvironmentVariable("KANBOTS_LONG") == "1" ? 200_000 : 20_000;

    private static readonly string[] Fragments = ["null", "{}", "[]", "\"\"", "1e999", "-1", "true", "\\ud800", "\\", "\"", "{", "}", "\0", "\uFEFF", "[[[[", "\"type\":", "control_request"];

    [Fact]
    public void No_mutation_of_a_recorded_line_throws_stays_without_an_item_or_takes_unbounded_memory()
    {
        output.WriteLine($"seed {Seed}, {Count} lines");
        var lines = RecordedStreamsTests.AllLines().Select(Encoding.UTF8.GetBytes).ToArray();
        var random = new Random(Seed);
        var state = ClaudeState.Start(false);
        for (var number = 0; number < Count; number++)
        {
            var mutated = Mutate(random, lines);
            try
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                (var line, state) = ClaudeDecoder.Decode(mutated, state);
                var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                Assert.NotEmpty(line.Items);
                Assert.All(line.Items, item => Assert.NotNull(item.Text));
                Assert.True(allocated <= 64L * mutated.Length + 64 * 1024, $"{allocated} bytes were allocated for a line of {mutated.Length}.");
                Assert.InRange(state.Exact, 0, ClaudeCost.DollarsMax);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"Seed {Seed}, line {number}: {Convert.ToBase64String(mutated)}", failure);
            }
        }
    }

    internal static byte[] Mutate(Random random, byte[][] lines)
    {
        var line = lines[random.Next(lines.Length)];
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            line = random.Next(7) switch
            {
                0 => FlipBit(random, line),
                1 => line[..random.Next(line.Length + 1)],
                2 => [.. line[..random.Next(line.Length + 1)], .. Tail(random, lines[random.Next(lines.Length)])],
                3 => Insert(random, line, Encoding.UTF8.GetBytes(Fragments[random.Next(Fragments.Length)])),
                4 => Tail(random, line),
                _ => Restructure(random, line),
            };
        }

        return line;
    }

    private static byte[] Tail(Random random, byte[] line) => line[random.Next(line.Length + 1)..];

    private static byte[] FlipBit(Random random, byte[] line)
    {
        byte[] flipped = [.. line];
        if (flipped.Length > 0)
        {
            flipped[random.Next(flipped.Length)] ^= (byte)(1 << random.Next(8));
        }

        return flipped;
    }

    private static byte[] Insert(Random random, byte[] line, byte[] fragment)
    {
        var at = random.Next(line.Length + 1);
        return [.. line[..at], .. fragment, .. line[at..]];
    }

    /// <summary>Stays JSON: takes a key away anywhere, or gives it a value of another type. A line that no tree can hold gets a flip.</summary>
    private static byte[] Restructure(Random random, byte[] line)
    {
        try
        {
            var root = JsonNode.Parse(line);
            var objects = new List<JsonObject>();
            Collect(root, objects);
            if (objects.Count > 0)
            {
                Change(random, objects[random.Next(objects.Count)]);
            }

            return Encoding.UTF8.GetBytes(root?.ToJsonString() ?? "null");
        }
        catch (Exception no) when (no is JsonException or InvalidOperationException or ArgumentException)
        {
            return FlipBit(random, line);
        }
    }

    private static void Change(Random random, JsonObject chosen)
    {
        var key = chosen.Select(member => member.Key).ElementAt(random.Next(chosen.Count));
        chosen.Remove(key);
        if (random.Next(3) > 0)
        {
            chosen[key] = random.Next(7) switch
            {
                0 => null,
                1 => new JsonArray(1, "a", null, new JsonObject()),
                2 => new JsonObject { ["type"] = "text" },
                3 => "text",
                4 => -1.5e300,
                5 => long.MaxValue,
                _ => true,
            };
        }
    }

    private static void Collect(JsonNode? node, List<JsonObject> objects)
    {
        if (node is JsonObject { Count: > 0 } members)
        {
            objects.Add(members);
        }

        foreach (var child in node switch { JsonObject parent => parent.Select(member => member.Value), JsonArray list => list, _ => [] })
        {
            Collect(child, objects);
        }
    }
}
