// The words on a card. Every sentence is one of the sidecar's or says what can be done; nothing here knows the time of day.
import type { CardView } from "./boardview";
import { questionLine, stateWord } from "./boardview";
import { COLUMN_WORDS, elapsed, money, plural } from "./words";

export interface Note {
  readonly tone: "error" | "warning" | "info";
  readonly text: string;
}

/** The state in the corner of a card: a word, and since when if that is worth counting. */
export function cornerOf(view: CardView): { word: string; since?: string } {
  const { run, decision } = view;
  if (decision !== undefined) {
    return { word: "waiting", since: decision.askedAt };
  }
  switch (run?.state) {
    case undefined:
      return { word: "" };
    case "running":
    case "preparing":
      return run.startedAt === undefined ? { word: stateWord(view) } : { word: stateWord(view), since: run.startedAt };
    case "promoted":
      return { word: run.promotion === undefined ? "promoted" : `promoted to ${run.promotion.branch}` };
    default:
      return { word: stateWord(view) };
  }
}

/** How long a run took that has ended; undefined while it goes on. */
export function took(view: CardView): string | undefined {
  const { run } = view;
  if (run?.startedAt === undefined || run.endedAt === undefined || ["running", "preparing", "queued", "awaitingDecision"].includes(run.state)) {
    return undefined;
  }
  return elapsed(Date.parse(run.endedAt) - Date.parse(run.startedAt));
}

export const HOT_FROM = 0.8;

/** What was spent of what may be. `part` is undefined without a budget of money. */
export function costOf(view: CardView): { text: string; part?: number; hot: boolean; more?: string } | undefined {
  const { run, card } = view;
  if (run === undefined || (run.costMicroUsd === 0 && card.costMicroUsd === 0)) {
    return undefined;
  }
  const budget = run.budget.microUsd;
  const part = budget === undefined || budget <= 0 ? undefined : Math.min(1, run.costMicroUsd / budget);
  const hot = part !== undefined && part >= HOT_FROM;
  const spent = `${run.costIsEstimate ? "about " : ""}${money(run.costMicroUsd)}`;
  const details = [
    budget === undefined ? `${spent} spent by this run` : `${spent} of ${money(budget)} spent by this run`,
    ...(card.costMicroUsd > run.costMicroUsd ? [`${money(card.costMicroUsd)} by all runs of the card`] : []),
  ];
  return { text: hot && budget !== undefined ? `${spent} of ${money(budget)}` : spent, part, hot, more: details.join("; ") };
}

/** Sentences under the title, what matters most first. */
export function notesOf(view: CardView): readonly Note[] {
  const { run, card } = view;
  const notes: Note[] = [];
  if (card.parentNumber !== undefined) {
    notes.push({ tone: "info", text: `part of #${card.parentNumber}` });
  }
  if (run === undefined) {
    return notes;
  }
  const shows = view.decision === undefined;
  if (run.reason !== undefined && shows) {
    notes.push({ tone: run.state === "failed" || run.state === "interrupted" ? "error" : "info", text: run.reason.message });
  } else if (run.state === "queued") {
    notes.push({ tone: "info", text: "starts when a slot is free" });
  }
  if (run.stall !== undefined && shows) {
    notes.push({ tone: "warning", text: run.stall.message });
  }
  for (const warning of run.warnings ?? []) {
    notes.push({ tone: "warning", text: warning.message });
  }
  for (const conflict of view.conflicts) {
    notes.push({ tone: "warning", text: conflict });
  }
  for (const notice of run.notices ?? []) {
    notes.push({ tone: "info", text: notice.message });
  }
  const undelivered = run.undelivered?.length ?? 0;
  if (undelivered > 0) {
    notes.push({ tone: "info", text: `${plural(undelivered, "message")} not delivered yet` });
  }
  return notes.filter((note, index) => notes.findIndex((other) => other.text === note.text) === index);
}

/** What a screen reader says of a card before anything in it. */
export function nameOf(view: CardView, selected: boolean): string {
  const { card, run, decision } = view;
  const cost = costOf(view);
  const stat = run?.diffStat;
  return [
    `#${card.number} ${card.title}`,
    stateWord(view) || COLUMN_WORDS[card.column],
    ...(decision === undefined ? [] : [questionLine(decision)]),
    ...(cost === undefined ? [] : [cost.text]),
    ...(stat === undefined || stat.files === 0 ? [] : [`${plural(stat.files, "file")} changed`]),
    ...(card.labels.length === 0 ? [] : [`labels ${card.labels.join(", ")}`]),
    ...(selected ? ["selected"] : []),
  ].join(", ");
}

/** What a permission is about, in one text: the command of a shell, the path of a file, else the input as it is. */
export function toolLine(name: string, input: unknown): string {
  if (typeof input === "object" && input !== null) {
    const fields = input as Record<string, unknown>;
    for (const key of ["command", "file_path", "path", "notebook_path", "url", "pattern", "query"]) {
      if (typeof fields[key] === "string") {
        return fields[key];
      }
    }
    return Object.keys(fields).length === 0 ? name : JSON.stringify(input);
  }
  return typeof input === "string" ? input : name;
}
