namespace KanBots.Sidecar.Processes.Windows;

/// <summary>The structs of Windows as the SDK's headers have them, for 64-bit processes. Their sizes are tested on every system.</summary>
internal static unsafe class WindowsLayouts
{
    internal struct SecurityAttributes
    {
        internal uint Length;
        internal void* Descriptor;
        internal int InheritHandle;
    }

    /// <summary>STARTUPINFOEXW of winbase.h.</summary>
    internal struct StartupInfo
    {
        internal uint Bytes;
        internal void* Reserved;
        internal char* Desktop;
        internal char* Title;
        internal uint X, Y, XSize, YSize, XCountChars, YCountChars, FillAttribute, Flags;
        internal ushort ShowWindow, Reserved2Bytes;
        internal void* Reserved2;
        internal nint Input, Output, Error;
        internal void* Attributes;
    }

    internal struct ProcessInformation
    {
        internal nint Process, Thread;
        internal int ProcessId, ThreadId;
    }

    /// <summary>JOBOBJECT_EXTENDED_LIMIT_INFORMATION of winnt.h.</summary>
    internal struct JobLimits
    {
        internal long PerProcessUserTime, PerJobUserTime;
        internal uint Flags;
        internal nuint MinimumWorkingSet, MaximumWorkingSet;
        internal uint ActiveProcesses;
        internal nuint Affinity;
        internal uint PriorityClass, SchedulingClass;
        internal fixed ulong IoCounters[6];
        internal nuint ProcessMemory, JobMemory, PeakProcessMemory, PeakJobMemory;
    }
}
