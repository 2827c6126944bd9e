using System.Globalization;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Tests.Board.Simulation;
using Xunit.Abstractions;

namespace KanBots.Sidecar.Tests.Board;

/// <summary>The core against a simulated world. KANBOTS_SEED=S runs one seed, KANBOTS_SEEDS=N the first N, KANBOTS_LONG=1 5,000.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    internal const int SeedsUsual = 200;
    private const int SeedsLong = 5_000;

    private static IEnumerable<int> Seeds()
    {
        if (Number("KANBOTS_SEED") is { } one)
        {
            return [one];
        }

        return Enumerable.Range(1, Number("KANBOTS_SEEDS") ?? (Environment.GetEnvironmentVariable("KANBOTS_LONG") is null ? SeedsUsual : SeedsLong));
    }

    private static int? Number(string name) => int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var number) ? number : null;

    [Fact]
    public void The_core_holds_its_invariants_against_a_world_that_fails()
    {
        var reach = new Reach();
        var seeds = Seeds().ToList();
        foreach (var seed in seeds)
        {
            Simulator.Run(seed, Core.Real, reach);
        }

        output.WriteLine($"{seeds.Count} seeds, {reach.Inputs} inputs, {reach.Crashes} crashes: {string.Join(", ", reach.Seen)}");
        if (seeds.Count >= SeedsUsual)
        {
            var events = typeof(Event).GetNestedTypes().Select(type => type.Name);
            var effects = typeof(Effect).GetNestedTypes().Select(type => type.Name);
            var inputs = typeof(Input).GetNestedTypes().Where(type => !type.IsAbstract).Select(type => type.Name);
            var observed = Enum.GetNames<ObservedKind>().Select(kind => $"observed {kind}");
            Assert.Empty(events.Concat(effects).Concat(inputs).Concat(observed).Append(Reach.DeletedCardBilled).Except(reach.Seen));
        }
    }
}
