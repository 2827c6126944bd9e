import * as vscode from "vscode";
import { ACTION_WORDS } from "../shared/actions";
import type { FromBoard, StateAction, ToBoard } from "../shared/messages";
import type { BoardDidChangeParams, BoardSnapshot } from "../shared/protocol";
import { plain } from "../shared/words";
import { asFailure } from "../sidecar/failure";
import type { Session } from "../sidecar/session";
import { nameOf, type Workspaces } from "../sidecar/workspaces";
import { iconOf, Page, type Place } from "./page";

export const BOARD_VIEW = "kanbots.board";

type BoardPage = Page<ToBoard, FromBoard>;

/** The boards that are open as editor tabs: one for each repository. Each page is a picture of its session, sent whole when it comes up and by changes after. */
export class BoardPanels implements vscode.WebviewPanelSerializer<{ place?: Place }>, vscode.Disposable {
  /** By folder; the empty folder is the page of a window that has no session to show. */
  private readonly pages = new Map<string, BoardPage>();
  private readonly disposables: vscode.Disposable[] = [];
  private readonly limits = new Map<string, number>();

  constructor(private readonly extensionUri: vscode.Uri, private readonly workspaces: Workspaces) {
    this.disposables.push(
      vscode.window.registerWebviewPanelSerializer(BOARD_VIEW, this),
      workspaces.onDidOpen((session) => this.listen(session)),
      workspaces.onDidChange(() => this.sayStates()),
    );
    for (const session of workspaces.sessions) {
      this.listen(session);
    }
  }

  /** Shows the board of a session, or of the window when it has none. */
  show(session: Session | undefined, reveal?: number, column = vscode.ViewColumn.Active): void {
    const folder = session?.folder ?? "";
    const open = this.pages.get(folder);
    if (open !== undefined) {
      open.panel.reveal(undefined, false);
    } else {
      this.adopt(vscode.window.createWebviewPanel(BOARD_VIEW, "KanBots", column, { enableScripts: true, retainContextWhenHidden: true }), { folder });
    }
    if (reveal !== undefined) {
      this.pages.get(folder)?.post({ t: "reveal", cardId: reveal });
    }
  }

  readonly view = BOARD_VIEW;

  isShownIn(column: vscode.ViewColumn): boolean {
    return [...this.pages.values()].some(({ panel }) => panel.visible && panel.viewColumn === column);
  }

  openAgain(label: string, column: vscode.ViewColumn): boolean {
    this.workspaces.start();
    const { sessions } = this.workspaces;
    this.show(sessions.find((session) => label.endsWith(`: ${plain(nameOf(session), 40)}`)) ?? sessions[0], undefined, column);
    return true;
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: { place?: Place } | undefined): Promise<void> {
    this.workspaces.start();
    const folder = state?.place?.folder ?? "";
    if (this.pages.has(folder)) {
      panel.dispose();
      return;
    }
    this.adopt(panel, { folder });
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
    for (const page of this.pages.values()) {
      page.panel.dispose();
    }
  }

  private adopt(panel: vscode.WebviewPanel, place: Place): void {
    panel.iconPath = iconOf(this.extensionUri, "board");
    const page: BoardPage = new Page(panel, this.extensionUri, "board", place);
    this.pages.set(place.folder, page);
    page.onDidEnd(() => this.pages.delete(place.folder));
    page.onDidHear((message) => void this.hear(page, place.folder, message));
    this.title(page, place.folder);
  }

  /** The session that a page shows. A page that was opened before there was one shows the first. */
  private sessionOf(folder: string): Session | undefined {
    return this.workspaces.sessionOf(folder) ?? (folder === "" ? this.workspaces.sessions[0] : undefined);
  }

  private pageOf(session: Session): BoardPage | undefined {
    return this.pages.get(session.folder) ?? (this.workspaces.sessions[0] === session ? this.pages.get("") : undefined);
  }

  private listen(session: Session): void {
    session.onDidChangeBoard(({ board, change }) => this.draw(session, board, change));
    session.onDidChangeState((state) => {
      this.pageOf(session)?.post({ t: "state", state });
      if (state.kind === "ready") {
        void this.readLimit(session);
      }
    });
  }

  private draw(session: Session, board: BoardSnapshot, change: BoardDidChangeParams | undefined): void {
    const page = this.pageOf(session);
    if (page === undefined) {
      return;
    }
    if (change === undefined) {
      page.post({ t: "board", board, frame: this.frame(session) });
      return;
    }
    const { revision, cards, runs, decisions, removed, spend, notices } = change;
    page.post({ t: "change", revision, cards, runs, decisions, removedCards: removed.cardIds, removedRuns: removed.runIds, removedDecisions: removed.decisionIds, spend, notices });
  }

  private frame(session: Session) {
    return { repository: nameOf(session), several: this.workspaces.sessions.length > 1, maxParallel: this.limits.get(session.folder) };
  }

  /** The limit of runs at once is a setting, which no change of the board tells of. */
  private async readLimit(session: Session): Promise<void> {
    try {
      const limit = (await session.request("config/get", {})).values["runs.maxParallel"];
      if (typeof limit === "number" && limit !== this.limits.get(session.folder)) {
        this.limits.set(session.folder, limit);
        if (session.board !== undefined) {
          this.pageOf(session)?.post({ t: "board", board: session.board, frame: this.frame(session) });
        }
      }
    } catch (error) {
      this.workspaces.log.warn(`config/get: ${asFailure(error).message}`);
    }
  }

  private sayStates(): void {
    for (const [folder, page] of this.pages) {
      this.title(page, folder);
      page.post({ t: "state", state: this.stateOf(folder) });
    }
  }

  private stateOf(folder: string) {
    return this.sessionOf(folder)?.state ?? (folder === "" || this.workspaces.sessions.length === 0 ? this.workspaces.state : { kind: "none" as const, message: "This folder is no longer open in the window.", nextStep: "Open it again, or close this tab.", actions: [{ id: "openFolder" as const, label: "Open Folder" }] });
  }

  private title(page: BoardPage, folder: string): void {
    const session = this.sessionOf(folder);
    page.panel.title = session !== undefined && this.workspaces.sessions.length > 1 ? `Board: ${plain(nameOf(session), 40)}` : "Board";
  }

  private async hear(page: BoardPage, folder: string, message: FromBoard): Promise<void> {
    const session = this.sessionOf(folder);
    if (message.t === "ready") {
      page.post({ t: "state", state: this.stateOf(folder) });
      if (session?.board !== undefined) {
        page.post({ t: "board", board: session.board, frame: this.frame(session) });
        void this.readLimit(session);
      }
      return;
    }
    if (message.t === "state") {
      await carryStateAction(message.action, session, this.workspaces);
      return;
    }
    if (message.t === "pickRepository") {
      await vscode.commands.executeCommand("kanbots.openBoard", { pick: true });
      return;
    }
    if (session === undefined) {
      return;
    }
    if (message.t === "answerMore") {
      const runId = session.board?.decisions.find((decision) => decision.id === message.decisionId)?.runId;
      await vscode.commands.executeCommand("kanbots.answer", { session, runId, decisionId: message.decisionId });
      return;
    }
    try {
      await this.carry(session, message);
      page.post({ t: "done", id: message.id });
    } catch (error) {
      const failure = asFailure(error);
      this.workspaces.log.warn(`${message.t}: ${failure.sentence}`);
      page.post({ t: "done", id: message.id, error: failure.sentence });
    }
  }

  private async carry(session: Session, message: Exclude<FromBoard, { t: "ready" | "state" | "pickRepository" | "answerMore" }>): Promise<void> {
    switch (message.t) {
      case "act": {
        // A page may ask for the actions of cards, and for no other command.
        if (Object.hasOwn(ACTION_WORDS, message.action)) {
          const targets = message.cardIds.map((cardId) => ({ session, cardId }));
          await vscode.commands.executeCommand(`kanbots.${message.action}`, targets.length === 1 ? targets[0] : targets);
        }
        break;
      }
      case "move":
        await session.change("card/move", { cardId: message.cardId, column: message.column, position: message.position });
        break;
      case "moveMany":
        for (const cardId of message.cardIds) {
          await session.change("card/move", { cardId, column: message.column });
        }
        break;
      case "answer": {
        const { decisionId, answers, allow, remember, reason } = message;
        await session.change("decision/answer", { decisionId, answers, allow, remember, reason });
        break;
      }
      case "newCard":
        await session.change("card/create", { title: message.title, column: message.column });
        break;
    }
  }
}

/** Carries out what a page offers when the sidecar is not ready. */
export async function carryStateAction(action: StateAction["id"], session: Session | undefined, workspaces: Workspaces): Promise<void> {
  switch (action) {
    case "manageTrust":
      await vscode.commands.executeCommand("workbench.trust.manage");
      break;
    case "restartSidecar":
      await session?.restart();
      break;
    case "showLog":
      workspaces.log.show();
      break;
    case "openFolder":
      await vscode.commands.executeCommand("workbench.action.files.openFolder");
      break;
    case "openSettings":
      await vscode.commands.executeCommand("workbench.action.openSettings", "kanbots.sidecar");
      break;
  }
}
