using System.Text;
using System.Text.RegularExpressions;
using KanBots.Sidecar.Agents;
using KanBots.Sidecar.Agents.Claude;

namespace KanBots.Sidecar.Tests.Agents;

/// <summary>Streams of the real CLI, recorded against a scripted model, and what they are read as.</summary>
public sealed class RecordedStreamsTests
{
    private static readonly string Folder = RepositoryRoot.Of("tests", "KanBots.Sidecar.Tests", "Agents", "streams");

    private static readonly string[] Names = [.. Directory.EnumerateFiles(Folder, "*.ndjson", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Folder, path)[..^".ndjson".Length]).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Recordings => [.. Names];

    private static string Stream(string name) => File.ReadAllText(Path.Combine(Folder, $"{name}.ndjson"));

    /// <summary>A launch that resumes a session starts the decoder so.</summary>
    private static bool IsResumed(string name) => name.Contains("resume", StringComparison.Ordinal);

    internal static IEnumerable<string> Lines(string name) => Stream(name).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    internal static IEnumerable<string> AllLines() => Names.SelectMany(Lines);

    private static (List<AgentSignal> Signals, List<AgentItem> Items) Decode(string name, bool resumed = false)
    {
        var state = ClaudeState.Start(resumed);
        var signals = new List<AgentSignal>();
        var items = new List<AgentItem>();
        foreach (var line in Lines(name))
        {
            (var decoded, state) = ClaudeDecoder.Decode(Encoding.UTF8.GetBytes(line), state);
            signals.AddRange(decoded.Signals);
            items.AddRange(decoded.Items);
        }

        return (signals, items);
    }

    private static long[] Costs(string name, bool resumed = false) => [.. Decode(name, resumed).Signals.OfType<AgentSignal.CostAdded>().Select(cost => cost.MicroUsd)];

    [Theory]
    [MemberData(nameof(Recordings))]
    public void A_recording_is_read_as_its_golden_text_says(string name)
    {
        var golden = Path.Combine(Folder, $"{name}.golden.txt");
        var actual = StreamText.Of(Stream(name), IsResumed(name));
        if (Environment.GetEnvironmentVariable("UPDATE_EXPECT") == "1")
        {
            File.WriteAllText(golden, actual);
        }

        Assert.True(File.Exists(golden), $"{name}.golden.txt is missing: run with UPDATE_EXPECT=1 and review it.");
        Assert.Equal(File.ReadAllText(golden), actual);
    }

    [Fact]
    public void No_golden_text_is_without_its_recording() =>
        Assert.All(Directory.EnumerateFiles(Folder, "*.golden.txt", SearchOption.AllDirectories), path => Assert.True(File.Exists(path.Replace(".golden.txt", ".ndjson", StringComparison.Ordinal)), path));

    [Fact]
    public void Recordings_hold_placeholders_and_no_path_of_a_machine()
    {
        var path = new Regex(@"(?<![\w}])/(?:home|root|tmp|work|usr|opt|mnt|Users|var)/\S{0,60}");
        Assert.All(Names, name => Assert.Empty(path.Matches(Stream(name)).Select(match => $"{name}: {match.Value}")));
        Assert.InRange(Directory.EnumerateFiles(Folder, "*.ndjson", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length), 1, 600_000);
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public void Nothing_of_a_recording_is_raw(string name) =>
        Assert.Empty(Decode(name).Items.Where(item => item.Kind == ItemKind.Raw && item.Name is "unknownType" or "notUnderstood" or "unknownBlock").Select(item => item.Text));

    [Fact]
    public void Each_result_of_one_process_adds_only_its_own_turn()
    {
        Assert.Equal([2_000, 7_750], Costs("2.1.197/multiturn"));
        Assert.Equal([800, 6_100], Costs("2.1.330/interrupt-bash"));
        Assert.Equal([1_600, 800], Costs("2.1.330/background-wakes"));
        Assert.Equal([2_000, 1_000], Costs("2.1.197/background-wakes"));
    }

    [Fact]
    public void The_old_total_restarts_with_a_resumed_process_and_the_new_one_goes_on()
    {
        Assert.Equal([7_750], Costs("2.1.197/resume-ok", resumed: true));
        Assert.Equal([6_100], Costs("2.1.330/resume-ok", resumed: true)); // its total says 0.0122
    }

    [Theory]
    [InlineData("2.1.197/p-task")]
    [InlineData("2.1.330/p-task")]
    public void What_sub_agents_spent_is_in_the_cost_once(string name) => Assert.Equal(4_000, Costs(name).Sum());

    [Theory]
    [InlineData("2.1.197/p-budget", 825_000)]
    [InlineData("2.1.330/p-budget", 660_000)]
    public void A_turn_that_its_budget_ended_has_its_cost_and_kind(string name, long micro)
    {
        Assert.Equal([micro], Costs(name));
        Assert.Equal("maxBudget", Assert.Single(Decode(name).Signals.OfType<AgentSignal.TurnEnded>()).Kind);
    }

    [Theory]
    [InlineData("2.1.197/err-e401", null)]
    [InlineData("2.1.197/err-nokey", "notSignedIn")]
    [InlineData("2.1.330/err-e401", "notSignedIn")]
    [InlineData("2.1.197/err-e400", "agentError")]
    [InlineData("2.1.197/err-ecredit", "billing")]
    [InlineData("2.1.197/oauth-elimit", "rateLimited")]
    [InlineData("2.1.197/err-badresume", "sessionUnknown")]
    [InlineData("2.1.197/p-maxturns", "maxTurns")]
    public void A_failed_turn_has_the_kind_of_its_cause(string name, string? kind)
    {
        var ended = Decode(name).Signals.OfType<AgentSignal.TurnEnded>().ToList();
        if (kind is null)
        {
            Assert.Empty(ended); // 2.1.197 was still retrying when its recording ended
            return;
        }

        Assert.Equal((true, false, kind), (ended.Single().IsError, ended.Single().Interrupted, ended.Single().Kind));
        Assert.NotEmpty(ended.Single().Message!);
    }

    [Theory]
    [InlineData("2.1.197/interrupt-bash")]
    [InlineData("2.1.330/interrupt-bash")]
    [InlineData("2.1.197/interrupt-pending-ask")]
    public void An_interrupted_turn_is_not_a_failed_one(string name)
    {
        var first = Decode(name).Signals.OfType<AgentSignal.TurnEnded>().First();
        Assert.Equal((true, true, (string?)null), (first.IsError, first.Interrupted, first.Kind));
    }

    [Fact]
    public void A_question_that_is_interrupted_is_withdrawn()
    {
        var signals = Decode("2.1.197/interrupt-pending-ask").Signals;
        Assert.Equal(Assert.Single(signals.OfType<AgentSignal.Asked>()).RequestId, Assert.Single(signals.OfType<AgentSignal.Withdrawn>()).RequestId);
    }

    [Theory]
    [InlineData("2.1.197/background-wakes")]
    [InlineData("2.1.330/background-wakes")]
    public void A_background_task_is_counted_over_the_end_of_its_turn_until_it_wakes_the_agent(string name)
    {
        var told = Decode(name).Signals.Where(signal => signal is AgentSignal.TurnStarted or AgentSignal.TurnEnded or AgentSignal.BackgroundTasks)
            .Select(signal => signal is AgentSignal.BackgroundTasks tasks ? $"tasks {tasks.Count}" : signal.GetType().Name);
        Assert.Equal(["TurnStarted", "tasks 1", "TurnEnded", "tasks 0", "TurnStarted", "TurnEnded"], told);
    }

    [Theory]
    [InlineData("2.1.197/live-cost")]
    [InlineData("2.1.330/live-cost")]
    [InlineData("2.1.197/multiturn")]
    [InlineData("2.1.197/p-task")]
    public void A_task_in_the_foreground_is_not_counted_as_one_of_the_background(string name) => Assert.Empty(Decode(name).Signals.OfType<AgentSignal.BackgroundTasks>());

    [Fact]
    public void An_old_agent_ends_its_background_task_by_itself_when_its_input_is_closed() =>
        Assert.Equal([1, 0], Decode("2.1.197/bg-normal-end").Signals.OfType<AgentSignal.BackgroundTasks>().Select(tasks => tasks.Count));

    [Theory]
    [InlineData("2.1.197/p-partial")]
    [InlineData("2.1.330/p-partial")]
    public void Partial_messages_are_kept_in_brief_beside_the_whole_one(string name)
    {
        var items = Decode(name).Items;
        var partial = items.Where(item => item is { Kind: ItemKind.Notice, Name: "partial" }).ToList();
        var whole = items.Single(item => item.Kind == ItemKind.Text).Text;
        Assert.Contains(partial, item => whole.StartsWith(item.Text, StringComparison.Ordinal));
        Assert.All(partial, item => Assert.DoesNotContain("{", item.Text, StringComparison.Ordinal));
    }
}
