using System.Globalization;
using System.Runtime.Versioning;
using System.Text;

namespace KanBots.Sidecar.Processes.Linux;

/// <summary>What /proc says of processes.</summary>
[SupportedOSPlatform("linux")]
internal static class Proc
{
    internal static ProcessFacts? Facts(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat", Encoding.Latin1);
            // The name stands in brackets and may itself contain brackets and spaces. Field 22 is the start in clock ticks since boot.
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : new ProcessFacts(int.Parse(fields[1], CultureInfo.InvariantCulture), fields[19]);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
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
