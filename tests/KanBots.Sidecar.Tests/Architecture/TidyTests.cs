using System.Diagnostics;
using System.Text;

namespace KanBots.Sidecar.Tests.Architecture;

public sealed class TidyTests
{
    private const string Src = "src/KanBots.Sidecar/";
    private const string Wire = "src/KanBots.Sidecar.Protocol/Methods.cs";

    [Fact]
    public void Every_file_of_the_repository_keeps_the_rules()
    {
        var files = Files().ToArray();
        Assert.Contains(Wire, files);
        var errors = files.SelectMany(path => Tidy.Check(path, File.ReadAllBytes(RepositoryRoot.Of(path))))
            .Concat(Tidy.CheckNames(files))
            .Concat(Tidy.CheckMethods((Wire, Read(Wire)), files.Where(path => path != Wire && path.StartsWith("src/", StringComparison.Ordinal) && path.EndsWith(".cs", StringComparison.Ordinal)).Select(path => (path, Read(path)))))
            .ToArray();
        Assert.True(errors.Length == 0, string.Join('\n', errors));
    }

    [Fact]
    public void Every_file_that_a_rule_names_is_there()
    {
        var named = Ban.All.SelectMany(ban => ban.Homes.Select(home => ban.Area + home)).Concat(Tidy.LongerFiles.Keys);
        Assert.DoesNotContain(named.Distinct(), path => !Path.Exists(RepositoryRoot.Of(path)));
    }

    [Theory]
    [InlineData(Src + "Rpc/A.cs", "Console.WriteLine(1);", "Console.Out is banned, use Log")]
    [InlineData(Src + "Serving/Relay.cs", "Console.Out.Write(1);", "Console.Out is banned")]
    [InlineData(Src + "Engine/A.cs", "Console.Error.Write(1);", "Console is banned, use Log")]
    [InlineData(Src + "Engine/A.cs", "using var process = new Process();", "Process is banned, use Processes/ShortCommand")]
    [InlineData(Src + "Git/Worktrees.cs", "await ShortCommand.RunAsync(\"git\", []);", "\"git\" is banned, use Git/GitRunner")]
    [InlineData(Src + "RunHost/A.cs", "[LibraryImport(\"libc\")]", "a system call is banned, use a function of Processes")]
    [InlineData(Src + "Engine/A.cs", "new SqliteConnection(x)", "SQLite is banned, use Journal/Database")]
    [InlineData(Src + "Git/A.cs", "Directory.Delete(path, true);", "a recursive delete is banned")]
    [InlineData(Src + "Rpc/A.cs", "Thread.Sleep(1);", "Thread.Sleep is banned")]
    [InlineData(Src + "Rpc/A.cs", "await Task.Delay(1);", "Task.Delay is banned")]
    [InlineData("tests/KanBots.Sidecar.Tests/Rpc/A.cs", "[Fact(Skip = \"slow\")]", "a skipped test is banned")]
    [InlineData("tests/KanBots.Sidecar.Tests/Rpc/A.cs", "var random = new Random();", "an unseeded Random is banned")]
    [InlineData(Src + "A.cs", "#pragma warning disable CA1", "#pragma warning disable without a reason is banned")]
    [InlineData(Src + "A.cs", "[SuppressMessage(\"a\", \"b\")]", "SuppressMessage without a reason is banned")]
    [InlineData(Src + "A.csproj", "<NoWarn>CA1</NoWarn>", "NoWarn without a reason is banned")]
    [InlineData(".editorconfig", "dotnet_diagnostic.CA1.severity = none", "severity = none without a reason is banned")]
    [InlineData("Directory.Packages.props", "<PackageVersion Include=\"A\" Version=\"1.*\" />", "the version 1.* is banned")]
    [InlineData("docs/a.md", "# One\ntext\n# Two", "2 titles are banned")]
    [InlineData("docs/a.md", "text", "0 titles are banned")]
    [InlineData("a/package-lock.json", "\"resolved\": \"x\"", "a registry's address is banned")]
    [InlineData(Src + "A.cs", "one ", "white space at the end of a line is banned")]
    [InlineData(Src + "A.cs", "one\r", "CR LF is banned")]
    [InlineData(Src + "A.cs", "\uFEFFone", "a byte order mark is banned")]
    public void A_broken_rule_is_named_with_its_place_and_its_replacement(string path, string line, string error)
    {
        var errors = Tidy.Check(path, Encoding.UTF8.GetBytes(line + "\n")).ToArray();
        Assert.StartsWith($"{path}:1: error: {error}", Assert.Single(errors));
    }

    [Theory]
    [InlineData(Src + "Cli/A.cs", "Console.WriteLine(1);")]
    [InlineData(Src + "Rpc/A.cs", "Say(\"Console.WriteLine\"); // not Console.WriteLine")]
    [InlineData(Src + "Git/GitRunner.cs", "await ShortCommand.RunAsync(\"git\", []);")]
    [InlineData(Src + "A.cs", "#pragma warning disable CA1 // the reason")]
    [InlineData(Src + "A.csproj", "<!-- the reason -->\n<NoWarn>CA1</NoWarn>")]
    [InlineData(".editorconfig", "# the reason\ndotnet_diagnostic.CA1.severity = none")]
    [InlineData("docs/a.md", "# One\n```sh\n# a comment of the shell\n```")]
    public void What_keeps_the_rules_is_not_named(string path, string text) => Assert.Empty(Tidy.Check(path, Encoding.UTF8.GetBytes(text + "\n")));

    [Fact]
    public void What_is_too_long_unfinished_of_one_machine_or_not_text_is_named()
    {
        string[] wrong =
        [
            Only(Src + "A.cs", Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("x\n", Tidy.FileLinesMax + 1)))),
            Only(Src + "A.cs", Encoding.UTF8.GetBytes(new string('x', Tidy.LineCharsMax + 1) + "\n")),
            Only("tests/A.cs", Encoding.UTF8.GetBytes(new string('x', Tidy.TestLineCharsMax + 1) + "\n")),
            Only("try.sh", Encoding.UTF8.GetBytes("# TO" + "DO later\n")),
            Only("try.sh", Encoding.UTF8.GetBytes("cd /wo" + "rk/here\n")),
            Only("try.sh", Encoding.UTF8.GetBytes("no newline")),
            Only("try.sh", [0xff, 0x0a]),
        ];
        Assert.Equal(
            [
                $"{Src}A.cs:501: error: a file of 501 lines is banned, use two (at most 500 lines)",
                $"{Src}A.cs:1: error: a line of 331 characters is banned, use several (at most 330)",
                "tests/A.cs:1: error: a line of 401 characters is banned, use several (at most 400)",
                "try.sh:1: error: TO" + "DO is banned, use it with an issue's number (#12) or do it now",
                "try.sh:1: error: /wo" + "rk/ is banned, use a path relative to the repository or a temp folder",
                "try.sh:1: error: a last line without its newline is banned, use one newline at the end",
                "try.sh:1: error: not UTF-8 is banned, use UTF-8",
            ],
            wrong);
        Assert.Empty(Tidy.Check("try.sh", Encoding.UTF8.GetBytes("# TO" + "DO (#12) later\n")));
    }

    [Fact]
    public void A_new_name_at_the_top_and_a_method_named_twice_or_spelt_elsewhere_are_named()
    {
        Assert.Equal(["scripts:1: error: a new name at the top of the repository is banned, use a folder that is there"], Tidy.CheckNames(["src/a.cs", "scripts/a.sh", "scripts/b.sh"]));
        var methods = ("M.cs", "const string A = \"a/b\";\nconst string B = \"a/b\";\nconst string C = \"c/d\";\n");
        Assert.Equal(["M.cs:1: error: \"a/b\" twice is banned, use one name for one method", "X.cs:2: error: \"c/d\" is banned, use Methods.C"], Tidy.CheckMethods(methods, [("X.cs", "\ncall(\"c/d\")")]));
    }

    private static string Only(string path, byte[] content) => Assert.Single(Tidy.Check(path, content));

    private static string Read(string path) => File.ReadAllText(RepositoryRoot.Of(path));

    /// <summary>What is committed and what would be: a new file is checked before its first commit.</summary>
    private static IEnumerable<string> Files()
    {
        using var git = Process.Start(new ProcessStartInfo("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]) { WorkingDirectory = RepositoryRoot.Path, RedirectStandardOutput = true })!;
        var names = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        Assert.Equal(0, git.ExitCode);
        return names.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(path => File.Exists(RepositoryRoot.Of(path)));
    }
}
