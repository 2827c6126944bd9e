// Which rows of a long list are near the view. Heights are measured as rows come into it, and guessed until then. No DOM.

/** Where each row begins, and at the end where the last one ends: of the rows from `valid` on, those before stand in `offsets` already. In place,
 * because a thread that grows has thousands of rows and a few new ones. */
export function setOffsets(offsets: number[], valid: number, keys: readonly string[], heights: ReadonlyMap<string, number>, guess: (index: number) => number): void {
  offsets.length = valid + 1;
  offsets[0] = 0;
  for (let i = valid; i < keys.length; i++) {
    offsets.push(offsets[i]! + (heights.get(keys[i]!) ?? guess(i)));
  }
}

/** How many rows at the start are the same in both. */
export function sameRows(before: readonly string[], after: readonly string[]): number {
  let same = 0;
  while (same < before.length && same < after.length && before[same] === after[same]) {
    same++;
  }
  return same;
}

/** The row at a height, the last one below the end; -1 when there is none. */
export function rowAt(offsets: readonly number[], top: number): number {
  let low = 0;
  let high = offsets.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (offsets[middle]! <= top) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return high < 0 ? -1 : low;
}

export interface Range {
  from: number;
  /** The first row that is not in it. */
  to: number;
}

/** Rows that touch the view or the margin around it. */
export function rangeOf(offsets: readonly number[], top: number, height: number, margin: number): Range {
  const from = rowAt(offsets, top - margin);
  return from < 0 ? { from: 0, to: 0 } : { from, to: rowAt(offsets, top + height + margin) + 1 };
}

export interface Anchor {
  key: string;
  /** From the top of the view to the top of the row; negative when the row begins above it. */
  offset: number;
}

/** The first row that is seen, by which the view holds still while rows above it come, go or change. */
export function anchorAt(keys: readonly string[], offsets: readonly number[], top: number): Anchor | undefined {
  const at = rowAt(offsets, top);
  return at < 0 ? undefined : { key: keys[at]!, offset: offsets[at]! - top };
}
