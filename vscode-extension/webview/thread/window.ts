// Which rows of a long list are near the view. Heights are measured as rows come into it, and guessed until then. No DOM.

/** Where each row begins, and at the end where the last one ends. */
export function offsetsOf(keys: readonly string[], heights: ReadonlyMap<string, number>, guess: (index: number) => number): Float64Array {
  const offsets = new Float64Array(keys.length + 1);
  for (let i = 0; i < keys.length; i++) {
    offsets[i + 1] = offsets[i]! + (heights.get(keys[i]!) ?? guess(i));
  }
  return offsets;
}

/** The row at a height, the last one below the end; -1 when there is none. */
export function rowAt(offsets: Float64Array, top: number): number {
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
export function rangeOf(offsets: Float64Array, top: number, height: number, margin: number): Range {
  const from = rowAt(offsets, top - margin);
  return from < 0 ? { from: 0, to: 0 } : { from, to: rowAt(offsets, top + height + margin) + 1 };
}

export interface Anchor {
  key: string;
  /** From the top of the view to the top of the row; negative when the row begins above it. */
  offset: number;
}

/** The first row that is seen, by which the view holds still while rows above it come, go or change. */
export function anchorAt(keys: readonly string[], offsets: Float64Array, top: number): Anchor | undefined {
  const at = rowAt(offsets, top);
  return at < 0 ? undefined : { key: keys[at]!, offset: offsets[at]! - top };
}
