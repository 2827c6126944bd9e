import * as vscode from "vscode";
import { report } from "../report";
import { cardById, openDecisions, runById } from "../shared/board";
import type { Decision } from "../shared/protocol";
import { plain } from "../shared/words";
import { asFailure } from "../sidecar/failure";
import type { Session } from "../sidecar/session";
import { decisionOfTarget, nameOf, type Workspaces } from "../sidecar/workspaces";
import { askText } from "../steps";
import { targetFor } from "../targets";
import { type Answer, type Deed, denied, reasonPrompt, toastOf } from "./asking";
import { askDecision } from "./dialog";
import { planOf } from "./queue";

/** A decision that is open, and what of it is on the screen. */
export interface Asked {
  readonly key: string;
  readonly session: Session;
  decision: Decision;
  /** The notification shown last, while nothing was done with it: its number, and its words, by which VS Code knows it again. */
  toast?: { number: number; message: string; at: number };
  isQuiet: boolean;
  /** Cancelled when it is open no more, wherever it was answered: takes its dialogs away. */
  readonly gone: vscode.CancellationTokenSource;
}

const QUIET_KEY = "kanbots.quietDecisions";

/**
 * Everything that waits for the person, in notifications, dialogs and commands. It holds no decision of its own: what is open is what the boards
 * say is open, so that an answer given anywhere takes it away here.
 */
export class Decisions implements vscode.Disposable {
  private readonly asked = new Map<string, Asked>();
  private readonly disposables: vscode.Disposable[] = [];
  private readonly didChange = new vscode.EventEmitter<void>();
  private toasts = 0;
  private stale = 0;
  private raise = new Map<Session, number>();
  readonly onDidChange = this.didChange.event;

  constructor(private readonly context: vscode.ExtensionContext, private readonly workspaces: Workspaces, private readonly log: vscode.LogOutputChannel) {
    const listen = (session: Session) => session.onDidChangeBoard(() => this.follow());
    for (const session of workspaces.sessions) {
      listen(session);
    }
    this.disposables.push(
      this.didChange,
      workspaces.onDidOpen(listen),
      workspaces.onDidChange(() => this.follow()),
      vscode.commands.registerCommand("kanbots.answer", (argument?: unknown) => this.answer(argument)),
      vscode.commands.registerCommand("kanbots.answerOldest", () => this.answerOldest()),
      vscode.commands.registerCommand("kanbots.dismissDecision", (argument?: unknown) => this.dismiss(argument)),
      vscode.workspace.onDidChangeConfiguration((change) => change.affectsConfiguration("kanbots.notifications") && this.follow()),
    );
    this.follow();
  }

  /** What is open, the oldest first, over all boards of the window. */
  get open(): readonly Asked[] {
    return [...this.asked.values()].sort((a, b) => a.decision.askedAt.localeCompare(b.decision.askedAt) || a.key.localeCompare(b.key));
  }

  dispose(): void {
    for (const asked of this.asked.values()) {
      asked.gone.cancel();
      asked.gone.dispose();
    }
    this.asked.clear();
    vscode.Disposable.from(...this.disposables).dispose();
  }

  private follow(): void {
    const open = new Map(
      this.workspaces.sessions.flatMap((session) =>
        (session.board === undefined ? [] : openDecisions(session.board)).map((decision): [string, { session: Session; decision: Decision }] => [`${session.folder}\n${decision.id}`, { session, decision }]),
      ),
    );
    let isChanged = false;
    for (const [key, asked] of this.asked) {
      if (!open.has(key)) {
        this.asked.delete(key);
        this.stale += asked.toast === undefined ? 0 : 1;
        asked.gone.cancel();
        asked.gone.dispose();
        isChanged = true;
      }
    }
    const quiet = this.context.workspaceState.get<readonly string[]>(QUIET_KEY, []);
    for (const [key, { session, decision }] of open) {
      const known = this.asked.get(key);
      if (known !== undefined) {
        known.decision = decision;
      } else {
        this.asked.set(key, { key, session, decision, isQuiet: quiet.includes(key), gone: new vscode.CancellationTokenSource() });
        isChanged = true;
      }
    }
    if (isChanged) {
      this.didChange.fire();
    }
    void this.show();
  }

  private async show(): Promise<void> {
    if (vscode.workspace.getConfiguration("kanbots").get<string>("notifications", "decisions") === "off") {
      return;
    }
    const waiting = this.open.map((asked) => ({ key: asked.key, isShown: asked.toast !== undefined, holdsPlace: asked.toast !== undefined && Date.now() - asked.toast.at < PLACE_MS, isQuiet: asked.isQuiet }));
    const { hide, show } = planOf(waiting, this.stale);
    this.stale = 0;
    const toShow = show.map(({ key, more }) => ({ asked: this.asked.get(key), more }));
    // Marked at once: a change of the board meanwhile must not show them twice.
    const shown = toShow.flatMap(({ asked, more }) => (asked === undefined ? [] : [{ asked, more, toast: this.mark(asked, more) }]));
    if (hide) {
      // VS Code has no call that closes one notification. Hiding takes all of them off the screen, into the bell, and loses none of another extension.
      await vscode.commands.executeCommand("notifications.hideToasts");
    }
    for (const { asked, more, toast } of shown) {
      void this.notify(asked, more, toast.number);
    }
  }

  private mark(asked: Asked, more: number): { number: number } {
    // The same words as before: VS Code then replaces the older notification by this one.
    const message = asked.toast?.message ?? toastOf(asked.decision, this.where(asked.session), more, undefined).message;
    asked.toast = { number: ++this.toasts, message, at: Date.now() };
    return asked.toast;
  }

  private async notify(asked: Asked, more: number, number: number): Promise<void> {
    const raise = asked.decision.kind === "budget" ? await this.raiseOf(asked.session) : undefined;
    if (this.asked.get(asked.key) !== asked || asked.toast?.number !== number) {
      return;
    }
    const toast = toastOf(asked.decision, this.where(asked.session), more, raise);
    const items = toast.buttons.map((button) => ({ title: button.label, does: button.does }));
    const picked = await (toast.tone === "warning" ? vscode.window.showWarningMessage : vscode.window.showInformationMessage)(asked.toast.message, ...items);
    const isNewest = asked.toast?.number === number;
    if (picked === undefined && !isNewest) {
      // Replaced by its own successor, or open no more.
      return;
    }
    asked.toast = isNewest ? undefined : asked.toast;
    // What was closed, or is being answered, is not pushed again: the view has it as long as it is open.
    this.quieten(asked);
    if (picked !== undefined) {
      await this.act(asked, picked.does);
    }
    this.follow();
  }

  private quieten(asked: Asked): void {
    asked.isQuiet = true;
    void this.context.workspaceState.update(QUIET_KEY, this.open.filter((one) => one.isQuiet).map((one) => one.key));
  }

  private async act(asked: Asked, does: Deed): Promise<void> {
    if (this.asked.get(asked.key) !== asked) {
      this.sayAnswered(asked);
      return;
    }
    const title = `#${asked.decision.cardNumber}`;
    const token = asked.gone.token;
    switch (does.kind) {
      case "answer":
        await this.send(asked, does.answer);
        break;
      case "ask":
        await this.ask(asked);
        break;
      case "show":
        await this.showThread(asked);
        break;
      case "deny": {
        const reason = await askText({ title, token }, { prompt: reasonPrompt(asked.decision) });
        if (typeof reason === "string") {
          await this.send(asked, denied(reason));
        }
        break;
      }
      case "other": {
        const [question] = asked.decision.questions;
        const text = question === undefined ? undefined : await askText({ title, token }, { prompt: plain(question.text), validate: filled });
        if (question !== undefined && typeof text === "string") {
          await this.send(asked, { answers: [{ questionId: question.id, values: [text] }] });
        }
        break;
      }
    }
  }

  private async ask(asked: Asked): Promise<void> {
    const raise = asked.decision.kind === "budget" ? await this.raiseOf(asked.session) : undefined;
    const said = await askDecision(asked.decision, raise, asked.gone.token);
    if (said === "show") {
      await this.showThread(asked);
    } else if (said !== undefined) {
      await this.send(asked, said);
    }
  }

  private async send(asked: Asked, answer: Answer): Promise<void> {
    try {
      await asked.session.change("decision/answer", { decisionId: asked.decision.id, ...answer });
      vscode.window.setStatusBarMessage(`$(check) Answered #${asked.decision.cardNumber}`, SAID_MS);
    } catch (error) {
      if (asFailure(error).kind === "decisionAlreadyAnswered") {
        this.sayAnswered(asked);
      } else {
        void report(`#${asked.decision.cardNumber} was not answered`, error, this.log);
      }
    }
  }

  private sayAnswered(asked: Asked): void {
    vscode.window.setStatusBarMessage(`#${asked.decision.cardNumber} was answered already`, SAID_MS);
  }

  private async showThread(asked: Asked): Promise<void> {
    await vscode.commands.executeCommand("kanbots.showThread", { session: asked.session, cardId: this.cardIdOf(asked), runId: asked.decision.runId });
  }

  cardIdOf(asked: Asked): number | undefined {
    return asked.session.board === undefined ? undefined : runById(asked.session.board, asked.decision.runId)?.cardId;
  }

  titleOf(asked: Asked): string | undefined {
    const cardId = this.cardIdOf(asked);
    return asked.session.board === undefined || cardId === undefined ? undefined : cardById(asked.session.board, cardId)?.title;
  }

  /** The name of a repository, where the window has several. */
  where(session: Session): string | undefined {
    return this.workspaces.sessions.length > 1 ? nameOf(session) : undefined;
  }

  private async answer(argument: unknown): Promise<void> {
    const asked = await this.named(argument);
    if (asked !== undefined) {
      // Its notification is of no use beside the dialog.
      this.quieten(asked);
      await this.ask(asked);
    }
  }

  private async answerOldest(): Promise<void> {
    this.workspaces.start();
    const [oldest] = this.open;
    if (oldest === undefined) {
      void vscode.window.showInformationMessage(this.workspaces.sessions.some((session) => session.board === undefined) || this.workspaces.sessions.length === 0 ? (this.workspaces.state.message ?? "The board is still loading. Try again in a moment.") : "Nothing waits for an answer.");
      return;
    }
    await this.answer(oldest);
  }

  private async dismiss(argument: unknown): Promise<void> {
    const asked = await this.named(argument, "Dismiss");
    if (asked === undefined) {
      return;
    }
    this.quieten(asked);
    const reason = await askText({ title: `Dismiss the ${asked.decision.kind} of #${asked.decision.cardNumber}`, token: asked.gone.token }, { prompt: "The agent is told that you will not answer, and goes on as it sees fit. A reason may be given." });
    if (typeof reason !== "string") {
      return;
    }
    try {
      await asked.session.change("decision/dismiss", { decisionId: asked.decision.id, reason: reason.trim() === "" ? undefined : reason.trim() });
    } catch (error) {
      if (asFailure(error).kind === "decisionAlreadyAnswered") {
        this.sayAnswered(asked);
      } else {
        void report(`The ${asked.decision.kind} of #${asked.decision.cardNumber} was not dismissed`, error, this.log);
      }
    }
  }

  /** The decision of a command: named by the view or a page, or that of a card. */
  private async named(argument: unknown, words?: string): Promise<Asked | undefined> {
    const given = (typeof argument === "object" && argument !== null ? argument : {}) as { key?: unknown; decisionId?: unknown; session?: unknown; folder?: unknown };
    const isOf = (asked: Asked) => (given.session === undefined || given.session === asked.session) && (given.folder === undefined || given.folder === asked.session.folder);
    const named = this.open.find((asked) => asked.key === given.key || (asked.decision.id === given.decisionId && isOf(asked)));
    if (named !== undefined) {
      return named;
    }
    if (given.key !== undefined || given.decisionId !== undefined) {
      vscode.window.setStatusBarMessage("That was answered already", SAID_MS);
      return undefined;
    }
    const target = await targetFor(this.workspaces, "answer", argument, words);
    const decision = target === undefined ? undefined : decisionOfTarget(target);
    if (target !== undefined && decision === undefined) {
      void vscode.window.showInformationMessage("This card waits for no answer now.");
    }
    return this.open.find((asked) => asked.session === target?.session && asked.decision.id === decision?.id);
  }

  /** What "continue with more" gives: the settings' budget of a run, at most that of a day. */
  private async raiseOf(session: Session): Promise<number | undefined> {
    try {
      const { values } = await session.request("config/get", {});
      const [run, day] = [values["runs.budget.microUsd"], values["runs.budget.dayMicroUsd"]];
      if (typeof run === "number") {
        this.raise.set(session, typeof day === "number" ? Math.min(run, day) : run);
      }
    } catch (error) {
      this.log.warn(`config/get: ${asFailure(error).sentence}`);
    }
    return this.raise.get(session);
  }
}

const SAID_MS = 4_000;
/** VS Code moves a notification that nobody touches into the bell after less than this. */
const PLACE_MS = 25_000;

const filled = (text: string): string | undefined => (text.trim() === "" ? "An answer has at least one word." : undefined);

