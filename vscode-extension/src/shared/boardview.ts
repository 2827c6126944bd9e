// What the board page shows of a board: which cards, in which groups, in which order. No DOM, no clock, no wire.
import type { BoardSnapshot, Card, Column, Decision, Run } from "./protocol";
import { COLUMN_WORDS, STATE_WORDS } from "./words";

/** A card with what is shown on it. The same object as long as nothing of it changed. */
export interface CardView {
  readonly card: Card;
  readonly run: Run | undefined;
  readonly decision: Decision | undefined;
  /** Sentences: "would conflict with #88 in package.json". */
  readonly conflicts: readonly string[];
}

export type Sort = "board" | "newest" | "cost" | "waiting";

export const SORT_WORDS: Readonly<Record<Sort, string>> = { board: "Board order", newest: "Newest", cost: "Cost", waiting: "Waiting first" };

export const COLUMNS: readonly Column[] = ["backlog", "todo", "inProgress", "review", "done"];

export const isWaiting = (view: CardView): boolean => view.decision !== undefined;

// Filter

type Term =
  | { kind: "text"; text: string; not: boolean }
  | { kind: "number"; number: number; not: boolean }
  | { kind: "label" | "state" | "column" | "agent"; values: readonly string[]; not: boolean };

export interface Filter {
  readonly terms: readonly Term[];
}

const KEYS = ["label", "state", "column", "agent"] as const;

/**
 * Words apart by spaces, all of which must hold. `label:ui`, `state:failed,interrupted` (a comma means "or"), `column:"in progress"`, `agent:claude`, `#88`,
 * anything else is looked for in title, body and labels. `-` before a word turns it round. A key without a value is not finished and holds always.
 */
export function parseFilter(text: string): Filter {
  const terms: Term[] = [];
  for (const [word] of text.matchAll(/(?:"[^"]*"?|[^\s"])+/g)) {
    const not = word.length > 1 && word.startsWith("-");
    const rest = not ? word.slice(1) : word;
    const key = KEYS.find((name) => rest.toLowerCase().startsWith(`${name}:`));
    const number = /^#(\d+)$/.exec(rest);
    if (key !== undefined) {
      const values = rest.slice(key.length + 1).replaceAll("\"", "").split(",").map(folded).filter((value) => value !== "");
      if (values.length > 0) {
        terms.push({ kind: key, values, not });
      }
    } else if (number !== null) {
      terms.push({ kind: "number", number: Number(number[1]), not });
    } else {
      const wanted = rest.replaceAll("\"", "").toLowerCase();
      if (wanted !== "" && wanted !== "#") {
        terms.push({ kind: "text", text: wanted, not });
      }
    }
  }
  return { terms };
}

export const isEmptyFilter = (filter: Filter): boolean => filter.terms.length === 0;

export const matches = (filter: Filter, view: CardView): boolean => filter.terms.every((term) => holds(term, view) !== term.not);

function holds(term: Term, view: CardView): boolean {
  const { card } = view;
  switch (term.kind) {
    case "number":
      return card.number === term.number;
    case "text":
      return [card.title, card.body, ...card.labels, `#${card.number}`, stateWord(view)].some((text) => text.toLowerCase().includes(term.text));
    case "label":
      return term.values.some((value) => card.labels.some((label) => folded(label) === value));
    case "state":
      return term.values.some((value) => stateNames(view).some((name) => name.startsWith(value)));
    case "column":
      return term.values.some((value) => folded(card.column).startsWith(value) || folded(COLUMN_WORDS[card.column]).startsWith(value));
    case "agent":
      return term.values.some((value) => view.run !== undefined && folded(view.run.agent).startsWith(value));
  }
}

/** Case, spaces and hyphens do not matter: `inReview`, `in-review` and "in review" are the same. */
const folded = (text: string): string => text.toLowerCase().replace(/[\s_-]+/g, "");

/** A state answers to its name on the wire, to its word, and to the word without its "in". */
function stateNames(view: CardView): readonly string[] {
  if (view.decision !== undefined) {
    return ["waiting", "awaitingdecision", "waitingforyou"];
  }
  const state = view.run?.state;
  return state === undefined ? ["none", "idle"] : [folded(state), folded(STATE_WORDS[state]), folded(STATE_WORDS[state]).replace(/^in/, "")];
}

/** The state of a card as a word, empty when nothing was started for it. */
export const stateWord = (view: CardView): string => (view.decision !== undefined ? STATE_WORDS.awaitingDecision : view.run === undefined ? "" : STATE_WORDS[view.run.state]);

// Order

/** The order that the sidecar keeps: by position, equal ones by id. */
export const boardOrder = (a: CardView, b: CardView): number => a.card.position - b.card.position || a.card.id - b.card.id;

/** What asks for a person first, then what has gone wrong, what is ready, what runs, what stands in the queue, the rest. */
export function urgency(view: CardView): number {
  if (view.decision !== undefined) {
    return 0;
  }
  switch (view.run?.state) {
    case "awaitingDecision":
      return 0;
    case "failed":
    case "interrupted":
      return 1;
    case "inReview":
      return 2;
    case "running":
    case "preparing":
      return 3;
    case "queued":
      return 4;
    default:
      return 5;
  }
}

const askedFirst = (a: CardView, b: CardView): number => (a.decision?.askedAt ?? "").localeCompare(b.decision?.askedAt ?? "");

const ORDERS: Readonly<Record<Sort, (a: CardView, b: CardView) => number>> = {
  board: boardOrder,
  newest: (a, b) => b.card.number - a.card.number,
  cost: (a, b) => b.card.costMicroUsd - a.card.costMicroUsd || boardOrder(a, b),
  waiting: (a, b) => urgency(a) - urgency(b) || boardOrder(a, b),
};

/** Cards of one column in the order shown. A card that waits comes first whatever the order; Done shows its latest first. */
export function sorted(views: readonly CardView[], sort: Sort, column: Column): CardView[] {
  const order = sort === "board" && column === "done" ? (a: CardView, b: CardView) => boardOrder(b, a) : ORDERS[sort];
  return [...views].sort((a, b) => Number(isWaiting(b)) - Number(isWaiting(a)) || (isWaiting(a) ? askedFirst(a, b) : 0) || order(a, b));
}

// Groups

export interface Group {
  readonly key: string;
  readonly title: string;
  readonly views: readonly CardView[];
  /** The column that a new card of this group goes to; undefined where groups are not columns. */
  readonly column: Column | undefined;
}

export function byColumn(views: readonly CardView[], sort: Sort): readonly Group[] {
  return COLUMNS.map((column) => ({ key: column, title: COLUMN_WORDS[column], column, views: sorted(views.filter((view) => view.card.column === column), sort, column) }));
}

const LIST_GROUPS: readonly { key: string; title: string; column?: Column }[] = [
  { key: "waiting", title: "Waiting for you" },
  { key: "stopped", title: "Failed or stopped" },
  { key: "inReview", title: "In review" },
  { key: "running", title: "Running" },
  { key: "queued", title: "Queued" },
  { key: "todo", title: COLUMN_WORDS.todo, column: "todo" },
  { key: "backlog", title: COLUMN_WORDS.backlog, column: "backlog" },
  { key: "other", title: "In progress" },
  { key: "done", title: COLUMN_WORDS.done, column: "done" },
];

function listGroupOf(view: CardView): string {
  const { run, card } = view;
  if (view.decision !== undefined || run?.state === "awaitingDecision") {
    return "waiting";
  }
  if (run?.state === "running" || run?.state === "preparing") {
    return "running";
  }
  if (run?.state === "queued") {
    return "queued";
  }
  if (card.column === "done" || card.column === "backlog" || card.column === "todo") {
    return card.column;
  }
  if (run?.state === "failed" || run?.state === "interrupted" || run?.state === "stopped") {
    return "stopped";
  }
  return card.column === "review" ? "inReview" : "other";
}

/** For a narrow page: one list, grouped by what the cards want, waiting first. Empty groups are left out. */
export function byState(views: readonly CardView[], sort: Sort): readonly Group[] {
  const groups = new Map<string, CardView[]>(LIST_GROUPS.map((group) => [group.key, []]));
  for (const view of views) {
    groups.get(listGroupOf(view))?.push(view);
  }
  return LIST_GROUPS.map(({ key, title, column }) => ({ key, title, column, views: sorted(groups.get(key) ?? [], sort, column ?? "inProgress") })).filter((group) => group.views.length > 0);
}

// Counts and news

export interface Counts {
  readonly running: number;
  readonly waiting: number;
  readonly queued: number;
}

export function counts(views: Iterable<CardView>): Counts {
  const count = { running: 0, waiting: 0, queued: 0 };
  for (const view of views) {
    if (view.decision !== undefined || view.run?.state === "awaitingDecision") {
      count.waiting++;
    } else if (view.run?.state === "running" || view.run?.state === "preparing") {
      count.running++;
    } else if (view.run?.state === "queued") {
      count.queued++;
    }
  }
  return count;
}

/** What a screen reader should say of a card that changed; undefined when nothing of weight did. */
export function newsOf(before: CardView | undefined, after: CardView): string | undefined {
  const name = `#${after.card.number}`;
  if (after.decision !== undefined) {
    return before?.decision?.id === after.decision.id ? undefined : `${name} asks: ${questionLine(after.decision)}`;
  }
  const state = after.run?.state;
  if (before === undefined || state === undefined || (state === before.run?.state && before.decision === undefined)) {
    return undefined;
  }
  switch (state) {
    case "failed":
    case "interrupted":
      return `${name} ${STATE_WORDS[state]}${after.run?.reason === undefined ? "" : `: ${after.run.reason.message}`}`;
    case "running":
    case "queued":
    case "inReview":
    case "finished":
    case "stopped":
    case "promoted":
    case "discarded":
      return `${name} ${STATE_WORDS[state]}`;
    default:
      return undefined;
  }
}

/** What is asked, as one line. */
export function questionLine(decision: Decision): string {
  const first = decision.questions[0]?.text;
  switch (decision.kind) {
    case "permission":
      return `Allow ${decision.tool?.name ?? "a tool"}?`;
    case "plan":
      return "Approve its plan?";
    case "budget":
      return first ?? decision.tool?.description ?? "Its budget is reached. Continue with more?";
    case "question":
      return first ?? "It has a question.";
  }
}

// Building views

export interface Parts {
  readonly cards: ReadonlyMap<number, Card>;
  readonly runs: ReadonlyMap<number, Run>;
  readonly decisions: ReadonlyMap<string, Decision>;
}

export const partsOf = (board: Pick<BoardSnapshot, "cards" | "runs" | "decisions">): Parts => ({
  cards: new Map(board.cards.map((card) => [card.id, card])),
  runs: new Map(board.runs.map((run) => [run.id, run])),
  decisions: new Map(board.decisions.map((decision) => [decision.id, decision])),
});

/** The run that a card is about (the active one, else its newest that is known) and its oldest open decision. */
export function viewOf(card: Card, parts: Parts, openByRun: ReadonlyMap<number, Decision>): CardView {
  const known = card.runIds.filter((id) => parts.runs.has(id));
  const run = parts.runs.get(card.activeRunId ?? -1) ?? (known.length > 0 ? parts.runs.get(Math.max(...known)) : undefined);
  return { card, run, decision: run === undefined ? undefined : openByRun.get(run.id), conflicts: (run?.conflicts ?? []).map((conflict) => conflictLine(conflict, parts)) };
}

export function openByRun(decisions: Iterable<Decision>): ReadonlyMap<number, Decision> {
  const open = new Map<number, Decision>();
  for (const decision of decisions) {
    const other = open.get(decision.runId);
    if (decision.state === "open" && (other === undefined || decision.askedAt < other.askedAt || (decision.askedAt === other.askedAt && decision.id < other.id))) {
      open.set(decision.runId, decision);
    }
  }
  return open;
}

const PATHS_SHOWN = 2;

function conflictLine(conflict: NonNullable<Run["conflicts"]>[number], parts: Parts): string {
  const number = conflict.runId === undefined ? undefined : parts.runs.get(conflict.runId)?.cardNumber;
  const other = number !== undefined ? `#${number}` : conflict.target ?? "another run";
  const paths = conflict.paths.slice(0, PATHS_SHOWN).join(", ");
  const more = conflict.paths.length - PATHS_SHOWN;
  return `would conflict with ${other}${paths === "" ? "" : ` in ${paths}`}${more > 0 ? ` and ${more} more` : ""}`;
}
