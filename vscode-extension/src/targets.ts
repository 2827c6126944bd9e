import * as vscode from "vscode";
import { type Action, ACTION_WORDS, allows } from "./shared/actions";
import { decisionOf, runOf } from "./shared/board";
import { withProgress } from "./report";
import type { Card } from "./shared/protocol";
import { money, plain, STATE_WORDS } from "./shared/words";
import type { Session } from "./sidecar/session";
import { nameOf, type Target, type Workspaces } from "./sidecar/workspaces";

/** What a command may be called with: a target, an element of a tree of ours that holds one, what a page's context menu says, or nothing. */
function read(workspaces: Workspaces, argument: unknown): Target | undefined {
  if (typeof argument !== "object" || argument === null) {
    return undefined;
  }
  const given = argument as { session?: Session; cardId?: unknown; runId?: unknown; target?: unknown; folder?: unknown };
  if (given.target !== undefined) {
    return read(workspaces, given.target);
  }
  const session = given.session ?? (typeof given.folder === "string" ? workspaces.sessionOf(given.folder) : workspaces.sessions.length === 1 ? workspaces.sessions[0] : undefined);
  if (session === undefined || !workspaces.sessions.includes(session)) {
    return undefined;
  }
  const runId = typeof given.runId === "number" ? given.runId : undefined;
  const cardId = typeof given.cardId === "number" ? given.cardId : session.board?.runs.find((run) => run.id === runId)?.cardId;
  return cardId === undefined ? undefined : { session, cardId, runId };
}

/**
 * The card that a command is about: named by its caller, or picked by a person among those for which the action makes sense.
 * @param words what the person is asked a card for, where it is not called as the action is
 */
export async function targetFor(workspaces: Workspaces, action: Action, argument: unknown, words = ACTION_WORDS[action].replace("…", "")): Promise<Target | undefined> {
  workspaces.start();
  const named = read(workspaces, argument);
  if (named !== undefined) {
    return named;
  }
  await loaded(workspaces);
  const fitting = workspaces.sessions.flatMap((session) => {
    const board = session.board;
    return (board?.cards ?? []).filter((card) => card.archived !== true && board !== undefined && allows(action, card, runOf(board, card), openOf(session, card))).map((card) => ({ session, card }));
  });
  if (fitting.length === 0) {
    const unready = workspaces.sessions.find((session) => session.board === undefined);
    void vscode.window.showInformationMessage(unready === undefined && workspaces.sessions.length > 0 ? `${words}: there is no card for it now.` : (unready?.state.message ?? workspaces.state.message ?? "The board is still loading. Try again in a moment."));
    return undefined;
  }
  const several = new Set(fitting.map(({ session }) => session)).size > 1;
  const picked = await vscode.window.showQuickPick(
    fitting.map(({ session, card }) => ({ ...rowOf(session, card, several), target: { session, cardId: card.id } })),
    { placeHolder: `${words}: which card?`, matchOnDescription: true },
  );
  return picked?.target;
}

/** A command may be the first thing that is asked of a window: its board is on its way then. */
async function loaded(workspaces: Workspaces): Promise<void> {
  const isOnItsWay = () => workspaces.sessions.some((session) => session.board === undefined && session.state.kind === "starting");
  if (isOnItsWay()) {
    await withProgress("Loading the board", workspaces.log, (cancel) => new Promise<void>((resolve) => {
      const end = () => {
        listening.dispose();
        resolve();
      };
      const listening = workspaces.onDidChange(() => !isOnItsWay() && end());
      cancel.onCancellationRequested(end);
    }));
  }
}

/** The cards of a command that may be about several: a bulk selection, or one. */
export async function targetsFor(workspaces: Workspaces, action: Action, argument: unknown): Promise<readonly Target[]> {
  const many = Array.isArray(argument) ? argument.map((item) => read(workspaces, item)).filter((target) => target !== undefined) : [];
  if (many.length > 0) {
    return many;
  }
  const one = await targetFor(workspaces, action, argument);
  return one === undefined ? [] : [one];
}

function openOf(session: Session, card: Card) {
  const run = session.board === undefined ? undefined : runOf(session.board, card);
  return run === undefined || session.board === undefined ? undefined : decisionOf(session.board, run.id);
}

/** A card as a row of a quick pick. */
export function rowOf(session: Session, card: Card, several: boolean): { label: string; description: string; detail?: string } {
  const run = session.board === undefined ? undefined : runOf(session.board, card);
  const words = [run === undefined ? undefined : STATE_WORDS[run.state], card.costMicroUsd > 0 ? money(card.costMicroUsd) : undefined, several ? plain(nameOf(session)) : undefined];
  return { label: plain(`#${card.number} ${card.title}`), description: words.filter((word) => word !== undefined).join(" · ") };
}
