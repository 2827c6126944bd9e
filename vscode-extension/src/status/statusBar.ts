import * as vscode from "vscode";
import { withProgress } from "../report";
import { runOf } from "../shared/board";
import { plural } from "../shared/words";
import type { Session } from "../sidecar/session";
import type { Workspaces } from "../sidecar/workspaces";
import { rowOf } from "../targets";
import { barSpoken, barText, spendOf, summaryOf } from "./summary";

/** Costs change many times a second; the bar is drawn at most this often. */
const DRAW_MS = 200;

type Entry = vscode.QuickPickItem & { command?: string; argument?: unknown };

/** How much runs, waits and was spent today, with a menu. It is not there before something of ours is started. */
export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("kanbots.status", vscode.StatusBarAlignment.Left, 10);
  private readonly disposables: vscode.Disposable[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly workspaces: Workspaces, private readonly log: vscode.LogOutputChannel) {
    this.item.name = "KanBots";
    this.item.command = "kanbots.showMenu";
    const listen = (session: Session) => session.onDidChangeBoard(() => this.drawSoon());
    for (const session of workspaces.sessions) {
      listen(session);
    }
    this.disposables.push(
      this.item,
      workspaces.onDidOpen(listen),
      workspaces.onDidChange(() => this.drawSoon()),
      vscode.commands.registerCommand("kanbots.showMenu", () => this.showMenu()),
      vscode.commands.registerCommand("kanbots.showSpending", () => this.showSpending()),
      { dispose: () => clearTimeout(this.timer) },
    );
    this.draw();
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }

  private drawSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.draw();
    }, DRAW_MS);
  }

  private draw(): void {
    const { sessions } = this.workspaces;
    const boards = sessions.flatMap(({ board }) => (board === undefined ? [] : [board]));
    // One folder of several that is no repository does not hide what the others do.
    const isBroken = boards.length === 0 && sessions.some(({ state }) => state.kind === "failed");
    if (boards.length === 0 && !isBroken) {
      this.item.hide();
      return;
    }
    const summary = summaryOf(boards);
    this.item.text = isBroken ? "$(warning) KanBots is not running" : barText(summary);
    this.item.tooltip = isBroken ? "KanBots: the sidecar is not running. Click for what can be done." : barSpoken(summary);
    this.item.accessibilityInformation = { label: isBroken ? "KanBots is not running" : barSpoken(summary), role: "button" };
    this.item.backgroundColor = isBroken || summary.waiting > 0 ? new vscode.ThemeColor("statusBarItem.warningBackground") : undefined;
    this.item.show();
  }

  private async showMenu(): Promise<void> {
    this.workspaces.start();
    const { sessions } = this.workspaces;
    const summary = summaryOf(sessions.flatMap(({ board }) => (board === undefined ? [] : [board])));
    const several = sessions.length > 1;
    const live = sessions.flatMap((session) =>
      (session.board?.cards ?? []).flatMap((card): readonly Entry[] => {
        const run = session.board === undefined ? undefined : runOf(session.board, card);
        return run !== undefined && ["preparing", "running", "awaitingDecision"].includes(run.state) ? [{ ...rowOf(session, card, several), command: "kanbots.openThread", argument: { session, cardId: card.id, runId: run.id } }] : [];
      }),
    );
    const separator = (label: string): Entry => ({ label, kind: vscode.QuickPickItemKind.Separator });
    const entries: readonly Entry[] = [
      ...(summary.waiting > 0 ? [{ label: "$(bell-dot) Answer the oldest question", description: `${plural(summary.waiting, "decision")} waiting`, command: "kanbots.answerOldest" }] : []),
      { label: "$(project) Open the board", command: "kanbots.openBoard" },
      ...(live.length > 0 ? [separator("Running"), ...live] : []),
      separator("KanBots"),
      { label: "$(credit-card) Spending…", command: "kanbots.showSpending" },
      { label: "$(checklist) Check setup", command: "kanbots.checkSetup" },
      { label: "$(debug-restart) Restart the sidecar", description: "Agents go on meanwhile.", command: "kanbots.restartSidecar" },
      { label: "$(output) Show the log", command: "kanbots.showLog" },
    ];
    const picked = await vscode.window.showQuickPick(entries, { title: "KanBots", placeHolder: barSpoken(summary) });
    if (picked?.command !== undefined) {
      await vscode.commands.executeCommand(picked.command, ...(picked.argument === undefined ? [] : [picked.argument]));
    }
  }

  private async showSpending(): Promise<void> {
    const session = await this.workspaces.pick("Spending in which repository?");
    if (session === undefined) {
      return;
    }
    const result = await withProgress("Adding up what was spent", this.log, (cancel) => session.request("cost/get", { days: 14, limit: 20 }, cancel));
    if (result !== undefined) {
      const entries = spendOf(result).flatMap(({ title, rows }): readonly vscode.QuickPickItem[] => [{ label: title, kind: vscode.QuickPickItemKind.Separator }, ...rows]);
      await vscode.window.showQuickPick(entries, { title: "Spending", placeHolder: "Type to filter", matchOnDescription: true });
    }
  }
}
