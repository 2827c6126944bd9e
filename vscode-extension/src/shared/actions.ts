import type { Card, Decision, Run, RunState } from "./protocol";

/** What can be asked for of a card or its run. Each is the command `kanbots.<action>` of the extension. */
export type Action =
  | "dispatch"
  | "dispatchWith"
  | "answer"
  | "showThread"
  | "review"
  | "reviewSinceLastLook"
  | "promote"
  | "resolveConflicts"
  | "stop"
  | "resume"
  | "retry"
  | "fork"
  | "discard"
  | "restore"
  | "openWorktree"
  | "revealWorktree"
  | "openTerminal"
  | "editCard"
  | "archiveCard"
  | "deleteCard"
  | "copyBranch";

/** A word for a button or a menu. The dots say that something is asked first. */
export const ACTION_WORDS: Readonly<Record<Action, string>> = {
  dispatch: "Dispatch",
  dispatchWith: "Dispatch with…",
  answer: "Answer…",
  showThread: "Show thread",
  review: "Review",
  reviewSinceLastLook: "Changes since last look",
  promote: "Promote…",
  resolveConflicts: "Let the agent resolve",
  stop: "Stop",
  resume: "Resume",
  retry: "Retry",
  fork: "Fork…",
  discard: "Discard",
  restore: "Restore",
  openWorktree: "Open worktree",
  revealWorktree: "Reveal worktree",
  openTerminal: "Open terminal there",
  editCard: "Edit card…",
  archiveCard: "Archive",
  deleteCard: "Delete…",
  copyBranch: "Copy branch name",
};

export const LIVE: ReadonlySet<RunState> = new Set(["queued", "preparing", "running", "awaitingDecision"]);
/** States of a run whose worktree is there. A queued run has none yet, a discarded one's is in the trash. */
const HAS_WORKTREE: ReadonlySet<RunState> = new Set(["running", "awaitingDecision", "inReview", "finished", "failed", "stopped", "interrupted", "promoted"]);

export const isLive = (run: Run | undefined): boolean => run !== undefined && LIVE.has(run.state);
export const hasWorktree = (run: Run | undefined): run is Run => run !== undefined && HAS_WORKTREE.has(run.state) && run.worktreePath !== "";
export const canRestore = (run: Run | undefined): boolean => run?.state === "discarded" && run.restorableUntil !== undefined;
const ended = (run: Run): boolean => ["failed", "stopped", "interrupted", "finished", "inReview"].includes(run.state);

/** Whether an action makes sense now. Clients hide what does not; the sidecar decides all the same. */
export function allows(action: Action, card: Card, run: Run | undefined, decision: Decision | undefined): boolean {
  switch (action) {
    case "dispatch":
    case "dispatchWith":
      return !isLive(run) && card.archived !== true;
    case "answer":
      return decision?.state === "open";
    case "showThread":
      return run !== undefined && run.state !== "queued";
    case "review":
    case "reviewSinceLastLook":
      return hasWorktree(run);
    case "promote":
      return hasWorktree(run) && ended(run) && run.state !== "finished";
    case "resolveConflicts":
      return hasWorktree(run) && (run.conflicts ?? []).length > 0;
    case "stop":
      return isLive(run);
    case "resume":
      return run !== undefined && ["stopped", "interrupted", "failed"].includes(run.state) && run.sessionId !== undefined;
    case "retry":
      return run !== undefined && ["stopped", "interrupted", "failed"].includes(run.state);
    case "fork":
      return hasWorktree(run);
    case "discard":
      return run !== undefined && run.state !== "discarded";
    case "restore":
      return canRestore(run);
    case "openWorktree":
    case "revealWorktree":
    case "openTerminal":
    case "copyBranch":
      return hasWorktree(run);
    case "editCard":
      return true;
    case "archiveCard":
    case "deleteCard":
      return !isLive(run);
  }
}

/** The buttons of a card: the next step first (it alone is primary), then at most two ways out. Everything else is in its menu. */
export function nextSteps(card: Card, run: Run | undefined, decision: Decision | undefined): readonly Action[] {
  if (decision?.state === "open") {
    return [];
  }
  const wanted: readonly Action[] =
    run === undefined
      ? card.column === "todo" ? ["dispatch"] : []
      : run.state === "inReview" ? ["review", "promote"]
      : run.state === "failed" ? (run.sessionId === undefined ? ["retry", "showThread"] : ["resume", "showThread", "discard"])
      : run.state === "interrupted" || run.state === "stopped" ? ["resume", "review", "discard"]
      : run.state === "discarded" ? ["restore"]
      : [];
  return wanted.filter((action) => allows(action, card, run, decision)).slice(0, 3);
}

/** The menu behind "…", in order, without what is on the card already. */
export function menuOf(card: Card, run: Run | undefined, decision: Decision | undefined): readonly Action[] {
  const shown = new Set(nextSteps(card, run, decision));
  const all: readonly Action[] = [
    "showThread", "review", "reviewSinceLastLook", "promote", "resolveConflicts", "dispatch", "dispatchWith", "resume", "retry", "fork", "stop",
    "openWorktree", "revealWorktree", "openTerminal", "copyBranch", "restore", "discard", "editCard", "archiveCard", "deleteCard",
  ];
  return all.filter((action) => !shown.has(action) && allows(action, card, run, decision));
}
