import * as vscode from "vscode";
import type { ReviewChangesResult } from "../shared/protocol";
import { asFailure, type SidecarFailure } from "../sidecar/failure";
import type { Session } from "../sidecar/session";
import type { Workspaces } from "../sidecar/workspaces";
import { FILES_PER_PAGE, type Listing, listingOf } from "./changes";

/** After a word that files have changed, until they are asked for: an agent writes several at a time. */
const SETTLE_MS = 300;

/**
 * What a run has changed since the commit on which it began, or since a tree. While somebody holds it, it follows the worktree; otherwise it is
 * asked for anew when somebody next wants it.
 */
export class Look implements vscode.Disposable {
  private known: Listing | undefined;
  private trouble: SidecarFailure | undefined;
  private fresh = false;
  private holders = 0;
  private loading: Promise<Listing> | undefined;
  private again = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly didChange = new vscode.EventEmitter<void>();
  private readonly disposables: vscode.Disposable[] = [this.didChange];
  readonly onDidChange = this.didChange.event;

  constructor(readonly session: Session, readonly runId: number, readonly from: string | undefined) {
    this.disposables.push(
      session.onDidChangeReview((changed) => changed === runId && this.expire()),
      // A sidecar that has just started watches for nobody yet.
      session.onDidChangeState((state) => state.kind === "ready" && this.expire()),
    );
  }

  /** As it was last told. */
  get listing(): Listing | undefined {
    return this.known;
  }

  /** Why it could not be told the last time. */
  get failure(): SidecarFailure | undefined {
    return this.trouble;
  }

  /** From now on until the answer is disposed of, somebody shows it. */
  hold(): vscode.Disposable {
    this.holders++;
    if (!this.fresh) {
      this.expire();
    }
    let held = true;
    return new vscode.Disposable(() => {
      this.holders -= held ? 1 : 0;
      held = false;
    });
  }

  /** @throws SidecarFailure */
  async current(cancel?: vscode.CancellationToken, say?: (message: string) => void): Promise<Listing> {
    return this.fresh && this.known !== undefined ? this.known : this.load(cancel, say);
  }

  /** The list as it is now, though nothing has been said of a change. @throws SidecarFailure */
  async load(cancel?: vscode.CancellationToken, say?: (message: string) => void): Promise<Listing> {
    // One that a person can cancel is not shared with those who did not ask for that.
    return cancel === undefined ? (this.loading ??= this.ask().finally(() => this.rest())) : this.ask(cancel, say);
  }

  /** Something may be another: a run has ended, files were marked as viewed. */
  expire(): void {
    this.fresh = false;
    if (this.holders === 0) {
      return;
    }
    if (this.timer !== undefined || this.loading !== undefined) {
      this.again = this.loading !== undefined;
      return;
    }
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.load().catch(() => undefined);
    }, SETTLE_MS);
  }

  dispose(): void {
    clearTimeout(this.timer);
    vscode.Disposable.from(...this.disposables).dispose();
  }

  private rest(): void {
    this.loading = undefined;
    if (this.again) {
      this.again = false;
      this.expire();
    }
  }

  private async ask(cancel?: vscode.CancellationToken, say?: (message: string) => void): Promise<Listing> {
    this.fresh = true; // what changes while it is asked for makes it stale again
    try {
      const pages: ReviewChangesResult[] = [];
      let after: string | undefined;
      let read = 0;
      do {
        const page: ReviewChangesResult = await this.session.request("review/changes", { runId: this.runId, from: this.from, after, limit: FILES_PER_PAGE }, cancel);
        pages.push(page);
        read += page.files.length;
        say?.(`${read} of ${page.total.files} files`);
        after = page.next;
      } while (after !== undefined);
      const listing = listingOf(pages);
      const isNews = this.trouble !== undefined || JSON.stringify(this.known) !== JSON.stringify(listing);
      this.known = listing;
      this.trouble = undefined;
      if (isNews) {
        this.didChange.fire();
      }
      return listing;
    } catch (error) {
      this.fresh = false;
      const failure = asFailure(error);
      if (failure.kind !== "requestCancelled" && failure.kind !== "closed") {
        const isNews = this.trouble?.message !== failure.message;
        this.trouble = failure;
        if (isNews) {
          this.didChange.fire();
        }
      }
      throw failure;
    }
  }
}

/** The looks of this window, one for each run and base, so that the tree, the diffs and a promotion speak of the same. */
export class Looks implements vscode.Disposable {
  private readonly all = new Map<string, Look>();
  private readonly didChange = new vscode.EventEmitter<Look>();
  private readonly following: vscode.Disposable;
  readonly onDidChange = this.didChange.event;

  constructor(private readonly workspaces: Workspaces) {
    this.following = workspaces.onDidChange(() => {
      for (const [key, look] of this.all) {
        if (!workspaces.sessions.includes(look.session)) {
          this.all.delete(key);
          look.dispose();
        }
      }
    });
  }

  of(session: Session, runId: number, from?: string): Look {
    const key = JSON.stringify([session.folder, runId, from]);
    const known = this.all.get(key);
    if (known !== undefined) {
      return known;
    }
    const look = new Look(session, runId, from);
    look.onDidChange(() => this.didChange.fire(look));
    this.all.set(key, look);
    return look;
  }

  /** By what a document's address says. Starts the sidecar where it is not started: a window that was reloaded opens its editors first. */
  find(folder: string, runId: number, from?: string): Look | undefined {
    this.workspaces.start();
    const session = this.workspaces.sessionOf(folder);
    return session === undefined ? undefined : this.of(session, runId, from);
  }

  ofRun(session: Session, runId: number): readonly Look[] {
    return [...this.all.values()].filter((look) => look.session === session && look.runId === runId);
  }

  dispose(): void {
    this.following.dispose();
    for (const look of this.all.values()) {
      look.dispose();
    }
    this.all.clear();
    this.didChange.dispose();
  }
}
