// The reply box: when it can be used, what it says, and the messages that were sent from it before.
import { isLive } from "./actions";
import type { SidecarState } from "./messages";
import type { Run } from "./protocol";

/** Why no message can go to this run now, with the next step; undefined when one can. */
export function cannotReply(run: Run, sidecar: SidecarState): string | undefined {
  if (sidecar.kind === "untrusted" || sidecar.kind === "none") {
    return sidecar.message ?? "Nothing runs until the workspace is trusted.";
  }
  if (sidecar.kind === "failed") {
    return "The sidecar does not run. Restart it to reply.";
  }
  if (run.state === "discarded") {
    return run.restorableUntil === undefined ? "This run was discarded and its worktree is gone. Dispatch the card again." : "This run was discarded. Restore it to go on.";
  }
  if (run.state === "promoted") {
    return "This run was promoted. Dispatch the card again to go on from there.";
  }
  return !isLive(run) && run.worktreePath === "" ? "This run has no worktree any more. Dispatch the card again." : undefined;
}

export function placeholder(run: Run): string {
  return run.state === "queued" || run.state === "preparing"
    ? "Tell the agent something; it reads it when it starts."
    : isLive(run)
      ? "Tell the agent something now; it reads it at its next step."
      : "Goes on in the same session and worktree.";
}

export const HISTORY_MAX = 50;

/** What the box holds. `at` counts back from the newest sent message, 0 is the draft itself. */
export interface Box {
  draft: string;
  sent: readonly string[];
  at: number;
  /** An undelivered message that the draft takes the place of. */
  replaces?: string;
}

export const EMPTY_BOX: Box = { draft: "", sent: [], at: 0 };

export const textIn = (box: Box): string => (box.at === 0 ? box.draft : box.sent[box.sent.length - box.at] ?? "");

/** One step back (1) or forth (-1) in what was sent; the draft is kept at the end. */
export const recalled = (box: Box, step: 1 | -1): Box => ({ ...box, at: Math.min(box.sent.length, Math.max(0, box.at + step)) });

/** Typing into a recalled message makes it the draft. */
export const typed = (box: Box, text: string): Box => ({ ...box, draft: text, at: 0 });

export const sentNow = (box: Box, text: string): Box => ({ draft: "", at: 0, sent: [...box.sent.filter((before) => before !== text), text].slice(-HISTORY_MAX) });
