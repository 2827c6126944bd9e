import * as vscode from "vscode";
import { type Action, ACTION_WORDS, allows } from "../shared/actions";
import { decisionOf, runOf } from "../shared/board";
import type { Run } from "../shared/protocol";
import type { Session } from "../sidecar/session";
import { cardOf, runOfTarget, type Target, type Workspaces } from "../sidecar/workspaces";
import { rowOf, targetFor } from "../targets";

/** A run with its card's number and title, as a command of review and landing needs it. */
export interface RunTarget {
  session: Session;
  run: Run;
  title: string;
}

/**
 * The run that a command is about. Source Control names a repository: that of a run's own worktree is the run, that of the workspace stands for
 * those of its runs for which the action makes sense.
 */
export async function runFor(workspaces: Workspaces, action: Action, argument: unknown): Promise<RunTarget | undefined> {
  const root = (argument as { rootUri?: vscode.Uri } | undefined)?.rootUri;
  const target = root instanceof vscode.Uri ? await ofRepository(workspaces, action, root) : await targetFor(workspaces, action, argument);
  if (target === undefined) {
    return undefined;
  }
  const known = runTarget(target);
  if (known === undefined) {
    void vscode.window.showInformationMessage("This card has no run yet. Dispatch it to start one.");
  }
  return known;
}

export function runTarget(target: Target): RunTarget | undefined {
  const run = runOfTarget(target);
  return run === undefined ? undefined : { session: target.session, run, title: cardOf(target)?.title ?? "" };
}

/** The run as the board has it now. */
export const nowOf = ({ session, run }: RunTarget): Run => session.board?.runs.find((other) => other.id === run.id) ?? run;

async function ofRepository(workspaces: Workspaces, action: Action, root: vscode.Uri): Promise<Target | undefined> {
  workspaces.start();
  for (const session of workspaces.sessions) {
    const own = session.board?.runs.find((run) => run.worktreePath === root.fsPath);
    if (own !== undefined) {
      return { session, cardId: own.cardId, runId: own.id };
    }
  }
  const session = workspaces.sessions.find((other) => other.repositoryRoot === root.fsPath) ?? workspaces.sessions.find((other) => other.folder === root.fsPath);
  const board = session?.board;
  if (session === undefined || board === undefined) {
    return targetFor(workspaces, action, undefined);
  }
  const fitting = board.cards.filter((card) => {
    const run = runOf(board, card);
    return card.archived !== true && allows(action, card, run, run === undefined ? undefined : decisionOf(board, run.id));
  });
  if (fitting.length <= 1) {
    const [only] = fitting;
    return only === undefined ? targetFor(workspaces, action, undefined) : { session, cardId: only.id };
  }
  const picked = await vscode.window.showQuickPick(fitting.map((card) => ({ ...rowOf(session, card, false), card })), { placeHolder: `${ACTION_WORDS[action].replace("…", "")}: which card?`, matchOnDescription: true });
  return picked === undefined ? undefined : { session, cardId: picked.card.id };
}
