import * as vscode from "vscode";
import { report, withProgress } from "../report";
import type { ReviewComment } from "../shared/protocol";
import { plural } from "../shared/words";
import type { Session } from "../sidecar/session";
import type { Workspaces } from "../sidecar/workspaces";
import type { Contents } from "./contents";
import { placeOf, uriOf } from "./places";

/** A draft as VS Code shows it. Its body is a string and never Markdown: nothing in it can be a link that runs something. */
class Draft implements vscode.Comment {
  mode = vscode.CommentMode.Preview;
  readonly author = { name: "You" };
  readonly contextValue = "draft";
  readonly label = "not sent yet";
  body: string | vscode.MarkdownString;
  readonly timestamp: Date;

  constructor(readonly drafts: Drafts, readonly comment: ReviewComment) {
    this.body = comment.text;
    this.timestamp = new Date(comment.at);
  }
}

/** What is written on a run's changes and was not sent yet, as the sidecar holds it. */
interface Drafts {
  session: Session;
  runId: number;
  comments: readonly ReviewComment[];
  /** Of the run when they were read: another launch has had them. */
  standing: string;
}

/**
 * Comments on both sides of a run's changes, in any diff that shows them. They are drafts in the sidecar until all are sent as one message to the
 * run's agent, so that a reload, a restart and another window find them.
 */
export class Comments implements vscode.Disposable {
  private readonly controller = vscode.comments.createCommentController("kanbots.review", "KanBots Review");
  private readonly all = new Map<string, Drafts>();
  private readonly threads = new Map<string, { thread: vscode.CommentThread; drafts: Drafts }>();
  private readonly heard = new Map<Session, vscode.Disposable>();
  private readonly didChange = new vscode.EventEmitter<void>();
  private readonly disposables: vscode.Disposable[];
  readonly onDidChange = this.didChange.event;

  constructor(private readonly workspaces: Workspaces, private readonly contents: Contents, private readonly log: vscode.LogOutputChannel) {
    this.controller.options = { prompt: "Comment for the agent", placeHolder: "What should the agent do here?" };
    this.controller.commentingRangeProvider = {
      provideCommentingRanges: (document) => {
        const place = placeOf(document.uri);
        return place === undefined || !this.contents.isFile(document.uri) ? undefined : { enableFileComments: true, ranges: [new vscode.Range(0, 0, Math.max(0, document.lineCount - 1), 0)] };
      },
    };
    const command = (name: string, run: (argument: never) => unknown) => vscode.commands.registerCommand(`kanbots.${name}`, run);
    this.disposables = [
      this.controller,
      this.didChange,
      vscode.workspace.onDidOpenTextDocument((document) => this.watch(document)),
      vscode.window.onDidChangeWindowState(({ focused }) => focused && this.readAll()),
      workspaces.onDidChange(() => this.prune()),
      command("addComment", (reply: vscode.CommentReply) => this.add(reply)),
      command("editComment", (comment: Draft) => this.turn(comment, vscode.CommentMode.Editing)),
      command("cancelComment", (comment: Draft) => this.turn(comment, vscode.CommentMode.Preview)),
      command("saveComment", (comment: Draft) => this.write(comment, String(comment.body instanceof vscode.MarkdownString ? comment.body.value : comment.body))),
      command("deleteComment", (comment: Draft) => this.write(comment, "")),
    ];
    for (const document of vscode.workspace.textDocuments) {
      this.watch(document);
    }
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables, ...this.heard.values()).dispose();
  }

  countOf(session: Session, runId: number): number {
    return this.all.get(keyOf(session, runId))?.comments.length ?? 0;
  }

  /** The run of a thread in an editor, from whose title something is asked. */
  ofThread(argument: unknown): { session: Session; runId: number } | undefined {
    const uri = (argument as { uri?: unknown } | undefined)?.uri;
    const place = uri instanceof vscode.Uri ? placeOf(uri) : undefined;
    const session = place === undefined ? undefined : this.workspaces.sessionOf(place.folder);
    return place === undefined || session === undefined ? undefined : { session, runId: place.runId };
  }

  /** Reads the drafts of a run and goes on showing them. */
  async read(session: Session, runId: number): Promise<void> {
    this.hear(session);
    try {
      const { comments } = await session.request("run/details", { runId });
      this.take(session, runId, comments);
    } catch (error) {
      this.log.info(`The comments of run ${runId} could not be read: ${String(error)}`);
    }
  }

  /** Sends all drafts of a run to its agent as one message. */
  async send(session: Session, runId: number, cardNumber: number): Promise<void> {
    await this.read(session, runId);
    const count = this.countOf(session, runId);
    if (count === 0) {
      void vscode.window.showInformationMessage(`There is no comment on #${cardNumber} to send. Write one on a line of its changes first.`);
      return;
    }
    const words = plural(count, "comment");
    const sent = await withProgress(`Sending ${words} to the agent of #${cardNumber}`, this.log, (cancel) => session.change("review/submit", { runId }, cancel));
    await this.read(session, runId);
    if (sent !== undefined && (await vscode.window.showInformationMessage(`${words} sent to the agent of #${cardNumber}.`, "Show Thread")) === "Show Thread") {
      const cardId = session.board?.runs.find((run) => run.id === runId)?.cardId;
      await vscode.commands.executeCommand("kanbots.showThread", { session, cardId, runId });
    }
  }

  private watch(document: vscode.TextDocument): void {
    const place = placeOf(document.uri);
    if (place === undefined) {
      return;
    }
    this.workspaces.start();
    const session = this.workspaces.sessionOf(place.folder);
    if (session === undefined) {
      return;
    }
    const known = this.all.get(keyOf(session, place.runId));
    if (known === undefined) {
      // One reading serves all files of a diff.
      this.all.set(keyOf(session, place.runId), { session, runId: place.runId, comments: [], standing: "" });
      void this.read(session, place.runId);
    } else {
      this.show(known);
    }
  }

  private hear(session: Session): void {
    if (!this.heard.has(session)) {
      this.heard.set(session, session.onDidChangeBoard(() => this.readSent(session)));
    }
  }

  /** When a run is told something or begins another turn, its drafts may have been sent: from here, from another window, or from a terminal. */
  private readSent(session: Session): void {
    for (const drafts of this.all.values()) {
      if (drafts.session === session && drafts.standing !== standingOf(session, drafts.runId)) {
        this.all.set(keyOf(session, drafts.runId), { ...drafts, standing: standingOf(session, drafts.runId) });
        void this.read(session, drafts.runId);
      }
    }
  }

  private readAll(): void {
    for (const { session, runId } of this.all.values()) {
      void this.read(session, runId);
    }
  }

  private prune(): void {
    for (const [key, drafts] of this.all) {
      if (!this.workspaces.sessions.includes(drafts.session)) {
        this.take(drafts.session, drafts.runId, []);
        this.all.delete(key);
        this.heard.get(drafts.session)?.dispose();
        this.heard.delete(drafts.session);
      }
    }
  }

  private take(session: Session, runId: number, comments: readonly ReviewComment[]): void {
    const drafts: Drafts = { session, runId, comments, standing: standingOf(session, runId) };
    const isNews = JSON.stringify(this.all.get(keyOf(session, runId))?.comments) !== JSON.stringify(comments);
    this.all.set(keyOf(session, runId), drafts);
    this.show(drafts);
    if (isNews) {
      this.didChange.fire();
    }
  }

  /** Lays the drafts of a run over the threads that are shown, without touching one that somebody is editing. */
  private show(drafts: Drafts): void {
    const wanted = new Map<string, { uri: vscode.Uri; line: number; comments: ReviewComment[] }>();
    for (const comment of drafts.comments) {
      for (const uri of this.addressesOf(drafts, comment)) {
        const key = threadKey(uri, comment.line);
        const place = wanted.get(key) ?? { uri, line: comment.line, comments: [] };
        place.comments.push(comment);
        wanted.set(key, place);
      }
    }
    for (const [key, shown] of this.threads) {
      if (shown.drafts.session === drafts.session && shown.drafts.runId === drafts.runId && !wanted.has(key)) {
        this.threads.delete(key);
        shown.thread.dispose();
      }
    }
    for (const [key, { uri, line, comments }] of wanted) {
      const before = this.threads.get(key)?.thread;
      const thread = before ?? this.controller.createCommentThread(uri, new vscode.Range(Math.max(0, line - 1), 0, Math.max(0, line - 1), 0), []);
      if (before === undefined && line === 0) {
        thread.range = undefined;
      }
      const shown = (before?.comments ?? []) as readonly Draft[];
      const next = comments.map((comment) => shown.find((draft) => draft.comment?.id === comment.id && (draft.mode === vscode.CommentMode.Editing || draft.comment.text === comment.text)) ?? new Draft(drafts, comment));
      if (next.length !== shown.length || next.some((draft, index) => draft !== shown[index])) {
        thread.comments = next;
      }
      thread.label = "For the agent";
      thread.contextValue = "drafts";
      if (before === undefined) {
        thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
      }
      this.threads.set(key, { thread, drafts });
    }
  }

  /** Where a draft is shown: in the diff of all changes, and in any other that shows the same file. The base of another diff is another file. */
  private addressesOf(drafts: Drafts, comment: ReviewComment): readonly vscode.Uri[] {
    const { session, runId } = drafts;
    const { path, side } = comment;
    const began = session.board?.runs.find((run) => run.id === runId)?.baseCommit;
    const from = side === "base" && comment.tree !== undefined && comment.tree !== began ? comment.tree : undefined;
    const own = uriOf({ folder: session.folder, runId, path, side, from });
    const others = vscode.workspace.textDocuments.map(({ uri }) => uri).filter((uri) => {
      const place = placeOf(uri);
      return place !== undefined && place.folder === session.folder && place.runId === runId && place.path === path && place.side === side && (side === "head" || place.from === from);
    });
    return [...new Map([own, ...others].map((uri) => [uri.toString(), uri])).values()];
  }

  private async add({ thread, text }: vscode.CommentReply): Promise<void> {
    const place = placeOf(thread.uri);
    const session = place === undefined ? undefined : this.workspaces.sessionOf(place.folder);
    if (place === undefined || session === undefined || text.trim() === "") {
      return;
    }
    const line = thread.range === undefined ? 0 : thread.range.end.line + 1;
    const began = session.board?.runs.find((run) => run.id === place.runId)?.baseCommit;
    try {
      const { comments } = await session.change("review/comment", { runId: place.runId, path: place.path, line, side: place.side, text, tree: place.side === "base" ? (place.from ?? began) : this.contents.treeOf(thread.uri) });
      const key = threadKey(thread.uri, line);
      const shown = this.threads.get(key)?.thread;
      if (shown === undefined) {
        this.threads.set(key, { thread, drafts: { session, runId: place.runId, comments, standing: "" } });
      } else if (shown !== thread) {
        thread.dispose();
      }
      this.take(session, place.runId, comments);
    } catch (error) {
      // The editor has emptied its box already: what was typed must not be gone.
      await vscode.env.clipboard.writeText(text);
      await report("The comment was not kept (its text is on the clipboard)", error, this.log);
    }
  }

  /** Changes a draft; an empty text takes it away. */
  private async write({ drafts: { session, runId }, comment }: Draft, text: string): Promise<void> {
    try {
      const { comments } = await session.change("review/comment", { runId, path: comment.path, line: comment.line, side: comment.side, text, commentId: comment.id, tree: comment.tree });
      this.turnAll(comment.id);
      this.take(session, runId, comments);
    } catch (error) {
      await report(text === "" ? "The comment is still there" : "The comment was not changed", error, this.log);
      await this.read(session, runId);
    }
  }

  private turn(draft: Draft, mode: vscode.CommentMode): void {
    for (const { thread } of this.threads.values()) {
      if (thread.comments.includes(draft)) {
        draft.mode = mode;
        draft.body = draft.comment.text;
        thread.comments = [...thread.comments];
      }
    }
  }

  private turnAll(id: string): void {
    for (const { thread } of this.threads.values()) {
      for (const draft of thread.comments as readonly Draft[]) {
        if (draft.comment?.id === id) {
          draft.mode = vscode.CommentMode.Preview;
        }
      }
    }
  }
}

const keyOf = (session: Session, runId: number): string => JSON.stringify([session.folder, runId]);
const threadKey = (uri: vscode.Uri, line: number): string => `${uri.toString()}#${line}`;

function standingOf(session: Session, runId: number): string {
  const run = session.board?.runs.find((other) => other.id === runId);
  return run === undefined ? "" : `${run.launch} ${run.state} ${(run.undelivered ?? []).map((message) => message.messageId).join(" ")}`;
}
