// The piece of a thread that its page holds: bounded, in order, every item once. The other end is dropped and asked for again.
import type { ThreadItem } from "./protocol";

export interface Held {
  items: readonly ThreadItem[];
  atStart: boolean;
  atEnd: boolean;
  /** Items that came after an end that is not held. */
  missed: number;
}

export const ITEMS_MAX = 4_000;
export const CHARACTERS_MAX = 12_000_000;
/** Dropped down to this part of the bounds, so that it does not happen at each item. */
const KEPT = 0.75;

export const NOTHING: Held = { items: [], atStart: true, atEnd: true, missed: 0 };

/** New items at the end. `watched` is the end that is looked at: the other one is dropped. */
export function appended(held: Held, items: readonly ThreadItem[], watched: "start" | "end"): Held {
  const last = held.items.at(-1)?.seq ?? Number.NEGATIVE_INFINITY;
  const fresh = items.filter((item) => item.seq > last);
  if (fresh.length === 0) {
    return held;
  }
  return held.atEnd ? bounded({ ...held, items: joined(held.items, fresh) }, watched) : { ...held, missed: held.missed + fresh.length };
}

export function prepended(held: Held, items: readonly ThreadItem[], atStart: boolean): Held {
  const first = held.items[0]?.seq ?? Number.POSITIVE_INFINITY;
  const fresh = items.filter((item) => item.seq < first);
  return bounded({ ...held, items: joined(fresh, held.items), atStart }, "start");
}

/** What follows the items of a piece without the end. */
export function continued(held: Held, items: readonly ThreadItem[], atEnd: boolean): Held {
  const last = held.items.at(-1)?.seq ?? Number.NEGATIVE_INFINITY;
  const fresh = items.filter((item) => item.seq > last);
  return bounded({ ...held, items: joined(held.items, fresh), atEnd, missed: atEnd ? 0 : Math.max(0, held.missed - fresh.length) }, "end");
}

function joined(before: readonly ThreadItem[], after: readonly ThreadItem[]): readonly ThreadItem[] {
  const items = [...before, ...after];
  totals.set(items, total(before) + total(after));
  return items;
}

/** Of lists of items. A thread grows by a few items many times: what it weighed before is not summed up again. */
const totals = new WeakMap<readonly ThreadItem[], number>();

function total(items: readonly ThreadItem[]): number {
  const sum = totals.get(items) ?? items.reduce((characters, item) => characters + weight(item), 0);
  totals.set(items, sum);
  return sum;
}

function bounded(held: Held, watched: "start" | "end"): Held {
  if (held.items.length <= ITEMS_MAX && total(held.items) <= CHARACTERS_MAX) {
    return held;
  }
  const ordered = watched === "start" ? held.items : [...held.items].reverse();
  let count = 0;
  let characters = 0;
  while (count < ordered.length && count < ITEMS_MAX * KEPT && (count === 0 || characters + weight(ordered[count]!) <= CHARACTERS_MAX * KEPT)) {
    characters += weight(ordered[count]!);
    count++;
  }
  const dropped = held.items.length - count;
  return watched === "start"
    ? { ...held, items: held.items.slice(0, count), atEnd: false, missed: held.missed + dropped }
    : { ...held, items: held.items.slice(dropped), atStart: false };
}

const weights = new WeakMap<ThreadItem, number>();

/** About how many characters an item keeps in memory. */
function weight(item: ThreadItem): number {
  const known = weights.get(item);
  if (known !== undefined) {
    return known;
  }
  const own = 200 + ("body" in item ? item.body.text.length : "summary" in item ? item.summary.length : item.message.length) + (item.kind === "toolUse" && item.input !== undefined ? JSON.stringify(item.input).length : 0);
  weights.set(item, own);
  return own;
}
