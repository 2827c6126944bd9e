import type { DecisionKind, Dot, RunState } from "./protocol";

/** Of a text that is shown in a message, a quick pick or a tree, in characters. */
export const PLAIN_MAX = 300;
/** Times what is shown: what is left of so much, when all that cannot be seen is gone, is still enough. */
const LONG = 8;

/**
 * Text of an agent, a card or git, made fit for a surface of VS Code that renders links or icons: messages run `[label](command:…)`,
 * quick picks and labels draw `$(icon)`. What is left reads the same and can run nothing. One line, cut at `max` characters.
 */
export function plain(text: string, max = PLAIN_MAX): string {
  // A text of a megabyte is not gone through to show its first line.
  const isLong = text.length > max * LONG;
  const line = (isLong ? text.slice(0, max * LONG) : text)
    // Controls, and what turns the reading direction or hides letters.
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ")
    .replace(/[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu, "")
    // `](` is what makes a link; brackets and parentheses apart from each other are only themselves.
    .replace(/\](\s*)\(/g, "]\u200a(")
    .replace(/\$\(/g, "$\u200a(")
    .replace(/(command|vscode[\w-]*|javascript|data|file):/gi, "$1\u200a:")
    .replace(/\s+/g, (space) => (space.includes("\u200a") ? "\u200a" : " "))
    .trim();
  const characters = [...line];
  return isLong || characters.length > max ? `${characters.slice(0, max - 1).join("")}…` : line;
}

/** `$0.71`, `$5`, `$0.0042` below a cent, from integer micro-dollars. */
export function money(microUsd: number): string {
  const dollars = microUsd / 1_000_000;
  if (microUsd > 0 && microUsd < 10_000) {
    return `$${dollars.toFixed(4)}`;
  }
  return Number.isInteger(dollars) ? `$${dollars}` : `$${dollars.toFixed(2)}`;
}

/** `40 s`, `8 min`, `3 h 20 min`, `2 d 4 h`. */
export function elapsed(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) {
    return `${seconds} s`;
  }
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) {
    return `${minutes} min`;
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 24) {
    return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  }
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
}

export function bytes(count: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

export const STATE_WORDS: Readonly<Record<RunState, string>> = {
  queued: "queued",
  preparing: "preparing",
  running: "running",
  awaitingDecision: "waiting for you",
  inReview: "in review",
  finished: "finished without changes",
  failed: "failed",
  stopped: "stopped",
  interrupted: "interrupted",
  discarded: "discarded",
  promoted: "promoted",
};

export const DOT_WORDS: Readonly<Record<Dot, string>> = {
  none: "",
  queued: "queued",
  running: "running",
  awaitingDecision: "waiting for you",
  inReview: "in review",
  failed: "failed",
  interrupted: "interrupted",
};

export const DECISION_WORDS: Readonly<Record<DecisionKind, string>> = {
  question: "question",
  permission: "permission",
  plan: "plan",
  budget: "budget",
};

export const COLUMN_WORDS = { backlog: "Backlog", todo: "Todo", inProgress: "In progress", review: "Review", done: "Done" } as const;
