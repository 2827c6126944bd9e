using System.Text;

namespace KanBots.Sidecar.Git;

/// <summary>The guard's files as text. The scripts are plain POSIX sh and start no other program, since git runs them for every commit.</summary>
internal static class GuardText
{
    private const string NoPush = "kanbots: agents do not push. Commit on your branch and finish; a person reviews the work and lands it.";

    internal static string PrePush { get; } = $"#!/bin/sh\necho '{NoPush}' >&2\nexit 1\n";

    internal static byte[] Bytes(string text) => new UTF8Encoding(false).GetBytes(text);

    /// <summary>An empty value of pushInsteadOf is the beginning of every URL, so that every push goes to a transport that refuses.</summary>
    internal static string Config(Guard guard)
    {
        var text = new StringBuilder();
        text.Append("[core]\n\thooksPath = ").Append(Quoted(Slashes(Path.Combine(guard.Folder, "hooks")))).Append('\n');
        text.Append("[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"); // packing the refs of all worktrees is not a run's to do
        text.Append("[url \"kanbots-blocked://\"]\n\tpushInsteadOf = \"\"\n");
        foreach (var url in guard.PushUrls)
        {
            text.Append("\tinsteadOf = ").Append(Quoted(url)).Append('\n');
        }

        foreach (var remote in guard.Remotes)
        {
            text.Append("[remote ").Append(Quoted(remote)).Append("]\n\ttagOpt = --no-tags\n");
        }

        return text.ToString();
    }

    /// <summary>In state "prepared" git can still be refused, before anything has changed. A submodule's refs are the run's own; in the main
    /// working tree, or another run's, nothing is.</summary>
    internal static string ReferenceTransaction(Guard guard) => $$"""
        #!/bin/sh
        user={{Shell(guard.UserHooks + "/reference-transaction")}}
        if [ "$1" != prepared ]; then
          [ -x "$user" ] && exec "$user" "$@"
          exit 0
        fi
        common={{Shell(Slashes(guard.CommonFolder))}}
        own={{Shell(Slashes(guard.GitFolder))}}
        case "$GIT_DIR" in
          "$own") place=own ;;
          "$common"/modules/*|"$own"/modules/*) place=module ;;
          *) place=other ;;
        esac
        all=
        while IFS= read -r line; do
          all="$all$line
        "
          ref=${line#* }
          ref=${ref#* }
          case "$place $ref" in
            module*) ;;
            own\ {{Shell("refs/heads/" + guard.Branch)}}) ;;
            own\ refs/bisect/*|own\ refs/worktree/*|own\ refs/rewritten/*) ;;
            *\ refs/remotes/*) ;;
            *\ refs/*)
              echo "kanbots: this run may move no ref but its own branch {{guard.Branch}}; $ref stays as it is." >&2
              exit 1 ;;
            own\ *) ;;
            *)
              echo "kanbots: this run may change only its own worktree; $ref of another one stays as it is." >&2
              exit 1 ;;
          esac
        done
        [ -x "$user" ] || exit 0
        printf %s "$all" | "$user" "$@"

        """;

    /// <summary>As git would have: the user's hook by its own path, when it is there and may be run.</summary>
    internal static string Chained(string userHooks, string name) => $"#!/bin/sh\nuser={Shell($"{userHooks}/{name}")}\n[ -x \"$user\" ] && exec \"$user\" \"$@\"\nexit 0\n";

    /// <summary>For git's file patterns: letters that mean something there mean themselves, and a newline, which no key may hold, is any one letter.</summary>
    internal static string Pattern(string path)
    {
        var pattern = new StringBuilder();
        foreach (var c in Slashes(path))
        {
            _ = c switch { '*' or '?' or '[' or '\\' => pattern.Append('\\').Append(c), '\n' => pattern.Append('?'), _ => pattern.Append(c) };
        }

        return pattern.ToString();
    }

    internal static string Slashes(string path) => OperatingSystem.IsWindows() ? path.Replace('\\', '/') : path;

    private static string Quoted(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"";

    private static string Shell(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
