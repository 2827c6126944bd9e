using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace KanBots.Sidecar.Tests.Architecture;

/// <summary>The sidecar as one of its publish profiles makes it, published once per state of the sources.</summary>
/// <param name="Folder">Everything that is shipped.</param>
/// <param name="Log">What the build said; empty when the same sources had been published before.</param>
internal sealed record Published(string Profile, string Folder, string Log, TimeSpan Took)
{
    // Half a minute on an idle machine of two cores. The bound is for one that hangs, on a machine that others use too.
    private static readonly TimeSpan PublishMax = TimeSpan.FromMinutes(8);
    private static readonly ConcurrentDictionary<string, Lazy<Published>> All = new();

    internal long Bytes => Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);

    internal int Files => Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories).Count();

    internal static Published Of(string profile) => All.GetOrAdd(profile, name => new Lazy<Published>(() => Make(name))).Value;

    /// <summary>Starts it as a plugin would: by its executable, or by the runtime where it has none.</summary>
    internal ProcessStartInfo Command(ProcessStartInfo start)
    {
        start.FileName = Path.Combine(Folder, "kanbots-sidecar");
        if (!File.Exists(start.FileName))
        {
            start.FileName = "dotnet";
            start.ArgumentList.Insert(0, Path.Combine(Folder, "kanbots-sidecar.dll"));
        }

        return start;
    }

    /// <returns>What it wrote to its standard output.</returns>
    internal string Run(params string[] arguments)
    {
        var (code, output) = RunToEnd(Command(new ProcessStartInfo("", arguments) { WorkingDirectory = Path.GetTempPath() }), TimeSpan.FromMinutes(1));
        Assert.True(code == 0, $"{string.Join(' ', arguments)} of {Profile} ended with {code}: {output}");
        return output;
    }

    /// <summary>What the linker and the compilers complained about, without repetitions.</summary>
    internal static IEnumerable<string> Complaints(string log) => Regex.Matches(log, @"^.*\b(warning|error)\b.*$", RegexOptions.Multiline | RegexOptions.IgnoreCase).Select(match => match.Value.Trim()).Distinct();

    private static Published Make(string profile)
    {
        var folder = RepositoryRoot.Of("artifacts", "publish", profile);
        var stamp = $"{folder}.sources";
        var sources = Sources();
        if (Directory.Exists(folder) && File.Exists(stamp) && File.ReadAllText(stamp) == sources)
        {
            return new Published(profile, folder, "", TimeSpan.Zero);
        }

        Directory.CreateDirectory(Path.GetDirectoryName(stamp)!);
        File.Delete(stamp);
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        // An artifacts folder of its own leaves the obj folders alone with which the tests were built. Build servers would keep our pipe.
        string[] arguments = ["publish", RepositoryRoot.Of("src", "KanBots.Sidecar"), $"-p:PublishProfile={profile}", "--artifacts-path", RepositoryRoot.Of("artifacts", "publish-build", profile), "--disable-build-servers", "-v", "q", "--nologo"];
        var clock = Stopwatch.StartNew();
        var (code, log) = RunToEnd(new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = RepositoryRoot.Path }, PublishMax);
        Assert.True(code == 0, $"publishing {profile} ended with {code}:\n{log}");
        if (!Complaints(log).Any())
        {
            File.WriteAllText(stamp, sources);
        }

        return new Published(profile, folder, log, clock.Elapsed);
    }

    private static (int Code, string Output) RunToEnd(ProcessStartInfo start, TimeSpan max)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(max))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{start.FileName} {string.Join(' ', start.ArgumentList)} needed more than {max}.");
        }

        return (process.ExitCode, output.GetAwaiter().GetResult() + error.GetAwaiter().GetResult());
    }

    /// <summary>A hash of everything that goes into a publish.</summary>
    private static string Sources()
    {
        var source = Directory.EnumerateFiles(RepositoryRoot.Of("src"), "*", SearchOption.AllDirectories).Where(file => !Regex.IsMatch(file, "/(bin|obj)/"));
        var files = source.Concat(["Directory.Build.props", "Directory.Packages.props", "global.json", ".editorconfig"]).Select(file => RepositoryRoot.Of(file)).Order(StringComparer.Ordinal);
        var lines = files.Select(file => $"{Path.GetRelativePath(RepositoryRoot.Path, file)} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)))}");
        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', lines))));
    }
}
