using System.Runtime.Versioning;
using KanBots.Sidecar.Processes.Unix;

namespace KanBots.Sidecar.Processes;

/// <summary>Gives memory that is free back to the system. Left alone, the collector and the C library keep what a busy minute took, for a process that
/// may live for weeks.</summary>
internal sealed class FreeMemory
{
    /// <summary>Bytes that were asked for between two times: fewer are not worth a pause of about 10 ms.</summary>
    private const long AllocatedMin = 8 << 20;

    private long _allocated;
    private bool _cannotTrim = !OperatingSystem.IsLinux();

    /// <summary>Does nothing where little has happened since the last time.</summary>
    internal void GiveBack()
    {
        if (GC.GetTotalAllocatedBytes() - _allocated < AllocatedMin)
        {
            return;
        }

        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _allocated = GC.GetTotalAllocatedBytes();
        if (!_cannotTrim && OperatingSystem.IsLinux())
        {
            Trim();
        }
    }

    [SupportedOSPlatform("linux")]
    private void Trim()
    {
        try
        {
            _ = LibC.malloc_trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            _cannotTrim = true; // a C library other than glibc
        }
    }
}
