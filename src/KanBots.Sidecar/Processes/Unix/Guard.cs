using System.Runtime.Versioning;

namespace KanBots.Sidecar.Processes.Unix;

/// <summary>A tiny shell, in a session of its own and without the launch's token, that outlives the host: when the pipe that only the
/// host holds breaks, it lets every process with the token put away what it holds, as <see cref="Sweep"/> does, and then kills them, again and
/// again until none is left. On "bye" it just ends. Without it the tools' children live on when host and serve die together, since each has a session of its own.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class Guard
{
    /// <summary>The token is the script's $0, never part of its text. Ten clean looks in a row end it, or 200 rounds. One process looks
    /// at all others: with one for each, the guards of many runs whose hosts die at once take the whole machine for half a minute.</summary>
    private const string Script = """
        IFS= read -r word
        [ "$word" = bye ] && exit 0
        cd /proc || exit 1
        tree() { printf '%s\n' "$@" | xargs grep -lsF "KANBOTS_LAUNCH=$0"; }
        asked=' ' stopped=' ' round=0
        while [ $round -lt 6 ]; do
          wait=0 fresh=
          for environ in $(tree [0-9]*/environ); do
            pid=${environ%/environ} mask=0 parent=0
            case $asked in *" $pid "*) wait=1; continue ;; esac
            while read -r name value; do
              case $name in PPid:) parent=$value ;; SigCgt:) mask=$value ;; esac
            done < "$pid/status"
            case $mask in *[4567cdef]???) wait=1 fresh="$fresh$pid "; continue ;; esac
            case $asked$stopped in *" $pid "* | *" $parent "*) continue ;; esac
            wait=1 stopped="$stopped$pid "
            kill -STOP "$pid"
          done
          for pid in $fresh; do kill -TERM "$pid"; kill -CONT "$pid"; done
          asked=$asked$fresh
          [ $wait = 0 ] && break
          round=$((round+1))
          sleep 0.05
        done 2>/dev/null
        clean=0 round=0
        while [ $clean -lt 10 ] && [ $round -lt 200 ]; do
          hit=0
          for environ in $(tree [0-9]*/environ); do
            kill -9 "${environ%/environ}" 2>/dev/null && hit=1
          done
          if [ $hit = 0 ]; then clean=$((clean+1)); else clean=0; fi
          round=$((round+1))
          sleep 0.05
        done
        """;

    /// <summary>The same where there is no /proc. ps shows the environment of this user's processes only, and of none that the system
    /// protects; the search is the shell's own, because a grep would find the token on its own command line. Not run: written from
    /// the documentation of ps(1).</summary>
    private const string MacScript = """
        IFS= read -r word
        [ "$word" = bye ] && exit 0
        tree() {
          ps -Eww -axo pid=,command= | while read -r pid rest; do
            case " $rest " in *" KANBOTS_LAUNCH=$0 "*) echo "$pid";; esac
          done
        }
        hits=$(tree)
        [ -n "$hits" ] && { kill -TERM $hits; kill -CONT $hits; } 2>/dev/null
        round=0
        while [ -n "$hits" ] && [ $round -lt 6 ]; do
          round=$((round+1))
          sleep 0.05
          hits=$(tree)
        done
        clean=0 round=0
        while [ $clean -lt 10 ] && [ $round -lt 200 ]; do
          hits=$(tree)
          if [ -z "$hits" ]; then clean=$((clean+1)); else clean=0; kill -9 $hits 2>/dev/null; fi
          round=$((round+1))
          sleep 0.05
        done
        """;

    private readonly int _pipe;

    private Guard(int pid, int pipe)
    {
        Pid = pid;
        _pipe = pipe;
    }

    internal int Pid { get; }

    internal static Guard Start(string token)
    {
        var (read, write) = Descriptor.Pipe();
        try
        {
            var script = OperatingSystem.IsMacOS() ? MacScript : Script;
            var pid = Spawn.Start(new SpawnRequest("/bin/sh", [token, "-c", script, token], ["PATH=/usr/bin:/bin"], "/", new Redirect.Inherit(read), new Redirect.Null(), new Redirect.Null(), NewSession: true));
            return new Guard(pid, write);
        }
        finally
        {
            _ = LibC.close(read);
        }
    }

    internal void Bye() => _ = Descriptor.WriteSome(_pipe, "bye\n"u8);
}
