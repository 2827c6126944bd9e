import * as vscode from "vscode";
import { withProgress } from "../report";
import type { Card } from "../shared/protocol";
import { plain } from "../shared/words";
import { asFailure } from "../sidecar/failure";
import type { Session } from "../sidecar/session";
import type { Workspaces } from "../sidecar/workspaces";
import { cardFor, cardOfIssue, type ForeignIssue, readIssue } from "./forge";

/** Dispatches an issue from the Issues view of the GitHub Pull Requests extension, as a card of the board. */
export class GitHubIssues implements vscode.Disposable {
  private readonly command: vscode.Disposable;

  constructor(private readonly workspaces: Workspaces, private readonly log: vscode.LogOutputChannel) {
    this.command = vscode.commands.registerCommand("kanbots.dispatchGitHubIssue", (element?: unknown) => this.dispatch(element));
  }

  dispose(): void {
    this.command.dispose();
  }

  private async dispatch(element: unknown): Promise<void> {
    const issue = readIssue(element);
    if (issue === undefined) {
      void vscode.window.showErrorMessage("This is no issue with a number and a title. Make a card for it on the board instead.");
      return;
    }
    const session = await this.workspaces.pick(`Dispatch issue #${issue.number} in which repository?`, issue.folder === undefined ? undefined : vscode.Uri.file(issue.folder));
    if (session === undefined) {
      void vscode.window.showInformationMessage(plain(`${this.workspaces.state.message ?? "There is no board here."} ${this.workspaces.state.nextStep ?? ""}`));
      return;
    }
    const card = await withProgress(`Making a card for issue #${issue.number}`, this.log, (cancel) => cardOf(session, issue, cancel));
    if (card !== undefined) {
      await vscode.commands.executeCommand("kanbots.dispatch", { session, cardId: card.id });
    }
  }
}

async function cardOf(session: Session, issue: ForeignIssue, cancel: vscode.CancellationToken): Promise<Card> {
  // Asked for and not what is held: the board may still be on its way.
  const board = await session.request("board/get", {}, cancel);
  const known = cardOfIssue(board, issue);
  if (known !== undefined) {
    return known;
  }
  const params = cardFor(board, issue);
  try {
    return (await session.change("card/create", params, cancel)).card;
  } catch (error) {
    // A card that is archived, and so not on the board, has the number.
    if (asFailure(error).kind !== "invalidArgument" || params.number === undefined) {
      throw error;
    }
    return (await session.change("card/create", { ...params, number: undefined }, cancel)).card;
  }
}
