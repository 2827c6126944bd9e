import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { ACTION_WORDS, hasWorktree, isLive, type Action } from "../../src/shared/actions";
import type { FromThread, ToThread } from "../../src/shared/messages";
import type { ByteRange, CutText, Run, ThreadItem } from "../../src/shared/protocol";
import { cannotReply, EMPTY_BOX, placeholder, recalled, sentNow, textIn, typed, type Box } from "../../src/shared/replying";
import { Entries, entriesOf, stillWaiting, textsOf, type Entry, type Waiting } from "../../src/shared/threadview";
import { icon } from "../common/icons";
import { post as send, receive, savedState, saveState } from "../common/post";
import { Asks } from "./asks";
import { EMPTY_DRAFT, type Answer, type Asking, type Draft } from "./ask";
import { Feed } from "./feed";
import { Finding } from "./finding";
import { banner, head, menuActions, sentences, stateButtons } from "./head";
import { rowKeys } from "./keys";
import { Lines } from "./lines";
import { drawMenu, menuAt, placeMenu, type MenuItem, type OpenMenu } from "./menu";
import { news } from "./news";
import { replyBox } from "./reply";
import { canFold, drawEntry, drawRaw, guess, nameOf, openByDefault, type Reading } from "./rows";
import { Store } from "./store";

interface Saved {
  box: Box;
  waiting: readonly Waiting[];
  runId?: number;
}

const post = (message: FromThread): void => send(message);

const NEWS_PAUSE = 2500;

/** The page of one run: its head, its thread, the reply box. All that it holds can be sent again. */
export class ThreadPage extends LitElement {
  private waiting: readonly Waiting[] = [];
  private box: Box = EMPTY_BOX;
  private readonly all = new Entries();
  private entries: readonly Entry[] = [];
  private readonly flipped = new Set<string>();
  private readonly folded = new Set<string>();
  private readonly shown = new Map<string, number>();
  private readonly drafts = new Map<string, Draft>();
  private lastId = 0;
  private readonly asks = new Asks(() => ++this.lastId, () => this.requestUpdate());
  private confirming: string | undefined;
  private menu: OpenMenu | undefined;
  private lastSeen = Number.POSITIVE_INFINITY;
  private focusKey: string | undefined;
  private focusWanted: string | undefined;
  private announced = "";
  private untold: ThreadItem[] = [];
  private tick: ReturnType<typeof setInterval> | undefined;
  private readonly store: Store = new Store({
    post,
    following: () => this.feed.following,
    follow: () => this.feed.follow(),
    hold: () => this.feed.hold(),
    came: (items) => (this.untold = [...this.untold, ...items].slice(-50)),
    redraw: () => this.requestUpdate(),
  });
  private readonly lines = new Lines(post, () => ++this.lastId, () => this.requestUpdate());
  private readonly feed: Feed = new Feed({ redraw: () => this.requestUpdate(), nearStart: () => this.store.older(), nearEnd: () => this.store.newer(), followed: () => this.followed() });
  private readonly finding = new Finding({
    entries: () => entriesOf(this.store.parts(this.waiting)),
    canLoad: () => !this.store.held.atStart,
    load: () => this.store.older(),
    show: (key) => this.showFound(key),
    redraw: () => this.requestUpdate(),
  });

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const saved = savedState<Saved>({ box: EMPTY_BOX, waiting: [] });
    this.box = { ...EMPTY_BOX, ...saved.box, at: 0 };
    this.waiting = saved.waiting;
    receive<ToThread>((message) => this.take(message));
    document.addEventListener("keydown", (event) => this.globalKeys(event));
    this.tick = setInterval(() => isLive(this.store.run) && this.requestUpdate(), 10_000);
    setInterval(() => this.tell(), NEWS_PAUSE);
    post({ t: "ready" });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.tick);
  }

  private take(message: ToThread): void {
    if (message.t === "line") {
      this.lines.take(message);
    } else if (message.t === "done") {
      this.asks.done(message.id, message.error, message.messageId);
      this.requestUpdate();
    } else if (this.store.take(message)) {
      if (message.t === "older") {
        this.finding.loaded();
      } else if (message.t === "thread") {
        this.keep();
      }
    }
  }

  private followed(): void {
    this.lastSeen = this.feed.following ? Number.POSITIVE_INFINITY : this.store.held.items.at(-1)?.seq ?? 0;
    this.requestUpdate();
  }

  private keep(): void {
    saveState({ box: this.box, waiting: this.waiting, runId: this.store.run?.id } satisfies Saved);
  }

  private ask(what: string, message: (id: number) => FromThread, then?: Parameters<Asks["ask"]>[2]): void {
    this.asks.ask(what, (id) => post(message(id)), then);
  }

  private act(action: Action): void {
    this.asks.forget("head");
    this.ask(`act-${action}`, (id) => ({ t: "act", id, action }), (error) => {
      if (error !== undefined) {
        this.asks.fail("head", error);
      }
    });
  }

  private reply(): void {
    const text = textIn(this.box);
    if (text.trim() === "" || this.store.run === undefined || cannotReply(this.store.run, this.store.sidecar) !== undefined) {
      return;
    }
    const { replaces } = this.box;
    this.ask("reply", (id) => ({ t: "reply", id, text, ...(replaces === undefined ? {} : { replaces }) }), (error, messageId) => {
      if (error === undefined) {
        // What was typed meanwhile is not lost.
        this.box = textIn(this.box) === text ? sentNow(this.box, text) : { ...sentNow(this.box, text), draft: textIn(this.box) };
        this.wait(text, messageId);
        this.store.toEnd();
      }
    });
  }

  private wait(text: string, messageId: string | undefined): void {
    this.waiting = [...this.waiting, { id: Date.now() + this.lastId, text, ...(messageId === undefined ? {} : { messageId }) }].slice(-20);
    this.store.stale = true;
    this.keep();
  }

  private setBox(box: Box): void {
    this.box = box;
    this.keep();
    this.requestUpdate();
  }

  private readonly reading = (run: Run): Reading => ({
    run,
    isOpen: (key, byDefault) => (this.folded.has(key) ? false : this.flipped.has(key) !== byDefault),
    toggle: (key) => this.toggle(key),
    pieces: (key) => this.shown.get(key) ?? 1,
    more: (key) => {
      this.feed.hold(key);
      this.shown.set(key, (this.shown.get(key) ?? 1) + 1);
      this.requestUpdate();
    },
    whole: (item, body) => this.lines.whole(item, body),
    fetchWhole: (item: ThreadItem, body: CutText) => this.lines.fetchWhole(item, body),
    rawOf: (key) => this.lines.raw(key),
    moreRaw: (key) => this.lines.moreRaw(key),
    hideRaw: (key) => this.lines.hideRaw(key),
    asking: (decisionId) => this.askingOf(decisionId),
    confirming: this.confirming,
    busy: (what) => this.asks.busy(what),
    errorOf: (what) => this.asks.error(what),
    confirm: (checkpoint) => {
      this.confirming = checkpoint;
      this.requestUpdate();
    },
    rewind: (checkpoint) => this.ask(`mark-${checkpoint}`, (id) => ({ t: "rewind", id, checkpoint }), () => (this.confirming = undefined)),
    fork: (checkpoint) => this.ask(`mark-${checkpoint}`, (id) => ({ t: "forkFrom", id, checkpoint })),
    canRewind: hasWorktree(run) && !isLive(run) && run.state !== "promoted",
    canFork: hasWorktree(run),
    sendAgain: (messageId, text) => this.ask(`reply-${messageId}`, (id) => ({ t: "reply", id, text, replaces: messageId }), (error, sent) => error === undefined && this.wait(text, sent)),
    edit: (messageId, text) => {
      this.setBox({ ...this.box, draft: text, at: 0, replaces: messageId });
      this.focusReply();
    },
    copy: (text) => post({ t: "copy", text }),
  });

  private askingOf(decisionId: string): Asking {
    const what = `answer-${decisionId}`;
    return {
      draft: this.drafts.get(decisionId) ?? EMPTY_DRAFT,
      busy: this.asks.busy(what),
      error: this.asks.error(what),
      change: (draft) => {
        this.drafts.set(decisionId, draft);
        this.requestUpdate();
      },
      send: (answer: Answer) => this.ask(what, (id) => ({ t: "answer", id, decisionId, ...answer }), (error) => error === undefined && this.drafts.delete(decisionId)),
      copy: (text) => post({ t: "copy", text }),
    };
  }

  private toggle(key: string): void {
    this.feed.hold(key);
    const set = this.entryOf(key)?.kind === "subagent" ? this.folded : this.flipped;
    if (!set.delete(key)) {
      set.add(key);
    }
    this.store.stale = true;
    this.requestUpdate();
  }

  // Drawing.

  protected override willUpdate(_changed: PropertyValues): void {
    if (this.store.stale) {
      this.store.stale = false;
      const waiting = stillWaiting(this.waiting, this.store.held.items, this.store.run?.undelivered ?? []);
      if (waiting !== this.waiting) {
        this.waiting = waiting;
        this.keep();
      }
      this.entries = this.all.of(this.store.parts(this.waiting), this.folded);
      this.finding.changed();
      this.feed.arrange(this.entries.map((entry) => entry.key), (index) => guess(this.entries[index]!));
    }
    this.feed.choose();
    this.focusKey = (document.activeElement?.closest("[data-key]") as HTMLElement | null)?.dataset["key"];
  }

  protected override render(): TemplateResult {
    const { card, run } = this.store;
    if (this.store.gone !== undefined) {
      return html`<main class="blank"><h1 class="unseen">Thread of a run</h1><p>${this.store.gone}</p></main>`;
    }
    if (card === undefined || run === undefined) {
      return html`<main class="blank" aria-busy=${String(this.store.sidecar.kind === "ready" || this.store.sidecar.kind === "starting")}>
        <h1 class="unseen">Thread of a run</h1><p role="status">${["ready", "none"].includes(this.store.sidecar.kind) && this.store.sidecar.message === undefined ? "Loading the thread…" : sentences(this.store.sidecar)}</p>
        <div>${stateButtons(this.store.sidecar, (action) => post({ t: "state", action }))}</div></main>`;
    }
    return html`
      ${head({ card, run, decision: this.store.open(), now: Date.now(), busy: (what) => this.asks.busy(what), error: this.asks.error("head"), act: (action) => this.act(action), find: () => this.finding.open(), menu: (from) => this.headMenu(from) })}
      ${banner(this.store.sidecar, (action) => post({ t: "state", action }))}
      ${this.finding.draw()}
      <main class="view">
        ${this.store.asking === "older" ? html`<div class="edge"><span role="status">Loading what came before…</span></div>` : nothing}
        ${this.entries.length === 0
          ? html`<div class="blank"><p>${isLive(run) ? "Waiting for the agent's first words." : "The agent said nothing."}</p></div>`
          : html`<div class="scroller" tabindex="0" role="region" aria-label="Thread" @keydown=${(event: KeyboardEvent) => this.rowKeys(event)}>
              <div class="rows" role="feed" aria-busy=${String(this.store.asking !== undefined)} aria-label="What was said and done">${repeat(this.entries.slice(this.feed.range.from, this.feed.range.to), (entry) => entry.key, (entry, at) => this.row(entry, this.feed.range.from + at, run))}</div>
            </div>`}
        ${this.feed.following || this.entries.length === 0 ? nothing : this.below()}
        ${drawMenu(this.menu, (refocus) => this.closeMenu(refocus))}
      </main>
      ${this.waitsBar()}
      <section class="reply" aria-label="Reply">${replyBox({
        box: this.box, placeholder: placeholder(run), refused: cannotReply(run, this.store.sidecar), busy: this.asks.busy("reply"), error: this.asks.error("reply"),
        type: (text) => {
          this.asks.forget("reply");
          this.setBox(typed(this.box, text));
        },
        recall: (step) => this.setBox(recalled(this.box, step)),
        send: () => this.reply(),
        cancelReplace: () => this.setBox({ ...this.box, replaces: undefined }),
      })}</section>
      <div class="unseen" aria-live="polite">${this.announced}</div>`;
  }

  private row(entry: Entry, index: number, run: Run): TemplateResult {
    const reading = this.reading(run);
    return html`<article class="entry ${entry.kind === "question" ? "ask" : entry.kind === "waiting" || entry.kind === "undelivered" ? "message" : entry.kind} d${entry.depth}"
      data-key=${entry.key} tabindex="-1" aria-posinset=${index + 1} aria-setsize=${this.store.held.atStart && this.store.held.atEnd ? this.entries.length : -1} aria-label=${nameOf(entry, run.worktreePath)}>
      ${drawEntry(entry, reading)}${drawRaw(entry.key, reading)}
      <button class="icon-button more-button" type="button" tabindex="-1" aria-label="Actions of this entry" title="Actions of this entry" aria-haspopup="menu" @click=${(event: Event) => this.rowMenu(event.currentTarget as HTMLElement, entry)}>${icon("ellipsis")}</button>
    </article>`;
  }

  private below(): TemplateResult {
    const items = this.store.held.items;
    let count = this.store.held.missed;
    for (let i = items.length - 1; i >= 0 && items[i]!.seq > this.lastSeen; i--) {
      count++;
    }
    return html`<button class="button below" type="button" @click=${() => this.store.toEnd()}>${count > 0 ? `New below (${count}) ↓` : "To the end ↓"}</button>`;
  }

  /** A question that is out of view is never forgotten. */
  private waitsBar(): TemplateResult | typeof nothing {
    const decision = this.store.open();
    const entry = decision === undefined ? undefined : this.entries.find((one) => one.kind === "question" && one.decision?.id === decision.id);
    if (decision === undefined || (entry !== undefined && this.feed.isSeen(entry.key)) || (entry !== undefined && this.feed.following && this.entries.indexOf(entry) >= this.entries.length - 2)) {
      return nothing;
    }
    const text = decision.questions[0]?.text ?? decision.tool?.description ?? decision.tool?.name ?? "";
    return html`<div class="asks" role="status"><span class="text">Waits for you: ${text}</span><vscode-button secondary @click=${() => (entry === undefined ? post({ t: "answerMore", decisionId: decision.id }) : this.feed.reveal(entry.key))}>Show</vscode-button></div>`;
  }

  protected override updated(): void {
    const scroller = this.querySelector<HTMLElement>(".scroller") ?? undefined;
    const rows = this.querySelector<HTMLElement>(".rows") ?? undefined;
    this.feed.attach(scroller, rows);
    this.feed.settle();
    if (this.focusWanted !== undefined) {
      const row = this.rowOf(this.focusWanted);
      if (row !== undefined) {
        this.focusWanted = undefined;
        row.focus({ preventScroll: true });
      }
    } else if (this.focusKey !== undefined && document.activeElement === document.body) {
      // Its row went out of the document; the keyboard goes on from the list.
      (this.rowOf(this.focusKey) ?? scroller)?.focus({ preventScroll: true });
    }
    const field = this.querySelector<HTMLElement>("[data-focus]:not([data-focused])");
    if (field !== null) {
      field.dataset["focused"] = "";
      field.focus({ preventScroll: true });
    }
    this.finding.mark(rows);
  }

  private entryOf(key: string): Entry | undefined {
    return this.entries.find((entry) => entry.key === key);
  }

  private rowOf(key: string): HTMLElement | undefined {
    return this.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) ?? undefined;
  }

  /** What has come is said in few words, now and then: a screen reader must not be talked over. */
  private tell(): void {
    if (this.untold.length > 0) {
      this.announced = news(this.untold);
      this.untold = [];
      this.requestUpdate();
    }
  }

  // Menus, copying, searching.

  private closeMenu(refocus: boolean): void {
    const from = this.menu?.from;
    this.menu = undefined;
    this.requestUpdate();
    if (refocus && from?.isConnected === true) {
      from.focus({ preventScroll: true });
    }
  }

  private openMenu(menu: OpenMenu): void {
    this.menu = menu;
    this.requestUpdate();
    void this.updateComplete.then(() => {
      const element = this.querySelector<HTMLElement>(".menu");
      if (element !== null) {
        placeMenu(element, menu);
      }
    });
  }

  private headMenu(from: HTMLElement): void {
    const { card, run } = this.store;
    if (card !== undefined && run !== undefined) {
      this.openMenu(menuAt(from, "More actions", [
        ...menuActions({ card, run, decision: this.store.open() }).map((action): MenuItem => ({ label: ACTION_WORDS[action], run: () => this.act(action) })),
        { label: "Copy thread", run: () => post({ t: "copy", text: this.entries.map((entry) => textsOf(entry).join("\n")).join("\n\n") }) },
        { label: "Find in thread", run: () => this.finding.open() },
      ]));
    }
  }

  private rowMenu(from: HTMLElement, entry: Entry): void {
    const raw = (label: string, bytes: ByteRange): MenuItem => ({ label, run: () => {
      this.feed.hold(entry.key);
      this.lines.showRaw(entry.key, bytes);
    } });
    const item = "item" in entry ? entry.item : entry.kind === "quiet" ? entry.items[0] : undefined;
    this.openMenu(menuAt(from, "Actions of this entry", [
      { label: "Copy", run: () => this.copyEntry(entry) },
      ...(item === undefined ? [] : [raw(entry.kind === "tool" && entry.result !== undefined ? "Raw line of the call" : "Raw line", item.bytes)]),
      ...((entry.kind === "tool" || entry.kind === "subagent") && entry.result !== undefined ? [raw("Raw line of the result", entry.result.bytes)] : []),
    ]));
  }

  private copyEntry(entry: Entry): void {
    post({ t: "copy", text: textsOf(entry).join("\n") });
  }

  private showFound(key: string): void {
    const entry = entriesOf(this.store.parts(this.waiting)).find((one) => one.key === key);
    if (entry === undefined) {
      return;
    }
    if (this.entryOf(key) === undefined) {
      this.folded.clear();
    }
    if (entry.kind !== "subagent" && canFold(entry) && this.flipped.has(key) === openByDefault(entry)) {
      (openByDefault(entry) ? this.flipped.delete(key) : this.flipped.add(key));
    }
    this.shown.set(key, 4);
    this.store.stale = true;
    this.requestUpdate();
    void this.updateComplete.then(() => this.feed.reveal(key));
  }

  // The keyboard.

  private globalKeys(event: KeyboardEvent): void {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "f" && this.store.run !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      this.finding.open();
    }
  }

  private focusReply(): void {
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(".reply textarea")?.focus());
  }

  private rowKeys(event: KeyboardEvent): void {
    rowKeys(event, {
      feed: this.feed,
      focus: (key, toEnd) => this.focusRow(key, toEnd),
      reply: () => this.focusReply(),
      copy: (key) => this.copyEntry(this.entryOf(key)!),
      toggle: (key) => {
        const entry = this.entryOf(key)!;
        if (canFold(entry)) {
          this.toggle(key);
        }
        return canFold(entry);
      },
    });
  }

  private focusRow(key: string, toEnd: boolean): void {
    this.focusWanted = key;
    if (toEnd && this.store.held.atEnd) {
      this.feed.follow();
    } else if (toEnd) {
      this.store.toEnd();
    } else {
      this.feed.reveal(key);
    }
  }
}
