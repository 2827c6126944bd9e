import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { ACTION_WORDS, allows, menuOf, nextSteps, type Action } from "../../src/shared/actions";
import { busyCards, isFlying, NO_CARD } from "../../src/shared/boardmodel";
import { kept, NOTHING_SELECTED, ranged, toggled, type Selection } from "../../src/shared/boardmove";
import { byColumn, byState, COLUMNS, counts, isEmptyFilter, matches, parseFilter, SORT_WORDS, sorted, type CardView, type Group, type Sort } from "../../src/shared/boardview";
import type { Column as ColumnName } from "../../src/shared/protocol";
import { COLUMN_WORDS, money } from "../../src/shared/words";
import { focusField } from "../common/elements";
import { icon } from "../common/icons";
import { placeFolder, saveState, savedState } from "../common/post";
import type { Card } from "./card";
import "./column";
import type { Column } from "./column";
import { Drag } from "./drag";
import { onKey } from "./keys";
import type { Menu, MenuItem } from "./menu";
import "./menu";
import { firstSteps, line, page, strip } from "./states";
import type { Store } from "./store";

/** How many cards of each column are drawn at once; the rest follows frame by frame, so that no task is long. */
const FIRST_SLICE = 4;
const SLICE = 3;
/** The list of a narrow page is drawn from its top: so many cards of all groups together in a frame. */
const LIST_SLICE = 4;
const SAY_AFTER_MS = 300;
const NARROW = "(max-width: 639px)";

interface Saved {
  text: string;
  sort: Sort;
  everything: boolean;
}

/** The page. Holds what belongs to the looking (filter, order, selection, focus); what belongs to the board is in the store. */
export class Board extends LitElement {
  static store: Store;
  static override properties = {
    text: { state: true },
    sort: { state: true },
    everything: { state: true },
    narrow: { state: true },
    room: { state: true },
    selection: { state: true },
    entered: { state: true },
    adding: { state: true },
    said: { state: true },
  };

  declare text: string;
  declare sort: Sort;
  declare everything: boolean;
  declare narrow: boolean;
  declare room: number;
  declare selection: Selection;
  declare entered: number | undefined;
  declare adding: ColumnName | undefined;
  declare said: string;
  readonly store = Board.store;
  groups: readonly Group[] = [];
  /** What the page showed before it became narrow or wide: hidden, until the last of its cards has left. */
  private gone: readonly Group[] = [];
  /** The card of each group that Tab comes to. */
  private readonly stops = new Map<string, number>();
  private readonly media = matchMedia(NARROW);
  private news: string[] = [];
  /** The next slice, if one is to come. */
  private frame = 0;
  /** A card to bring into view as soon as there is one. */
  private wanted: number | undefined;
  private held: { element: Element; cardId: number | undefined } | undefined;
  private busy: ReadonlyMap<number, string> = new Map();

  constructor() {
    super();
    const saved = savedState<Saved>({ text: "", sort: "board", everything: false });
    this.text = typeof saved.text === "string" ? saved.text : "";
    this.sort = Object.hasOwn(SORT_WORDS, saved.sort) ? saved.sort : "board";
    this.everything = saved.everything === true;
    this.narrow = this.media.matches;
    this.room = FIRST_SLICE;
    this.selection = NOTHING_SELECTED;
    this.said = "";
    this.store.onChange = () => {
      this.requestUpdate();
      if (this.wanted !== undefined && this.store.model.views.has(this.wanted)) {
        void this.updateComplete.then(() => this.reveal(this.wanted ?? 0));
      }
    };
    this.store.onNews = (news) => news.forEach((line) => this.say(line));
    this.store.onReveal = (cardId) => this.reveal(cardId);
    this.media.addEventListener("change", () => {
      this.narrow = this.media.matches;
      // Hiding what was there is work enough for one frame.
      this.room = 0;
      this.gone = this.groups.map((group) => ({ ...group, views: [] }));
      this.groups = [];
    });
    // Of the document: `/` and `n` are there for a page where nothing has the focus.
    document.addEventListener("keydown", (event) => onKey(this, event));
    this.addEventListener("click", (event) => this.onClick(event));
    this.addEventListener("dblclick", (event) => this.onDoubleClick(event));
    this.addEventListener("focusin", (event) => this.onFocus(event));
    this.addEventListener("focusout", (event) => {
      if (!(event.relatedTarget instanceof Element) || event.relatedTarget.closest("kb-card") === null) {
        this.entered = undefined;
      }
    });
    new Drag(this);
    // At once, so that a tab that is restored knows what it was even if nothing was ever changed in it.
    this.save();
  }

  // What the keyboard and the pointer ask of the page

  /** The cards shown, in reading order. */
  order(): readonly number[] {
    return this.groups.flatMap((group) => group.views.map((view) => view.card.id));
  }

  cardElement(id: number): Card | null {
    return this.querySelector<Card>(`kb-column:not([hidden]) kb-card:not([hidden])[data-card-id="${id}"]`);
  }

  /** The columns, or the groups of the list, as elements. */
  columns(): Column[] {
    return [...this.querySelectorAll<Column>("kb-column:not([hidden])")];
  }

  /** The cards drawn, of one column or of all. */
  cards(within: Element = this): Card[] {
    return [...within.querySelectorAll<Card>("kb-column:not([hidden]) kb-card:not([hidden])")];
  }

  select(selection: Selection): void {
    if (selection.ids.size !== this.selection.ids.size) {
      this.say(selection.ids.size === 0 ? "Nothing selected" : `${selection.ids.size} selected`);
    }
    this.selection = selection;
  }

  filter(text: string): void {
    this.text = text;
    this.room = FIRST_SLICE;
    this.save();
  }

  focusFilter(): void {
    focusField(this.querySelector(".filter"));
  }

  focusFirst(): void {
    this.cards().find((card) => card.tabIndex === 0)?.focus();
  }

  add(column: ColumnName | undefined): void {
    const before = this.adding;
    this.adding = column;
    this.store.dismissError(NO_CARD);
    if (column === undefined && before !== undefined) {
      this.querySelector<HTMLElement>(`[data-add="${before}"]`)?.focus();
    }
  }

  addColumn(): ColumnName {
    return "todo";
  }

  /** The thread of a card that has one, else the card itself. */
  openCard(id: number): void {
    const view = this.store.model.views.get(id);
    if (view !== undefined) {
      this.store.act(allows("showThread", view.card, view.run, view.decision) ? "showThread" : "editCard", [id]);
    }
  }

  place(ids: readonly number[], column: ColumnName, index: number, said?: string): void {
    const group = this.groups.find((other) => other.column === column);
    const shown = (group?.views ?? []).map((view) => view.card.id);
    const others = shown.filter((id) => !ids.includes(id));
    if (ids.length === 1 && shown.length === others.length + 1 && shown.indexOf(ids[0] ?? 0) === index) {
      return;
    }
    this.store.place(ids, column, index, others, this.sort);
    const number = this.store.model.views.get(ids[0] ?? 0)?.card.number;
    this.say(said ?? (ids.length === 1 ? `#${number} moved to ${COLUMN_WORDS[column]}` : `${ids.length} cards moved to ${COLUMN_WORDS[column]}`));
  }

  /** Said by a screen reader when it has nothing else to say. */
  say(line: string): void {
    this.news.push(line);
    if (this.news.length === 1) {
      setTimeout(() => {
        const text = this.news.slice(-6).join(". ");
        this.news = [];
        this.said = text === this.said ? `${text}\u00a0` : text;
      }, SAY_AFTER_MS);
    }
  }

  // Lit

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override willUpdate(): void {
    const { model } = this.store;
    const filter = parseFilter(this.text);
    const views = isEmptyFilter(filter) ? [...model.views.values()] : [...model.views.values()].filter((view) => matches(filter, view));
    const before = this.groups;
    this.groups = (this.narrow ? byState(views, this.sort) : byColumn(views, this.sort)).map((group) => {
      const old = before.find((other) => other.key === group.key);
      return old !== undefined && old.views.length === group.views.length && old.views.every((view, at) => view === group.views[at]) ? { ...group, views: old.views } : group;
    });
    if (this.narrow && this.adding !== undefined && !this.groups.some((group) => group.column === this.adding)) {
      this.groups = [{ key: this.adding, title: COLUMN_WORDS[this.adding], column: this.adding, views: [] }, ...this.groups];
    }
    const shown = new Set(views.map((view) => view.card.id));
    this.selection = kept(this.selection, shown);
    const busy = busyCards(model);
    this.busy = busy.size === 0 && this.busy.size === 0 ? this.busy : busy;
    for (const group of this.groups) {
      if (!group.views.some((view) => view.card.id === this.stops.get(group.key))) {
        const [first] = group.views;
        first === undefined ? this.stops.delete(group.key) : this.stops.set(group.key, first.card.id);
      }
    }
    const active = document.activeElement;
    this.held = active !== null && this.contains(active) ? { element: active, cardId: active.closest<Card>("kb-card")?.view.card.id } : undefined;
  }

  protected override updated(_changed: PropertyValues): void {
    const most = this.narrow ? this.groups.reduce((sum, group) => sum + group.views.length, 0) / LIST_SLICE : Math.max(0, ...this.groups.map((group) => group.views.length));
    if (this.frame === 0 && (most > this.room || this.gone.length > 0)) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        if (this.gone.length > 0 && [...this.querySelectorAll<Column>("kb-column[hidden]")].every((column) => column.isEmpty)) {
          this.gone = [];
        }
        this.room += most > this.room ? SLICE : 0;
        this.requestUpdate();
      });
    }
    const { held } = this;
    if (held !== undefined) {
      void this.settled().then(() => this.refocus(held));
    }
  }

  protected override render(): TemplateResult {
    const { model } = this.store;
    if (model.parts === undefined) {
      return page(model.state, this.store);
    }
    const filtered = !isEmptyFilter(parseFilter(this.text));
    const error = model.errors.get(NO_CARD);
    return html`
      ${this.header()}
      <main aria-label="Board">
        ${strip(model.state, this.store)}
        ${error === undefined ? nothing : line("error", error, html`<button class="icon-button" type="button" aria-label="Dismiss" title="Dismiss" @click=${() => this.store.dismissError(NO_CARD)}>${icon("close")}</button>`)}
        ${model.spend?.warning === undefined ? nothing : line("warning", model.spend.warning.message)}
        ${model.notices.map((notice) => line("info", notice.message))}
        <div class="columns ${this.narrow ? "list" : ""} ${model.state.kind === "ready" ? "" : "away"}">
          ${model.views.size === 0 && this.adding === undefined ? firstSteps() : repeat([...this.groups, ...this.gone], (group) => this.keyOf(group), (group) => this.group(group, filtered))}
          ${filtered && this.narrow && this.groups.length === 0 ? html`<p class="nothing">nothing fits the filter</p>` : nothing}
        </div>
        <kb-menu></kb-menu>
      </main>
      <div class="unseen" role="status" aria-live="polite">${this.said}</div>`;
  }

  /** Groups that are gone keep the key, and with it the element, that they had. */
  private keyOf(group: Group): string {
    return `${this.narrow !== this.gone.includes(group) ? "list " : ""}${group.key}`;
  }

  /** How many cards of a group are drawn by now: as many of each column, or what the groups above it leave. */
  private roomOf(group: Group): number {
    if (!this.narrow) {
      return this.room;
    }
    const above = this.groups.slice(0, Math.max(0, this.groups.indexOf(group))).reduce((sum, other) => sum + other.views.length, 0);
    return Math.max(0, this.room * LIST_SLICE - above);
  }

  private group(group: Group, filtered: boolean): TemplateResult {
    const { model } = this.store;
    const gone = this.gone.includes(group);
    const entered = group.views.some((view) => view.card.id === this.entered) ? this.entered : undefined;
    return html`<kb-column .store=${this.store} .key=${group.key} .name=${group.title} .column=${group.column} .views=${group.views} .room=${this.roomOf(group)} ?hidden=${gone}
      .everything=${this.everything} .selected=${this.selection.ids} .stop=${this.stops.get(group.key)} .entered=${entered} .busy=${this.busy} .errors=${model.errors}
      .folder=${model.frame?.folder ?? placeFolder()} .adding=${!gone && this.adding !== undefined && this.adding === group.column} .saving=${isFlying(model, "newCard")} .filtered=${filtered}></kb-column>`;
  }

  private header(): TemplateResult {
    const { model } = this.store;
    const count = counts(model.views.values());
    const { spend, frame } = model;
    return html`<header>
      <h1 class="unseen">Board of ${frame?.repository ?? "the repository"}</h1>
      ${frame?.several === true ? html`<vscode-button class="repository" secondary title="Show the board of another repository" @click=${() => this.store.ask({ t: "pickRepository" })}><span>${frame.repository}</span><span slot="content-after">${icon("chevronDown")}</span></vscode-button>` : nothing}
      <vscode-textfield class="filter" type="search" .label=${"Filter the cards"} placeholder="Filter: text, label:, state:, #88"
        title="Words, label:ui, state:failed, column:review, agent:claude, #88. A - before a word turns it round." spellcheck="false"
        .value=${this.text} @input=${(event: InputEvent) => this.filter((event.target as HTMLInputElement).value)}></vscode-textfield>
      <select class="field" aria-label="Order of the cards" title="Order of the cards" .value=${this.sort} @change=${(event: Event) => this.reorder((event.target as HTMLSelectElement).value as Sort)}>
        ${Object.entries(SORT_WORDS).map(([sort, word]) => html`<option value=${sort} ?selected=${sort === this.sort}>${word}</option>`)}
      </select>
      <vscode-button data-new>New card</vscode-button>
      ${this.bulk()}
      <div class="summary">
        <span><b>${count.running}</b> running · ${count.waiting === 0
          ? html`<b>0</b> waiting for you`
          : html`<button class="link" type="button" title="Go to the card that waits longest" @click=${() => this.focusWaiting()}><b>${count.waiting}</b> waiting for you</button>`}
          · <b>${count.queued}</b> queued${frame?.maxParallel === undefined ? nothing : ` (limit ${frame.maxParallel})`}</span>
        ${spend === undefined ? nothing : html`<span>today <b>${money(spend.todayMicroUsd)}</b>${spend.dayBudgetMicroUsd === undefined ? nothing : ` of ${money(spend.dayBudgetMicroUsd)}`}</span>`}
      </div>
    </header>`;
  }

  private bulk(): TemplateResult | typeof nothing {
    const ids = this.order().filter((id) => this.selection.ids.has(id));
    if (ids.length === 0) {
      return nothing;
    }
    const fit = (action: Action): readonly number[] => ids.filter((id) => {
      const view = this.store.model.views.get(id);
      return view !== undefined && allows(action, view.card, view.run, view.decision);
    });
    const [dispatch, stop] = [fit("dispatch"), fit("stop")];
    return html`<div class="bulk" role="group" aria-label="${ids.length} selected">
      ${dispatch.length === 0 ? nothing : html`<vscode-button secondary @click=${() => this.store.act("dispatch", dispatch)}>Dispatch ${dispatch.length} selected</vscode-button>`}
      <vscode-button secondary aria-haspopup="menu" @click=${(event: Event) => this.menu(event.currentTarget as HTMLElement, `Move ${ids.length} selected`, this.columnItems(ids))}>Move to…</vscode-button>
      ${stop.length === 0 ? nothing : html`<vscode-button secondary @click=${() => this.store.act("stop", stop)}>Stop ${stop.length}</vscode-button>`}
      <button class="icon-button" type="button" aria-label="Clear the selection of ${ids.length}" title="Clear the selection" @click=${() => this.select(NOTHING_SELECTED)}>${icon("close")}</button>
    </div>`;
  }

  // Events

  private onClick(event: MouseEvent): void {
    const target = event.target as Element;
    const button = target.closest<HTMLElement>("button, vscode-button");
    const card = target.closest<Card>("kb-card");
    if (button !== null) {
      if (button.matches("[data-menu]") && card !== null) {
        this.cardMenu(button, card.view);
      } else if (button.matches("[data-all]")) {
        this.everything = true;
        this.save();
      } else if (button.matches("[data-new]")) {
        this.add(this.addColumn());
      } else if (button.dataset["add"] !== undefined) {
        this.add(COLUMNS.find((column) => column === button.dataset["add"]));
      }
      return;
    }
    if (card === null) {
      if (target.closest(".scroll, .columns") !== null && target.closest("input") === null && this.selection.ids.size > 0) {
        this.select(NOTHING_SELECTED);
      }
      return;
    }
    if (target.closest("input, pre, .plan") !== null) {
      return;
    }
    const { id } = card.view.card;
    if (event.ctrlKey || event.metaKey) {
      this.select(toggled(this.selection, id));
    } else if (event.shiftKey) {
      this.select(ranged(this.selection, this.order(), id));
      getSelection()?.empty();
    } else {
      this.selection = { ids: this.selection.ids.size > 0 ? new Set() : this.selection.ids, anchor: id };
      if (target.closest("h3") !== null) {
        this.openCard(id);
      }
    }
  }

  private onDoubleClick(event: MouseEvent): void {
    const target = event.target as Element;
    const card = target.closest<Card>("kb-card");
    if (card !== null && target.closest("button, input, h3, pre, .plan") === null) {
      this.openCard(card.view.card.id);
    }
  }

  private onFocus(event: FocusEvent): void {
    const card = (event.target as Element).closest<Card>("kb-card");
    const key = card?.closest<Column>("kb-column")?.key;
    this.entered = card?.view.card.id;
    if (card !== null && key !== undefined) {
      this.stops.set(key, card.view.card.id);
    }
  }

  private cardMenu(opener: HTMLElement, view: CardView): void {
    const { card, run, decision } = view;
    const apart = new Set<Action>(["openWorktree", "restore", "discard", "editCard"]);
    const steps = nextSteps(card, run, decision);
    const items: MenuItem[] = menuOf(card, run, decision).map((action, index) => ({ label: ACTION_WORDS[action], apart: index > 0 && apart.has(action), run: () => this.store.act(action, [card.id]) }));
    const move: MenuItem = { label: "Move to…", items: this.columnItems([card.id]) };
    const at = items.findIndex((item) => item.label === ACTION_WORDS.editCard);
    items.splice(at < 0 ? items.length : at, 0, { ...move, apart: at > 0 });
    this.menu(opener, `#${card.number} ${card.title}`, items.map((item) => (item.label === ACTION_WORDS.editCard ? { ...item, apart: false } : item)).filter((item) => !steps.some((step) => ACTION_WORDS[step] === item.label)));
  }

  private columnItems(ids: readonly number[]): readonly MenuItem[] {
    const from = ids.length === 1 ? this.store.model.views.get(ids[0] ?? 0)?.card.column : undefined;
    return COLUMNS.map((column) => ({
      label: COLUMN_WORDS[column],
      disabled: column === from,
      run: () => {
        this.store.moveMany(ids, column);
        this.say(ids.length === 1 ? `Moved to ${COLUMN_WORDS[column]}` : `${ids.length} cards moved to ${COLUMN_WORDS[column]}`);
      },
    }));
  }

  private menu(opener: HTMLElement, label: string, items: readonly MenuItem[]): void {
    this.querySelector<Menu>("kb-menu")?.open(opener, label, items);
  }

  private reorder(sort: Sort): void {
    this.sort = sort;
    this.room = FIRST_SLICE;
    this.save();
  }

  private save(): void {
    saveState({ text: this.text, sort: this.sort, everything: this.everything } satisfies Saved);
  }

  private focusWaiting(): void {
    const waiting = sorted([...this.store.model.views.values()].filter((view) => view.decision !== undefined), "board", "inProgress");
    if (waiting[0] !== undefined) {
      this.reveal(waiting[0].card.id);
    }
  }

  /** Brings a card into view and focuses it; a filter that hides it goes. */
  private reveal(cardId: number): void {
    if (!this.store.model.views.has(cardId)) {
      this.wanted = cardId;
      return;
    }
    this.wanted = undefined;
    if (!this.order().includes(cardId)) {
      this.filter("");
    }
    this.everything ||= this.store.model.views.get(cardId)?.card.column === "done";
    this.room = Math.max(this.room, this.narrow ? Math.ceil((this.order().indexOf(cardId) + 1) / LIST_SLICE) : Math.max(...this.groups.map((group) => group.views.findIndex((view) => view.card.id === cardId) + 1)));
    void this.settled().then(() => {
      const card = this.cardElement(cardId);
      card?.scrollIntoView({ block: "nearest", inline: "nearest" });
      card?.focus({ preventScroll: true });
    });
  }

  /** When the columns and their cards are drawn. */
  private async settled(): Promise<void> {
    await this.updateComplete;
    await Promise.all(this.columns().map((column) => column.updateComplete));
  }

  /** A card that goes to another place in the document loses the focus; it gets it back, as a person would expect. */
  private refocus(held: NonNullable<Board["held"]>): void {
    if (document.activeElement !== document.body && document.activeElement !== null) {
      return;
    }
    if (held.element.checkVisibility()) {
      (held.element as HTMLElement).focus({ preventScroll: true });
    } else if (held.cardId !== undefined) {
      const card = this.cardElement(held.cardId);
      card?.focus({ preventScroll: true });
      card?.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }
}
