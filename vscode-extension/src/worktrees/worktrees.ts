import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import type { RemovedWorktree, WorktreeItem, WorktreeListResult } from "../shared/protocol";
import { bytes, plain, plural } from "../shared/words";
import { report, withProgress } from "../report";
import { asFailure } from "../sidecar/failure";
import type { Session } from "../sidecar/session";
import type { Workspaces } from "../sidecar/workspaces";
import { freed, offered, planWords, resultWords, rowOf } from "./words";

interface Row extends vscode.QuickPickItem {
  item: WorktreeItem;
}

const OPEN: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("empty-window"), tooltip: "Open in New Window" };
/** How often a plan is shown again because the worktrees have changed under it. */
const PLANS_MAX = 5;

/** The worktrees of a repository, and removing them: what is to be done is shown first, and only that is done. */
export class Worktrees implements vscode.Disposable {
  private readonly registered: vscode.Disposable;

  constructor(private readonly workspaces: Workspaces, private readonly log: vscode.LogOutputChannel) {
    this.registered = vscode.commands.registerCommand("kanbots.manageWorktrees", (argument?: { session?: Session }) => this.manage(argument?.session));
  }

  dispose(): void {
    this.registered.dispose();
  }

  async manage(given?: Session): Promise<void> {
    const session = given ?? (await this.workspaces.pick("Clean up the worktrees of which repository?"));
    const listed = session === undefined ? undefined : await this.list(session);
    if (session === undefined || listed === undefined) {
      return;
    }
    const items = offered(listed.worktrees);
    if (items.length === 0) {
      void vscode.window.showInformationMessage("There is no worktree to remove.");
      return;
    }
    const chosen = await pick(items, listed.trashBytes);
    if (chosen === undefined || chosen.length === 0) {
      return;
    }
    const foreign = chosen.filter((item) => item.class === "foreign");
    const kept = foreign.length === 0 || (await confirmForeign(foreign)) ? chosen : chosen.filter((item) => item.class !== "foreign");
    if (kept.length > 0) {
      await this.remove(session, kept);
    }
  }

  private list(session: Session): Promise<WorktreeListResult | undefined> {
    return withProgress("Looking through the worktrees", this.log, async (cancel, say) => {
      const progressToken = randomUUID();
      const heard = session.onDidProgress((progress) => progress.token === progressToken && say(progress.message));
      try {
        return await session.request("worktree/list", { progressToken }, cancel);
      } finally {
        heard.dispose();
      }
    });
  }

  private async remove(session: Session, chosen: readonly WorktreeItem[]): Promise<void> {
    const paths = chosen.map((item) => item.path);
    const foreign = chosen.some((item) => item.class === "foreign") || undefined;
    for (let shown = 0; shown < PLANS_MAX; shown++) {
      const plan = await withProgress("Looking at what would be removed", this.log, (cancel) => session.change("worktree/remove", { paths, foreign }, cancel));
      if (plan === undefined || !(await confirmPlan(plan.worktrees, shown > 0))) {
        return;
      }
      const outcome = await withProgress(`Removing ${plural(paths.length, "worktree")}`, this.log, async (cancel) => {
        try {
          return { done: await session.change("worktree/remove", { paths, foreign, plan: plan.plan }, cancel) };
        } catch (error) {
          return { failure: asFailure(error) };
        }
      });
      if (outcome?.done !== undefined) {
        const { worktrees } = outcome.done;
        const say = worktrees.every((one) => one.done || one.why === undefined) ? vscode.window.showInformationMessage : vscode.window.showWarningMessage;
        void say(plain(resultWords(worktrees), 600));
        return;
      }
      if (outcome === undefined || outcome.failure.kind !== "worktreeChanged") {
        await report("The worktrees were not removed", outcome?.failure, this.log);
        return;
      }
    }
  }
}

function pick(items: readonly WorktreeItem[], trashBytes: number): Promise<readonly WorktreeItem[] | undefined> {
  const input = vscode.window.createQuickPick<Row>();
  const free: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("trash"), tooltip: `Choose All That Was Discarded (${bytes(trashBytes)})` };
  input.title = "Clean Up Worktrees";
  input.placeholder = "Which worktrees are to go? What is lost is shown before anything is removed.";
  input.canSelectMany = true;
  input.matchOnDescription = true;
  input.matchOnDetail = true;
  input.buttons = items.some((item) => item.class === "trash") ? [free] : [];
  input.items = items.map((item) => {
    const row = rowOf(item);
    return { label: plain(row.label), description: plain(row.description), detail: plain(row.detail), buttons: item.class === "trash" || item.class === "missing" ? [] : [OPEN], item };
  });
  return new Promise((resolve) => {
    let answer: readonly WorktreeItem[] | undefined;
    input.onDidTriggerButton(() => (input.selectedItems = input.items.filter((row) => row.item.class === "trash")));
    input.onDidTriggerItemButton(({ item: row }) => void vscode.commands.executeCommand("vscode.openFolder", vscode.Uri.file(row.item.path), { forceNewWindow: true }));
    input.onDidAccept(() => {
      answer = input.selectedItems.map((row) => row.item);
      input.hide();
    });
    input.onDidHide(() => {
      input.dispose();
      resolve(answer);
    });
    input.show();
  });
}

async function confirmForeign(foreign: readonly WorktreeItem[]): Promise<boolean> {
  const words = foreign.length === 1 ? "This worktree is not of KanBots' making. Remove it all the same?" : `${foreign.length} worktrees are not of KanBots' making. Remove them all the same?`;
  return (await vscode.window.showWarningMessage(words, { modal: true, detail: plain(foreign.map((item) => item.path).join(", "), 1_000) }, "Remove Them Too")) !== undefined;
}

async function confirmPlan(plan: readonly RemovedWorktree[], again: boolean): Promise<boolean> {
  const going = plan.filter((one) => one.removal !== "nothing");
  const detail = planWords(plan).split("\n").map((line) => plain(line)).join("\n");
  if (going.length === 0) {
    void vscode.window.showInformationMessage(plain(`Nothing would be removed. ${detail}`, 600));
    return false;
  }
  const words = `${again ? "The worktrees have changed meanwhile. " : ""}Remove ${plural(going.length, "worktree")}${freed(plan) > 0 ? ` and free ${bytes(freed(plan))}` : ""}?`;
  return (await vscode.window.showWarningMessage(words, { modal: true, detail }, "Remove")) !== undefined;
}
