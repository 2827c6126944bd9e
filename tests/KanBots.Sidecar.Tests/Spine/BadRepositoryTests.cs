using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>Repositories in every state that people have them in. Either an agent works there, and nothing of the person's changes; or the
/// card says what is in the way and what to do, and works when that is done.</summary>
public sealed class BadRepositoryTests
{
    /// <summary>A script that makes the state, run by sh in the repository; the folder that the editor has open.</summary>
    public static TheoryData<string, string, string> Working => new()
    {
        { "detached HEAD", "git commit -q --allow-empty -m second; git checkout -q --detach HEAD~", "." },
        { "dirty tree", "echo two >>readme.txt; echo new >new.txt; git add new.txt; echo newer >>new.txt; git stash -q; git stash apply -q; rm -f new.txt", "." },
        { "index locked", "touch .git/index.lock", "." },
        { "merge in conflict", "git switch -qc side; echo a >readme.txt; git commit -qam a; git switch -q main; echo b >readme.txt; git commit -qam b; git merge -q side || true", "." },
        { "shallow clone", "git commit -q --allow-empty -m second; git clone -q --depth 1 \"file://$PWD\" ../other", "../other" },
        { "bare repository with linked worktrees", "git clone -q --bare . ../other.git; git -C ../other.git worktree add -q ../other main", "../other" },
        { "bare repository itself", "git clone -q --bare . ../other.git", "../other.git" },
        { "submodule", "git init -q -b main ../outer; cd ../outer; git -c protocol.file.allow=always submodule --quiet add \"$OLDPWD\" sub; git commit -qm outer", "../outer/sub" },
        { "repository with a submodule", "git init -q -b main ../inner; git -C ../inner commit -q --allow-empty -m inner; git -c protocol.file.allow=always submodule --quiet add \"$PWD/../inner\" sub; git commit -qm outer", "." },
        { "the workspace is a linked worktree", "git worktree add -q ../linked -b side", "../linked" },
        { "a subfolder is open", "mkdir -p deep/er; echo x >deep/er/x; git add .; git commit -qm deep", "deep/er" },
        { "reached through a link", "ln -s \"$PWD\" ../link", "../link" },
        { "a folder named .kanbots of the user's own", "mkdir .kanbots; echo mine >.kanbots/mine; echo .kanbots >>.git/info/exclude", "." },
    };

    [Theory]
    [MemberData(nameof(Working))]
    public void An_agent_works_there_and_nothing_of_the_persons_changes(string what, string script, string open)
    {
        using var place = new Place();
        Shell(place, script);
        Works(place, what, open);
    }

    [Fact]
    public void An_agent_works_wherever_the_repository_lies()
    {
        using var place = new Place("it's \"q\" 漢\n$(touch gone) ;x%20");
        Works(place, "a path with quotes, a newline and what shells take for more", ".");
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(place.Root, "*", SearchOption.AllDirectories), path => Path.GetFileName(path) == "gone");
    }

    private static void Works(Place place, string what, string open)
    {
        place.Script("work", """[{"write":"work.txt","text":"work"},{"sh":"git add -A; git -c user.name=A -c user.email=a@example.com commit -qm work; cat readme.txt >read.txt"},{"say":"done"}]""");
        var folder = Path.GetFullPath(Path.Combine(place.Repository, open));
        Assert.True(Directory.Exists(folder), what);
        var before = Persons(folder);

        var client = place.Start(folder: folder);
        var run = Place.Dispatch(client, Place.Card(client, 1, "work"));
        var done = Place.UntilState(client, run, "inReview", "failed");
        Assert.True((string?)done["state"] == "inReview", $"{what}: {done["reason"]}");
        Assert.Equal(Place.Git(folder, "show", "HEAD:readme.txt"), File.ReadAllText(Path.Combine((string)done["worktreePath"]!, "read.txt")));
        Assert.Equal("kanbots/issue-1-1\n", Place.Git((string)done["worktreePath"]!, "rev-parse", "--abbrev-ref", "HEAD"));
        Assert.Equal(before, Persons(folder));
        Place.Kill((int)JsonNode.Parse(File.ReadAllText(Path.Combine(CommonFolder(folder), "kanbots", "serve.json")))!["pid"]!);
    }

    [Fact]
    public void A_whole_session_changes_nothing_of_the_persons_but_one_line_of_info_exclude()
    {
        using var place = new Place();
        Shell(place, "git commit -q --allow-empty -m second; git branch topic; git tag v1; echo x >>readme.txt; git stash -q; echo y >>readme.txt; git add readme.txt; echo z >>readme.txt; printf '#!/bin/sh\ntouch ran-hook\n' >.git/hooks/post-checkout; git config user.name 'A Person'");
        place.Script("ask", """[{"ask":[{"question":"Which?","header":"H","multiSelect":false,"options":[{"label":"A"}]}]},{"write":"work.txt","text":"work"},{"sh":"git add -A; git -c user.name=A -c user.email=a@example.com commit -qm work"},{"say":"done"}]""");
        place.Script("long", """[{"tool":"Bash","ms":600000}]""");
        place.Script("bad", """[{"exit":3}]""");
        var exclude = Path.Combine(place.Repository, ".git", "info", "exclude");
        var (before, excluded) = (Persons(place.Repository), File.ReadAllText(exclude));
        var client = place.Start();
        var runs = new[] { "ask", "long", "bad" }.Select((script, index) => Place.Dispatch(client, Place.Card(client, index + 1, script))).ToArray();
        var question = Place.Until(client, "the question is open", board => board["decisions"]!.AsArray().Count == 1)["decisions"]![0]!;
        Place.UntilState(client, runs[1], "running");
        Place.UntilState(client, runs[2], "failed");
        client.Ask("run/stop", new JsonObject { ["runId"] = runs[1] });
        client.Ask("run/resume", new JsonObject { ["runId"] = runs[1] });
        Place.Until(client, "the second launch works", board => (int)Place.Run(board, runs[1])["launch"]! == 2 && (string?)Place.Run(board, runs[1])["state"] == "running");
        Place.Kill(place.ServePid);
        client = place.Connect();
        client.Ask("decision/answer", new JsonObject { ["decisionId"] = (string)question["id"]!, ["answers"] = new JsonArray(new JsonObject { ["questionId"] = "q1", ["values"] = new JsonArray("A") }) });
        Place.UntilState(client, runs[0], "inReview");
        client.Ask("run/reply", new JsonObject { ["runId"] = runs[0], ["text"] = "once more" });
        Place.Until(client, "the reply was worked on", board => (int)Place.Run(board, runs[0])["launch"]! == 2 && (string?)Place.Run(board, runs[0])["state"] is "inReview" or "awaitingDecision");
        client.Ask("run/stop", new JsonObject { ["runId"] = runs[1] });

        Assert.Equal(before, Persons(place.Repository));
        Assert.Equal(excluded + "/.kanbots/\n", File.ReadAllText(exclude));
        Assert.Equal("x\n", Place.Git(place.Repository, "show", "stash@{0}:readme.txt")[^2..]);
    }

    public static TheoryData<string, string, string, string, string> Refused => new()
    {
        { "unborn HEAD", "rm -rf .git; git init -q -b main", "unbornHead", "Make the first", "git add -A; git commit -qm first" },
        { "tracked .kanbots", "mkdir .kanbots; echo x >.kanbots/x; git add -f .kanbots; git commit -qm x", "kanbotsFolderTracked", "Untrack them", "git rm -rq .kanbots; git commit -qm y" },
        { "symlinked .kanbots", "mkdir ../elsewhere; ln -s ../elsewhere .kanbots", "kanbotsFolder", ".kanbots", "rm .kanbots" },
        { ".kanbots is a file", "echo x >.kanbots", "kanbotsFolder", ".kanbots", "rm .kanbots" },
        { "a branch named kanbots", "git branch kanbots", "branchNamespaceTaken", "git branch -m kanbots", "git branch -m kanbots mine" },
        { "the base is gone", "git config kanbots.x y; git remote add origin ../none; git symbolic-ref HEAD refs/heads/nothing", "unbornHead", "commit", "git symbolic-ref HEAD refs/heads/main" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_is_in_the_way_is_said_with_the_next_step_and_then_it_works(string what, string script, string kind, string step, string remedy)
    {
        using var place = new Place();
        place.Script("work", """[{"write":"work.txt","text":"work"},{"say":"done"}]""");
        Shell(place, script);
        var client = place.Start();
        var card = Place.Card(client, 1, "work");
        var before = Listing(place);
        var failed = Place.UntilState(client, Place.Dispatch(client, card), "failed", "inReview");
        Assert.True((string?)failed["state"] == "failed", what);
        Assert.StartsWith(kind, (string?)failed["reason"]!["kind"]);
        Assert.Contains(step, (string?)failed["reason"]!["message"]);
        Assert.Equal(before, Listing(place));

        Shell(place, remedy);
        var second = Place.UntilState(client, Place.Dispatch(client, card), "failed", "inReview");
        Assert.True((string?)second["state"] == "inReview", $"{what}, after the remedy: {second["reason"]}");
    }

    private static void Shell(Place place, string script)
    {
        var start = new System.Diagnostics.ProcessStartInfo("/bin/sh", ["-ec", script.ReplaceLineEndings("\n")]) { WorkingDirectory = place.Repository };
        foreach (var who in new[] { "AUTHOR", "COMMITTER" })
        {
            (start.Environment[$"GIT_{who}_NAME"], start.Environment[$"GIT_{who}_EMAIL"]) = ("A Person", "person@example.com");
        }

        using var shell = System.Diagnostics.Process.Start(start)!;
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
    }

    private static string CommonFolder(string folder) => Path.GetFullPath(Path.Combine(folder, Place.Git(folder, "rev-parse", "--git-common-dir").TrimEnd('\n')));

    /// <summary>Status, HEAD, index, stash, configuration, hooks and every ref but ours, as plain git and the bytes say.</summary>
    private static string Persons(string folder)
    {
        var common = CommonFolder(folder);
        var git = Path.GetFullPath(Path.Combine(folder, Place.Git(folder, "rev-parse", "--git-dir").TrimEnd('\n')));
        var bare = Place.Git(folder, "rev-parse", "--is-bare-repository") == "true\n";
        string[] files = [.. new[] { Path.Combine(git, "index"), Path.Combine(git, "index.lock"), Path.Combine(git, "HEAD"), Path.Combine(common, "config") }.Concat(Directory.Exists(Path.Combine(common, "hooks")) ? Directory.GetFiles(Path.Combine(common, "hooks")).Order() : [])];
        return string.Join('\n',
        [
            bare ? "" : Place.Git(folder, "--no-optional-locks", "status", "--porcelain=v2", "--branch", "--show-stash"),
            string.Concat(Place.Git(folder, "for-each-ref").Split('\n').Where(line => !line.Contains("\trefs/heads/kanbots/issue-") && !line.Contains("\trefs/kanbots/")).Select(line => line + "\n")),
            string.Join('\n', files.Where(File.Exists).Select(file => $"{file} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)))} {File.GetLastWriteTimeUtc(file):O}")),
        ]);
    }

    private static string Listing(Place place) => string.Join('\n', Place.Git(place.Repository, "branch", "--list", "kanbots/*"), Place.Git(place.Repository, "worktree", "list"));
}
