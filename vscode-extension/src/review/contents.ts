import * as vscode from "vscode";
import { asFailure } from "../sidecar/failure";
import { contentKey, fileAt, shownOf, textOf } from "./changes";
import type { Look, Looks } from "./looks";
import { BASE_SCHEME, type FilePlace, HEAD_SCHEME, placeOf } from "./places";

/** Bytes of files that no editor shows and that are kept all the same, for who comes back. */
const KEPT_BYTES_MAX = 32_000_000;

interface Held {
  place: FilePlace;
  look: Look;
  /** What the bytes rest on; absent when they could not be read and have to be tried again. */
  key: string | undefined;
  bytes: Uint8Array;
  isNote: boolean;
  mtime: number;
}

/**
 * Both sides of a run's changes as read-only files. The right side follows the agent: when the worktree changes, an editor that shows a file is told
 * and reads it again. Nothing is ever written through it, so that no save can lose newer bytes.
 */
export class Contents implements vscode.FileSystemProvider, vscode.Disposable {
  private readonly held = new Map<string, Held>();
  private readonly reading = new Map<string, Promise<Held>>();
  private readonly watched = new Map<Look, vscode.Disposable>();
  private readonly didChangeFile = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  private readonly disposables: vscode.Disposable[] = [this.didChangeFile];
  private lastTime = 0;
  readonly onDidChangeFile = this.didChangeFile.event;

  constructor(private readonly looks: Looks) {
    const why = new vscode.MarkdownString("This shows the run's worktree as it is. [Edit it in the worktree](command:kanbots.editInWorktree) instead.");
    why.isTrusted = { enabledCommands: ["kanbots.editInWorktree"] };
    this.disposables.push(
      vscode.workspace.registerFileSystemProvider(BASE_SCHEME, this, { isCaseSensitive: true, isReadonly: new vscode.MarkdownString("This is how the file was before the run.") }),
      vscode.workspace.registerFileSystemProvider(HEAD_SCHEME, this, { isCaseSensitive: true, isReadonly: why }),
      looks.onDidChange((look) => this.compare(look)),
      vscode.workspace.onDidOpenTextDocument(() => this.follow()),
      vscode.workspace.onDidCloseTextDocument(() => this.follow()),
      vscode.window.tabGroups.onDidChangeTabs(() => this.follow()),
    );
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables, ...this.watched.values()).dispose();
    this.held.clear();
  }

  /** Whether what an editor shows is the file itself, so that its lines can be spoken of. */
  isFile(uri: vscode.Uri): boolean {
    const held = this.held.get(uri.toString());
    return held !== undefined && !held.isNote;
  }

  /** The tree that the right side of an editor shows. */
  treeOf(uri: vscode.Uri): string | undefined {
    return this.held.get(uri.toString())?.look.listing?.tree;
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const held = await this.get(uri);
    return { type: vscode.FileType.File, ctime: 0, mtime: held.mtime, size: held.bytes.byteLength, permissions: vscode.FilePermission.Readonly };
  }

  async readFile(uri: vscode.Uri): Promise<Uint8Array> {
    return (await this.get(uri)).bytes;
  }

  readDirectory(): [string, vscode.FileType][] {
    return [];
  }

  createDirectory(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  writeFile(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  delete(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  rename(uri: vscode.Uri): never {
    throw vscode.FileSystemError.NoPermissions(uri);
  }

  private async get(uri: vscode.Uri): Promise<Held> {
    const name = uri.toString();
    const known = this.held.get(name);
    if (known?.key !== undefined) {
      this.held.delete(name); // the last one used goes last
      this.held.set(name, known);
      return known;
    }
    const running = this.reading.get(name) ?? this.read(uri, known).finally(() => this.reading.delete(name));
    this.reading.set(name, running);
    return running;
  }

  private async read(uri: vscode.Uri, before: Held | undefined): Promise<Held> {
    const place = placeOf(uri);
    const look = place === undefined ? undefined : this.looks.find(place.folder, place.runId, place.from);
    if (place === undefined || look === undefined) {
      throw vscode.FileSystemError.Unavailable("The folder of this run is not open in this window.");
    }
    const held = await this.fetch(place, look, before);
    this.held.delete(uri.toString());
    this.held.set(uri.toString(), held);
    this.forget();
    this.follow();
    return held;
  }

  private async fetch(place: FilePlace, look: Look, before: Held | undefined): Promise<Held> {
    try {
      const listing = await look.current();
      const blob = await look.session.request("review/blob", { runId: place.runId, path: place.path, side: place.side, from: place.from, to: listing.tree });
      const shown = shownOf(blob, fileAt(listing, place.path, place.side), place.side, place.raw === true);
      return { place, look, key: contentKey(listing, place.path, place.side), bytes: textOf(shown), isNote: shown.kind === "note", mtime: this.now() };
    } catch (error) {
      // What was shown stays for who reads it; a new editor says why there is nothing.
      return before ?? { place, look, key: undefined, bytes: Buffer.from(`${asFailure(error).sentence}\n`, "utf8"), isNote: true, mtime: this.now() };
    }
  }

  /** Tells the editors whose file is not what they show any more. */
  private compare(look: Look): void {
    const listing = look.listing;
    if (listing === undefined || look.failure !== undefined) {
      return;
    }
    const changed: vscode.Uri[] = [];
    for (const [name, held] of this.held) {
      if (held.look === look && held.key !== contentKey(listing, held.place.path, held.place.side)) {
        this.held.set(name, { ...held, key: undefined });
        changed.push(vscode.Uri.parse(name));
      }
    }
    if (changed.length > 0) {
      this.didChangeFile.fire(changed.map((uri) => ({ type: vscode.FileChangeType.Changed, uri })));
    }
  }

  private shownNow(): Set<string> {
    const shown = new Set(vscode.workspace.textDocuments.filter((document) => placeOf(document.uri) !== undefined).map((document) => document.uri.toString()));
    for (const { input } of vscode.window.tabGroups.all.flatMap((group) => group.tabs)) {
      const uris = input instanceof vscode.TabInputTextDiff ? [input.original, input.modified] : input instanceof vscode.TabInputCustom || input instanceof vscode.TabInputText ? [input.uri] : [];
      for (const uri of uris.filter((uri) => placeOf(uri) !== undefined)) {
        shown.add(uri.toString());
      }
    }
    return shown;
  }

  /** Holds the looks whose files an editor shows, and only those. */
  private follow(): void {
    const shown = this.shownNow();
    const wanted = new Set([...this.held].filter(([name]) => shown.has(name)).map(([, held]) => held.look));
    for (const [look, hold] of this.watched) {
      if (!wanted.has(look)) {
        hold.dispose();
        this.watched.delete(look);
      }
    }
    for (const look of wanted) {
      if (!this.watched.has(look)) {
        this.watched.set(look, look.hold());
      }
    }
  }

  private forget(): void {
    let kept = 0;
    const shown = this.shownNow();
    for (const [name, held] of [...this.held].reverse()) {
      kept += held.bytes.byteLength;
      if (kept > KEPT_BYTES_MAX && !shown.has(name)) {
        this.held.delete(name);
      }
    }
  }

  /** Never twice the same, so that an editor sees that a file is another. */
  private now(): number {
    this.lastTime = Math.max(Date.now(), this.lastTime + 1);
    return this.lastTime;
  }
}
