using System.Globalization;
using System.Runtime.Versioning;
using System.Text;

namespace KanBots.Sidecar.Processes.Linux;

/// <summary>What /proc says of processes.</summary>
[SupportedOSPlatform("linux")]
internal static class Proc
{
    /// <summary>After the name: to the start of the process.</summary>
    private const int FieldsRead = 20;

    internal static ProcessFacts? Facts(int pid)
    {
        try
        {
            var text = File.ReadAllBytes($"/proc/{pid}/stat").AsSpan();
            // The name stands in brackets and may itself contain brackets and spaces. Field 22 is the start in clock ticks since boot.
            var rest = text[(text.LastIndexOf((byte)')') + 2)..];
            Span<Range> fields = stackalloc Range[FieldsRead];
            var at = 0;
            foreach (var field in rest.Split((byte)' '))
            {
                fields[at++] = field;
                if (at == FieldsRead)
                {
                    break;
                }
            }

            return rest[0] is (byte)'Z' or (byte)'X' ? null : new ProcessFacts(int.Parse(rest[fields[1]], CultureInfo.InvariantCulture), Encoding.ASCII.GetString(rest[fields[FieldsRead - 1]]));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Stopped by a signal, or gone.</summary>
    internal static bool IsStill(int pid)
    {
        try
        {
            var text = File.ReadAllBytes($"/proc/{pid}/stat").AsSpan();
            return text[text.LastIndexOf((byte)')') + 2] is (byte)'T' or (byte)'t' or (byte)'Z' or (byte)'X';
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>What the process has open: a link that leads to the file, and the path that it was opened by.</summary>
    internal static List<(string Link, string Path)> OpenFiles(int pid)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries($"/proc/{pid}/fd").Select(link => (link, new FileInfo(link).LinkTarget ?? ""))];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>True when the process has a handler of its own for the signal; false when it is gone.</summary>
    internal static bool Catches(int pid, int signal)
    {
        try
        {
            foreach (var line in File.ReadLines($"/proc/{pid}/status"))
            {
                if (line.StartsWith("SigCgt:", StringComparison.Ordinal))
                {
                    return (ulong.Parse(line.AsSpan(7).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) >> (signal - 1) & 1) == 1;
                }
            }
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // it has ended
        }

        return false;
    }

    internal static byte[]? Environment(int pid)
    {
        try
        {
            return File.ReadAllBytes($"/proc/{pid}/environ");
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The path of the program, null when it may not be read.</summary>
    internal static string? Executable(int pid)
    {
        try
        {
            return new FileInfo($"/proc/{pid}/exe").LinkTarget;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    internal static IEnumerable<int> Pids()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
            {
                yield return pid;
            }
        }
    }

    internal static string BootId()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }
}
