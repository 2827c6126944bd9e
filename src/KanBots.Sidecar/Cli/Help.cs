namespace KanBots.Sidecar.Cli;

internal static class Help
{
    internal const string Text = """
        kanbots-sidecar: many coding agents at once, each in its own git worktree.

        The board
          board [--once] [--until-idle]     the board, live; on a terminal it takes answers
          card add "title" [--number N] [--body TEXT]
          dispatch CARD… [--mode bypass|ask|plan] [--model M] [--base REF] [--budget DOLLARS] [--prompt TEXT]
          answer CARD ANSWER… [--allow | --deny] [--reason TEXT]
          reply CARD "text"                 tell a run something, now or by resuming it
          stop CARD                         ends the agent and everything it started
          resume CARD ["text"]              goes on in the same session and worktree
          rewind CARD CHECKPOINT            takes its files back to a checkpoint; what is there is kept first
          fork CARD [CHECKPOINT] [--prompt TEXT]   a new run that begins with the files of a checkpoint
          resolve CARD [--branch BRANCH]    the agent brings its work together with what it conflicts with
          promote CARD [PATH…] [--onto BRANCH] [--strategy squash|merge|rebase] [--message TEXT]
          discard CARD                      puts the run's worktree and branch aside, whole
          restore CARD                      brings them back, for 30 days
          show CARD                         the thread of the card's latest run
          changes CARD [--since CHECKPOINT] what the run has changed, file by file
          diff CARD [PATH…] [--since CHECKPOINT]
          checkpoints CARD                  its files at the end of each turn
          worktrees [WHICH…] [--remove [--yes] [--foreign]]
                                            all worktrees, what each is and takes; shows what removing would lose, then does it
          cost [CARD] [--days N]            what was spent, by day, model, card and run
          config [NAME [VALUE]]             settings and where they come from

        The machine
          doctor [--fix]                    what is missing or left over, and what to do about it; with --fix it does it
          uninstall [--yes]                 everything of ours in this repository and in the cache, after showing it
          --version, --help

        For editors
          --stdio                           speaks the protocol on stdin and stdout
          schema [FOLDER]                   writes the protocol's schema and TypeScript types

        Examples
          kanbots-sidecar card add "Deflake the auth test" --number 89
          kanbots-sidecar dispatch 89 --budget 2.50
          kanbots-sidecar answer 88 "Use Radix"
        """;
}
