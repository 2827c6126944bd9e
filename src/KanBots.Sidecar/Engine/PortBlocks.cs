using System.Security.Cryptography;
using System.Text;

namespace KanBots.Sidecar.Engine;

/// <summary>Ports for what an agent starts, such as a development server: a block of its own for each run, below the range from which
/// systems give ports to outgoing connections (Linux from 32768, the others from 49152). Nobody reserves them; they only differ.</summary>
internal static class PortBlocks
{
    internal const int First = 20_000;

    /// <summary>Ports of a block.</summary>
    internal const int Size = 100;

    /// <summary>Blocks of the range, which ends below 32,000.</summary>
    internal const int Count = 120;

    /// <summary>The first port of the run's block: by its id, so that it is the same on every machine but for the repository's own offset,
    /// which keeps the first runs of two repositories apart. The next block when another run has it.</summary>
    /// <param name="live">Blocks of live runs.</param>
    /// <param name="resumable">Blocks of runs that may become live: taken only when no other is left.</param>
    internal static int Choose(string repository, long runId, IReadOnlySet<int> live, IReadOnlySet<int> resumable)
    {
        var offset = BitConverter.ToUInt32(SHA256.HashData(Encoding.UTF8.GetBytes(repository)), 0) % Count;
        var blocks = Enumerable.Range(0, Count).Select(step => First + ((int)((offset + runId + step) % Count) * Size)).ToList();
        return blocks.FirstOrDefault(block => !live.Contains(block) && !resumable.Contains(block)) is var free and > 0 ? free
            : blocks.FirstOrDefault(block => !live.Contains(block)) is var idle and > 0 ? idle
            : blocks[0];
    }
}
