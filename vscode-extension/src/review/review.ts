import * as vscode from "vscode";
import { hasWorktree } from "../shared/actions";
import { runById } from "../shared/board";
import type { ChangedFile } from "../shared/protocol";
import { plain } from "../shared/words";
import { withProgress } from "../report";
import type { Session } from "../sidecar/session";
import type { Workspaces } from "../sidecar/workspaces";
import { rowOf } from "../targets";
import { ChangedFiles, CHANGED_FILES_VIEW, type Node } from "./changedFiles";
import { diffTitle, FILES_OPENED_MAX, isPicture, isSameList, isThereOn, type Listing, partWords, pathOn } from "./changes";
import { Comments } from "./comments";
import { Contents } from "./contents";
import { type Look, Looks } from "./looks";
import { placeOf, uriOf } from "./places";
import { runFor, type RunTarget, runTarget } from "./target";

/** Trees that were shown at the last look, by run. The oldest are forgotten first. */
const LAST_LOOKS = "kanbots.lastLooks";
const LAST_LOOKS_MAX = 500;

/** Review of what a run has changed: its multi-file diff, single diffs, comments, and the tree of its files. */
export class Review implements vscode.Disposable {
  readonly looks: Looks;
  private readonly contents: Contents;
  private readonly comments: Comments;
  private readonly files: ChangedFiles;
  private readonly disposables: vscode.Disposable[];
  private readonly heard = new Map<Session, vscode.Disposable>();
  /** Lists of files as they were opened in a diff of several, by look. */
  /** What diffs were called that were opened, for those that cannot be told by their files. */
  private readonly titles = new Map<string, Look>();
  private readonly opened = new Map<Look, Listing>();

  constructor(private readonly workspaces: Workspaces, private readonly memory: vscode.Memento, private readonly log: vscode.LogOutputChannel) {
    this.looks = new Looks(workspaces);
    this.contents = new Contents(this.looks);
    this.comments = new Comments(workspaces, this.contents, log);
    this.files = new ChangedFiles(this.looks, this.comments, memory, log);
    const command = (name: string, run: (argument: unknown) => unknown) => vscode.commands.registerCommand(`kanbots.${name}`, run);
    this.disposables = [
      this.looks,
      this.contents,
      this.comments,
      this.files,
      command("review", (argument) => this.review(argument, false)),
      command("reviewSinceLastLook", (argument) => this.review(argument, true)),
      command("reviewShown", () => this.review(this.files.target, false)),
      command("reviewShownSinceLastLook", () => this.review(this.files.target, true)),
      command("reloadReview", () => this.reload()),
      command("openChange", (node) => this.openChange(node as Node)),
      command("openInWorktree", (node) => this.openInWorktree(node as Node)),
      command("editInWorktree", (uri) => this.edit(uri instanceof vscode.Uri ? uri : undefined)),
      command("switchReviewedRun", () => this.switchRun()),
      command("closeReview", () => this.files.close()),
      command("viewChangesAsList", () => this.files.setList(true)),
      command("viewChangesAsTree", () => this.files.setList(false)),
      command("sendComments", (argument) => this.send(argument)),
      this.looks.onDidChange(() => this.compareLists()),
      vscode.window.tabGroups.onDidChangeTabs(() => this.compareLists()),
      workspaces.onDidChange(() => this.hear()),
    ];
    this.hear();
    if (this.files.remembered !== undefined) {
      workspaces.start();
    }
  }

  /** The run whose files the view shows, for commands of its title. */
  get shown(): { session: Session; runId: number; cardId?: number } | undefined {
    return this.files.target;
  }

  /** What was shown of a run is not how it is any more. */
  expire(session: Session, runId: number): void {
    for (const look of this.looks.ofRun(session, runId)) {
      look.expire();
    }
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables, ...this.heard.values()).dispose();
  }

  /** Opens all that a run has changed, or what it has changed since somebody looked, in one diff. */
  async review(argument: unknown, sinceLastLook: boolean): Promise<void> {
    const target = await runFor(this.workspaces, sinceLastLook ? "reviewSinceLastLook" : "review", argument);
    if (target === undefined) {
      return;
    }
    const remembered = sinceLastLook ? this.lastLook(target) : undefined;
    const read = await withProgress(`Reading the changes of #${target.run.cardNumber}`, this.log, async (cancel, say) => {
      const whole = this.looks.of(target.session, target.run.id);
      if (remembered === undefined) {
        return { look: whole, listing: await whole.load(cancel, say) };
      }
      const since = this.looks.of(target.session, target.run.id, remembered);
      try {
        return { look: since, listing: await since.load(cancel, say) };
      } catch (error) {
        if (cancel.isCancellationRequested) {
          throw error;
        }
        // git has cleaned that tree away meanwhile.
        return { look: whole, listing: await whole.load(cancel, say) };
      }
    });
    if (read === undefined) {
      return;
    }
    this.files.show(target.session, target.run.id);
    await this.files.introduce();
    await this.open(target, read.look, read.listing, sinceLastLook);
  }

  /** @param start the first of the files that are opened: of many, a part at a time */
  private async open(target: RunTarget, look: Look, listing: Listing, sinceLastLook: boolean, start = 0): Promise<void> {
    const { session, run } = target;
    const since = look.from !== undefined;
    await this.rememberLook(target, listing.tree);
    if (listing.files.length === 0) {
      const all = since ? "Review All" : undefined;
      const words = since ? `Nothing has changed in #${run.cardNumber} since your last look.` : `#${run.cardNumber} has changed no files yet.`;
      if ((await vscode.window.showInformationMessage(words, ...(all === undefined ? [] : [all]))) !== undefined) {
        await this.review({ session, cardId: run.cardId, runId: run.id }, false);
      }
      return;
    }
    const resources = listing.files.slice(start, start + FILES_OPENED_MAX).map((file) => {
      const [original, modified] = (["base", "head"] as const).map((side) => (isThereOn(file, side) ? uriOf({ folder: session.folder, runId: run.id, path: pathOn(file, side), side, from: look.from }) : undefined));
      return [modified ?? original, original, modified];
    });
    const before = this.tabsOf(look, true);
    // First, where it does not close a column of the window: two parts at once are more than an editor bears.
    const closing = before.filter((tab) => tab.group.tabs.length > 1);
    if (closing.length > 0) {
      await vscode.window.tabGroups.close(closing, true);
    }
    const title = plain(diffTitle(run.cardNumber, target.title, listing, since, start), 120);
    this.titles.set(title, look);
    await vscode.commands.executeCommand("vscode.changes", title, resources);
    // The diffs of single files, which come and go in one tab, do not take its place.
    await vscode.commands.executeCommand("workbench.action.keepEditor");
    const rest = before.filter((tab) => !closing.includes(tab));
    if (rest.length > 0) {
      await vscode.window.tabGroups.close(rest, true);
    }
    this.opened.set(look, listing);
    this.compareLists();
    if (sinceLastLook && !since) {
      vscode.window.setStatusBarMessage(`No earlier look at #${run.cardNumber} is known: this is all of it.`, SAID_MS);
    }
    if (listing.files.length > FILES_OPENED_MAX) {
      const next = start + FILES_OPENED_MAX < listing.files.length ? ["Open the Next"] : [];
      const more = await vscode.window.showInformationMessage(`${partWords(listing, start)} are open. All are in Changed Files of Source Control.`, ...next, "Show Changed Files");
      if (more === "Show Changed Files") {
        await vscode.commands.executeCommand(`${CHANGED_FILES_VIEW}.focus`);
      } else if (more !== undefined) {
        await this.open(target, look, listing, sinceLastLook, start + FILES_OPENED_MAX);
      }
    }
  }

  /** The change of one file. */
  private async openChange(node: Node | undefined): Promise<void> {
    const target = this.files.target;
    if (node?.kind !== "file" || target === undefined) {
      return;
    }
    const { file } = node;
    const raw = isPicture(file) || undefined;
    const at = (side: "base" | "head") => uriOf({ folder: target.session.folder, runId: target.runId, path: pathOn(file, side), side, raw });
    const options: vscode.TextDocumentShowOptions = { preview: true };
    if (isThereOn(file, "base") && isThereOn(file, "head")) {
      await vscode.commands.executeCommand("vscode.diff", at("base"), at("head"), plain(`${nameOf(file)} (${this.numberOf(target.session, target.runId)})`), options);
    } else {
      await vscode.commands.executeCommand("vscode.open", at(isThereOn(file, "head") ? "head" : "base"), options, plain(`${nameOf(file)} (${this.numberOf(target.session, target.runId)}, ${file.status})`));
    }
  }

  private async openInWorktree(node: Node | undefined): Promise<void> {
    const target = this.files.target;
    if (node?.kind === "file" && target !== undefined) {
      await this.openFile(target.session, target.runId, node.file.path);
    }
  }

  /** The file behind a side of a diff, to be edited where the agent works. */
  private async edit(uri: vscode.Uri | undefined): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const shown = uri ?? editor?.document.uri;
    const place = shown === undefined ? undefined : placeOf(shown);
    const session = place === undefined ? undefined : this.workspaces.sessionOf(place.folder);
    if (place === undefined || session === undefined) {
      void vscode.window.showInformationMessage("Open a file of a review first.");
      return;
    }
    await this.openFile(session, place.runId, place.path, editor?.document.uri.toString() === shown?.toString() ? editor?.selection : undefined);
  }

  private async openFile(session: Session, runId: number, path: string, selection?: vscode.Selection): Promise<void> {
    const run = session.board === undefined ? undefined : runById(session.board, runId);
    if (run === undefined || !hasWorktree(run) || path.split("/").includes("..")) {
      void vscode.window.showInformationMessage("The worktree of this run is not there.");
      return;
    }
    const uri = vscode.Uri.joinPath(vscode.Uri.file(run.worktreePath), ...path.split("/"));
    try {
      await vscode.window.showTextDocument(uri, { preview: false, selection });
    } catch {
      await vscode.commands.executeCommand("vscode.open", uri); // not text, or not there any more: the editor says so
    }
  }

  private async switchRun(): Promise<void> {
    const several = this.workspaces.sessions.length > 1;
    const rows = this.workspaces.sessions.flatMap((session) =>
      (session.board?.cards ?? []).flatMap((card) => {
        const run = session.board === undefined ? undefined : runTarget({ session, cardId: card.id })?.run;
        return run !== undefined && hasWorktree(run) ? [{ ...rowOf(session, card, several), session, run }] : [];
      }),
    );
    const picked = await vscode.window.showQuickPick(rows, { placeHolder: rows.length === 0 ? "No run has a worktree now." : "Show the changed files of which card?", matchOnDescription: true });
    if (picked !== undefined) {
      this.files.show(picked.session, picked.run.id);
      await vscode.commands.executeCommand(`${CHANGED_FILES_VIEW}.focus`);
    }
  }

  private async send(argument: unknown): Promise<void> {
    const target = this.comments.ofThread(argument) ?? this.files.target;
    const run = target?.session.board === undefined ? undefined : runById(target.session.board, target.runId);
    if (target === undefined || run === undefined) {
      void vscode.window.showInformationMessage("Review a run first, then write comments on its lines.");
      return;
    }
    await this.comments.send(target.session, run.id, run.cardNumber);
  }

  private numberOf(session: Session, runId: number): string {
    const run = session.board === undefined ? undefined : runById(session.board, runId);
    return run === undefined ? `run ${runId}` : `#${run.cardNumber}`;
  }

  /**
   * Tabs that show a look in a diff of several files. VS Code tells their files, but has no stable name for their kind.
   * @param anySince those of earlier looks of the run too, where this one is since the last
   */
  private tabsOf(look: Look, anySince: boolean): vscode.Tab[] {
    return vscode.window.tabGroups.all.flatMap((group) => group.tabs).filter((tab) => {
      const diffs = (tab.input as { textDiffs?: readonly { modified?: vscode.Uri; original?: vscode.Uri }[] } | undefined)?.textDiffs;
      // VS Code names only files that have both sides. A diff of nothing but new or deleted files is known by the title that it was given.
      const titled = diffs?.length === 0 ? [...this.titles].find(([title]) => tab.label === title || tab.label.startsWith(`${title} (`))?.[1] : undefined;
      const place = titled === undefined ? diffs?.map(({ modified, original }) => modified ?? original).map((uri) => (uri === undefined ? undefined : placeOf(uri))).find((found) => found !== undefined) : { folder: titled.session.folder, runId: titled.runId, from: titled.from };
      return place !== undefined && place.folder === look.session.folder && place.runId === look.runId && (place.from === look.from || (anySince && place.from !== undefined && look.from !== undefined));
    });
  }

  /** Says quietly where a diff that is open does not hold the files that have changed. */
  private compareLists(): void {
    const target = this.files.target;
    this.outdated = undefined;
    for (const [look, listing] of this.opened) {
      if (this.tabsOf(look, false).length === 0) {
        this.opened.delete(look);
        for (const [title, other] of this.titles) {
          if (other === look) {
            this.titles.delete(title);
          }
        }
      } else if (target !== undefined && look.session === target.session && look.runId === target.runId && look.listing !== undefined && !isSameList(listing, look.listing)) {
        this.outdated = look;
      }
    }
    this.files.setStale(this.outdated !== undefined);
  }
  private outdated: Look | undefined;

  /** Opens the diff that is open once more, with the files of now. */
  private async reload(): Promise<void> {
    const look = this.outdated;
    const run = look?.session.board === undefined ? undefined : runById(look.session.board, look.runId);
    const target = look === undefined || run === undefined ? undefined : runTarget({ session: look.session, cardId: run.cardId, runId: run.id });
    if (look?.listing !== undefined && target !== undefined) {
      await this.open(target, look, look.listing, look.from !== undefined);
    }
  }

  private hear(): void {
    for (const session of this.workspaces.sessions) {
      if (!this.heard.has(session)) {
        this.heard.set(session, session.onDidChangeBoard(({ change }) => this.onBoard(session, change?.runs.map((run) => run.id))));
        this.onBoard(session, undefined);
      }
    }
    for (const [session, listening] of this.heard) {
      if (!this.workspaces.sessions.includes(session)) {
        listening.dispose();
        this.heard.delete(session);
        if (this.files.target?.session === session) {
          this.files.close();
        }
      }
    }
    this.setContext();
  }

  /** @param runs that have changed; absent when the board came whole */
  private onBoard(session: Session, runs: readonly number[] | undefined): void {
    const board = session.board;
    if (board === undefined) {
      return;
    }
    const remembered = this.files.remembered;
    const target = this.files.target;
    if (target === undefined && remembered?.folder === session.folder && board.runs.some((run) => run.id === remembered.runId && hasWorktree(run))) {
      this.files.show(session, remembered.runId);
    } else if (target?.session === session && (runs === undefined || runs.includes(target.runId))) {
      const run = runById(board, target.runId);
      if (run === undefined || run.state === "discarded") {
        this.files.close();
      } else {
        this.files.draw();
      }
    }
    this.setContext();
  }

  /** Whether Source Control offers to land something. */
  private setContext(): void {
    const has = this.workspaces.sessions.some((session) => (session.board?.runs ?? []).some((run) => hasWorktree(run)));
    if (has !== this.hasRuns) {
      this.hasRuns = has;
      void vscode.commands.executeCommand("setContext", "kanbots.hasWorktrees", has);
    }
  }
  private hasRuns = false;

  private lastLook({ session, run }: RunTarget): string | undefined {
    return this.memory.get<Record<string, string>>(LAST_LOOKS, {})[lookKey(session, run.id)];
  }

  private async rememberLook({ session, run }: RunTarget, tree: string): Promise<void> {
    const key = lookKey(session, run.id);
    const { [key]: _, ...others } = this.memory.get<Record<string, string>>(LAST_LOOKS, {});
    await this.memory.update(LAST_LOOKS, Object.fromEntries([...Object.entries(others).slice(-(LAST_LOOKS_MAX - 1)), [key, tree]]));
  }
}

const SAID_MS = 8_000;
const lookKey = (session: Session, runId: number): string => `${session.folder}#${session.board?.epoch ?? ""}#${runId}`;
const nameOf = (file: ChangedFile): string => file.path.slice(file.path.lastIndexOf("/") + 1);
