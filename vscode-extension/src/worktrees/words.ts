import type { RemovedWorktree, WorktreeClass, WorktreeItem, WorktreeRemoval } from "../shared/protocol";
import { bytes, plural } from "../shared/words";

export const CLASS_WORDS: Readonly<Record<WorktreeClass, string>> = {
  main: "the main working tree",
  live: "an agent is at work",
  inReview: "in review",
  merged: "landed",
  dirty: "has changes",
  clean: "without changes",
  trash: "discarded",
  missing: "its folder is gone",
  locked: "locked",
  foreign: "not made by KanBots",
};

/** In this order: first what can go without a loss. */
const ORDER: readonly WorktreeClass[] = ["merged", "clean", "trash", "missing", "dirty", "inReview", "live", "foreign", "locked", "main"];

const REMOVAL_WORDS: Readonly<Record<WorktreeRemoval, string>> = {
  nothing: "stays",
  discard: "is put aside, to be restored for a while",
  free: "is deleted for good",
  forget: "is forgotten by git",
  remove: "is removed; its branch stays",
};

export const nameOf = (item: { path: string }): string => item.path.split(/[\\/]/).filter((part) => part !== "").at(-1) ?? item.path;

/** What a person can choose among, the harmless first. */
export const offered = (items: readonly WorktreeItem[]): readonly WorktreeItem[] =>
  items.filter((item) => item.removal !== "nothing").sort((a, b) => ORDER.indexOf(a.class) - ORDER.indexOf(b.class) || b.bytes - a.bytes || a.path.localeCompare(b.path));

export interface WorktreeRow {
  label: string;
  description: string;
  detail: string;
}

export function rowOf(item: WorktreeItem): WorktreeRow {
  const what = [item.cardNumber === undefined ? undefined : `#${item.cardNumber}`, item.class === "merged" && item.mergedInto !== undefined ? `landed on ${item.mergedInto}` : CLASS_WORDS[item.class], bytes(item.bytes)];
  const loss = item.loses.length === 0 ? `Nothing is lost: it ${REMOVAL_WORDS[item.removal]}.` : `It ${REMOVAL_WORDS[item.removal]}. Lost: ${item.loses.join("; ")}`;
  return { label: nameOf(item), description: what.filter((word) => word !== undefined).join(" · "), detail: loss };
}

/** A plan, line by line, as it is confirmed. */
export function planWords(plan: readonly RemovedWorktree[]): string {
  const going = plan.filter((one) => one.removal !== "nothing");
  const lines = going.slice(0, PLAN_LINES_MAX).map((one) => `${nameOf(one)} ${REMOVAL_WORDS[one.removal]}${one.loses.length === 0 ? "" : `. Lost: ${one.loses.join("; ")}`}`);
  const more = going.length > PLAN_LINES_MAX ? [`and ${plural(going.length - PLAN_LINES_MAX, "more worktree")}`] : [];
  const staying = plan.filter((one) => one.removal === "nothing").slice(0, PLAN_LINES_MAX).map((one) => `${nameOf(one)} stays: ${one.why ?? "it cannot be removed"}`);
  return [...lines, ...more, ...staying].join("\n");
}
/** Lines of a dialog: what does not fit on a screen cannot be confirmed. */
const PLAN_LINES_MAX = 12;

export const freed = (plan: readonly RemovedWorktree[]): number => plan.filter((one) => one.removal !== "nothing").reduce((sum, one) => sum + one.bytes, 0);

export function resultWords(done: readonly RemovedWorktree[]): string {
  const gone = done.filter((one) => one.done);
  const failed = done.filter((one) => !one.done && one.why !== undefined);
  const words = gone.length === 0 ? "No worktree was removed." : `${plural(gone.length, "worktree")} removed${freed(gone) > 0 ? `, ${bytes(freed(gone))} freed` : ""}.`;
  return failed.length === 0 ? words : `${words} ${failed.map((one) => `${nameOf(one)} stays: ${one.why}`).join(" ")}`;
}
