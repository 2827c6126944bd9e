import { appended, continued, NOTHING, prepended, type Held } from "../../src/shared/held";
import type { FromThread, SidecarState, ToThread } from "../../src/shared/messages";
import type { Card, Checkpoint, Decision, Run, ThreadItem } from "../../src/shared/protocol";
import type { ThreadParts, Waiting } from "../../src/shared/threadview";

interface StoreHost {
  post(message: FromThread): void;
  /** Whether the view is at the end, and stays there. */
  following(): boolean;
  follow(): void;
  hold(): void;
  /** Items came at the end, for who is told about them. */
  came(items: readonly ThreadItem[]): void;
  redraw(): void;
}

/** The first news after a while is shown at once, and what follows together, at most about this often (milliseconds): nobody reads faster, and every
 * update of a page costs several milliseconds. A timer, because a hidden page gets no frames. */
const PAUSE = 200;

const withoutFigures = (facts: Card | Run | undefined): object => ({ ...facts, costMicroUsd: undefined, currentTool: undefined, diffStat: undefined, turns: undefined });

/** What the extension has sent, and what was asked of it beyond that. */
export class Store {
  sidecar: SidecarState = { kind: "starting" };
  card: Card | undefined;
  run: Run | undefined;
  decisions: readonly Decision[] = [];
  held: Held = NOTHING;
  gone: string | undefined;
  asking: "older" | "newer" | "latest" | undefined;
  /** What is shown is older than what is held. */
  stale = true;
  private checkpoints: readonly Checkpoint[] = [];
  private queue: ThreadItem[] = [];
  private queued = false;
  private flushedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly host: StoreHost) {}

  /** False for a message that is not about the thread. */
  take(message: ToThread): boolean {
    switch (message.t) {
      case "state":
        this.sidecar = message.state;
        if (message.state.kind !== "ready") {
          this.asking = undefined; // its answer will not come
        }
        break;
      case "thread":
        this.begin(message);
        break;
      case "run":
        if (this.learn(message)) {
          break;
        }
        return true;
      case "append":
        this.queue.push(...message.items);
        this.soon();
        return true;
      case "older":
        this.flush();
        this.asking = undefined;
        if (this.host.following()) {
          this.host.hold();
        }
        this.held = prepended(this.held, message.items, message.atStart);
        break;
      case "newer":
        this.flush();
        this.asking = undefined;
        this.held = continued(this.held, message.items, message.atEnd);
        break;
      case "gone":
        this.gone = message.message;
        break;
      default:
        return false;
    }
    this.stale = true;
    this.host.redraw();
    return true;
  }

  /** What the run is now; whether that is to be seen at once. Its figures change with every step of the agent, and can wait like what the agent says. */
  private learn({ card, run, decisions, checkpoints = this.checkpoints }: Extract<ToThread, { t: "run" }>): boolean {
    const isNews = JSON.stringify([withoutFigures(this.card), withoutFigures(this.run), this.decisions, this.checkpoints]) !== JSON.stringify([withoutFigures(card), withoutFigures(run), decisions, checkpoints]);
    this.card = card;
    this.run = run;
    if (isNews) {
      // Else they stay the same objects, and the thread goes on from what is there.
      this.decisions = decisions;
      this.checkpoints = checkpoints;
    } else {
      this.soon();
    }
    return isNews;
  }

  private begin(message: Extract<ToThread, { t: "thread" }>): void {
    const again = this.run?.id === message.run.id;
    ({ card: this.card, run: this.run, decisions: this.decisions } = message);
    this.checkpoints = message.checkpoints ?? (again ? this.checkpoints : []);
    this.queue = [];
    // After a lost connection what was read stays in view: only what is new is added, when it joins on.
    const last = this.held.items.at(-1)?.seq;
    if (again && this.asking !== "latest" && this.held.atEnd && last !== undefined && message.items.some((item) => item.seq <= last)) {
      this.held = appended(this.held, message.items, this.watched());
    } else {
      this.held = { items: message.items, atStart: message.atStart, atEnd: true, missed: 0 };
      if (!again || this.asking === "latest") {
        this.host.follow();
      }
    }
    this.asking = undefined;
    this.gone = undefined;
  }

  private watched(): "start" | "end" {
    return this.host.following() ? "end" : "start";
  }

  private soon(): void {
    if (!this.queued) {
      this.queued = true;
      // Not by the clock alone: the pages of several threads, fed by one extension, would all work in the same moment.
      const next = this.flushedAt + PAUSE * (0.75 + Math.random() / 2);
      setTimeout(() => {
        this.queued = false;
        this.flush();
      }, Math.max(0, next - performance.now()));
    }
  }

  private flush(): void {
    this.flushedAt = performance.now();
    if (this.queue.length > 0) {
      const items = this.queue;
      this.queue = [];
      this.held = appended(this.held, items, this.watched());
      this.stale = true;
      this.host.came(items);
    }
    this.host.redraw();
  }

  older(): void {
    if (!this.held.atStart && this.asking === undefined && this.sidecar.kind === "ready") {
      this.asking = "older";
      this.host.post({ t: "older", before: this.held.items[0]?.cursor });
      this.host.redraw();
    }
  }

  newer(): void {
    const last = this.held.items.at(-1);
    if (!this.held.atEnd && this.asking === undefined && last !== undefined && this.sidecar.kind === "ready") {
      this.asking = "newer";
      this.host.post({ t: "newer", after: last.cursor });
    }
  }

  toEnd(): void {
    if (this.held.atEnd) {
      this.host.follow();
    } else {
      this.asking = "latest";
      this.host.post({ t: "latest" });
    }
  }

  parts(waiting: readonly Waiting[]): ThreadParts {
    return { items: this.held.items, atEnd: this.held.atEnd, decisions: this.decisions, checkpoints: this.checkpoints, undelivered: this.run?.undelivered ?? [], waiting };
  }

  open(): Decision | undefined {
    return this.decisions.find((decision) => decision.state === "open" && decision.runId === this.run?.id);
  }
}
