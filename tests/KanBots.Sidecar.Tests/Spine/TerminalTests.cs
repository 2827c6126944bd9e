using System.Diagnostics;
using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>The verbs of the terminal client, as a person at a shell has them.</summary>
public sealed class TerminalTests
{
    private static (int Code, string Output, string Error) Run(Place place, params string[] arguments) => RunWith(place, null, arguments);

    private static (int Code, string Output, string Error) RunWith(Place place, string? input, params string[] arguments)
    {
        var start = place.Command(place.Repository, arguments);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        process.StandardInput.Write(input ?? "");
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    private static string Ok(Place place, params string[] arguments)
    {
        var (code, output, error) = Run(place, arguments);
        Assert.True(code == 0, $"{string.Join(' ', arguments)}: {code} {output}{error}");
        return output;
    }

    private static void UntilBoard(Place place, string words) => Place.Until($"the board says {words}", () => Ok(place, "board", "--once").Contains(words));

    [Fact]
    public void The_main_job_from_the_shell()
    {
        using var place = new Place();
        place.Script("toast", """[{"ask":[{"question":"Use Radix or build from scratch?","header":"UI","multiSelect":false,"options":[{"label":"Radix","description":"one more dependency"},{"label":"Scratch"}]}],"usd":0.01},{"write":"toast.txt","text":"a\nb\n"},{"say":"Done with it."}]""");
        place.Script("long", """[{"tool":"Bash","input":{"command":"npm test"},"ms":600000}]""");
        Ok(place, "config", "agents.claude.path", Place.FakeAgent);
        Assert.Equal("#88 add toast component\n", Ok(place, "card", "add", "add toast component", "--number", "88", "--body", "[[fake:toast]]"));
        Ok(place, "card", "add", "deflake the auth test", "--number", "89", "--body", "[[fake:long]]");
        Assert.Equal("#88 run 1: kanbots/issue-88-1\n#89 run 2: kanbots/issue-89-2\n", Ok(place, "dispatch", "88", "#89", "--budget", "2.50"));
        UntilBoard(place, "Use Radix or build from scratch?");
        UntilBoard(place, "Bash npm test");
        var board = Ok(place, "board", "--once");
        Assert.Contains("waiting for you", board);
        Assert.Contains("1. Radix - one more dependency", board);
        Assert.Contains("of $2.50", board);
        Assert.True(board.IndexOf("#88", StringComparison.Ordinal) < board.IndexOf("#89", StringComparison.Ordinal), "who waits comes first");

        Assert.Equal("#88 answered\n", Ok(place, "answer", "88", "1"));
        UntilBoard(place, "2 files, +3 -0 on kanbots/issue-88-1");
        Assert.Equal("#89 stopped\n", Ok(place, "stop", "89"));
        var thread = Ok(place, "show", "88");
        Assert.Contains("Use Radix or build from scratch?", thread);
        Assert.Contains("Done with it.", thread);
        Ok(place, "reply", "88", "and one more thing");
        Place.Until("the reply was heard", () => Ok(place, "show", "88").Contains("You said: and one more thing"));
        Assert.Equal("Radix", (string?)JsonNode.Parse(File.ReadAllText(Path.Combine(place.Repository, ".kanbots/worktrees/issue-88-1/.fake-answers.json")))!["Use Radix or build from scratch?"]);
    }

    [Theory]
    [InlineData(new[] { "--version" }, 0, "kanbots-sidecar ", "")]
    [InlineData(new[] { "--help" }, 0, "Examples", "")]
    [InlineData(new[] { "frobnicate" }, 2, "", "There is no command 'frobnicate'. See --help.")]
    [InlineData(new[] { "dispatch" }, 2, "", "Say which cards")]
    [InlineData(new[] { "dispatch", "7" }, 2, "", "There is no card #7")]
    [InlineData(new[] { "dispatch", "7", "--mod" }, 2, "", "There is no option --mod. Known here: --base")]
    [InlineData(new[] { "stop", "x" }, 2, "", "'x' is not a card number")]
    [InlineData(new[] { "card", "add", " " }, 1, "", "A card needs a title")]
    [InlineData(new[] { "card", "add", "t", "--number", "many" }, 2, "", "'many' is not a number")]
    [InlineData(new[] { "config", "no.such", "1" }, 1, "", "There is no setting 'no.such'")]
    public void Every_mistake_gets_a_sentence_and_a_code(string[] arguments, int code, string output, string error)
    {
        using var place = new Place();
        var ran = Run(place, arguments);
        Assert.True(ran.Code == code, $"{ran.Code}: {ran.Output}{ran.Error}");
        Assert.Contains(output, ran.Output);
        Assert.Contains(error, ran.Error);
        Assert.DoesNotContain("   at ", ran.Error);
    }

    [Fact]
    public void What_agents_say_cannot_drive_the_terminal()
    {
        using var place = new Place();
        const string evil = "\\u001b[2J\\u001b]0;owned\\u0007\\u009b31mred\\u202egnp.exe\\u0000\\r";
        place.Script("evil", $$"""[{"say":"{{evil}}visible"},{"ask":[{"question":"{{evil}}which?","header":"H","multiSelect":false,"options":[{"label":"{{evil}}A"}]}]}]""");
        Ok(place, "config", "agents.claude.path", Place.FakeAgent);
        Ok(place, "card", "add", "t", "--body", "[[fake:evil]]");
        Ok(place, "dispatch", "1");
        UntilBoard(place, "which?");
        foreach (var text in new[] { Ok(place, "board", "--once"), Ok(place, "show", "1") })
        {
            Assert.DoesNotContain(text, c => (char.IsControl(c) && c != '\n') || c == '\u202e');
            Assert.DoesNotContain("owned", text);
        }

        Assert.Contains("visible", Ok(place, "show", "1"));
    }

    [Fact]
    public void On_a_terminal_the_board_redraws_and_elsewhere_it_says_each_line_once()
    {
        using var place = new Place();
        place.Script("steps", """[{"tool":"Bash","input":{"command":"one"},"ms":700},{"tool":"Bash","input":{"command":"two"},"ms":700},{"write":"w.txt","text":"w"}]""");
        Ok(place, "config", "agents.claude.path", Place.FakeAgent);
        Ok(place, "card", "add", "first card", "--body", "[[fake:steps]]");
        Ok(place, "card", "add", "second card", "--body", "[[fake:steps]]");
        Ok(place, "dispatch", "1");
        var plain = Ok(place, "board", "--until-idle");
        Assert.DoesNotContain('\u001b', plain);
        Assert.Contains("in review", plain);
        Assert.Equal(plain.Split('\n').Distinct().Count(), plain.Split('\n').Length);

        Ok(place, "dispatch", "2");
        using var terminal = new TerminalWindow(place, $"{Place.Sidecar} board --until-idle");
        var drawn = terminal.UntilEnd();
        Assert.Equal(0, terminal.ExitCode);
        Assert.Matches("\u001b\\[\\d+A", drawn);
        Assert.Contains("\u001b[33m●", drawn);
        Assert.Contains("Bash two", drawn);
        Assert.Contains("in review", drawn);
    }

    [Fact]
    public void On_a_terminal_a_person_answers_in_the_board_itself()
    {
        using var place = new Place();
        place.Script("ask", """[{"ask":[{"question":"Radix or scratch?","header":"UI","multiSelect":false,"options":[{"label":"Radix"},{"label":"Scratch"}]},{"question":"Which sizes?","header":"S","multiSelect":true,"options":[{"label":"S"},{"label":"M"},{"label":"L"}]}]}]""");
        Ok(place, "config", "agents.claude.path", Place.FakeAgent);
        Ok(place, "card", "add", "a card with 漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字", "--body", "[[fake:ask]]");
        Ok(place, "dispatch", "1");
        using var terminal = new TerminalWindow(place, $"{Place.Sidecar} board --until-idle");
        terminal.Until("Answer #1 (question 1 of 2): ");
        terminal.Type("neither, use ours");
        terminal.Until("(question 1 of 2): neither, use ours");
        terminal.Type("\r");
        terminal.Until("Answer #1 (question 2 of 2): ");
        terminal.Type("1,3\r");
        terminal.Until("in review");
        terminal.UntilEnd();
        Assert.Equal(0, terminal.ExitCode);
        var answers = JsonNode.Parse(File.ReadAllText(Path.Combine(place.Repository, ".kanbots/worktrees/issue-1-1/.fake-answers.json")))!;
        Assert.Equal("neither, use ours", (string?)answers["Radix or scratch?"]);
        Assert.Equal("S, L", (string?)answers["Which sizes?"]);
    }

    [Fact]
    public void Ctrl_C_leaves_the_board_and_the_agents_go_on()
    {
        using var place = new Place();
        place.Script("long", """[{"tool":"Bash","input":{"command":"npm test"},"ms":600000}]""");
        Ok(place, "config", "agents.claude.path", Place.FakeAgent);
        Ok(place, "card", "add", "t", "--body", "[[fake:long]]");
        Ok(place, "dispatch", "1");
        using var terminal = new TerminalWindow(place, $"{Place.Sidecar} board");
        terminal.Until("Bash npm test");
        terminal.Type("\u0003");
        terminal.UntilEnd();
        Assert.Equal(0, terminal.ExitCode);
        Assert.True(Place.IsAlive(place.AgentPid(1, 1)!.Value));
        Ok(place, "stop", "1");
    }

    [Fact]
    public void The_main_job_at_a_terminal_lets_the_person_answer()
    {
        using var place = new Place();
        using var terminal = new TerminalWindow(place, $"env -u FAKE_AGENT_SCRIPTS '{RepositoryRoot.Of("try.sh")}'");
        terminal.Until("Answer #88 (a number or your own words): ", seconds: 170);
        terminal.Type("neither, use ours\r");
        var shown = terminal.UntilEnd();
        Assert.Equal(0, terminal.ExitCode);
        Assert.Equal(3, System.Text.RegularExpressions.Regex.Count(shown[shown.LastIndexOf("Summary", StringComparison.Ordinal)..], "in review"));
    }

    [Fact]
    public void Doctor_says_what_is_there_and_what_to_do_about_what_is_not()
    {
        using var place = new Place();
        var pids = Path.Combine(place.Root, "pids");
        Directory.CreateDirectory(pids);
        place.Variables["PATH"] = "/usr/bin:/bin";
        place.Variables["HOME"] = place.Root;
        var (code, output, _) = Run(place, "doctor");
        Assert.Equal(1, code);
        Assert.Contains("git version", output);
        Assert.Contains("runs start from main", output);
        Assert.Contains("no board yet", output);
        Assert.Contains("npm install -g @anthropic-ai/claude-code", output);

        place.Variables["ANTHROPIC_API_KEY"] = "secret-key";
        place.Script("daemon", $$"""[{"sh":"setsid sh -c 'echo $$ > {{pids}}/a; exec sleep 600' > /dev/null 2>&1 < /dev/null & sleep 0.2"}]""");
        Ok(place, "config", "agents.claude.path", Place.FakeAgent);
        output = Ok(place, "doctor");
        Assert.Contains("Claude Code 2.1.330", output);
        Assert.Contains("private", output);
        Assert.Contains("nothing was left over", output);
        Assert.DoesNotContain("secret-key", output);

        Ok(place, "card", "add", "t", "--body", "[[fake:daemon]]");
        Ok(place, "dispatch", "1");
        UntilBoard(place, "left running: 1");
        Directory.Move(Path.Combine(place.Repository, ".kanbots/worktrees/issue-1-1"), Path.Combine(place.Root, "moved"));
        (code, output, _) = Run(place, "doctor");
        Assert.Equal(1, code);
        Assert.Contains(File.ReadAllText(Path.Combine(pids, "a")).Trim(), output);
        Assert.Contains("kanbots-sidecar stop 1", output);
        Assert.Contains("git worktree prune", output);
        Ok(place, "stop", "1");
        Place.Until("what was left is gone", () => !Place.IsAlive(int.Parse(File.ReadAllText(Path.Combine(pids, "a")))));

        place.Variables["ANTHROPIC_API_KEY"] = "";
        Assert.Contains("not signed in", Run(place, "doctor").Output);
    }

    [Fact]
    public void Uninstall_shows_what_is_ours_asks_and_takes_no_work_with_it()
    {
        using var place = new Place();
        var exclude = Path.Combine(place.Repository, ".git/info/exclude");
        File.AppendAllText(exclude, "mine\n");
        var before = File.ReadAllText(exclude);
        place.Script("work", """[{"write":"w.txt","text":"w"}]""");
        Ok(place, "config", "agents.claude.path", Place.FakeAgent);
        Ok(place, "card", "add", "t", "--body", "[[fake:work]]");
        Ok(place, "dispatch", "1");
        UntilBoard(place, "in review");
        Assert.Contains("in use", Run(place, "uninstall", "--yes").Error);
        place.KillServe();

        var (code, output, _) = RunWith(place, "no\n", "uninstall");
        Assert.Equal(1, code);
        Assert.Contains(place.State, output);
        Assert.Contains(place.Cache, output);
        Assert.Contains("Nothing was removed", output);
        Assert.True(Directory.Exists(place.State));

        (code, output, _) = RunWith(place, "yes\n", "uninstall");
        Assert.Equal(0, code);
        Assert.Contains("holds work", output);
        Assert.False(Directory.Exists(place.State));
        Assert.False(Directory.Exists(Path.Combine(place.Cache, "kanbots")));
        Assert.Empty(Directory.GetFiles(Path.Combine(place.Runtime, "kanbots")));
        Assert.Equal("w", File.ReadAllText(Path.Combine(place.Repository, ".kanbots/worktrees/issue-1-1/w.txt")));

        Place.Git(place.Repository, "worktree", "remove", "--force", ".kanbots/worktrees/issue-1-1");
        Ok(place, "card", "add", "t");
        place.KillServe();
        Ok(place, "uninstall", "--yes");
        Assert.Equal(before, File.ReadAllText(exclude));
        Assert.False(Directory.Exists(Path.Combine(place.Repository, ".kanbots")));
        Assert.Equal("", Place.Git(place.Repository, "status", "--porcelain"));
    }
}
