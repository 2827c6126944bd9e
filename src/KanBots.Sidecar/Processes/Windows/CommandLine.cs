using System.Text;

namespace KanBots.Sidecar.Processes.Windows;

/// <summary>Windows gives a program one string, which the program itself takes apart: by the rules of CommandLineToArgvW, or, for a
/// batch file, by those of cmd.exe. Pure, and tested on every system.</summary>
internal static class CommandLine
{
    /// <summary>What a quoted argument may not hold when cmd.exe reads it: it ends the quotes, or is replaced even inside of them, and
    /// no escape works in both of its readings.</summary>
    private const string CmdSpecial = "\"%!^&|<>\r\n";

    /// <summary>The names under which a program may stand in a folder, best first. CreateProcess starts the first two itself. The other
    /// extensions of PATHEXT belong to interpreters, and a file without extension, as npm makes one, is a Unix shell's.</summary>
    internal static IReadOnlyList<string> FileNames(string name) =>
        IsProgram(name) || IsBatch(name) ? [name] : [$"{name}.exe", $"{name}.com", $"{name}.cmd", $"{name}.bat"];

    internal static bool IsBatch(string path) => HasExtension(path, ".cmd") || HasExtension(path, ".bat");

    /// <param name="arguments">The first is the program's own name, which has no escapes and cannot hold a quote.</param>
    internal static string Of(IReadOnlyList<string> arguments)
    {
        var line = new StringBuilder().Append('"').Append(arguments[0]).Append('"');
        foreach (var argument in arguments.Skip(1))
        {
            Quote(line.Append(' '), argument);
        }

        return line.ToString();
    }

    /// <summary>For cmd.exe: /s takes one pair of quotes off the whole, /d starts no autorun, /v:off leaves exclamation marks alone.</summary>
    /// <param name="arguments">The first is the batch file.</param>
    /// <exception cref="IOException">An argument cannot be passed safely.</exception>
    internal static string OfBatch(string cmd, IReadOnlyList<string> arguments)
    {
        if (arguments.FirstOrDefault(argument => argument.AsSpan().ContainsAny(CmdSpecial)) is { } unsafeOne)
        {
            throw new IOException($"{unsafeOne} cannot be passed to the batch file {arguments[0]}: cmd.exe would read it as more than text. Set the path of the program itself (.exe).");
        }

        return $"\"{cmd}\" /d /v:off /s /c \"{Of(arguments)}\"";
    }

    internal static string Quote(string argument) => Quote(new StringBuilder(), argument).ToString();

    /// <summary>A quote is escaped by a backslash; backslashes mean themselves, except before a quote, where each is doubled.</summary>
    private static StringBuilder Quote(StringBuilder line, string argument)
    {
        if (argument.Length > 0 && !argument.AsSpan().ContainsAny(" \t\n\v\""))
        {
            return line.Append(argument);
        }

        line.Append('"');
        var backslashes = 0;
        foreach (var character in argument)
        {
            if (character == '\\')
            {
                backslashes++;
                continue;
            }

            line.Append('\\', character == '"' ? (2 * backslashes) + 1 : backslashes).Append(character);
            backslashes = 0;
        }

        return line.Append('\\', 2 * backslashes).Append('"');
    }

    private static bool IsProgram(string path) => HasExtension(path, ".exe") || HasExtension(path, ".com");

    private static bool HasExtension(string path, string extension) => path.EndsWith(extension, StringComparison.OrdinalIgnoreCase);
}

/// <summary>The environment as CreateProcessW takes it: sorted by name without regard to case, each entry ended by a NUL, one more at
/// the end. Of names that differ in case only, the last given counts.</summary>
internal static class EnvironmentBlock
{
    internal static string Of(IReadOnlyList<string> lines)
    {
        var entries = new SortedDictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in lines)
        {
            if (line.Contains('\0'))
            {
                throw new IOException("An environment variable contains a NUL character.");
            }

            // cmd.exe keeps a folder for each drive in names that begin with '='.
            if (line.IndexOf('=', Math.Min(1, line.Length)) is var end and > 0)
            {
                entries[line[..end]] = line;
            }
        }

        return entries.Count == 0 ? "\0\0" : $"{string.Concat(entries.Values.Select(line => $"{line}\0"))}\0";
    }
}
