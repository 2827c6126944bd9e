using KanBots.Sidecar.Processes.Windows;

namespace KanBots.Sidecar.Tests.Processes;

/// <summary>What is pure of the Windows side: the strings that its calls are given.</summary>
public sealed class WindowsTextTests
{
    /// <summary>The table of "Parsing C command-line arguments", read backwards, and the cases around its rules.</summary>
    [Theory]
    [InlineData("abc", "abc")]
    [InlineData("", "\"\"")]
    [InlineData("a b c", "\"a b c\"")]
    [InlineData("a\tb", "\"a\tb\"")]
    [InlineData("ab\"c", "\"ab\\\"c\"")]
    [InlineData("\\", "\\")]
    [InlineData("a\\\\b", "a\\\\b")]
    [InlineData("a\\\\b c", "\"a\\\\b c\"")]
    [InlineData("a\\\"b", "\"a\\\\\\\"b\"")]
    [InlineData("a\\\\\"b", "\"a\\\\\\\\\\\"b\"")]
    [InlineData("C:\\Program Files\\", "\"C:\\Program Files\\\\\"")]
    [InlineData("a b\\\\", "\"a b\\\\\\\\\"")]
    [InlineData("\"", "\"\\\"\"")]
    [InlineData("a'b", "a'b")]
    public void An_argument_is_quoted_so_that_the_documented_rules_read_it_back(string argument, string expected)
    {
        Assert.Equal(expected, CommandLine.Quote(argument));
        Assert.Equal(["x", argument, "y"], Parse(CommandLine.Of(["x", argument, "y"])));
    }

    [Fact]
    public void Any_arguments_come_back_as_they_were()
    {
        const int seed = 41;
        var random = new Random(seed);
        const string letters = "a \\\"\t'%";
        for (var round = 0; round < 2000; round++)
        {
            string[] arguments = ["C:\\a b\\x.exe", .. Enumerable.Range(0, random.Next(4)).Select(_ => string.Concat(Enumerable.Range(0, random.Next(8)).Select(_ => letters[random.Next(letters.Length)])))];
            Assert.True(arguments.SequenceEqual(Parse(CommandLine.Of(arguments))), $"seed {seed}, round {round}: {CommandLine.Of(arguments)}");
        }
    }

    [Fact]
    public void A_batch_file_gets_the_line_that_cmd_takes_apart()
    {
        Assert.Equal(
            "\"C:\\Windows\\System32\\cmd.exe\" /d /v:off /s /c \"\"C:\\n m\\claude.cmd\" -p --model \"a b\"\"",
            CommandLine.OfBatch("C:\\Windows\\System32\\cmd.exe", ["C:\\n m\\claude.cmd", "-p", "--model", "a b"]));
    }

    [Theory]
    [InlineData("%PATH%")]
    [InlineData("a&calc")]
    [InlineData("a|b")]
    [InlineData("a^b")]
    [InlineData("a<b")]
    [InlineData("a>b")]
    [InlineData("a\"b")]
    [InlineData("a!b!")]
    [InlineData("a\nb")]
    public void What_cmd_would_read_as_more_than_text_is_refused(string argument) =>
        Assert.Contains("cannot be passed", Assert.Throws<IOException>(() => CommandLine.OfBatch("cmd.exe", ["claude.cmd", argument])).Message);

    [Fact]
    public void A_program_is_looked_for_before_a_batch_file_and_a_file_without_extension_never()
    {
        Assert.Equal(["claude.exe", "claude.com", "claude.cmd", "claude.bat"], CommandLine.FileNames("claude"));
        Assert.Equal(["claude.CMD"], CommandLine.FileNames("claude.CMD"));
        Assert.Equal("claude-2.1.exe", CommandLine.FileNames("claude-2.1")[0]);
    }

    [Fact]
    public void An_environment_is_sorted_without_case_and_ended_by_two_NULs()
    {
        Assert.Equal("=C:=C:\\x\0A=3\0b=2=2\0Path=x\0\0", EnvironmentBlock.Of(["b=2=2", "PATH=before", "=C:=C:\\x", "a=1", "Path=x", "A=3", "no name"]).Replace("a=1\0", ""));
        Assert.Equal("\0\0", EnvironmentBlock.Of([]));
        Assert.Throws<IOException>(() => EnvironmentBlock.Of(["a=1\0b=2"]));
    }

    [Fact]
    public void A_pipe_name_tells_users_and_boards_apart_and_holds_no_backslash()
    {
        var name = PipeNames.Of("0123456789abcdef", "S-1-5-21-1");
        Assert.Equal(name, PipeNames.Of("0123456789abcdef", "S-1-5-21-1"));
        Assert.NotEqual(name, PipeNames.Of("0123456789abcdef", "S-1-5-21-2"));
        Assert.NotEqual(name, PipeNames.Of("0123456789abcdee", "S-1-5-21-1"));
        Assert.Matches("^kanbots-[0-9a-f]{16}-0123456789abcdef$", name);
    }

    [Fact]
    public unsafe void The_structs_have_the_sizes_of_64_bit_Windows()
    {
        Assert.Equal(24, sizeof(WindowsLayouts.SecurityAttributes));
        Assert.Equal(112, sizeof(WindowsLayouts.StartupInfo));
        Assert.Equal(24, sizeof(WindowsLayouts.ProcessInformation));
        Assert.Equal(144, sizeof(WindowsLayouts.JobLimits));
        WindowsLayouts.JobLimits limits;
        Assert.Equal(16, (byte*)&limits.Flags - (byte*)&limits);
        WindowsLayouts.StartupInfo startup;
        Assert.Equal(80, (byte*)&startup.Input - (byte*)&startup);
        Assert.Equal(104, (byte*)&startup.Attributes - (byte*)&startup);
    }

    /// <summary>The documented rules, as a program's own start-up code applies them.</summary>
    private static List<string> Parse(string line)
    {
        var arguments = new List<string>();
        var end = line.IndexOf('"', 1); // the program's name: up to the next quote, nothing is escaped
        arguments.Add(line[1..end]);
        for (var at = end + 1; at < line.Length;)
        {
            if (line[at] is ' ' or '\t')
            {
                at++;
                continue;
            }

            var argument = "";
            for (var quoted = false; at < line.Length && (quoted || line[at] is not (' ' or '\t')); at++)
            {
                var backslashes = 0;
                for (; at < line.Length && line[at] == '\\'; at++)
                {
                    backslashes++;
                }

                if (at < line.Length && line[at] == '"')
                {
                    argument += new string('\\', backslashes / 2);
                    if (backslashes % 2 == 1)
                    {
                        argument += '"';
                    }
                    else
                    {
                        quoted = !quoted;
                    }

                    continue;
                }

                argument += new string('\\', backslashes);
                if (at == line.Length || (!quoted && line[at] is ' ' or '\t'))
                {
                    break;
                }

                argument += line[at];
            }

            arguments.Add(argument);
        }

        return arguments;
    }
}
