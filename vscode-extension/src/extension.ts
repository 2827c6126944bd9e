import * as vscode from "vscode";
import { CardCommands } from "./cardCommands";
import { Landing } from "./landing/landing";
import { Review } from "./review/review";
import { Workspaces, runOfTarget, type Target } from "./sidecar/workspaces";
import { targetFor } from "./targets";
import { BoardPanels } from "./webviews/boardPanels";
import { Worktrees } from "./worktrees/worktrees";

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("KanBots", { log: true });
  const workspaces = new Workspaces(context, log);
  const boards = new BoardPanels(context.extensionUri, workspaces);
  const review = new Review(workspaces, context.workspaceState, log);
  context.subscriptions.push(
    log,
    workspaces,
    boards,
    new CardCommands(workspaces),
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

  async function showThread(argument: unknown, beside: boolean): Promise<void> {
    const target = await targetFor(workspaces, "showThread", argument);
    const run = target === undefined ? undefined : runOfTarget(target);
    if (target !== undefined && run !== undefined) {
      void beside;
    } else if (target !== undefined) {
      void vscode.window.showInformationMessage("This card has no run yet. Dispatch it to start one.");
    }
  }
}
