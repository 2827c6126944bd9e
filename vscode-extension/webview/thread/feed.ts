import { anchorAt, rangeOf, rowAt, sameRows, setOffsets, type Anchor, type Range } from "./window";

interface FeedHost {
  /** Draws the rows of `range` again. */
  redraw(): void;
  nearStart(): void;
  nearEnd(): void;
  /** Whether the list follows its end has changed. */
  followed(): void;
}

/** Drawn above and below the view, in pixels. */
const MARGIN = 900;
const EDGE = 6;
const NEAR = 1200;
/** Measured heights that are kept; those of rows that are gone are given up first. */
const HEIGHTS_MAX = 20_000;

/** Scrolls a long list of which only the rows near the view are in the document, and holds it still while it changes. */
export class Feed {
  keys: readonly string[] = [];
  range: Range = { from: 0, to: 0 };
  following = true;
  /** Where each row is in `keys`; made when it is asked for, because a thread that grows seldom asks. */
  private at: ReadonlyMap<string, number> | undefined;
  private heights = new Map<string, number>();
  private readonly offsets = [0];
  /** How many rows at the start stand where `offsets` has them. */
  private valid = 0;
  private anchor: Anchor | undefined;
  private scroller: HTMLElement | undefined;
  private rows: HTMLElement | undefined;
  private width = 0;
  /** Where the view stood when it was last looked at: which way a scroll went is how a person's is told from what only grew or shrank. */
  private lastTop = 0;
  private redraws = 0;
  private guess: (index: number) => number = () => 40;
  private readonly sizes = new ResizeObserver(() => this.resized());

  constructor(private readonly host: FeedHost) {}

  attach(scroller: HTMLElement | undefined, rows: HTMLElement | undefined): void {
    if (scroller === this.scroller && rows === this.rows) {
      return;
    }
    this.sizes.disconnect();
    this.scroller = scroller;
    this.rows = rows;
    if (scroller !== undefined && rows !== undefined) {
      this.sizes.observe(scroller);
      this.sizes.observe(rows);
      scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
      scroller.addEventListener("wheel", (event) => {
        if (event.deltaY < 0 && scroller.scrollTop > 0) {
          this.hold();
        }
      }, { passive: true });
    }
  }

  /** Other rows than before. */
  arrange(keys: readonly string[], guess: (index: number) => number): void {
    this.valid = Math.min(this.valid, sameRows(this.keys, keys));
    this.keys = keys;
    this.guess = guess;
    this.at = undefined;
    if (this.heights.size > HEIGHTS_MAX) {
      this.heights = new Map([...this.heights].filter(([key]) => this.indexOf(key) !== undefined));
    }
    this.measureOffsets();
  }

  /** Before rows are drawn: which of them. */
  choose(): void {
    this.range = rangeOf(this.offsets, this.wantedTop(), this.viewHeight(), MARGIN);
  }

  /** After they are drawn: how high they are, and where the view stands now. */
  settle(): void {
    const { rows, scroller } = this;
    if (rows === undefined || scroller === undefined) {
      return;
    }
    this.pad();
    let changed = false;
    for (const row of rows.children) {
      const key = (row as HTMLElement).dataset["key"];
      const height = row.getBoundingClientRect().height;
      if (key !== undefined && height > 0 && Math.abs((this.heights.get(key) ?? -1) - height) > 0.4) {
        this.heights.set(key, height);
        changed = true;
      }
    }
    if (changed) {
      this.valid = Math.min(this.valid, this.range.from); // only rows of the range are in the document
      this.measureOffsets();
      this.pad();
    }
    const top = this.following ? scroller.scrollHeight - scroller.clientHeight : this.wantedTop() + EDGE;
    if (Math.abs(scroller.scrollTop - top) > 1) {
      scroller.scrollTop = top;
    }
    this.lastTop = scroller.scrollTop;
    this.extend();
  }

  private extend(): void {
    const next = rangeOf(this.offsets, this.viewTop(), this.viewHeight(), MARGIN / 2);
    // Rows turn out lower than they were guessed a few times at most.
    if ((next.from < this.range.from || next.to > this.range.to) && this.redraws++ < 6) {
      this.host.redraw();
    } else {
      this.redraws = 0;
    }
  }

  private scrolled(): void {
    const { scroller } = this;
    if (scroller === undefined || scroller.clientHeight === 0) {
      return;
    }
    const top = scroller.scrollTop;
    const atEnd = scroller.scrollHeight - top - scroller.clientHeight <= 8;
    this.anchor = anchorAt(this.keys, this.offsets, this.viewTop());
    // A late event of our own scrolling tells nothing: only a way up lets go of the end, and only a way down takes hold of it again.
    if (this.following ? !atEnd && top < this.lastTop : atEnd && top > this.lastTop) {
      this.following = atEnd;
      this.host.followed();
    }
    this.lastTop = top;
    this.extend();
    if (scroller.scrollTop < NEAR) {
      this.host.nearStart();
    }
    if (scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR) {
      this.host.nearEnd();
    }
  }

  private resized(): void {
    if (this.scroller !== undefined && this.scroller.clientWidth !== this.width) {
      this.width = this.scroller.clientWidth;
      this.heights.clear(); // every line may break elsewhere
      this.valid = 0;
    }
    this.settle();
  }

  /** Stays where it is, whatever comes. */
  hold(key?: string): void {
    const index = key === undefined ? undefined : this.indexOf(key);
    this.anchor = index === undefined ? anchorAt(this.keys, this.offsets, this.viewTop()) : { key: key!, offset: this.offsets[index]! - this.viewTop() };
    if (this.following) {
      this.following = false;
      this.host.followed();
    }
  }

  follow(): void {
    this.following = true;
    this.host.followed();
    this.host.redraw();
  }

  /** Brings a row into view: where it is if it is seen already, else near the upper third. */
  reveal(key: string): void {
    const index = this.indexOf(key);
    if (index === undefined) {
      return;
    }
    const top = this.offsets[index]! - this.viewTop();
    const bottom = this.offsets[index + 1]! - this.viewTop();
    const height = this.viewHeight();
    this.hold(key);
    if (top < 0 || (bottom > height && top > 0)) {
      this.anchor = { key, offset: top < 0 ? EDGE : Math.max(0, Math.min(height - (bottom - top) - EDGE, height / 3)) };
    }
    this.host.redraw();
  }

  /** The row that is seen first, or last. */
  seen(end: "first" | "last"): string | undefined {
    const index = rowAt(this.offsets, end === "first" ? this.viewTop() + 1 : this.viewTop() + this.viewHeight() - EDGE);
    return index < 0 ? undefined : this.keys[index];
  }

  indexOf(key: string): number | undefined {
    this.at ??= new Map(this.keys.map((known, index) => [known, index]));
    return this.at.get(key);
  }

  isSeen(key: string): boolean {
    const index = this.indexOf(key);
    return index !== undefined && this.offsets[index + 1]! > this.viewTop() && this.offsets[index]! < this.viewTop() + this.viewHeight();
  }

  get viewHeightNow(): number {
    return this.viewHeight();
  }

  private viewTop(): number {
    return (this.scroller?.scrollTop ?? 0) - EDGE;
  }

  private viewHeight(): number {
    return this.scroller?.clientHeight ?? window.innerHeight;
  }

  private total(): number {
    return this.offsets[this.offsets.length - 1]!;
  }

  private wantedTop(): number {
    if (this.following) {
      return this.total() - this.viewHeight();
    }
    const index = this.anchor === undefined ? undefined : this.indexOf(this.anchor.key);
    return index === undefined || this.anchor === undefined ? this.viewTop() : this.offsets[index]! - this.anchor.offset;
  }

  private measureOffsets(): void {
    setOffsets(this.offsets, this.valid, this.keys, this.heights, this.guess);
    this.valid = this.keys.length;
  }

  private pad(): void {
    if (this.rows !== undefined) {
      this.rows.style.paddingTop = `${this.offsets[Math.min(this.range.from, this.keys.length)]! + EDGE}px`;
      this.rows.style.paddingBottom = `${this.total() - this.offsets[Math.min(this.range.to, this.keys.length)]! + EDGE}px`;
    }
  }
}
