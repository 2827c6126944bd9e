using System.Diagnostics;
using KanBots.Sidecar.Tests.Spine;

namespace KanBots.Sidecar.Tests.Rpc;

/// <summary>The suites of tests/conformance: npm's vscode-jsonrpc against the built executable, and the samples read by TypeScript.</summary>
public sealed class NodeConformanceTests
{
    private const string NextStep = "run ./test.sh, or npm ci in tests/conformance";

    [Theory]
    [InlineData("samples.test.mjs")]
    [InlineData("wire.test.mjs")]
    [InlineData("runs.test.mjs")]
    public async Task The_suite_passes(string suite)
    {
        var folder = RepositoryRoot.Of("tests", "conformance");
        Assert.True(Directory.Exists(Path.Combine(folder, "node_modules", "vscode-jsonrpc")), $"The packages of tests/conformance are missing: {NextStep}.");
        var start = new ProcessStartInfo("node", ["--test", suite]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["KANBOTS_TEST_SIDECAR"] = Place.Sidecar;
        start.Environment["KANBOTS_TEST_AGENT"] = Place.FakeAgent;
        using var node = Start(start);
        var (output, error) = (node.StandardOutput.ReadToEndAsync(), node.StandardError.ReadToEndAsync());
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(8));
        try
        {
            await node.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            node.Kill(entireProcessTree: true);
        }

        Assert.True(node.ExitCode == 0, $"node --test {suite} ended with {node.ExitCode}:\n{await output}\n{await error}");
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new InvalidOperationException($"node is missing. Install Node 20 or later, then {NextStep}.");
        }
    }
}
