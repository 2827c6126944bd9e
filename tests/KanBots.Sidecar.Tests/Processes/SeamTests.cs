using System.Diagnostics;
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
        var children = Enumerable.Range(0, count).Select(_ => Child("read line")).ToList();
        for (var i = 0; i < count; i++)
        {
            var index = i;
            PidWatch.WhenGone(ProcessIdentity.Of(children[i].Id)!.Value, () =>
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
        children.ForEach(child => child.StandardInput.Close());
        Assert.True(all.Wait(Deadline), $"{all.CurrentCount} ends were never said");
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
        using var child = Child("exit 0");
        var identity = new ProcessIdentity(child.Id, "1");
        child.WaitForExit();
        PidWatch.WhenGone(identity, () => all.Signal());
        using var living = Child("read line");
        PidWatch.WhenGone(new ProcessIdentity(living.Id, "1"), () => all.Signal());
        Assert.True(all.Wait(Deadline), $"{all.CurrentCount} ends were never said");
        living.StandardInput.Close();
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

    private static Process Child(string script) =>
        Process.Start(new ProcessStartInfo("/bin/sh", ["-c", script]) { RedirectStandardInput = true, UseShellExecute = false })!;
}
