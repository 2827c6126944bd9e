using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Tests.Board.Simulation;

/// <summary>The core under test: the real one, or one with a deliberate fault.</summary>
internal sealed record Core(Func<BoardState, Input, DateTimeOffset, Decided> Decide, Func<BoardState, Event, BoardState> Evolve)
{
    internal static Core Real { get; } = new(Decider.Decide, Evolver.Evolve);
}

/// <summary>An invariant that did not hold. The message carries seed, step and what led to it.</summary>
internal sealed class Violation(string invariant, string message) : Exception($"{invariant}: {message}")
{
    internal string Invariant { get; } = invariant;

    internal Violation At(int seed, int step, IEnumerable<string> trace) =>
        new(Invariant, $"{message}\nseed {seed}, step {step}; run it alone with KANBOTS_SEED={seed}\n{string.Join("\n", trace)}");
}

/// <summary>What reached the simulation, so that a test can tell that it reaches everything.</summary>
internal sealed class Reach
{
    internal const string DeletedCardBilled = "bill of a deleted card";

    internal SortedSet<string> Seen { get; } = new(StringComparer.Ordinal);

    internal long Inputs { get; private set; }

    internal long Crashes { get; set; }

    internal void Note(Input input, Decided decided)
    {
        Inputs++;
        _ = Seen.Add(input.GetType().Name);
        foreach (var happened in decided.Events)
        {
            _ = Seen.Add(happened.GetType().Name);
            if (happened is Event.RunEnded ended)
            {
                _ = Seen.Add($"run {ended.State}");
            }
        }

        foreach (var effect in decided.Effects)
        {
            _ = Seen.Add(effect.GetType().Name);
        }

        if (decided.Refusal is { } refusal)
        {
            _ = Seen.Add($"refused {refusal.Kind}");
        }
    }
}
