import { execFile } from "node:child_process";
import * as vscode from "vscode";
import { withProgress } from "../report";
import { plain, plural } from "../shared/words";
import { asFailure } from "../sidecar/failure";
import type { SidecarCommand } from "../sidecar/locate";
import type { Session } from "../sidecar/session";
import type { Workspaces } from "../sidecar/workspaces";
import { type Finding, readDoctor } from "./doctor";

const DOCTOR_MS = 60_000;
const OUTPUT_MAX = 1_000_000;

type Row = vscode.QuickPickItem & { finding?: Finding; fixes?: boolean };

/** Keeps the steps of the walkthrough true, and shows what `doctor` finds with what can be done about it. */
export class Setup implements vscode.Disposable {
  private readonly disposables: vscode.Disposable[] = [];
  private readonly facts = new Map<string, boolean>();
  private readonly askedFor = new Set<Session>();
  private isShown = false;

  constructor(private readonly workspaces: Workspaces, private readonly log: vscode.LogOutputChannel) {
    const listen = (session: Session) => session.onDidChangeBoard(() => this.follow());
    for (const session of workspaces.sessions) {
      listen(session);
    }
    this.disposables.push(
      workspaces.onDidOpen(listen),
      workspaces.onDidChange(() => this.follow()),
      vscode.window.tabGroups.onDidChangeTabs(({ opened }) => this.showAgain(opened)),
      vscode.commands.registerCommand("kanbots.checkSetup", () => this.check()),
    );
    this.follow();
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }

  /** A step once done stays done: nothing is unset. */
  private follow(): void {
    const boards = this.workspaces.sessions.flatMap(({ board }) => (board === undefined ? [] : [board]));
    const runs = boards.flatMap((board) => board.runs);
    this.say("kanbots.setup.found", boards.length > 0);
    this.say("kanbots.setup.dispatched", runs.length > 0);
    this.say("kanbots.setup.promoted", runs.some((run) => run.promotion !== undefined || run.state === "promoted"));
    for (const session of this.workspaces.sessions) {
      if (session.state.kind === "ready" && !this.askedFor.has(session)) {
        this.askedFor.add(session);
        void this.askAgents(session);
      }
    }
  }

  private async askAgents(session: Session): Promise<void> {
    try {
      const { agents } = await session.request("agent/list", {});
      this.say("kanbots.setup.agent", agents.some(({ status }) => status === "ready"));
    } catch (error) {
      this.log.warn(`agent/list: ${asFailure(error).sentence}`);
    }
  }

  private say(key: string, holds: boolean): void {
    if (holds && this.facts.get(key) !== true) {
      this.facts.set(key, true);
      void vscode.commands.executeCommand("setContext", key, true);
      if (this.isShown) {
        void vscode.commands.executeCommand("setContext", `${key}.shown`, true);
      }
    }
  }

  /** What was said before VS Code had read the walkthrough ticks no step any more. So it is said once more, by another name, when a page of VS Code's own comes up, as the walkthrough is one. */
  private showAgain(opened: readonly vscode.Tab[]): void {
    if (!this.isShown && opened.some((tab) => tab.input === undefined)) {
      this.isShown = true;
      for (const key of this.facts.keys()) {
        void vscode.commands.executeCommand("setContext", `${key}.shown`, true);
      }
    }
  }

  private async check(): Promise<void> {
    const session = await this.workspaces.pick("Check the setup of which repository?");
    const folder = session?.folder;
    if (folder === undefined) {
      void vscode.window.showInformationMessage(plain(`${this.workspaces.state.message ?? "No folder is open."} ${this.workspaces.state.nextStep ?? ""}`));
      return;
    }
    const located = this.workspaces.locate();
    if (located.kind === "missing") {
      void vscode.window.showErrorMessage(plain(`${located.message} ${located.nextStep}`, 500));
      return;
    }
    let fixes: boolean = false;
    for (;;) {
      const argv: readonly string[] = ["doctor", ...(fixes ? ["--fix"] : [])];
      const findings: readonly Finding[] | undefined = await withProgress(fixes ? "Doing what can be done" : "Checking the setup", this.log, (cancel) => doctor(located.command, argv, folder, cancel));
      if (findings === undefined) {
        return;
      }
      if (session !== undefined) {
        void this.askAgents(session);
      }
      const picked: Row | undefined = await vscode.window.showQuickPick(rowsOf(findings), { title: "Setup", placeHolder: placeholderOf(findings), matchOnDetail: true, ignoreFocusOut: true });
      if (picked === undefined || (picked.finding === undefined && picked.fixes === undefined)) {
        return;
      }
      if (picked.fixes === true && !(await agreed(findings))) {
        return;
      }
      fixes = picked.fixes === true;
      if (picked.finding !== undefined && !(await showFinding(picked.finding, folder))) {
        return;
      }
    }
  }
}

function doctor(command: SidecarCommand, argv: readonly string[], folder: string, cancel: vscode.CancellationToken): Promise<readonly Finding[]> {
  return new Promise((resolve, reject) => {
    const child = execFile(command.command, [...command.args, ...argv], { cwd: folder, env: process.env, timeout: DOCTOR_MS, maxBuffer: OUTPUT_MAX, windowsHide: true }, (error, stdout, stderr) => {
      const findings = readDoctor(stdout);
      // Problems end it with 1, and are what was asked for.
      if (findings.length > 0) {
        resolve(findings);
      } else {
        reject(new Error(stderr.trim().split("\n").at(-1) ?? error?.message ?? "It said nothing."));
      }
    });
    cancel.onCancellationRequested(() => child.kill());
  });
}

function rowsOf(findings: readonly Finding[]): readonly Row[] {
  const problems = findings.filter(({ kind }) => kind === "problem");
  const fixable = problems.filter(({ fix }) => fix !== undefined);
  const row = (finding: Finding): Row => ({ label: `$(${finding.kind === "ok" ? "pass" : "warning"}) ${finding.text}`, detail: finding.fix === undefined ? undefined : `Can be done for you: ${finding.fix}.`, finding });
  return [
    ...problems.map(row),
    ...(fixable.length > 0 ? [{ label: `$(wrench) Do what can be done (${fixable.length})`, detail: "Runs doctor --fix: it touches only what is provably left over and holds no work.", fixes: true }] : []),
    ...(problems.length > 0 ? [{ label: "In order", kind: vscode.QuickPickItemKind.Separator }] : []),
    ...findings.filter(({ kind }) => kind === "ok").map(row),
  ];
}

const placeholderOf = (findings: readonly Finding[]): string => {
  const count = findings.filter(({ kind }) => kind === "problem").length;
  return count === 0 ? "Nothing is missing." : `${plural(count, "problem")}. Choose one to read it whole and go on.`;
};

async function agreed(findings: readonly Finding[]): Promise<boolean> {
  const fixes = findings.flatMap(({ fix }) => (fix === undefined ? [] : [`• ${fix}`]));
  return (await vscode.window.showWarningMessage("Do what can be done?", { modal: true, detail: fixes.join("\n") }, "Do It")) === "Do It";
}

/** A finding in full, with what helps. Answers whether the setup is to be checked again. */
async function showFinding(finding: Finding, folder: string): Promise<boolean> {
  const isOfAgent = /claude/i.test(finding.text);
  const buttons = [...(finding.kind === "problem" ? ["Check Again", "Open Terminal"] : []), ...(isOfAgent ? ["Open Settings"] : []), "Copy"];
  switch (await vscode.window.showInformationMessage(finding.kind === "ok" ? "In order" : "To look at", { modal: true, detail: finding.text }, ...buttons)) {
    case "Check Again":
      return true;
    case "Open Terminal":
      vscode.window.createTerminal({ name: "KanBots setup", cwd: folder }).show();
      return false;
    case "Open Settings":
      await vscode.commands.executeCommand("workbench.action.openSettings", "kanbots.agents");
      return false;
    case "Copy":
      await vscode.env.clipboard.writeText(finding.text);
      return false;
    default:
      return false;
  }
}
