// From the items of a run to what its page shows: a call with its result, what a sub-agent did below the call that began it, checkpoints
// between what came before and after them, what still waits at the end. Values only.
import type { AnswerItem, Checkpoint, CheckpointItem, Decision, NoticeItem, QuestionItem, RawItem, ResultItem, SystemItem, TextItem, ThinkingItem, ThreadItem, ToolResultItem, ToolUseItem, UndeliveredMessage, UserMessageItem } from "./protocol";

interface Keyed {
  /** Equal for the same thing as long as the page lives. */
  key: string;
  /** How many sub-agents deep. */
  depth: number;
}

export type Entry = Keyed & (
  | { kind: "text"; item: TextItem }
  | { kind: "thinking"; item: ThinkingItem }
  | { kind: "tool"; item: ToolUseItem; result?: ToolResultItem; answer?: AnswerItem }
  /** `item` is absent when the call lies before what the page holds; `size` counts what stands below it. */
  | { kind: "subagent"; item?: ToolUseItem; result?: ToolResultItem; size: number }
  | { kind: "output"; item: ToolResultItem }
  /** `item` is absent for a decision that the sidecar itself asks for, like one about the budget. */
  | { kind: "question"; item?: QuestionItem; decision?: Decision; answer?: AnswerItem }
  | { kind: "answer"; item: AnswerItem }
  | { kind: "message"; item: UserMessageItem }
  | { kind: "waiting"; id: number; text: string }
  | { kind: "undelivered"; message: UndeliveredMessage }
  | { kind: "checkpoint"; id: string; number?: number; at: string; why: string; left?: number }
  | { kind: "result"; item: ResultItem }
  | { kind: "notice"; item: NoticeItem }
  | { kind: "system"; item: SystemItem }
  /** Lines of the agent about itself, one after the other. */
  | { kind: "quiet"; items: readonly ThreadItem[] }
  | { kind: "raw"; item: RawItem });

export type EntryOf<Kind extends Entry["kind"]> = Extract<Entry, { kind: Kind }>;

/** A message that the page sent and that has not come back in the thread. */
export interface Waiting {
  id: number;
  text: string;
  messageId?: string;
}

export interface ThreadParts {
  items: readonly ThreadItem[];
  atEnd: boolean;
  decisions: readonly Decision[];
  checkpoints: readonly Checkpoint[];
  undelivered: readonly UndeliveredMessage[];
  waiting: readonly Waiting[];
}

/** Deeper than this the indent stays. */
export const DEPTH_SHOWN = 4;

interface Group {
  call?: ToolUseItem;
  key: string;
  children: Node[];
}

type Node = Entry | Group;
const isGroup = (node: Node): node is Group => "children" in node;

/** The items that were placed so far, and where. */
interface Placed {
  readonly items: readonly ThreadItem[];
  readonly decisions: readonly Decision[];
  readonly checkpoints: readonly Checkpoint[];
  readonly top: Node[];
  readonly groups: Map<string, Group>;
  readonly calls: Map<string, EntryOf<"tool">>;
  readonly questions: Map<string, EntryOf<"question">>;
  readonly shown: Set<string>;
  /** How many of the checkpoints that are no items stand before one of `items`. */
  readonly marked: number;
}

/** Every entry in the order of reading. What lies below a sub-agent whose key is in `folded` is left out. */
export const entriesOf = (parts: ThreadParts, folded: ReadonlySet<string> = new Set()): readonly Entry[] => new Entries().of(parts, folded);

/** The entries of one thread. While it only grows, what was placed before stays where it is, and its entries are the same objects. */
export class Entries {
  private placed: Placed | undefined;

  of(parts: ThreadParts, folded: ReadonlySet<string> = new Set()): readonly Entry[] {
    const { items, decisions, checkpoints } = parts;
    const before = this.placed !== undefined && goesOn(this.placed, parts) ? this.placed : undefined;
    const { top, groups, calls, questions, shown }: Omit<Placed, "items" | "decisions" | "checkpoints" | "marked"> = before ?? { top: [], groups: new Map(), calls: new Map(), questions: new Map(), shown: new Set() };
    const marks = between(parts);
    let marked = before?.marked ?? 0;
    for (let index = before?.items.length ?? 0; index < items.length; index++) {
      for (; marked < marks.length && marks[marked]!.before <= index; marked++) {
        top.push(marks[marked]!.entry);
      }
      const item = items[index]!;
      place(item, listOf(item.parentToolUseId, top, groups, calls), calls, questions, shown, decisions);
    }
    this.placed = { items, decisions, checkpoints, top, groups, calls, questions, shown, marked };
    const entries = flatten(parts.atEnd ? [...top, ...marks.slice(marked).map((left) => left.entry)] : top, calls, groups, folded);
    return parts.atEnd ? [...entries, ...ending(parts, shown)] : entries;
  }
}

/** Whether nothing but items came, and only at the end: items before them would have moved the last one. Of a checkpoint a mark may stand already where
 * now its item does. */
function goesOn(placed: Placed, { items, decisions, checkpoints }: ThreadParts): boolean {
  const count = placed.items.length;
  return decisions === placed.decisions && checkpoints === placed.checkpoints && count > 0 && items[count - 1] === placed.items[count - 1]
    && !items.slice(count).some((item) => item.kind === "checkpoint");
}

/** Where the items of a parent go. A parent always comes before its items; one that the page does not hold gets a place of its own. */
function listOf(parent: string | undefined, top: Node[], groups: Map<string, Group>, calls: Map<string, EntryOf<"tool">>): Node[] {
  if (parent === undefined) {
    return top;
  }
  let group = groups.get(parent);
  if (group === undefined) {
    const call = calls.get(parent);
    group = { call: call?.item, key: call?.key ?? `sub-${parent}`, children: [] };
    groups.set(parent, group);
    if (call === undefined) {
      top.push(group);
    }
  }
  return group.children;
}

function place(item: ThreadItem, list: Node[], calls: Map<string, EntryOf<"tool">>, questions: Map<string, EntryOf<"question">>, shown: Set<string>, decisions: readonly Decision[]): void {
  const at = { key: String(item.seq), depth: 0 };
  switch (item.kind) {
    case "toolUse": {
      const entry: EntryOf<"tool"> = { ...at, kind: "tool", item };
      calls.set(item.toolUseId, entry);
      list.push(entry);
      return;
    }
    case "toolResult": {
      const call = calls.get(item.toolUseId);
      if (call !== undefined && call.result === undefined) {
        call.result = item;
      } else {
        list.push({ ...at, kind: "output", item });
      }
      return;
    }
    case "question": {
      const entry: EntryOf<"question"> = { ...at, kind: "question", item, decision: decisions.find((decision) => decision.id === item.decisionId) };
      shown.add(item.decisionId);
      // The agent's tool for questions says nothing that the question does not.
      const call = item.toolUseId === undefined ? undefined : calls.get(item.toolUseId);
      if (call !== undefined && call.item.name === "AskUserQuestion" && list.at(-1) === call) {
        list.pop();
      }
      if (item.toolUseId !== undefined) {
        questions.set(item.toolUseId, entry);
      }
      list.push(entry);
      return;
    }
    case "answer": {
      const asked = questions.get(item.toolUseId) ?? calls.get(item.toolUseId);
      if (asked !== undefined && asked.answer === undefined) {
        asked.answer = item;
      } else {
        list.push({ ...at, kind: "answer", item });
      }
      return;
    }
    case "checkpoint":
      list.push({ key: `mark-${item.checkpointId}`, depth: 0, kind: "checkpoint", id: item.checkpointId, at: item.at, why: item.summary });
      return;
    case "userMessage":
      list.push({ ...at, kind: "message", item });
      return;
    case "system":
    case "notice":
      if (isQuiet(item)) {
        const last = list.at(-1);
        if (last !== undefined && !isGroup(last) && last.kind === "quiet") {
          list[list.length - 1] = { ...last, items: [...last.items, item] };
        } else {
          list.push({ ...at, kind: "quiet", items: [item] });
        }
        return;
      }
      list.push({ ...at, kind: item.kind, item } as Entry);
      return;
    default:
      list.push({ ...at, kind: item.kind, item } as Entry);
  }
}

/** What the agent's program says about itself, and pieces of what a whole message says again. */
const isQuiet = (item: SystemItem | NoticeItem): boolean => (item.kind === "notice" ? ["partial", "control", "backgroundTasks"].includes(item.topic) : item.subtype !== "init");

/** Where each checkpoint stands: after the last item that is not younger. Of those that are also items the item stands. */
function between(parts: ThreadParts): readonly { before: number; entry: Entry }[] {
  if (parts.checkpoints.length === 0) {
    return [];
  }
  const own = new Set(parts.items.filter((item): item is CheckpointItem => item.kind === "checkpoint").map((item) => item.checkpointId));
  const first = parts.items[0];
  const begin = first === undefined ? Number.NEGATIVE_INFINITY : Date.parse(first.at);
  return parts.checkpoints.flatMap((checkpoint, index) => {
    const at = Date.parse(checkpoint.at);
    return own.has(checkpoint.id) || at < begin
      ? []
      : [{ before: firstAfter(parts.items, at), entry: { key: `mark-${checkpoint.id}`, depth: 0, kind: "checkpoint", id: checkpoint.id, number: index + 1, at: checkpoint.at, why: checkpoint.why, left: checkpoint.left } as Entry }];
  });
}

function firstAfter(items: readonly ThreadItem[], at: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (Date.parse(items[middle]!.at) <= at) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

function flatten(top: readonly Node[], calls: Map<string, EntryOf<"tool">>, groups: Map<string, Group>, folded: ReadonlySet<string>): readonly Entry[] {
  const entries: Entry[] = [];
  // Not by recursion: how deep it goes is the agent's to say.
  const open: { nodes: readonly Node[]; next: number; depth: number }[] = [{ nodes: top, next: 0, depth: 0 }];
  while (open.length > 0) {
    const level = open.at(-1)!;
    const node = level.nodes[level.next++];
    if (node === undefined) {
      open.pop();
      continue;
    }
    const below = isGroup(node) ? node : node.kind === "tool" ? groups.get(node.item.toolUseId) : undefined;
    // A group that began before its call has a place of its own; else a call below itself would never end.
    const group = below === node || (!isGroup(node) && node.kind === "tool" && below?.call === node.item) ? below : undefined;
    if (group === undefined) {
      entries.push(level.depth === 0 ? (node as Entry) : { ...(node as Entry), depth: level.depth });
      continue;
    }
    const call = group.call === undefined ? undefined : calls.get(group.call.toolUseId);
    entries.push({ key: group.key, depth: level.depth, kind: "subagent", item: call?.item, result: call?.result, size: group.children.length });
    if (!folded.has(group.key)) {
      open.push({ nodes: group.children, next: 0, depth: Math.min(DEPTH_SHOWN, level.depth + 1) });
    }
  }
  return entries;
}

/** What has no place in the stream: a decision that the sidecar asks for, and what was said to the agent and has not arrived. */
function ending(parts: ThreadParts, shown: ReadonlySet<string>): readonly Entry[] {
  return [
    ...parts.decisions.filter((decision) => decision.state === "open" && !shown.has(decision.id)).map((decision): Entry => ({ key: `ask-${decision.id}`, depth: 0, kind: "question", decision })),
    ...parts.undelivered.map((message): Entry => ({ key: `lost-${message.messageId}`, depth: 0, kind: "undelivered", message })),
    ...parts.waiting.map((message): Entry => ({ key: `wait-${message.id}`, depth: 0, kind: "waiting", id: message.id, text: message.text })),
  ];
}

/** Messages that have come back, or are known to be lost, wait no more. */
export function stillWaiting(waiting: readonly Waiting[], items: readonly ThreadItem[], undelivered: readonly UndeliveredMessage[]): readonly Waiting[] {
  if (waiting.length === 0) {
    return waiting;
  }
  const left = [...waiting];
  const take = (messageId: string | undefined, text: string): void => {
    const at = left.findIndex((message) => (message.messageId !== undefined && messageId !== undefined ? message.messageId === messageId : message.text.trim() === text.trim()));
    if (at >= 0) {
      left.splice(at, 1);
    }
  };
  for (const item of items) {
    if (item.kind === "userMessage") {
      take(item.messageId, item.body.text);
    }
  }
  for (const message of undelivered) {
    take(message.messageId, message.text.text);
  }
  return left.length === waiting.length ? waiting : left;
}

/** Texts by which an entry is searched and copied, in the order of reading. */
export function textsOf(entry: Entry): readonly string[] {
  switch (entry.kind) {
    case "tool":
    case "subagent":
      return [entry.item?.summary ?? "sub-agent", ...inputTexts(entry.item?.input), ...(entry.result === undefined ? [] : [entry.result.body.text]), ...(entry.kind === "tool" && entry.answer !== undefined ? [entry.answer.summary] : [])];
    case "question":
      return [...(entry.decision?.questions.flatMap((question) => [question.text, ...question.options.map((option) => option.label)]) ?? (entry.item === undefined ? [] : [entry.item.summary])), ...(entry.answer === undefined ? [] : [entry.answer.summary])];
    case "answer":
    case "system":
      return [entry.item.summary];
    case "waiting":
      return [entry.text];
    case "undelivered":
      return [entry.message.text.text];
    case "checkpoint":
      return [`checkpoint ${entry.number ?? ""}`.trim()];
    case "notice":
      return [entry.item.message];
    case "quiet":
      return entry.items.map((item) => (item.kind === "notice" ? item.message : item.kind === "system" ? item.summary : ""));
    default:
      return [entry.item.body.text];
  }
}

function inputTexts(input: unknown): readonly string[] {
  if (typeof input === "string") {
    return [input];
  }
  return typeof input !== "object" || input === null ? [] : Object.values(input).filter((value): value is string => typeof value === "string");
}

const lowered = new WeakMap<object, string>();

/** Keys of the entries that have the words, in order. */
export function matching(entries: readonly Entry[], query: string): readonly string[] {
  const wanted = query.trim().toLowerCase();
  return wanted === "" ? [] : entries.filter((entry) => haystack(entry).includes(wanted)).map((entry) => entry.key);
}

function haystack(entry: Entry): string {
  // Keyed by the part that comes last, so that a text is made anew when there is more of it.
  const by = entry.kind === "tool" || entry.kind === "subagent" ? (entry.kind === "tool" ? entry.answer : undefined) ?? entry.result ?? entry.item : "item" in entry && entry.kind !== "question" ? entry.item : undefined;
  const known = by === undefined ? undefined : lowered.get(by);
  if (known !== undefined) {
    return known;
  }
  const text = textsOf(entry).join("\n").toLowerCase();
  if (by !== undefined) {
    lowered.set(by, text);
  }
  return text;
}

/** The whole of a text of which only a beginning travelled, found in its raw line: the string, or a result's parts, that begins with it. */
export function wholeText(beginning: string, length: number, line: string): string | undefined {
  let root: unknown;
  try {
    root = JSON.parse(line);
  } catch {
    return undefined;
  }
  const start = beginning.slice(0, 2000);
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === "string" && value.length === length && value.startsWith(start)) {
      return value;
    }
    if (Array.isArray(value)) {
      const joined = value.map((part: unknown) => (typeof part === "string" ? part : typeof part === "object" && part !== null && "text" in part && typeof part.text === "string" ? part.text : "")).join("\n");
      if (joined.length === length && joined.startsWith(start)) {
        return joined;
      }
    }
    if (typeof value === "object" && value !== null) {
      open.push(...(Object.values(value) as unknown[]));
    }
  }
  return undefined;
}
