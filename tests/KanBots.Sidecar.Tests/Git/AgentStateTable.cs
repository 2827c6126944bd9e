namespace KanBots.Sidecar.Tests.Git;

internal sealed partial record AgentState
{
    private const string Commits = """
        echo one >one.txt; git add -A; git commit -q -m one
        echo two >>shared.txt; git commit -q -a -m two
        git rm -q gone.txt; git commit -q -m three
        """;

    private const string Dirt = """
        echo edited >>readme.txt; echo new >new.txt; rm folder/deep.txt; chmod +x .gitignore
        echo staged >staged.txt; git add staged.txt; echo later >>staged.txt
        mkdir ignored; echo secret >ignored/secret
        """;

    private const string Side = "git checkout -q -b side; echo side >side.txt; git add -A; git commit -q -m side; git checkout -q kanbots/issue-7-1; echo own >own.txt; git add -A; git commit -q -m own";

    internal static IReadOnlyDictionary<string, AgentState> All { get; } = new Dictionary<string, AgentState>
    {
        ["commits only"] = new(Commits),
        ["dirty only"] = new(Dirt),
        ["commits and dirty"] = new($"{Commits}\n{Dirt}"),
        ["a commit and its revert"] = new($"{Commits}\ngit revert --no-edit HEAD~2..HEAD; echo kept >kept.txt; git add -A; git commit -q -m kept"),
        ["commits without a message or a change"] = new("echo one >one.txt; git add -A; git commit -q --allow-empty-message -m ''; git commit -q --allow-empty -m nothing; echo new >new.txt"),
        ["everything deleted"] = new("git rm -q gone.txt; git commit -q -m gone; rm -r folder *.txt .gitignore"),

        ["merges"] = new($"{Side}\ngit merge -q --no-edit side; git checkout -q -b third HEAD~1; echo third >third.txt; git add -A; git commit -q -m third; git checkout -q kanbots/issue-7-1; git merge -q --no-edit third\n{Dirt}"),
        ["an octopus merge"] = new($"{Side}\ngit checkout -q -b third HEAD~1; echo third >third.txt; git add -A; git commit -q -m third; git checkout -q kanbots/issue-7-1; git merge -q --no-edit side third"),
        ["a merge with a change of its own"] = new($"{Side}\ngit merge -q --no-commit side; echo more >only-in-the-merge.txt; git rm -q gone.txt; git add -A; git commit -q -m merged"),
        ["a merge that drops a side"] = new($"{Side}\ngit merge -q -s ours --no-edit side"),
        ["a conflict resolved in a merge"] = new($"""
            {Side}
            git checkout -q side; sed -i 's/middle/middle of the side/' shared.txt; git commit -q -a -m 'the side'; git checkout -q kanbots/issue-7-1
            sed -i 's/middle/middle of its own/' shared.txt; git commit -q -a -m 'its own'
            git merge -q side || sed -i '/^[<=>]/d' shared.txt; git commit -q -a -m merged
            {Dirt}
            """),
        ["the target merged, its conflict resolved"] = new("""
            sed -i 's/middle/middle by the agent/' shared.txt; git commit -q -a -m 'the middle'
            git merge -q next || sed -i '/^[<=>]/d' shared.txt; git commit -q -a -m merged
            echo after >after.txt; git add -A; git commit -q -m after
            """)
        { Another = "sed -i 's/middle/middle by another/' shared.txt" },
        ["the target merged, and merged by the target"] = new("""
            echo one >one.txt; git add -A; git commit -q -m one; git merge -q --no-edit next
            git checkout -q --detach next; git merge -q --no-edit kanbots/issue-7-1~1; git branch -f next; git checkout -q kanbots/issue-7-1
            echo two >one.txt; echo two >another.txt; git commit -q -a -m two; echo new >new.txt
            """),
        ["a history of another root merged"] = new($"""
            {Commits}
            git checkout -q --orphan root; git rm -q -rf .; mkdir sub; echo lib >sub/lib.txt; git add -A; git commit -q -m library
            git checkout -q kanbots/issue-7-1; git merge -q --no-edit --allow-unrelated-histories root
            """),

        ["amended"] = new($"{Commits}\necho amended >>one.txt; git commit -q -a --amend -m amended\n{Dirt}"),
        ["the commit it began on amended"] = new($"echo amended >>readme.txt; git commit -q -a --amend -m amended\n{Commits}"),
        ["rebased onto the target"] = new($"{Commits}\ngit rebase -q next\n{Dirt}"),
        ["rebased and squashed"] = new($"{Commits}\ngit reset -q --soft HEAD~3; git commit -q -m all"),
        ["reset below the base"] = new("git reset -q --hard HEAD~1; echo again >again.txt; git add -A; git commit -q -m again; echo dirty >dirty.txt"),
        ["the base squashed into the first commit"] = new($"git reset -q --soft HEAD~1; git commit -q --amend -m squashed\n{Commits}"),
        ["a history with nothing in common"] = new("git checkout -q --orphan fresh; git rm -q --cached gone.txt; rm gone.txt; git commit -q -m fresh; echo dirty >dirty.txt"),

        ["branch switched"] = new($"{Commits}\ngit checkout -q -b agents/own\n{Dirt}"),
        ["switched to the target's line"] = new($"git checkout -q -b agents/own next\n{Commits}\n{Dirt}"),
        ["branch deleted below it"] = new($"{Commits}\ngit update-ref -d refs/heads/kanbots/issue-7-1\n{Dirt}"),
        ["branch deleted after a switch"] = new($"{Commits}\ngit checkout -q -b agents/own; git branch -q -D kanbots/issue-7-1\n{Dirt}"),
        ["detached"] = new($"{Commits}\ngit checkout -q --detach HEAD~1; echo detached >detached.txt; git add -A; git commit -q -m detached\n{Dirt}"),
        ["in the middle of a rebase"] = new("""
            sed -i 's/middle/middle by the agent/' shared.txt; git commit -q -a -m 'the middle'; echo two >two.txt; git add -A; git commit -q -m two
            git rebase -q next || sed -i '/^[<=>]/d' shared.txt
            """)
        { Another = "sed -i 's/middle/middle by another/' shared.txt" },

        ["a nested repository with commits"] = new($"{Dirt}\ngit init -q nested; cd nested; echo inner >inner.txt; git add -A; git commit -q -m inner; echo dirty >>inner.txt; cd ..; git add -A; git commit -q -m nested; cd nested; git commit -q -a -m moved"),
        ["a nested repository without commits"] = new($"{Commits}\n{Dirt}\ngit init -q nested; echo inner >nested/inner.txt; mkdir a; git init -q a/b; echo beside >a/beside.txt") { Left = ["a/b/", "nested/"] },
        ["a submodule with a commit of its own"] = new("""
            git -c protocol.file.allow=always submodule --quiet update --init
            cd libs/one; echo moved >moved.txt; git add -A; git commit -q -m moved; cd ../..; git commit -q -a -m 'moved the library'
            cd libs/one; echo again >again.txt; git add -A; git commit -q -m again
            """)
        { Begun = "git init -q -b main ../library; git -C ../library commit -q --allow-empty -m library; git -c protocol.file.allow=always submodule --quiet add \"$PWD/../library\" libs/one" },

        ["a sparse checkout"] = new("git sparse-checkout set in; echo edited >in/a.txt; git commit -q -a -m in; echo more >>in/a.txt; mkdir out; echo new >out/new.txt")
        { Begun = "mkdir -p in out/deep; echo a >in/a.txt; echo b >out/b.txt; echo c >out/deep/c.txt", Unseen = ["folder/deep.txt", "out/b.txt", "out/deep/c.txt"] },
        ["a sparse checkout with a sparse index"] = new("git sparse-checkout set --cone --sparse-index in; echo edited >in/a.txt; git commit -q -a -m in; echo more >>in/a.txt; rm gone.txt")
        { Begun = "mkdir -p in out/deep; echo a >in/a.txt; echo b >out/b.txt; echo c >out/deep/c.txt", Unseen = ["folder/deep.txt", "out/b.txt", "out/deep/c.txt"] },
        ["a sparse checkout of its user's"] = new("git sparse-checkout disable; echo 'by the agent' >>out/a.log; git commit -q -a -m log; echo new >out/new.txt")
        { Begun = "mkdir in out; echo in >in/in.txt; echo '*.log merge=union' >out/.gitattributes; echo start >out/a.log; git add -A; git commit -q -m in; git sparse-checkout set --cone --sparse-index in", Another = "echo 'by another' >>out/a.log" },
        ["a split index"] = new($"{Commits}\ngit update-index --split-index --untracked-cache\n{Dirt}") { Config = ["core.splitIndex=true"] },

        ["large files"] = new("echo 'another content' >a.bin; echo committed >b.bin; git add -A; git commit -q -m large; mkdir sub; echo loose >sub/c.bin; printf 'a\\000b' >d.bin")
        {
            Begun = "echo '*.bin filter=lfs diff=lfs merge=lfs -text' >.gitattributes; echo content >a.bin",
            Config = ["filter.lfs.clean=git-lfs clean -- %f", "filter.lfs.smudge=git-lfs smudge -- %f", "filter.lfs.process=git-lfs filter-process", "filter.lfs.required=true", "lfs.storage={git}/lfs"],
        },
        ["line endings"] = new("""
            printf 'one\r\ntwo\r\n' >crlf.txt; git add -A; git commit -q -m crlf; printf 'one\r\nthree\r\n' >crlf.txt; printf 'two\n' >lf.txt; printf 'one\r\ntwo\n' >mixed.txt
            printf 'a\r\n\000b\n' >binary.txt; printf 'kept\r\nedited\r\n' >before.txt; printf 'one\r\ntwo\nthree\r\n' >plain.raw
            """)
        { Begun = "printf 'kept\\r\\n' >before.txt; git add before.txt; git commit -q -m before; printf '*.txt text=auto eol=crlf\\n*.raw -text\\n' >.gitattributes", Rewritten = ["lf.txt", "mixed.txt"] },
        ["a filter of its user's"] = new("echo committed >b.rot; git add -A; git commit -q -m rot; echo loose >c.rot; echo edited >>a.rot; printf '*.rot filter=rot\\n*.other filter=rot\\n' >.gitattributes; echo other >d.other")
        { Begun = "echo '*.rot filter=rot' >.gitattributes; echo secret >a.rot", Config = ["filter.rot.clean=tr a-z n-za-m", "filter.rot.smudge=tr n-za-m a-z"] },
        ["merged by union"] = new("echo 'by the agent' >>a.log; git commit -q -a -m log; echo 'by the agent too' >>a.log") { Begun = "echo '*.log merge=union' >.gitattributes; echo start >a.log", Another = "echo 'by another' >>a.log" },
        ["merged by a driver of its user's"] = new("echo 'by the agent' >>deep/a.pick; git commit -q -a -m pick; echo 'by the agent too' >>deep/a.pick; echo once >>deep/a.pick; git commit -q -a -m again; rm deep/.gitattributes")
        {
            Begun = "mkdir deep; echo '*.pick merge=mine' >deep/.gitattributes; echo start >deep/a.pick",
            Another = "echo 'by another' >>deep/a.pick",
            Config = ["merge.mine.driver=cat %A %B >%A.both; mv %A.both %A; echo %P >>driven.log"],
        },

        ["names that differ in case"] = new("git mv readme.txt README.txt; git mv folder Folder; git commit -q -m case; mv shared.txt Shared.TXT; mv Folder/deep.txt Folder/Deep.txt") { Another = "sed -i 's/top/top by another/' shared.txt" },
        ["links"] = new("""
            ln -s readme.txt 'to a file'; ln -s nowhere dangling; ln -s folder 'to a folder'; ln -s /nowhere/at/all absolute; rm shared.txt; ln -s readme.txt shared.txt
            git add -A; git commit -q -m links; rm -r folder; ln -s ignored folder; rm was-a-link; echo file >was-a-link; ln -sf gone.txt dangling
            """)
        { Begun = "ln -s readme.txt was-a-link" },
        ["odd names"] = new("""
            odd() { printf "$1" >"$(printf 'two\nlines')$1"; printf "$1" >"$(printf 'tab\there')$1"; printf "$1" >"\"quoted\" 'and' \`so\`$1"; printf "$1" >"-n$1"; printf "$1" >"--all$1"; printf "$1" >":(top)*$1"; }
            odd 1; mkdir ./-d; echo in >./-d/'*.txt'; git mv readme.txt ./-r; git add -A; git commit -q -m odd; odd 2; echo more >>./-n1; rm './--all1'; printf x >'back\slash'; printf x >' around '
            printf x >'ü – 世界 😀'; printf x >"$(printf 'u\314\210')"; mkdir "$(printf 'new\nfolder')"; printf x >"$(printf 'new\nfolder')/:!x"
            """),
        ["a large file"] = new("echo small >small.txt") { Big = 200 << 20 },
    };
}
