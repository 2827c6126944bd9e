import * as vscode from "vscode";
import type { ChangedFile, ViewedFile } from "../shared/protocol";
import { runById } from "../shared/board";
import { plain, plural } from "../shared/words";
import { report } from "../report";
import type { Session } from "../sidecar/session";
import { asList, asTree, countWords, filesUnder, isThereOn, type Row, STATUS_COLORS, STATUS_LETTERS, STATUS_WORDS, totalWords } from "./changes";
import type { Comments } from "./comments";
import type { Look, Looks } from "./looks";
import { HEAD_SCHEME, placeOf, uriOf } from "./places";

export const CHANGED_FILES_VIEW = "kanbots.changedFiles";
/** Of the rows' resources: nothing reads it. A file that can be read but not written has VS Code's lock in the place of the letter. */
const ROW_SCHEME = "kanbots-changed";

/** A row of ours above the files: something to do. */
interface Step {
  kind: "step";
  id: string;
  label: string;
  icon: string;
  command: string;
}
export type Node = Row | Step;

/** What is remembered over a reload of the window. */
interface Remembered {
  folder: string;
  runId: number;
}
const REMEMBERED = "kanbots.looked";
const AS_LIST = "kanbots.changedFilesAsList";
const SEEN = "kanbots.changedFilesSeen";

/** The files of the run that is being reviewed, in the Source Control container, with a mark on those that were viewed. Follows the worktree. */
export class ChangedFiles implements vscode.TreeDataProvider<Node>, vscode.FileDecorationProvider, vscode.Disposable {
  private look: Look | undefined;
  private hold: vscode.Disposable | undefined;
  private rows: readonly Node[] = [];
  /** The rows by their id, with what each says: VS Code is told of one alone by the very object that it knows. */
  private nodes = new Map<string, { node: Node; says: string }>();
  private shape = "";
  private stale = false;
  private readonly view: vscode.TreeView<Node>;
  private readonly didChangeTreeData = new vscode.EventEmitter<Node[] | undefined>();
  private readonly didChangeFileDecorations = new vscode.EventEmitter<undefined>();
  private readonly disposables: vscode.Disposable[];
  readonly onDidChangeTreeData = this.didChangeTreeData.event;
  readonly onDidChangeFileDecorations = this.didChangeFileDecorations.event;

  constructor(private readonly looks: Looks, private readonly comments: Comments, private readonly memory: vscode.Memento, private readonly log: vscode.LogOutputChannel) {
    this.view = vscode.window.createTreeView<Node>(CHANGED_FILES_VIEW, { treeDataProvider: this, showCollapseAll: true, manageCheckboxStateManually: true });
    this.disposables = [
      this.view,
      this.didChangeTreeData,
      this.didChangeFileDecorations,
      vscode.window.registerFileDecorationProvider(this),
      this.view.onDidChangeCheckboxState(({ items }) => this.mark(items)),
      this.view.onDidChangeVisibility(() => this.follow()),
      looks.onDidChange((look) => look === this.look && this.draw()),
      comments.onDidChange(() => this.draw()),
    ];
    void vscode.commands.executeCommand("setContext", "kanbots.changedFilesAsList", this.isList);
  }

  dispose(): void {
    this.hold?.dispose();
    vscode.Disposable.from(...this.disposables).dispose();
  }

  /** The run that is looked at. */
  get target(): { session: Session; runId: number; cardId?: number } | undefined {
    return this.look === undefined ? undefined : { session: this.look.session, runId: this.look.runId, cardId: this.run?.cardId };
  }

  /** What was looked at before the window was reloaded, where it can be again. */
  get remembered(): Remembered | undefined {
    return this.memory.get<Remembered>(REMEMBERED);
  }

  show(session: Session, runId: number): void {
    this.hold?.dispose();
    this.hold = undefined;
    this.look = this.looks.of(session, runId);
    this.stale = false;
    void this.memory.update(REMEMBERED, { folder: session.folder, runId } satisfies Remembered);
    void vscode.commands.executeCommand("setContext", "kanbots.reviewing", true);
    void this.comments.read(session, runId);
    this.follow();
    this.draw();
  }

  /** VS Code shows a view in Source Control folded at first: the first review of a workspace unfolds it, and then it stays as a person leaves it. */
  async introduce(): Promise<void> {
    if (!this.memory.get<boolean>(SEEN, false)) {
      await this.memory.update(SEEN, true);
      await vscode.commands.executeCommand(`${CHANGED_FILES_VIEW}.focus`, { preserveFocus: true });
    }
  }

  close(): void {
    this.hold?.dispose();
    this.hold = undefined;
    this.look = undefined;
    this.rows = [];
    void this.memory.update(REMEMBERED, undefined);
    void vscode.commands.executeCommand("setContext", "kanbots.reviewing", false);
    this.draw();
  }

  /** The diff that is open shows another list of files than this one: says so, with what to do. */
  setStale(stale: boolean): void {
    if (this.stale !== stale) {
      this.stale = stale;
      this.draw();
    }
  }

  get isList(): boolean {
    return this.memory.get<boolean>(AS_LIST, false);
  }

  async setList(isList: boolean): Promise<void> {
    await this.memory.update(AS_LIST, isList);
    await vscode.commands.executeCommand("setContext", "kanbots.changedFilesAsList", isList);
    this.draw();
  }

  /** Something of the run is another: its state, or its card's title. */
  draw(): void {
    const listing = this.look?.listing;
    const run = this.run;
    const steps: Step[] = [];
    const drafts = this.look === undefined ? 0 : this.comments.countOf(this.look.session, this.look.runId);
    if (drafts > 0) {
      steps.push({ kind: "step", id: "send", label: `Send ${plural(drafts, "comment")} to agent`, icon: "comment-discussion", command: "kanbots.sendComments" });
    }
    if (this.stale) {
      steps.push({ kind: "step", id: "reload", label: "The open diff has other files: reload it", icon: "refresh", command: "kanbots.reloadReview" });
    }
    const fresh: readonly Node[] = [...steps, ...(listing === undefined ? [] : this.isList ? asList(listing.files) : asTree(listing.files))];
    void vscode.commands.executeCommand("setContext", "kanbots.hasComments", drafts > 0);
    this.view.description = run === undefined ? undefined : plain(`#${run.cardNumber} ${this.title}`, 80);
    this.view.message = this.message();
    this.tell(fresh);
  }

  /** Tells VS Code what differs: rows that say something else alone, or everything when rows came, went or moved. While it asks for everything anew a click on a row is lost. */
  private tell(fresh: readonly Node[]): void {
    const before = this.nodes;
    this.nodes = new Map();
    this.rows = fresh.map((node) => this.kept(node, before));
    const shape = JSON.stringify([this.look?.session.folder, this.isList, [...this.nodes.keys()]]);
    const changed = [...this.nodes].flatMap(([id, { node, says }]) => (before.get(id)?.says === says ? [] : [node]));
    if (shape !== this.shape || changed.length > 0) {
      this.didChangeTreeData.fire(shape === this.shape ? changed : undefined);
      this.didChangeFileDecorations.fire(undefined);
    }
    this.shape = shape;
  }

  /** The row of before with this id, filled with what is so now. */
  private kept(fresh: Node, before: ReadonlyMap<string, { node: Node }>): Node {
    const id = this.idOf(fresh);
    const known = before.get(id)?.node;
    const node = known?.kind === fresh.kind ? known : fresh;
    const now = fresh.kind === "folder" ? { ...fresh, children: fresh.children.map((child) => this.kept(child, before) as Row) } : fresh;
    const says = fresh.kind === "file" ? JSON.stringify(fresh.file) : fresh.kind === "folder" ? String(isViewed(fresh)) : fresh.label;
    this.nodes.set(id, { node: Object.assign(node, now), says });
    return node;
  }

  private idOf(node: Node): string {
    return node.kind === "step" ? node.id : `${this.look?.runId}:${node.kind === "folder" ? `${node.path}/` : node.file.path}`;
  }

  getChildren(node?: Node): Node[] {
    return [...(node === undefined ? this.rows : node.kind === "folder" ? node.children : [])];
  }

  getTreeItem(node: Node): vscode.TreeItem {
    if (node.kind === "step") {
      const item = new vscode.TreeItem(node.label);
      item.id = this.idOf(node);
      item.iconPath = new vscode.ThemeIcon(node.icon);
      item.command = { command: node.command, title: node.label };
      item.contextValue = node.id;
      return item;
    }
    const viewed = isViewed(node);
    const state = viewed ? vscode.TreeItemCheckboxState.Checked : vscode.TreeItemCheckboxState.Unchecked;
    const tooltip = viewed ? "Viewed" : "Mark as viewed";
    if (node.kind === "folder") {
      const item = new vscode.TreeItem(plain(node.name), vscode.TreeItemCollapsibleState.Expanded);
      item.id = this.idOf(node);
      item.iconPath = vscode.ThemeIcon.Folder;
      item.checkboxState = { state, tooltip };
      item.tooltip = plain(node.path);
      item.contextValue = "folder";
      return item;
    }
    const { file } = node;
    const slash = file.path.lastIndexOf("/");
    const item = new vscode.TreeItem(plain(file.path.slice(slash + 1)));
    item.id = this.idOf(node);
    item.description = plain([this.isList && slash > 0 ? file.path.slice(0, slash) : undefined, countWords(file), file.previousPath === undefined ? undefined : `was ${file.previousPath}`].filter((word) => word !== undefined).join(" · "));
    item.tooltip = plain(`${file.path}: ${STATUS_WORDS[file.status]}, ${countWords(file)}`);
    item.resourceUri = this.addressOf(file);
    item.iconPath = vscode.ThemeIcon.File;
    item.checkboxState = { state, tooltip };
    item.command = { command: "kanbots.openChange", title: "Open Change", arguments: [node] };
    item.contextValue = isThereOn(file, "head") ? "file" : "deletedFile";
    return item;
  }

  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    const place = uri.scheme === ROW_SCHEME ? placeOf(uri.with({ scheme: HEAD_SCHEME })) : undefined;
    const look = this.look;
    const file = place === undefined || look?.runId !== place.runId || look.session.folder !== place.folder ? undefined : look.listing?.files.find((other) => other.path === place.path);
    return file === undefined ? undefined : new vscode.FileDecoration(STATUS_LETTERS[file.status], STATUS_WORDS[file.status], new vscode.ThemeColor(STATUS_COLORS[file.status]));
  }

  private get run() {
    const board = this.look?.session.board;
    return this.look === undefined || board === undefined ? undefined : runById(board, this.look.runId);
  }

  private get title(): string {
    return this.look?.session.board?.cards.find((card) => card.id === this.run?.cardId)?.title ?? "";
  }

  private addressOf(file: ChangedFile): vscode.Uri | undefined {
    return this.look === undefined ? undefined : uriOf({ folder: this.look.session.folder, runId: this.look.runId, path: file.path, side: "head" }).with({ scheme: ROW_SCHEME });
  }

  private message(): string | undefined {
    if (this.look === undefined) {
      return undefined;
    }
    const { failure, listing } = this.look;
    if (failure !== undefined) {
      return plain(failure.sentence, 600);
    }
    if (listing === undefined) {
      return "Reading the changes…";
    }
    const viewed = listing.files.filter((file) => file.viewed === true).length;
    const left = listing.left.length === 0 ? "" : ` ${plural(listing.left.length, "path")} that git cannot take in stay in the worktree.`;
    return `${totalWords(listing.total)}${viewed === 0 ? "" : ` · ${viewed} viewed`}${left === "" ? "" : `.${left}`}`;
  }

  /** What nobody sees is not followed. */
  private follow(): void {
    if (this.look !== undefined && this.view.visible) {
      this.hold ??= this.look.hold();
    } else {
      this.hold?.dispose();
      this.hold = undefined;
    }
  }

  private async mark(items: readonly [Node, vscode.TreeItemCheckboxState][]): Promise<void> {
    const look = this.look;
    if (look === undefined) {
      return;
    }
    try {
      for (const viewed of [true, false]) {
        const wanted = viewed ? vscode.TreeItemCheckboxState.Checked : vscode.TreeItemCheckboxState.Unchecked;
        const files = new Map<string, ViewedFile>(items.filter(([node, state]) => node.kind !== "step" && state === wanted).flatMap(([node]) => filesUnder(node as Row)).map(({ path, blob }) => [path, { path, blob }]));
        for (let start = 0; start < files.size; start += MARKED_AT_ONCE) {
          await look.session.change("review/markViewed", { runId: look.runId, files: [...files.values()].slice(start, start + MARKED_AT_ONCE), viewed });
        }
      }
    } catch (error) {
      await report("The files were not marked", error, this.log);
    }
    await Promise.all(this.looks.ofRun(look.session, look.runId).map((other) => other.load().catch(() => undefined)));
    this.draw();
    // A mark that was refused is on the screen, and on nothing that has changed.
    this.didChangeTreeData.fire(items.map(([node]) => node).filter((node) => this.nodes.get(this.idOf(node))?.node === node));
  }
}

const isViewed = (row: Row) => filesUnder(row).every((file) => file.viewed === true);

/** Files that one request marks. */
const MARKED_AT_ONCE = 1_000;
