using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Engine;

/// <summary>Processes of a launch whose host is gone, seen from outside: by doctor, also when no serve runs.</summary>
internal sealed record Leftovers(int Card, long Run, string Token, IReadOnlyList<int> Pids)
{
    internal static IEnumerable<Leftovers> Find(Paths paths)
    {
        foreach (var (card, run, folder) in paths.Launches())
        {
            if (folder.ReadLaunch() is not { } launch || (folder.ReadHost() is { } host && new ProcessIdentity(host.HostPid, host.HostStart).IsAlive))
            {
                continue;
            }

            var left = ProcessTree.Find(launch.Token, new HashSet<int>(), new HashSet<int>());
            if (left.Count > 0)
            {
                yield return new Leftovers(card, run, launch.Token, [.. left.Select(process => process.Pid)]);
            }
        }
    }
}
