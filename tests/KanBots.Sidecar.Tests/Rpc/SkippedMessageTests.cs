using System.Text;
using KanBots.Sidecar.Rpc;
using static KanBots.Sidecar.Tests.Rpc.ByteClient;

namespace KanBots.Sidecar.Tests.Rpc;

/// <summary>Tests that count what the whole process allocates run when no other does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    internal const string Name = "alone";
}

[Collection(AloneCollection.Name)]
public sealed class SkippedMessageTests
{
    [Fact]
    public async Task A_message_over_the_limit_is_refused_without_being_kept_and_the_next_is_answered()
    {
        await using var bench = new Bench();
        bench.Client.Send(Request("1", "test/echo", ConformanceTests.Echo));
        bench.Client.Write(Encoding.ASCII.GetBytes($"Content-Length: {HeaderFraming.MaxMessageBytes + 1}\r\n\r\n"));
        var piece = new byte[1 << 20];
        var before = GC.GetTotalAllocatedBytes();
        for (var i = 0; i < HeaderFraming.MaxMessageBytes / piece.Length; i++)
        {
            bench.Client.Write(piece);
        }

        bench.Client.Write([0, .. Frame(Request("2", "test/echo", ConformanceTests.Echo))]);
        Assert.Equal(1, (int)(await bench.Client.NextAsync())["id"]!);
        AssertError(await bench.Client.NextAsync(), "null", -32600, "over the limit");
        Assert.Equal(2, (int)(await bench.Client.NextAsync())["id"]!);
        Assert.True(GC.GetTotalAllocatedBytes() - before < 32 << 20, $"{GC.GetTotalAllocatedBytes() - before} bytes allocated to skip a message");
    }
}
