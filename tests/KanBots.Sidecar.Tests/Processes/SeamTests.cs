using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Tests.Processes;

public sealed class SeamTests
{
    private const int Deadline = 20_000;

    [Fact]
    public void No_room_but_Processes_names_a_system_call_or_the_room_of_one_system()
    {
        var source = RepositoryRoot.Of("src", "KanBots.Sidecar");
        string[] forbidden = ["DllImport", "LibraryImport", "LibC", "\"/proc", "UnixDomainSocketEndPoint", "NamedPipe", "Processes.Unix", "Processes.Linux", "Processes.MacOs", "Processes.Windows"];
        var found = from file in Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories)
                    let room = Path.GetRelativePath(source, file).Split(Path.DirectorySeparatorChar)[0]
                    where room is not ("Processes" or "obj" or "bin")
                    let text = File.ReadAllText(file)
                    from word in forbidden
                    where text.Contains(word, StringComparison.Ordinal)
                    select $"{Path.GetRelativePath(source, file)}: {word}";
        Assert.Equal([], found);
    }

    [Fact]
    public void Many_processes_are_watched_by_one_thread_and_each_end_is_said_once()
    {
        const int count = 40;
        var said = new int[count];
        var all = new CountdownEvent(count); // not disposed: the watch outlives a failing test
        var go = Path.Combine(Path.GetTempPath(), $"kb-go-{Guid.NewGuid():N}");
        var children = Enumerable.Range(0, count).Select(_ => Child($"until [ -e {go} ]; do sleep 0.05; done")).ToList();
        for (var i = 0; i < count; i++)
        {
            var index = i;
            PidWatch.WhenGone(ProcessIdentity.Of(children[i])!.Value, () =>
            {
                Interlocked.Increment(ref said[index]);
                all.Signal();
            });
        }

        if (OperatingSystem.IsLinux())
        {
            // A thread gets its name after its start, and others of the test run come and go meanwhile.
            Spine.Place.Until("there is one thread of the watch", () => Directory.GetDirectories("/proc/self/task").Count(task => NameOf(task) == "process watch") == 1);
        }

        Assert.Equal(count, all.CurrentCount);
        File.WriteAllText(go, "");
        Assert.True(all.Wait(Deadline), $"{all.CurrentCount} ends were never said");
        File.Delete(go);
        Assert.All(said, times => Assert.Equal(1, times));
    }

    private static string NameOf(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }

    [Fact]
    public void The_end_of_a_process_that_was_gone_before_or_had_another_start_is_said_too()
    {
        using var all = new CountdownEvent(2);
        var ended = Child("exit 0");
        Spine.Place.Until("the child has ended", () => !Spine.Place.IsAlive(ended));
        PidWatch.WhenGone(new ProcessIdentity(ended, "1"), () => all.Signal());
        var living = Child("exec sleep 600");
        PidWatch.WhenGone(new ProcessIdentity(living, "1"), () => all.Signal());
        Assert.True(all.Wait(Deadline), $"{all.CurrentCount} ends were never said");
        Spine.Place.Kill(living);
    }

    /// <summary>The watch of the systems that have no inotify runs on every system.</summary>
    [Fact]
    public void The_portable_folder_watch_says_new_files_and_ticks()
    {
        var folder = Directory.CreateTempSubdirectory("kb-").FullName;
        try
        {
            using var changed = new ManualResetEventSlim();
            using var ticks = new CountdownEvent(3);
            using var watch = new WatcherFolderWatch(
                name =>
                {
                    if (name == folder)
                    {
                        changed.Set();
                    }
                },
                () =>
                {
                    if (!ticks.IsSet)
                    {
                        ticks.Signal();
                    }
                });
            Assert.True(watch.Add(folder));
            Assert.False(watch.Add(Path.Combine(folder, "absent")));
            File.WriteAllText(Path.Combine(folder, "stdout.ndjson"), "{}\n");
            Assert.True(changed.Wait(Deadline), "the change was never said");
            Assert.True(ticks.Wait(Deadline), "it never ticked three times");
            watch.Remove(folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Not by System.Diagnostics.Process: the watch takes the zombies of its processes away, and that class ends the whole
    /// program when somebody reaps a child of its own.</summary>
    private static int Child(string script) =>
        Spawn.Start(new SpawnRequest("/bin/sh", ["/bin/sh", "-c", script], Spawn.OwnEnvironment(), "/", new Redirect.Null(), new Redirect.Null(), new Redirect.Null(), NewSession: true));
}
