import * as vscode from "vscode";
import { isLive } from "../shared/actions";
import type { ChangedFile, LandingStrategy } from "../shared/protocol";
import { plain, plural } from "../shared/words";
import { report, withProgress } from "../report";
import { countWords, STATUS_LETTERS } from "../review/changes";
import type { Review } from "../review/review";
import { nowOf, runFor, type RunTarget } from "../review/target";
import { asFailure, type SidecarFailure } from "../sidecar/failure";
import type { Workspaces } from "../sidecar/workspaces";
import { askText, BACK, type Back, pickMany, pickOne, type Place } from "../steps";
import { branchesOf, showCommit } from "./git";
import { branchRows, branchTrouble, dayOf, landingWords, messageFor, shortCommit, STRATEGIES } from "./words";

const OUTPUT_SCHEME = "kanbots-output";
/** Outputs of hooks that can still be opened. */
const OUTPUTS_MAX = 20;
const SAID_MS = 8_000;

interface Choice {
  branch: string;
  isNew: boolean;
  strategy: LandingStrategy;
  /** Absent for all. */
  paths?: readonly string[];
  message: string;
}

/** Brings a run's work onto a branch, puts it aside, or brings it back. */
export class Landing implements vscode.Disposable {
  private readonly disposables: vscode.Disposable[];
  private readonly outputs = new Map<string, string>();

  constructor(private readonly workspaces: Workspaces, private readonly review: Review, private readonly log: vscode.LogOutputChannel) {
    const command = (name: string, run: (argument: unknown) => unknown) => vscode.commands.registerCommand(`kanbots.${name}`, run);
    this.disposables = [
      command("promote", (argument) => this.promote(argument)),
      command("promoteShown", () => this.promote(review.shown)),
      command("discard", (argument) => this.discard(argument)),
      command("discardShown", () => this.discard(review.shown)),
      command("restore", (argument) => this.restore(argument)),
      command("resolveConflicts", (argument) => this.resolve(argument)),
      vscode.workspace.registerTextDocumentContentProvider(OUTPUT_SCHEME, { provideTextDocumentContent: (uri) => this.outputs.get(uri.path) ?? "This output is not kept any more." }),
    ];
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }

  async promote(argument: unknown): Promise<void> {
    const target = await runFor(this.workspaces, "promote", argument);
    if (target === undefined) {
      return;
    }
    const { session, run } = target;
    if (isLive(nowOf(target))) {
      void vscode.window.showInformationMessage(`The agent of #${run.cardNumber} is still at work. Stop it, or wait until it is done, then promote.`);
      return;
    }
    // What a person sees in the tree and the diffs is this listing: exactly its tree lands.
    const read = await withProgress(`Reading the changes of #${run.cardNumber}`, this.log, async (cancel, say) => ({
      listing: await this.review.looks.of(session, run.id).current(cancel, say),
      branches: await branchesOf(session.repositoryRoot ?? session.folder).catch(() => ({ names: [] as readonly string[], head: undefined })),
    }));
    if (read === undefined) {
      return;
    }
    const { listing, branches } = read;
    if (listing.files.length === 0) {
      void vscode.window.showInformationMessage(`#${run.cardNumber} has changed no files: there is nothing to promote.`);
      return;
    }
    const choice = await this.choose(target, listing.files, branches);
    if (choice === undefined) {
      return;
    }
    const outcome = await withProgress(`Landing #${run.cardNumber} on ${choice.branch}`, this.log, async (cancel) => {
      try {
        return { done: await session.change("run/promote", { runId: run.id, targetBranch: choice.branch, expectedTree: listing.tree, strategy: choice.strategy, message: choice.message, paths: choice.paths }, cancel) };
      } catch (error) {
        return { failure: asFailure(error) };
      }
    });
    if (outcome?.done !== undefined) {
      const { commit } = outcome.done;
      if ((await vscode.window.showInformationMessage(plain(`Landed on ${choice.branch} as ${shortCommit(commit)}.`), "Show Commit")) !== undefined) {
        await showCommit(session.repositoryRoot ?? session.folder, commit).catch((error: unknown) => report("The commit could not be shown", error, this.log));
      }
    } else if (outcome?.failure !== undefined) {
      await this.refused(target, choice.branch, outcome.failure);
    }
  }

  /** Each step is asked until the last, with a way back. */
  private async choose(target: RunTarget, files: readonly ChangedFile[], branches: { names: readonly string[]; head?: string }): Promise<Choice | undefined> {
    const { run, title } = target;
    const choice: Choice = { branch: "", isNew: false, strategy: "squash", message: messageFor(title, run.cardNumber) };
    const steps = [
      (place: Place) => this.chooseBranch(place, target, choice, branches),
      (place: Place) => chooseStrategy(place, choice),
      (place: Place) => chooseFiles(place, choice, files),
      (place: Place) => chooseMessage(place, choice),
      (place: Place) => confirm(place, choice, files, foreseen(target, choice)),
    ];
    let forward = true;
    for (let at = 0; at < steps.length; at += forward ? 1 : -1) {
      const answer = await steps[at]?.({ title: plain(`Promote #${run.cardNumber} ${title}`, 100), step: at + 1, totalSteps: steps.length, canGoBack: at > 0 });
      if (answer === undefined) {
        return undefined;
      }
      forward = answer === SKIP ? forward : answer !== BACK;
    }
    return choice;
  }

  private async chooseBranch(place: Place, { run }: RunTarget, choice: Choice, branches: { names: readonly string[]; head?: string }): Promise<true | Back | undefined> {
    const rows = branchRows(branches.names, run.baseRef, branches.head).map((row) => ({ label: plain(row.name), description: row.why, iconPath: new vscode.ThemeIcon("git-branch"), name: row.name as string | undefined }));
    const make = { label: "New branch…", description: undefined, iconPath: new vscode.ThemeIcon("add"), name: undefined };
    for (;;) {
      const items = [...rows, make];
      const picked = await pickOne(place, items, "Land on which branch?", (row) => row.name === choice.branch);
      if (picked === undefined || picked === BACK) {
        return picked;
      }
      if (picked.name !== undefined) {
        [choice.branch, choice.isNew] = [picked.name, false];
        return true;
      }
      const named = await askText({ ...place, canGoBack: true }, {
        prompt: `The new branch begins where the run did (${plain(run.baseRef)}).`,
        value: choice.isNew ? choice.branch : `issue-${run.cardNumber}`,
        validate: (name) => (branches.names.includes(name) ? `${name} is there already. Go back and pick it to land on it.` : branchTrouble(name)),
      });
      if (named === undefined) {
        return undefined;
      }
      if (named !== BACK) {
        [choice.branch, choice.isNew] = [named, true];
        return true;
      }
    }
  }

  /** Nothing has landed and nothing has changed: says why, and offers what helps. */
  private async refused(target: RunTarget, branch: string, failure: SidecarFailure): Promise<void> {
    const { session, run } = target;
    const argument = { session, cardId: run.cardId, runId: run.id };
    this.log.error(`Promote #${run.cardNumber}: ${failure.kind}: ${failure.message}`);
    switch (failure.kind) {
      case "requestCancelled":
        vscode.window.setStatusBarMessage(`Not waiting for #${run.cardNumber} any more. Its card shows when it has landed.`, SAID_MS);
        break;
      case "mergeConflict": {
        const picked = await vscode.window.showWarningMessage(plain(`#${run.cardNumber}: ${failure.sentence}`, 600), "Let the Agent Resolve", "Open Worktree");
        if (picked === "Let the Agent Resolve") {
          await this.tellToResolve(target, branch);
        } else if (picked === "Open Worktree") {
          await vscode.commands.executeCommand("kanbots.openWorktree", argument);
        }
        break;
      }
      case "worktreeChanged":
        this.review.expire(session, run.id);
        if ((await vscode.window.showWarningMessage(plain(`#${run.cardNumber}: ${failure.sentence}`, 600), "Show What Changed")) !== undefined) {
          await vscode.commands.executeCommand("kanbots.reviewSinceLastLook", argument);
        }
        break;
      case "worktreeDirty":
        if ((await vscode.window.showWarningMessage(plain(`#${run.cardNumber}: ${failure.sentence}${named(failure)}`, 600), "Show Source Control")) !== undefined) {
          await vscode.commands.executeCommand("workbench.view.scm");
        }
        break;
      case "hookFailed": {
        const [first, ...rest] = failure.message.split("\n");
        const picked = await vscode.window.showWarningMessage(plain(`#${run.cardNumber}: ${first ?? ""}`, 600), ...(rest.length > 0 ? ["Show Output"] : []));
        if (picked !== undefined) {
          await this.showOutput(run.cardNumber, failure.message);
        }
        break;
      }
      default:
        await report(`#${run.cardNumber} has not landed`, failure, this.log);
    }
  }

  private async showOutput(cardNumber: number, text: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: OUTPUT_SCHEME, path: `/${Date.now()}/hook-${cardNumber}.log` });
    this.outputs.set(uri.path, `${text}\n`);
    for (const old of [...this.outputs.keys()].slice(0, -OUTPUTS_MAX)) {
      this.outputs.delete(old);
    }
    await vscode.window.showTextDocument(uri, { preview: true });
  }

  private async discard(argument: unknown): Promise<void> {
    const target = await runFor(this.workspaces, "discard", argument);
    if (target === undefined) {
      return;
    }
    const { session, run } = target;
    if (isLive(nowOf(target))) {
      const asked = await vscode.window.showWarningMessage(plain(`Stop the agent of #${run.cardNumber} and discard its work?`), { modal: true, detail: "Its worktree and branch are put aside whole and can be restored for a while." }, "Stop and Discard");
      if (asked === undefined) {
        return;
      }
    }
    const done = await withProgress(`Discarding #${run.cardNumber}`, this.log, (cancel) => session.change("run/discard", { runId: run.id }, cancel));
    if (done !== undefined && (await vscode.window.showInformationMessage(`Discarded the work of #${run.cardNumber}. It is kept until ${dayOf(done.restorableUntil, vscode.env.language)}.`, "Undo")) !== undefined) {
      await this.bringBack(target);
    }
  }

  private async restore(argument: unknown): Promise<void> {
    const target = await runFor(this.workspaces, "restore", argument);
    if (target !== undefined) {
      await this.bringBack(target);
    }
  }

  private async bringBack(target: RunTarget): Promise<void> {
    const { session, run } = target;
    const done = await withProgress(`Restoring #${run.cardNumber}`, this.log, (cancel) => session.change("run/restore", { runId: run.id }, cancel));
    if (done !== undefined && (await vscode.window.showInformationMessage(`Restored the work of #${run.cardNumber}.`, "Review")) !== undefined) {
      await vscode.commands.executeCommand("kanbots.review", { session, cardId: run.cardId, runId: run.id });
    }
  }

  private async resolve(argument: unknown): Promise<void> {
    const target = await runFor(this.workspaces, "resolveConflicts", argument);
    if (target !== undefined) {
      await this.tellToResolve(target, undefined);
    }
  }

  /** @param branch on which it could not land; absent for what the sidecar foresees */
  private async tellToResolve({ session, run }: RunTarget, branch: string | undefined): Promise<void> {
    const told = await withProgress(`Asking the agent of #${run.cardNumber}`, this.log, (cancel) => session.change("run/resolveConflicts", { runId: run.id, branch }, cancel));
    if (told !== undefined && (await vscode.window.showInformationMessage(`The agent of #${run.cardNumber} is asked to resolve the conflicts.`, "Show Thread")) !== undefined) {
      await vscode.commands.executeCommand("kanbots.showThread", { session, cardId: run.cardId, runId: run.id });
    }
  }
}

/** A step that has nothing to ask. */
const SKIP = Symbol("skip");

async function chooseStrategy(place: Place, choice: Choice): Promise<true | Back | undefined> {
  const rows = STRATEGIES.map(({ strategy, label, detail }) => ({ label, detail, strategy }));
  const picked = await pickOne(place, rows, `How does it land on ${plain(choice.branch)}?`, (row) => row.strategy === choice.strategy);
  if (picked === undefined || picked === BACK) {
    return picked;
  }
  choice.strategy = picked.strategy;
  return true;
}

/** Only a squash can leave files out. */
async function chooseFiles(place: Place, choice: Choice, files: readonly ChangedFile[]): Promise<true | Back | typeof SKIP | undefined> {
  if (choice.strategy !== "squash" || files.length === 1) {
    choice.paths = undefined;
    return SKIP;
  }
  const rows = files.map((file) => ({ label: plain(file.path), description: `${STATUS_LETTERS[file.status]} ${countWords(file)}`, path: file.path }));
  const picked = await pickMany(place, rows, "Which files land?", (row) => choice.paths?.includes(row.path) ?? true);
  if (picked === undefined || picked === BACK) {
    return picked;
  }
  choice.paths = picked.length === files.length ? undefined : picked.map((row) => row.path);
  return true;
}

async function chooseMessage(place: Place, choice: Choice): Promise<true | Back | undefined> {
  const asked = choice.strategy === "rebase" ? "The message of what was not committed." : "The message of the commit. The pencil opens an editor for a longer one.";
  const answer = await askText(place, { prompt: asked, value: choice.message, validate: (text) => (text.trim() === "" ? "A commit needs a message." : undefined), elsewhere: writeInEditor });
  if (answer === undefined || answer === BACK) {
    return answer;
  }
  choice.message = answer;
  return true;
}

/** A message of several lines, written where commit messages are written. */
async function writeInEditor(text: string): Promise<string | undefined> {
  const document = await vscode.workspace.openTextDocument({ language: "git-commit", content: text });
  await vscode.window.showTextDocument(document, { preview: false });
  const picked = await vscode.window.showInformationMessage("Write the message of the commit, then go on.", "Go On");
  const written = document.getText();
  if (!document.isClosed) {
    await vscode.window.showTextDocument(document);
    await vscode.commands.executeCommand("workbench.action.revertAndCloseActiveEditor");
  }
  return picked === undefined ? undefined : written;
}

async function confirm(place: Place, choice: Choice, files: readonly ChangedFile[], conflict: string | undefined): Promise<true | Back | undefined> {
  const landing = files.filter((file) => choice.paths?.includes(file.path) ?? true);
  const yes = { label: plain(landingWords(files, choice.paths, choice.branch, choice.isNew, choice.strategy)), detail: conflict ?? plain(choice.message.split("\n")[0] ?? ""), iconPath: new vscode.ThemeIcon("git-merge") };
  const shown = landing.slice(0, SHOWN_MAX).map((file) => ({ label: plain(file.path), description: `${STATUS_LETTERS[file.status]} ${countWords(file)}` }));
  const more = landing.length > SHOWN_MAX ? [{ label: `and ${plural(landing.length - SHOWN_MAX, "more file")}` }] : [];
  const items: vscode.QuickPickItem[] = [yes, { label: "What lands", kind: vscode.QuickPickItemKind.Separator }, ...shown, ...more];
  for (;;) {
    const picked = await pickOne(place, items, "Press Enter to land it", (item) => item === yes);
    if (picked === undefined || picked === BACK) {
      return picked;
    }
    if (picked === yes) {
      return true;
    }
  }
}
/** Files that a confirmation lists. */
const SHOWN_MAX = 200;

function foreseen(target: RunTarget, choice: Choice): string | undefined {
  const conflict = (nowOf(target).conflicts ?? []).find((known) => known.target === choice.branch);
  return conflict === undefined ? undefined : plain(`It conflicts with ${choice.branch} in ${plural(conflict.paths.length, "file")}: ${conflict.paths.slice(0, 3).join(", ")}`);
}

/** The files that are in the way, where the sentence does not name them. */
function named(failure: SidecarFailure): string {
  const paths = (failure.data.paths ?? []).filter((path) => !failure.sentence.includes(path)).slice(0, 5);
  return paths.length === 0 ? "" : ` (${paths.join(", ")})`;
}
