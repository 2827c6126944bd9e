import type { FromThread, ToThread } from "../../src/shared/messages";
import type { ByteRange, CutText, ThreadItem } from "../../src/shared/protocol";
import { wholeText } from "../../src/shared/threadview";
import type { Fetched } from "./rows";

type Line = Extract<ToThread, { t: "line" }>;

interface Raw extends Fetched {
  bytes: ByteRange;
  next: number;
}

/** Longer lines are not put together here; their raw line can be read piece by piece. */
const WHOLE_MAX = 8_000_000;
/** Of what is fetched, so much is kept at once. */
const KEPT = 4;

/** Fetches what did not travel with the items: raw lines by pieces, long texts as a whole. */
export class Lines {
  private readonly wholes = new Map<string, Fetched>();
  private readonly raws = new Map<string, Raw>();
  private readonly waiting = new Map<number, (line: Line) => void>();

  constructor(private readonly post: (message: FromThread) => void, private readonly nextId: () => number, private readonly redraw: () => void) {}

  clear(): void {
    this.wholes.clear();
    this.raws.clear();
    this.waiting.clear();
  }

  take(line: Line): void {
    const then = this.waiting.get(line.id);
    this.waiting.delete(line.id);
    then?.(line);
    this.redraw();
  }

  whole(item: ThreadItem, body: CutText): Fetched | undefined {
    return body.fullLength === undefined ? undefined : this.wholes.get(`${item.cursor}`);
  }

  fetchWhole(item: ThreadItem, body: CutText): void {
    const set = (fetched: Fetched): void => keep(this.wholes, item.cursor, fetched);
    const read = (before: string, offset: number): void => this.ask(item.bytes, offset, (line) => {
      const text = before + (line.text ?? "");
      if (line.error !== undefined) {
        set({ text: "", state: "failed", error: line.error });
      } else if (line.next !== undefined && text.length < WHOLE_MAX) {
        read(text, line.next);
      } else {
        const found = line.next === undefined ? wholeText(body.text, body.fullLength ?? 0, text) : undefined;
        set(found === undefined ? { text: "", state: "failed", error: "It could not be put together. Its raw line has all of it." } : { text: found, state: "whole" });
      }
    });
    set({ text: "", state: "loading" });
    read("", 0);
    this.redraw();
  }

  raw(key: string): Fetched | undefined {
    return this.raws.get(key);
  }

  showRaw(key: string, bytes: ByteRange): void {
    keep(this.raws, key, { bytes, text: "", next: 0, state: "loading" });
    this.moreRaw(key);
  }

  hideRaw(key: string): void {
    this.raws.delete(key);
    this.redraw();
  }

  moreRaw(key: string): void {
    const raw = this.raws.get(key);
    if (raw === undefined) {
      return;
    }
    this.raws.set(key, { ...raw, state: "loading" });
    this.ask(raw.bytes, raw.next, (line) => {
      if (this.raws.has(key)) {
        this.raws.set(key, line.error !== undefined ? { ...raw, state: "failed", error: line.error } : { ...raw, text: raw.text + (line.text ?? ""), next: line.next ?? raw.next, state: line.next === undefined ? "whole" : "more" });
      }
    });
    this.redraw();
  }

  private ask(bytes: ByteRange, offset: number, then: (line: Line) => void): void {
    const id = this.nextId();
    this.waiting.set(id, then);
    this.post({ t: "line", id, bytes, offset });
  }
}

function keep<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  while (map.size > KEPT) {
    map.delete(map.keys().next().value!);
  }
}
