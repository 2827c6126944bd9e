using KanBots.Sidecar.Tests.Git;
using Xunit.Abstractions;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>How much was done; several sequences count at once.</summary>
internal sealed class NothingLostCounts
{
    internal int Steps, Kills, Promotes, Discards, Restores, Rewinds;
}

/// <summary>Whatever agents, their user, git's housekeeping and kill -9 do while serve is at work: what lay in a worktree at a checkpoint, or
/// when it was discarded, is still to be had, and of the user's nothing has changed that nobody asked for. Plain git and plain files say so.
/// A failure names its seed: KANBOTS_SEED=S plays that one alone, as far as it does not depend on the others, KANBOTS_SEEDS=N the first N,
/// both together N from S on.</summary>
public sealed class NothingLostWithServeTests(ITestOutputHelper output)
{
    /// <summary>Sequences in one repository: it and its board are not to grow.</summary>
    private const int InOne = 100;

    /// <summary>Sequences that are under way at once.</summary>
    private const int AtOnce = 6;

    private static readonly int? Given = Number("KANBOTS_SEED");

    private static readonly int First = Given ?? 20261128;

    private static readonly int Sequences = Number("KANBOTS_SEEDS") ?? (Given is not null ? 1 : Number("KANBOTS_LONG") == 1 ? 2_000 : 100);

    private static int? Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : null;

    [Fact]
    public void What_was_kept_is_to_be_had_after_any_sequence_and_any_kill()
    {
        var counts = new NothingLostCounts();
        for (var done = 0; done < Sequences; done += InOne)
        {
            Play([.. Enumerable.Range(First + done, Math.Min(InOne, Sequences - done))], counts);
            var said = $"{Math.Min(done + InOne, Sequences)} of {Sequences} sequences from seed {First} on: {counts.Steps} steps, {counts.Kills} kills, {counts.Promotes} promotes, {counts.Discards} discards, {counts.Restores} restores, {counts.Rewinds} rewinds";
            output.WriteLine(said);
            // Hours may lie between: what was done so far is to be seen from outside.
            File.AppendAllText(Path.Combine(Directory.CreateDirectory(RepositoryRoot.Of("artifacts")).FullName, "nothing-lost.log"), $"{DateTimeOffset.Now:u} {said}\n");
        }
    }

    private static void Play(IReadOnlyList<int> seeds, NothingLostCounts counts)
    {
        using var world = new NothingLostWorld();
        var sequences = seeds.Select((seed, at) => new NothingLostSequence(world, counts, seed, at + 1)).ToList();
        var (next, failures) = (-1, new List<Exception>());
        var threads = Enumerable.Range(0, Math.Min(AtOnce, sequences.Count)).Select(_ => new Thread(PlayOn)).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.True(failures.Count == 0, string.Join("\n\n", failures));
        Settled(world, sequences);

        void PlayOn()
        {
            while (Interlocked.Increment(ref next) is var mine && mine < sequences.Count && failures.Count == 0)
            {
                try
                {
                    sequences[mine].Play();
                }
                catch (Exception failure)
                {
                    lock (failures)
                    {
                        failures.Add(Named(sequences[mine], failure));
                    }
                }
            }
        }
    }

    private static InvalidOperationException Named(NothingLostSequence sequence, Exception failure) => new($"Seed {sequence.Seed}: {string.Join("\n  ", sequence.Done)}", failure);

    /// <summary>Once more after a death and git's hardest housekeeping, when nothing is under way any more.</summary>
    private static void Settled(NothingLostWorld world, List<NothingLostSequence> sequences)
    {
        var repository = world.Place.Repository;
        world.KillServe(() =>
        {
            world.AwaitGits();
            TestRepository.PlainGit(repository, "worktree", "prune", "--expire", "now");
            TestRepository.PlainGit(repository, "gc", "-q", "--prune=now");
        });
        world.Call("board/get", []);
        foreach (var sequence in sequences)
        {
            try
            {
                sequence.CheckSettled();
            }
            catch (Exception failure)
            {
                throw Named(sequence, failure);
            }
        }

        world.Person.Check();
        TestRepository.PlainGit(repository, "fsck", "--connectivity-only");
        Place.Until("nothing is held any more", () => TestRepository.PlainGit(repository, "for-each-ref", "refs/kanbots/landing", "refs/kanbots/trash").Length == 0);
        world.AwaitNothingLeft();
    }
}
