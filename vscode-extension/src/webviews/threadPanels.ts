import * as vscode from "vscode";
import { ACTION_WORDS } from "../shared/actions";
import { runById } from "../shared/board";
import type { FromThread, ToThread } from "../shared/messages";
import type { Card, Checkpoint, Run } from "../shared/protocol";
import { plain } from "../shared/words";
import { asFailure, SidecarFailure } from "../sidecar/failure";
import type { Session } from "../sidecar/session";
import type { Workspaces } from "../sidecar/workspaces";
import { carryStateAction } from "./boardPanels";
import { iconOf, Page, type Place } from "./page";

export const THREAD_VIEW = "kanbots.thread";

/** Items of a thread that are asked for at once. */
const PAGE_ITEMS = 200;
/** Bytes of a raw line, or of a long text, that are asked for at once. */
const PIECE_BYTES = 65_536;

/** The threads that are open as editor tabs: one for each run. */
export class ThreadPanels implements vscode.WebviewPanelSerializer<{ place?: Place }>, vscode.Disposable {
  private readonly open = new Map<string, ThreadPage>();
  private readonly disposables: vscode.Disposable[] = [];

  constructor(private readonly extensionUri: vscode.Uri, private readonly workspaces: Workspaces) {
    this.disposables.push(vscode.window.registerWebviewPanelSerializer(THREAD_VIEW, this), workspaces.onDidChange(() => this.connect()));
  }

  /** @param beside in a column of its own beside what is active, the board as a rule; else as a tab in the active column. */
  show(session: Session, runId: number, beside: boolean): void {
    const shown = this.open.get(keyOf({ folder: session.folder, runId }));
    if (shown !== undefined) {
      shown.page.panel.reveal(undefined, false);
      return;
    }
    // One column beside the board holds all threads, as tabs.
    const column = [...this.open.values()].find(({ page }) => page.panel.viewColumn !== undefined)?.page.panel.viewColumn;
    this.adopt(vscode.window.createWebviewPanel(THREAD_VIEW, "Thread", { viewColumn: beside ? (column ?? vscode.ViewColumn.Beside) : vscode.ViewColumn.Active }, { enableScripts: true }), { folder: session.folder, runId });
  }

  readonly view = THREAD_VIEW;

  isShownIn(column: vscode.ViewColumn): boolean {
    return [...this.open.values()].some(({ page: { panel } }) => panel.visible && panel.viewColumn === column);
  }

  /** A tab is named after its card. */
  openAgain(label: string, column: vscode.ViewColumn): boolean {
    this.workspaces.start();
    const number = Number(/#(\d+)/.exec(label)?.[1]);
    for (const session of this.workspaces.sessions) {
      const run = session.board?.runs.filter((one) => one.cardNumber === number).at(-1);
      if (run !== undefined && !this.open.has(keyOf({ folder: session.folder, runId: run.id }))) {
        this.adopt(vscode.window.createWebviewPanel(THREAD_VIEW, "Thread", column, { enableScripts: true }), { folder: session.folder, runId: run.id });
        return true;
      }
    }
    return false;
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: { place?: Place } | undefined): Promise<void> {
    this.workspaces.start();
    const place = state?.place;
    if (place?.runId === undefined || this.open.has(keyOf(place))) {
      panel.dispose();
      return;
    }
    this.adopt(panel, place);
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
    for (const { page } of this.open.values()) {
      page.panel.dispose();
    }
  }

  private adopt(panel: vscode.WebviewPanel, place: Place): void {
    const thread = new ThreadPage(new Page(panel, this.extensionUri, "thread", place), place, this.workspaces, iconOf(this.extensionUri, "thread"));
    this.open.set(keyOf(place), thread);
    thread.page.onDidEnd(() => {
      this.open.delete(keyOf(place));
      thread.dispose();
    });
  }

  /** A tab that was restored before its folder's session was there finds it now. */
  private connect(): void {
    for (const thread of this.open.values()) {
      thread.connect();
    }
  }
}

const keyOf = (place: Place): string => `${place.runId} ${place.folder}`;

/** One thread's page: it is sent a piece of the thread and what comes after it, and asks for more at either end. */
class ThreadPage implements vscode.Disposable {
  private session: Session | undefined;
  private following: { dispose(): void } | undefined;
  private readonly listeners: { dispose(): void }[] = [];
  private wanted = false;
  private loading = 0;
  private checkpoints: readonly Checkpoint[] = [];
  private shown: { card: Card; run: Run; decisions: string } | undefined;

  constructor(readonly page: Page<ToThread, FromThread>, private readonly place: Place, private readonly workspaces: Workspaces, iconPath: vscode.WebviewPanel["iconPath"]) {
    page.onDidHear((message) => void this.hear(message));
    page.panel.title = "Thread";
    page.panel.iconPath = iconPath;
    this.connect();
  }

  connect(): void {
    const session = this.workspaces.sessionOf(this.place.folder);
    if (session === undefined) {
      this.page.post({ t: "state", state: this.workspaces.sessions.length === 0 ? this.workspaces.state : { kind: "none", message: "This folder is no longer open in the window.", nextStep: "Open it again, or close this tab." } });
    }
    if (session === this.session) {
      return;
    }
    this.forget();
    this.session = session;
    if (session !== undefined) {
      this.listeners.push(
        session.onDidChangeState((state) => this.page.post({ t: "state", state })),
        session.onDidChangeBoard(() => this.drawRun()),
      );
      if (this.wanted) {
        void this.load();
      }
    }
  }

  dispose(): void {
    this.forget();
  }

  private get runId(): number {
    return this.place.runId ?? 0;
  }

  private forget(): void {
    this.following?.dispose();
    this.following = undefined;
    for (const listener of this.listeners.splice(0)) {
      listener.dispose();
    }
  }

  private facts(): { card: Card; run: Run; decisions: ReturnType<ThreadPage["decisions"]> } | undefined {
    const board = this.session?.board;
    const run = board === undefined ? undefined : runById(board, this.runId);
    const card = board?.cards.find(({ id }) => id === run?.cardId);
    return card === undefined || run === undefined ? undefined : { card, run, decisions: this.decisions() };
  }

  private decisions() {
    return (this.session?.board?.decisions ?? []).filter(({ runId }) => runId === this.runId);
  }

  /** The run's facts where they have changed. A run that has left the board is asked for by itself. */
  private drawRun(): void {
    const facts = this.facts();
    if (facts === undefined || !this.wanted) {
      return;
    }
    const decisions = JSON.stringify(facts.decisions);
    const before = this.shown?.run;
    if (this.shown === undefined || this.shown.card !== facts.card || this.shown.run !== facts.run || this.shown.decisions !== decisions) {
      this.shown = { card: facts.card, run: facts.run, decisions };
      this.title(facts.card, facts.run);
      this.page.post({ t: "run", ...facts });
      // A checkpoint comes with the end of a turn or a launch, and before a step that a person asks for.
      if (before === undefined || before.turns !== facts.run.turns || before.state !== facts.run.state || before.launch !== facts.run.launch) {
        void this.readCheckpoints();
      }
    }
  }

  private async readCheckpoints(): Promise<void> {
    try {
      const details = await this.session?.request("run/details", { runId: this.runId });
      const facts = this.facts();
      if (details !== undefined && facts !== undefined && details.checkpoints.map(({ id }) => id).join() !== this.checkpoints.map(({ id }) => id).join()) {
        this.checkpoints = details.checkpoints;
        this.page.post({ t: "run", ...facts, checkpoints: details.checkpoints });
      }
    } catch (error) {
      this.workspaces.log.debug(`run/details ${this.runId}: ${asFailure(error).message}`);
    }
  }

  private title(card: Card, run: Run): void {
    const number = card.runIds.length > 1 ? ` (run ${run.id})` : "";
    this.page.panel.title = plain(`#${card.number}${number} ${card.title}`, 60);
  }

  private async hear(message: FromThread): Promise<void> {
    const session = this.session;
    switch (message.t) {
      case "ready":
        this.wanted = true;
        this.page.post({ t: "state", state: session?.state ?? this.workspaces.state });
        await this.load();
        return;
      case "latest":
        await this.load();
        return;
      case "copy":
        await vscode.env.clipboard.writeText(message.text);
        return;
      case "state":
        await carryStateAction(message.action, session, this.workspaces);
        return;
    }
    if (session === undefined) {
      return;
    }
    try {
      switch (message.t) {
        case "older": {
          const page = await session.request("run/events", { runId: this.runId, before: message.before, limit: PAGE_ITEMS });
          this.page.post({ t: "older", items: page.items, atStart: page.previous === undefined });
          break;
        }
        case "newer": {
          const page = await session.request("run/events", { runId: this.runId, after: message.after, limit: PAGE_ITEMS });
          this.page.post({ t: "newer", items: page.items, atEnd: page.atEnd });
          break;
        }
        case "line": {
          const { launch, from, to } = message.bytes;
          const piece = await session.request("run/line", { runId: this.runId, launch, from, to, offset: message.offset, limit: PIECE_BYTES });
          this.page.post({ t: "line", id: message.id, text: piece.text, next: piece.next });
          break;
        }
        case "reply": {
          const { messageId } = await session.change("run/reply", { runId: this.runId, text: message.text, replaces: message.replaces });
          this.page.post({ t: "done", id: message.id, messageId });
          break;
        }
        case "answerMore":
          await vscode.commands.executeCommand("kanbots.answer", { session, runId: this.runId, decisionId: message.decisionId });
          break;
        case "answer": {
          const { id, decisionId, answers, allow, remember, reason } = message;
          await session.change("decision/answer", { decisionId, answers, allow, remember, reason });
          this.page.post({ t: "done", id });
          break;
        }
        case "rewind":
          await session.change("run/rewind", { runId: this.runId, checkpoint: message.checkpoint });
          this.page.post({ t: "done", id: message.id });
          break;
        case "forkFrom": {
          const { run } = await session.change("run/fork", { runId: this.runId, checkpoint: message.checkpoint });
          this.page.post({ t: "done", id: message.id });
          await vscode.commands.executeCommand("kanbots.showThread", { session, cardId: run.cardId, runId: run.id });
          break;
        }
        case "act": {
          const facts = this.facts();
          if (facts !== undefined && Object.hasOwn(ACTION_WORDS, message.action)) {
            await vscode.commands.executeCommand(`kanbots.${message.action}`, { session, cardId: facts.card.id, runId: this.runId });
          }
          this.page.post({ t: "done", id: message.id });
          break;
        }
      }
    } catch (error) {
      const { sentence, kind } = asFailure(error);
      this.workspaces.log.warn(`${message.t} of run ${this.runId}: ${kind}: ${sentence}`);
      if (message.t === "line") {
        this.page.post({ t: "line", id: message.id, error: sentence });
      } else if ("id" in message) {
        this.page.post({ t: "done", id: message.id, error: sentence });
      } else if (message.t === "older" || message.t === "newer") {
        // The page waits for a piece: with nothing in it, it can ask again.
        this.page.post(message.t === "older" ? { t: "older", items: [], atStart: false } : { t: "newer", items: [], atEnd: false });
      }
    }
  }

  /** Starts the page over with the end of the thread and follows it from there. */
  private async load(): Promise<void> {
    const session = this.session;
    if (session === undefined) {
      return;
    }
    const turn = ++this.loading;
    this.following?.dispose();
    this.following = undefined;
    try {
      const page = await session.request("run/events", { runId: this.runId, fromEnd: true, limit: PAGE_ITEMS });
      const details = await session.request("run/details", { runId: this.runId });
      if (turn !== this.loading || session !== this.session) {
        return;
      }
      const card = this.facts()?.card ?? session.board?.cards.find(({ id }) => id === details.run.cardId);
      if (card === undefined) {
        throw new SidecarFailure("cardNotFound", "The card of this thread is no longer on the board.", { nextStep: "Close this tab." });
      }
      const run = this.facts()?.run ?? details.run;
      this.checkpoints = details.checkpoints;
      this.shown = { card, run, decisions: JSON.stringify(this.decisions()) };
      this.title(card, run);
      this.page.post({ t: "thread", card, run, decisions: this.decisions(), items: page.items, atStart: page.previous === undefined, checkpoints: details.checkpoints });
      const last = page.items.at(-1);
      this.following = session.follow(this.runId, last, {
        append: (items) => this.page.post({ t: "append", items }),
        startOver: () => void this.load(),
      });
    } catch (error) {
      const failure = asFailure(error);
      if (turn === this.loading && failure.kind !== "closed") {
        this.page.post({ t: "gone", message: failure.sentence });
      }
    }
  }
}
