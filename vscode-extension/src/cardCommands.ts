import * as vscode from "vscode";
import { report, withProgress } from "./report";
import { type Action, allows, hasWorktree, isLive } from "./shared/actions";
import type { Requests } from "./shared/protocol";
import { plain, plural } from "./shared/words";
import { cardOf, decisionOfTarget, runOfTarget, type Target, type Workspaces } from "./sidecar/workspaces";
import { targetFor, targetsFor } from "./targets";

type OfRun = { [M in keyof Requests]: Requests[M]["params"] extends { requestId: string; runId: number } ? M : never }[keyof Requests];

/** The plain commands of a card and its run: each asks the sidecar for one thing and says what went wrong. */
export class CardCommands implements vscode.Disposable {
  private readonly disposables: vscode.Disposable[] = [];

  constructor(private readonly workspaces: Workspaces) {
    this.add("stop", (argument) => this.stop(argument));
    this.add("resume", (argument) => this.ofRun("resume", argument, "Resuming", "run/resume"));
    this.add("retry", (argument) => this.retry(argument));
    this.add("fork", (argument) => this.fork(argument));
    this.add("editCard", (argument) => this.edit(argument));
    this.add("newCard", () => this.create());
    this.add("archiveCard", (argument) => this.archive(argument));
    this.add("deleteCard", (argument) => this.remove(argument));
    this.add("moveCard", (argument) => this.move(argument));
    this.add("openWorktree", (argument) => this.inWorktree("openWorktree", argument, (folder) => vscode.commands.executeCommand("vscode.openFolder", folder, { forceNewWindow: true })));
    this.add("revealWorktree", (argument) => this.inWorktree("revealWorktree", argument, (folder) => this.reveal(folder)));
    this.add("openTerminal", (argument) => this.inWorktree("openTerminal", argument, (folder, name) => vscode.window.createTerminal({ name, cwd: folder }).show()));
    this.add("copyBranch", (argument) => this.copyBranch(argument));
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }

  private add(name: string, run: (argument: unknown) => unknown): void {
    this.disposables.push(vscode.commands.registerCommand(`kanbots.${name}`, run));
  }

  private async stop(argument: unknown): Promise<void> {
    const targets = (await targetsFor(this.workspaces, "stop", argument)).filter((target) => isLive(runOfTarget(target)));
    const [first] = targets;
    if (first === undefined) {
      return;
    }
    await withProgress(targets.length === 1 ? `Stopping ${numberOf(first)}` : `Stopping ${targets.length} runs`, this.workspaces.log, async (cancel) => {
      const results = await Promise.allSettled(targets.map((target) => target.session.change("run/stop", { runId: runOfTarget(target)?.id ?? 0 }, cancel)));
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) {
        throw failed.reason;
      }
    });
  }

  private async retry(argument: unknown): Promise<void> {
    // A run whose agent never had a session cannot go on in it: it is dispatched anew.
    const target = await targetFor(this.workspaces, "retry", argument);
    if (target !== undefined) {
      if (runOfTarget(target)?.sessionId === undefined) {
        await vscode.commands.executeCommand("kanbots.dispatch", target);
      } else {
        await this.ofRun("resume", target, "Resuming", "run/resume");
      }
    }
  }

  private async fork(argument: unknown): Promise<void> {
    const target = await targetFor(this.workspaces, "fork", argument);
    const run = target === undefined ? undefined : runOfTarget(target);
    if (target === undefined || run === undefined) {
      return;
    }
    const prompt = await vscode.window.showInputBox({ title: `Fork ${numberOf(target)}`, prompt: "What the new agent is told besides the card's text. It begins with this run's files. May be left empty.", ignoreFocusOut: true });
    if (prompt !== undefined) {
      const result = await withProgress(`Forking ${numberOf(target)}`, this.workspaces.log, (cancel) => target.session.change("run/fork", { runId: run.id, prompt: prompt.trim() === "" ? undefined : prompt }, cancel));
      if (result !== undefined) {
        await vscode.commands.executeCommand("kanbots.showThread", { session: target.session, cardId: result.run.cardId, runId: result.run.id });
      }
    }
  }

  private async create(): Promise<void> {
    const session = await this.workspaces.pick("A new card on which board?");
    if (session === undefined) {
      return;
    }
    const title = await vscode.window.showInputBox({ title: "New card (1/2)", prompt: "What is to be done?", placeHolder: "Deflake the auth test", ignoreFocusOut: true, validateInput: filled });
    if (title === undefined) {
      return;
    }
    const body = await vscode.window.showInputBox({ title: "New card (2/2)", prompt: "What the agent needs to know. May be left empty.", ignoreFocusOut: true });
    if (body === undefined) {
      return;
    }
    await this.tried("The card was not made", () => session.change("card/create", { title, body, column: "todo" }));
  }

  private async edit(argument: unknown): Promise<void> {
    const target = await targetFor(this.workspaces, "editCard", argument);
    const card = target === undefined ? undefined : cardOf(target);
    if (target === undefined || card === undefined) {
      return;
    }
    const title = await vscode.window.showInputBox({ title: `Card #${card.number} (1/3)`, prompt: "Title", value: card.title, ignoreFocusOut: true, validateInput: filled });
    if (title === undefined) {
      return;
    }
    const body = await vscode.window.showInputBox({ title: `Card #${card.number} (2/3)`, prompt: "What the agent needs to know", value: card.body, ignoreFocusOut: true });
    if (body === undefined) {
      return;
    }
    const labels = await vscode.window.showInputBox({ title: `Card #${card.number} (3/3)`, prompt: "Labels, with commas between them", value: card.labels.join(", "), ignoreFocusOut: true });
    if (labels === undefined) {
      return;
    }
    // One line is what an input box can show: a longer text stays as it is unless it was changed.
    const text = body === card.body.replace(/\r?\n/g, " ") ? card.body : body;
    await this.tried("The card was not changed", () => target.session.change("card/update", { cardId: card.id, title, body: text, labels: labels.split(",").map((label) => label.trim()).filter((label) => label !== "") }));
  }

  private async archive(argument: unknown): Promise<void> {
    const target = await targetFor(this.workspaces, "archiveCard", argument);
    if (target === undefined) {
      return;
    }
    const done = await this.tried("The card was not archived", () => target.session.change("card/archive", { cardId: target.cardId }));
    if (done !== undefined && (await vscode.window.showInformationMessage(`Card #${done.card.number} is archived.`, "Undo")) === "Undo") {
      await this.tried("The card was not brought back", () => target.session.change("card/archive", { cardId: target.cardId, archived: false }));
    }
  }

  private async remove(argument: unknown): Promise<void> {
    const target = await targetFor(this.workspaces, "deleteCard", argument);
    const card = target === undefined ? undefined : cardOf(target);
    if (target === undefined || card === undefined) {
      return;
    }
    const runs = card.runIds.length === 0 ? "It has no runs." : `Its ${plural(card.runIds.length, "run")} and what they cost are forgotten with it.`;
    const choice = await vscode.window.showWarningMessage(plain(`Delete card #${card.number} “${card.title}”?`), { modal: true, detail: `${runs} This cannot be undone; Archive keeps it.` }, "Delete", "Archive");
    if (choice === "Delete") {
      await this.tried("The card was not deleted", () => target.session.change("card/delete", { cardId: card.id }));
    } else if (choice === "Archive") {
      await this.archive(target);
    }
  }

  private async move(argument: unknown): Promise<void> {
    const target = await targetFor(this.workspaces, "editCard", argument, "Move card");
    const card = target === undefined ? undefined : cardOf(target);
    if (target === undefined || card === undefined) {
      return;
    }
    const columns = [["Backlog", "backlog"], ["Todo", "todo"], ["In progress", "inProgress"], ["Review", "review"], ["Done", "done"]] as const;
    const picked = await vscode.window.showQuickPick(columns.filter(([, column]) => column !== card.column).map(([label, column]) => ({ label, column })), { placeHolder: plain(`Move #${card.number} to`) });
    if (picked !== undefined) {
      await this.tried("The card was not moved", () => target.session.change("card/move", { cardId: card.id, column: picked.column }));
    }
  }

  private async copyBranch(argument: unknown): Promise<void> {
    const target = await targetFor(this.workspaces, "copyBranch", argument);
    const run = target === undefined ? undefined : runOfTarget(target);
    if (run !== undefined) {
      await vscode.env.clipboard.writeText(run.branch);
      vscode.window.setStatusBarMessage(plain(`Copied ${run.branch}`), 3_000);
    }
  }

  private async inWorktree(action: Action, argument: unknown, open: (folder: vscode.Uri, name: string) => unknown): Promise<void> {
    const target = await targetFor(this.workspaces, action, argument);
    const run = target === undefined ? undefined : runOfTarget(target);
    if (target === undefined) {
      return;
    }
    if (!hasWorktree(run)) {
      void vscode.window.showInformationMessage(`${numberOf(target)} has no worktree now. Dispatch it, or restore its run.`);
      return;
    }
    const folder = vscode.Uri.file(run.worktreePath);
    try {
      await vscode.workspace.fs.stat(folder);
    } catch {
      void vscode.window.showErrorMessage(plain(`The worktree ${run.worktreePath} is not there. Run “KanBots: Clean Up Worktrees…” to see what became of it.`, 600));
      return;
    }
    await open(folder, plain(`#${run.cardNumber} ${run.branch}`, 60));
  }

  /** The file manager belongs to the machine that the window is on: VS Code has no such command in a browser, and refuses it for files that are elsewhere. */
  private async reveal(folder: vscode.Uri): Promise<void> {
    if (vscode.env.uiKind === vscode.UIKind.Desktop && vscode.env.remoteName === undefined) {
      await vscode.commands.executeCommand("revealFileInOS", folder);
      return;
    }
    const [open, copy] = ["Open in New Window", "Copy Path"];
    const choice = await vscode.window.showInformationMessage(plain(`The worktree is ${folder.fsPath}, which a file manager on this machine cannot show.`, 600), open, copy);
    if (choice === open) {
      await vscode.commands.executeCommand("vscode.openFolder", folder, { forceNewWindow: true });
    } else if (choice === copy) {
      await vscode.env.clipboard.writeText(folder.fsPath);
    }
  }

  private async ofRun(action: Action, argument: unknown, doing: string, method: Extract<OfRun, "run/resume">): Promise<void> {
    const target = await targetFor(this.workspaces, action, argument);
    const run = target === undefined ? undefined : runOfTarget(target);
    if (target === undefined || run === undefined) {
      return;
    }
    const card = cardOf(target);
    if (card !== undefined && !allows(action, card, run, decisionOfTarget(target))) {
      void vscode.window.showInformationMessage(`${numberOf(target)} cannot go on: ${run.sessionId === undefined ? "its agent never began a session. Dispatch it again." : `it is ${run.state}.`}`);
      return;
    }
    await withProgress(`${doing} ${numberOf(target)}`, this.workspaces.log, (cancel) => target.session.change(method, { runId: run.id }, cancel));
  }

  private async tried<Result>(what: string, step: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await step();
    } catch (error) {
      void report(what, error, this.workspaces.log);
      return undefined;
    }
  }
}

const filled = (text: string): string | undefined => (text.trim() === "" ? "Say in a few words what is to be done." : undefined);

const numberOf = (target: Target): string => `#${cardOf(target)?.number ?? target.cardId}`;
