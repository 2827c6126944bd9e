import { existsSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import { CardCommands } from "./cardCommands";
import { Decisions } from "./decisions/decisions";
import { DecisionsView } from "./decisions/decisionsView";
import { Dispatch } from "./dispatch/dispatch";
import { GitHubIssues } from "./issues/githubIssues";
import { IssuesView } from "./issues/issuesView";
import { Landing } from "./landing/landing";
import { Review } from "./review/review";
import { Settings } from "./settings/settings";
import { Workspaces, runOfTarget, type Target } from "./sidecar/workspaces";
import { StatusBar } from "./status/statusBar";
import { targetFor } from "./targets";
import { Setup } from "./walkthrough/setup";
import { BoardPanels } from "./webviews/boardPanels";
import { LeftTabs } from "./webviews/leftTabs";
import { ThreadPanels } from "./webviews/threadPanels";
import { Worktrees } from "./worktrees/worktrees";

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("KanBots", { log: true });
  const workspaces = new Workspaces(context, log);
  const decisions = new Decisions(context, workspaces, log);
  const boards = new BoardPanels(context.extensionUri, workspaces);
  const threads = new ThreadPanels(context.extensionUri, workspaces);
  const review = new Review(workspaces, context.workspaceState, log);
  context.subscriptions.push(
    log,
    workspaces,
    boards,
    threads,
    new LeftTabs([boards, threads]),
    new CardCommands(workspaces),
    new Dispatch(context, workspaces, log),
    decisions,
    new DecisionsView(decisions),
    new IssuesView(workspaces),
    new GitHubIssues(workspaces, log),
    new StatusBar(workspaces, log),
    new Setup(workspaces, log),
    new Settings(context, workspaces, log),
    review,
    new Landing(workspaces, review, log),
    new Worktrees(workspaces, log),
    vscode.commands.registerCommand("kanbots.openBoard", async (argument?: Partial<Target> & { pick?: boolean }) => {
      workspaces.start();
      const session = argument?.session ?? (await workspaces.pick("Which board?", argument?.pick === true ? undefined : vscode.window.activeTextEditor?.document.uri));
      if (session !== undefined || workspaces.sessions.length === 0) {
        boards.show(session, argument?.cardId);
      }
    }),
    vscode.commands.registerCommand("kanbots.showThread", (argument?: unknown) => showThread(argument, true)),
    vscode.commands.registerCommand("kanbots.openThread", (argument?: unknown) => showThread(argument, false)),
    vscode.commands.registerCommand("kanbots.restartSidecar", async () => {
      const session = await workspaces.pick("Restart the sidecar of which repository?");
      await session?.restart();
    }),
    vscode.commands.registerCommand("kanbots.showLog", () => log.show()),
  );

  // Where agents have worked before they may work now: what they ask must not wait for somebody to open a view of ours.
  if ((vscode.workspace.workspaceFolders ?? []).some(({ uri }) => existsSync(join(uri.fsPath, ".git", "kanbots")))) {
    workspaces.start();
  }

  async function showThread(argument: unknown, beside: boolean): Promise<void> {
    const target = await targetFor(workspaces, "showThread", argument);
    // A run that was only just made may not be on the board yet: who names it knows that it is there.
    const runId = target === undefined ? undefined : (target.runId ?? runOfTarget(target)?.id);
    if (target !== undefined && runId !== undefined) {
      threads.show(target.session, runId, beside);
    } else if (target !== undefined) {
      void vscode.window.showInformationMessage("This card has no run yet. Dispatch it to start one.");
    }
  }
}
