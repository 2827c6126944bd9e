using System.Globalization;
using System.Text;

namespace KanBots.Sidecar.Processes;

/// <summary>A process that cannot be mistaken for a later one with the same pid.</summary>
/// <param name="Start">Clock ticks since boot, field 22 of /proc/pid/stat, as text.</param>
internal readonly record struct ProcessIdentity(int Pid, string Start)
{
    internal static ProcessIdentity? Of(int pid) => Stat(pid) is { } stat ? new ProcessIdentity(pid, stat.Start) : null;

    /// <summary>Alive and the same one. A zombie is gone: it does nothing any more.</summary>
    internal bool IsAlive => Stat(Pid) is { } stat && stat.Start == Start;

    internal static string BootId { get; } = ReadBootId();

    internal readonly record struct StatFields(int Parent, string Start);

    /// <summary>Parent and start time, or null for a process that is gone or a zombie.</summary>
    internal static StatFields? Stat(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat", Encoding.Latin1);
            // The name stands in brackets and may itself contain brackets and spaces.
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : new StatFields(int.Parse(fields[1], CultureInfo.InvariantCulture), fields[19]);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string ReadBootId()
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
