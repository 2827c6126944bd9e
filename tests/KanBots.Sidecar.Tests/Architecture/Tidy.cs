using System.Text;
using System.Text.RegularExpressions;

namespace KanBots.Sidecar.Tests.Architecture;

/// <summary>The rules that hold for every file of the repository. Each broken rule is one line: <c>path:line: error: what, use what</c>.</summary>
internal static class Tidy
{
    /// <summary>Lines of a file of code.</summary>
    internal const int FileLinesMax = 500;

    /// <summary>Characters of a line of product code. The longest of today has 322.</summary>
    internal const int LineCharsMax = 330;

    /// <summary>Characters of a line under tests, where a case is often one long line. The longest of today has 380.</summary>
    internal const int TestLineCharsMax = 400;

    /// <summary>Files that were longer when the rule came, with their lines. It may only shrink.</summary>
    internal static readonly IReadOnlyDictionary<string, int> LongerFiles = new Dictionary<string, int>();

    internal static readonly string[] TopLevel =
    [
        ".ci", ".editorconfig", ".gitignore", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "Directory.Build.props", "Directory.Packages.props",
        "KanBots.Sidecar.sln", "LICENSE", "README.md", "bench", "docs", "global.json", "rider-plugin", "schema", "src", "test.sh", "tests", "try.sh", "vscode-extension",
    ];

    // Spelt in two halves, so that this file keeps its own rules.
    private static readonly string[] MachinePaths = ["/wo" + "rk/", "/ro" + "ot/"];
    private static readonly Regex Unfinished = new(@"\b(TO" + @"DO|FIX" + @"ME|HA" + @"CK|XX" + @"X)\b");
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    internal static IEnumerable<string> Check(string path, byte[] content)
    {
        string text;
        try
        {
            text = Strict.GetString(content);
        }
        catch (DecoderFallbackException)
        {
            return Extension(path) is "png" or "jar" or "ico" ? [] : [Error(path, 1, "not UTF-8 is banned, use UTF-8")];
        }

        var lines = text.Split('\n');
        return [.. CheckWhole(path, text), .. lines.SelectMany((line, index) => CheckLine(path, index + 1, line, index == 0 ? "" : lines[index - 1]))];
    }

    internal static IEnumerable<string> CheckNames(IEnumerable<string> paths) =>
        paths.Select(path => path.Split('/')[0]).Distinct().Where(name => !TopLevel.Contains(name)).Select(name => Error(name, 1, "a new name at the top of the repository is banned, use a folder that is there"));

    /// <param name="methods">The file of constants in which the names of the wire stand.</param>
    /// <param name="others">Every other file of the product, in which none of them may be spelt.</param>
    internal static IEnumerable<string> CheckMethods((string Path, string Text) methods, IEnumerable<(string Path, string Text)> others)
    {
        var names = Regex.Matches(methods.Text, "const string (\\w+) = (\"[^\"]+\");").Select(match => (Constant: match.Groups[1].Value, Literal: match.Groups[2].Value)).ToArray();
        var twice = names.GroupBy(name => name.Literal).Where(group => group.Count() > 1).Select(group => Error(methods.Path, 1, $"{group.Key} twice is banned, use one name for one method"));
        var spelt = from other in others
                    from name in names.Where(name => name.Literal.Contains('/'))
                    let at = other.Text.IndexOf(name.Literal, StringComparison.Ordinal)
                    where at >= 0
                    select Error(other.Path, other.Text[..at].Count(character => character == '\n') + 1, $"{name.Literal} is banned, use Methods.{name.Constant}");
        return [.. twice, .. spelt];
    }

    private static IEnumerable<string> CheckWhole(string path, string text)
    {
        // `dotnet sln` begins its file with a byte order mark.
        if (text.StartsWith('\uFEFF') && Extension(path) != "sln")
        {
            yield return Error(path, 1, "a byte order mark is banned, use plain UTF-8");
        }

        if (text.Length > 0 && !text.EndsWith('\n'))
        {
            yield return Error(path, text.Count(character => character == '\n') + 1, "a last line without its newline is banned, use one newline at the end");
        }

        var lines = text.Count(character => character == '\n');
        if (IsCode(path) && lines > LongerFiles.GetValueOrDefault(path, FileLinesMax))
        {
            yield return Error(path, lines, $"a file of {lines} lines is banned, use two (at most {FileLinesMax} lines)");
        }

        if (LongerFiles.ContainsKey(path) && lines <= FileLinesMax)
        {
            yield return Error(path, lines, "an entry for a file that is short now is banned, use the rule: take it out of LongerFiles");
        }

        if (Extension(path) == "md" && (!text.StartsWith("# ", StringComparison.Ordinal) || Titles(text) != 1))
        {
            yield return Error(path, 1, $"{Titles(text)} titles are banned, use one `# Title`, in the first line");
        }
    }

    private static IEnumerable<string> CheckLine(string path, int number, string line, string before)
    {
        var lengthMax = path.StartsWith("tests/", StringComparison.Ordinal) ? TestLineCharsMax : LineCharsMax;
        if (IsCode(path) && line.Length > lengthMax)
        {
            yield return Error(path, number, $"a line of {line.Length} characters is banned, use several (at most {lengthMax})");
        }

        if (line.EndsWith('\r'))
        {
            yield return Error(path, number, "CR LF is banned, use LF");
        }
        else if (line.Length > 0 && line[^1] is ' ' or '\t')
        {
            yield return Error(path, number, "white space at the end of a line is banned, use none");
        }

        foreach (var machine in MachinePaths.Where(machine => line.Contains(machine, StringComparison.Ordinal)))
        {
            yield return Error(path, number, $"{machine} is banned, use a path relative to the repository or a temp folder");
        }

        if (Unfinished.Match(line) is { Success: true } mark && !Regex.IsMatch(line, @"#\d+"))
        {
            yield return Error(path, number, $"{mark.Value} is banned, use it with an issue's number (#12) or do it now");
        }

        if (IsLock(path) && Regex.IsMatch(line, "\"resolved\"|https?://(?!(github|opencollective|www\\.patreon)\\.com/)[^\"]*\\.tgz"))
        {
            yield return Error(path, number, "a registry's address is banned, use npm's omit-lockfile-registry-resolved");
        }

        if (Unreasoned(path, line, before) is { } muted)
        {
            yield return Error(path, number, $"{muted} without a reason is banned, use a comment on this line or the one above");
        }

        if (path == "Directory.Packages.props" && Regex.Match(line, "Version=\"([^\"]*)\"") is { Success: true } version && !Regex.IsMatch(version.Groups[1].Value, @"^\d+\.\d+\.\d+$"))
        {
            yield return Error(path, number, $"the version {version.Groups[1].Value} is banned, use an exact one");
        }

        foreach (var ban in Extension(path) == "cs" ? Ban.All.Where(ban => ban.Forbids(path, line)) : [])
        {
            yield return Error(path, number, $"{ban.Name} is banned, use {ban.Use}");
        }
    }

    /// <summary>What silences a compiler or an analyser must say why.</summary>
    private static string? Unreasoned(string path, string line, string before) => Extension(path) switch
    {
        "cs" when line.TrimStart().StartsWith("#pragma warning disable", StringComparison.Ordinal) && !line.Contains("//", StringComparison.Ordinal) && !IsComment(before) => "#pragma warning disable",
        "cs" when Regex.IsMatch(line, @"^\s*\[(\w+: *)?(Unconditional)?SuppressMessage\(") && !line.Contains("Justification", StringComparison.Ordinal) => "SuppressMessage",
        "csproj" or "props" or "pubxml" or "targets" when Regex.IsMatch(line, "<(NoWarn|WarningsNotAsErrors)|NoWarn=") && !line.Contains("<!--", StringComparison.Ordinal) && !before.Contains("-->", StringComparison.Ordinal) => "NoWarn",
        "editorconfig" when line.Contains("severity = none", StringComparison.Ordinal) && !IsComment(before) => "severity = none",
        _ => null,
    };

    private static bool IsComment(string line) => line.TrimStart() is ['/', '/', ..] or ['#', ' ', ..];

    private static int Titles(string markdown) => markdown.Split("```").Where((_, index) => index % 2 == 0).Sum(part => part.Split('\n').Count(line => line.StartsWith("# ", StringComparison.Ordinal)));

    private static bool IsCode(string path) => Extension(path) is "cs" or "ts" or "js" or "mjs" or "kt" or "kts" or "java" or "sh" && !path.StartsWith("schema/", StringComparison.Ordinal);

    private static bool IsLock(string path) => path.EndsWith("-lock.json", StringComparison.Ordinal) || path.EndsWith("packages.lock.json", StringComparison.Ordinal);

    private static string Extension(string path) => Path.GetExtension(path).TrimStart('.');

    private static string Error(string path, int line, string what) => $"{path}:{line}: error: {what}";
}
