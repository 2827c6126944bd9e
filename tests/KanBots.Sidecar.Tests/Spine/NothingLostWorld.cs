using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>Nobody answers any more, and nothing that waits for an answer is to go on waiting.</summary>
internal sealed class ServeGoneException(Exception why) : Exception("Serve was killed, and the next one did not come up.", why);

/// <summary>What the sequences share: a repository, its serve, one connection, and its user.</summary>
internal sealed class NothingLostWorld : IDisposable
{
    private readonly object _gate = new();
    private readonly HashSet<WireClient> _cut = [];
    private WireClient _client;
    private Exception? _isGone;

    internal NothingLostWorld()
    {
        Person = new NothingLostPerson(Place.Repository);
        _client = Place.Start(parallel: 64);
    }

    internal Place Place { get; } = new();

    internal NothingLostPerson Person { get; }

    /// <summary>Steps hold it together; who runs `git gc --prune=now` or empties the main checkout holds it alone. git says of itself that the
    /// one takes what another git is just writing, and the other takes the worktrees.</summary>
    internal ReaderWriterLockSlim Steps { get; } = new();

    /// <summary>Those that are under way.</summary>
    internal HashSet<NothingLostSequence> Active { get; } = [];

    /// <summary>One request, answered by whichever serve: what a killed one has not answered is repeated as it was.</summary>
    /// <param name="underWay">What happens between request and answer.</param>
    internal JsonObject Call(string method, JsonObject parameters, Action? underWay = null)
    {
        for (; ; underWay = null)
        {
            var client = Client;
            JsonObject answer;
            try
            {
                var sent = client.Send(method, parameters.DeepClone().AsObject());
                underWay?.Invoke();
                answer = client.Answer(sent, method);
            }
            catch (Exception cut) when (cut is IOException or InvalidOperationException or ObjectDisposedException && WasCut(client))
            {
                continue;
            }

            return answer["error"] is { } error ? throw new WireError((string?)error["data"]?["kind"], (int)error["code"]!, (string)error["message"]!) : answer["result"]!.AsObject();
        }
    }

    private WireClient Client
    {
        get
        {
            lock (_gate)
            {
                return _isGone is null ? _client : throw new ServeGoneException(_isGone);
            }
        }
    }

    /// <summary>A connection that ends while nobody has killed its serve is no end to go on after.</summary>
    private bool WasCut(WireClient client)
    {
        lock (_gate)
        {
            return _cut.Contains(client);
        }
    }

    /// <param name="whileDown">What the user does before the next serve is there.</param>
    internal void KillServe(Action? whileDown = null)
    {
        lock (_gate)
        {
            try
            {
                _cut.Add(_client);
                Place.KillServe();
                Assert.Equal(3, _client.WaitForExit());
                whileDown?.Invoke();
                _client = Place.Connect();
            }
            catch (Exception failure)
            {
                _isGone = failure;
                throw new ServeGoneException(failure);
            }
        }
    }

    /// <summary>A git that serve had begun goes on without it.</summary>
    internal void AwaitGits() => Place.Until("no git works in the repository", () => !Processes().Any(pid => IsOfOurs(pid) && Said(pid, "comm") == "git\n"));

    /// <summary>Whether such a process lives, and by where it stands or what it was called with it is of this repository: a pid alone comes again.</summary>
    internal bool IsOfOurs(int pid) => Place.IsAlive(pid) && (Said(pid, "cmdline").Contains(Place.Root, StringComparison.Ordinal) || StandsIn(pid)?.StartsWith(Place.Root, StringComparison.Ordinal) == true);

    /// <summary>But serve, and the relay of the connection that is open.</summary>
    internal void AwaitNothingLeft()
    {
        List<int> left = [];
        try
        {
            Place.Until("nothing is left but serve and its client", () => (left = [.. Processes().Where(pid => IsOfOurs(pid) && pid != Place.ServePid && pid != Client.Pid)]).Count == 0);
        }
        catch (Xunit.Sdk.TrueException)
        {
            Assert.Fail($"Left is {string.Join("; ", left.Select(pid => $"{pid} in {StandsIn(pid)}: {Said(pid, "cmdline").Replace('\0', ' ')}"))}");
        }
    }

    private static IEnumerable<int> Processes() => Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => name!.All(char.IsAsciiDigit)).Select(name => int.Parse(name!));

    private static string Said(int pid, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{file}");
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string? StandsIn(int pid)
    {
        try
        {
            return new FileInfo($"/proc/{pid}/cwd").LinkTarget;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        Place.Dispose();
        Steps.Dispose();
    }
}
