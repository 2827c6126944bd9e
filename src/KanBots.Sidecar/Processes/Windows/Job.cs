using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace KanBots.Sidecar.Processes.Windows;

/// <summary>The processes of a launch, as a job named after its token. The run host holds the only handle that lasts, and what is in the
/// job ends with it. A process cannot leave, whatever it does with its environment. Not run: written from the documentation.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class Job
{
    /// <summary>winnt.h.</summary>
    private const int BasicProcessIdList = 3, ExtendedLimitInformation = 9;
    private const uint JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE = 0x2000, JOB_OBJECT_QUERY = 0x4, JOB_OBJECT_TERMINATE = 0x8;

    private const int MembersMax = 4096;
    private const int RoundMs = 25;

    private readonly SafeWaitHandle _handle;

    private Job(SafeWaitHandle handle) => _handle = handle;

    internal static Job Create(string token)
    {
        var handle = Win32.CreateJobObjectW(null, NameOf(token));
        var limits = new WindowsLayouts.JobLimits { Flags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE };
        return !handle.IsInvalid && Win32.SetInformationJobObject(handle, ExtendedLimitInformation, &limits, (uint)sizeof(WindowsLayouts.JobLimits)) != 0
            ? new Job(handle)
            : throw Win32.Failure("The job of the agent could not be made");
    }

    /// <summary>Empty when the job is gone, and with it all that was in it.</summary>
    internal static IReadOnlyList<ProcessIdentity> MembersOf(string token)
    {
        using var handle = Win32.OpenJobObjectW(JOB_OBJECT_QUERY, 0, NameOf(token));
        return handle.IsInvalid ? [] : new Job(handle).Members();
    }

    internal static IReadOnlyList<ProcessIdentity> KillAll(string token)
    {
        using var handle = Win32.OpenJobObjectW(JOB_OBJECT_QUERY | JOB_OBJECT_TERMINATE, 0, NameOf(token));
        return handle.IsInvalid ? [] : new Job(handle).KillAll();
    }

    internal bool TryAssign(nint process) => Win32.AssignProcessToJobObject(_handle, process) != 0;

    internal IReadOnlyList<ProcessIdentity> KillAll()
    {
        IReadOnlyList<ProcessIdentity> left = [];
        for (var round = 0; round < ProcessTree.RoundsMax; round++)
        {
            _ = Win32.TerminateJobObject(_handle, 1);
            left = Members();
            if (left.Count == 0)
            {
                break;
            }

            Thread.Sleep(RoundMs); // ending is asynchronous
        }

        return left;
    }

    private List<ProcessIdentity> Members()
    {
        // JOBOBJECT_BASIC_PROCESS_ID_LIST: two counts of 32 bits, then the ids, each as wide as a pointer.
        var answer = new nuint[1 + MembersMax];
        fixed (nuint* list = answer)
        {
            _ = Win32.QueryInformationJobObject(_handle, BasicProcessIdList, list, (uint)(answer.Length * sizeof(nuint)), null);
            var count = Math.Min(((uint*)list)[1], MembersMax);
            return [.. answer.Skip(1).Take((int)count).Select(pid => ProcessIdentity.Of((int)pid)).OfType<ProcessIdentity>()];
        }
    }

    /// <summary>Of this logon session: its processes are the only ones that need it.</summary>
    private static string NameOf(string token) => $@"Local\kanbots-job-{token}";
}
