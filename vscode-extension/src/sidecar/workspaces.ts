import { existsSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { delimiter, join } from "node:path";
import * as vscode from "vscode";
import { openDecisions, runById } from "../shared/board";
import type { SidecarState } from "../shared/messages";
import type { Card, Decision, Run } from "../shared/protocol";
import { plain, plural } from "../shared/words";
import type { Trace } from "./connection";
import { locate, type Located, type Machine } from "./locate";
import { Session } from "./session";

/** A card, or its run, and the repository that it is of. What commands are given from a tree, a page or a quick pick. */
export interface Target {
  session: Session;
  cardId: number;
  runId?: number;
}

/** The sidecars of a window: one for each repository that a folder of it is in, started when something of ours is first looked at, and only where the workspace is trusted. */
export class Workspaces implements vscode.Disposable {
  private readonly byFolder = new Map<string, Session>();
  /** Folders of a repository that another folder's session is of, with that folder. */
  private readonly shownBy = new Map<string, string>();
  private readonly disposables: vscode.Disposable[] = [];
  private readonly didChange = new vscode.EventEmitter<void>();
  private readonly didOpen = new vscode.EventEmitter<Session>();
  private readonly machine = thisMachine();
  private started = false;
  /** Sessions came or went, or how one of them stands has changed. */
  readonly onDidChange = this.didChange.event;
  /** A session was made: the moment to listen to it. Those of before are in `sessions`. */
  readonly onDidOpen = this.didOpen.event;

  constructor(private readonly context: vscode.ExtensionContext, readonly log: vscode.LogOutputChannel) {
    this.disposables.push(
      vscode.workspace.onDidChangeWorkspaceFolders(() => this.started && this.follow()),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.started && this.follow()),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration("kanbots.sidecar")) {
          for (const session of this.sessions) {
            void session.restart();
          }
        }
      }),
    );
  }

  /** In the order of the window's folders; of several that are of one repository the first counts, whichever was answered first. */
  get sessions(): readonly Session[] {
    const order = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => this.shownBy.get(uri.fsPath) ?? uri.fsPath);
    return [...this.byFolder].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)).map(([, session]) => session);
  }

  /** The state of a window without a session to ask: no folder, or no trust. */
  get state(): SidecarState {
    if ((vscode.workspace.workspaceFolders ?? []).length === 0) {
      return { kind: "none", message: "No folder is open.", nextStep: "Open the folder of a git repository.", actions: [{ id: "openFolder", label: "Open Folder" }] };
    }
    if (!vscode.workspace.isTrusted) {
      return { kind: "untrusted", message: "This workspace is not trusted, so nothing is started here.", nextStep: "Trust the workspace to run agents in it.", actions: [{ id: "manageTrust", label: "Manage Workspace Trust" }] };
    }
    return this.sessions[0]?.state ?? { kind: "starting" };
  }

  /** Starts what is not started yet. Safe to call often. */
  start(): void {
    if (!this.started) {
      this.started = true;
      this.follow();
    }
  }

  sessionOf(folder: string): Session | undefined {
    return this.byFolder.get(this.shownBy.get(folder) ?? folder);
  }

  /** The repository in question: the only one, the one that a resource is in, or the one that a person picks. */
  async pick(placeHolder: string, resource?: vscode.Uri): Promise<Session | undefined> {
    this.start();
    const all = this.sessions;
    const within = resource === undefined ? undefined : all.find((session) => isWithin(resource.fsPath, session.repositoryRoot ?? session.folder)) ?? all.find((session) => isWithin(resource.fsPath, session.folder));
    if (within !== undefined || all.length <= 1) {
      return within ?? all[0];
    }
    const picked = await vscode.window.showQuickPick(
      all.map((session) => ({ label: plain(nameOf(session)), description: plain(session.repositoryRoot ?? session.folder), detail: describe(session), session })),
      { placeHolder, matchOnDescription: true },
    );
    return picked?.session;
  }

  /** Where the sidecar is, as it would be started now. */
  locate(): Located {
    const setting = vscode.workspace.getConfiguration("kanbots").get<string>("sidecar.path", "");
    return locate(this.context.extensionPath, setting, this.machine, existsSync, findOnPath("dotnet"));
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
    for (const session of this.sessions) {
      session.dispose();
    }
    this.byFolder.clear();
    this.didChange.dispose();
    this.didOpen.dispose();
  }

  private follow(): void {
    const folders = vscode.workspace.isTrusted ? (vscode.workspace.workspaceFolders ?? []).filter((folder) => folder.uri.scheme === "file").map((folder) => folder.uri.fsPath) : [];
    for (const [folder, session] of this.byFolder) {
      if (!folders.includes(folder)) {
        this.byFolder.delete(folder);
        session.dispose();
      }
    }
    for (const [folder, owner] of this.shownBy) {
      if (!folders.includes(folder) || !this.byFolder.has(owner)) {
        this.shownBy.delete(folder);
      }
    }
    for (const folder of folders) {
      if (!this.byFolder.has(folder) && !this.shownBy.has(folder)) {
        this.open(folder);
      }
    }
    this.didChange.fire();
  }

  /** Two folders of one repository have one board, one badge and one notification of each decision. */
  private claim(folder: string, root: string | undefined): boolean {
    const other = root === undefined ? undefined : this.sessions.find((session) => session.folder !== folder && session.repositoryRoot === root);
    if (other !== undefined) {
      this.log.info(`${folder} is of the repository ${root}, whose board is shown already`);
      this.byFolder.delete(folder);
      this.shownBy.set(folder, other.folder);
      this.didChange.fire();
    }
    return other === undefined;
  }

  private open(folder: string): void {
    const session = new Session({
      folder,
      claim: (root) => this.claim(folder, root),
      clientVersion: String((this.context.extension.packageJSON as { version: string }).version),
      locate: () => this.locate(),
      // What belongs to the editor is taken out by the sidecar, which knows the list for every editor.
      environment: () => process.env,
      trace: () => vscode.workspace.getConfiguration("kanbots").get<Trace>("trace.server", "off"),
      log: (line) => this.log.info(line),
      later: (milliseconds, callback) => {
        const timer = setTimeout(callback, milliseconds);
        return { dispose: () => clearTimeout(timer) };
      },
      now: () => Date.now(),
    });
    this.byFolder.set(folder, session);
    session.onDidChangeState(() => this.didChange.fire());
    session.onDidLog(({ level, message, reference }) => {
      const line = reference === undefined ? message : `${message} (${reference})`;
      this.log[level === "warning" ? "warn" : level](line);
    });
    this.didOpen.fire(session);
    void this.makeExecutable().finally(() => session.start());
  }

  /** A package that was unpacked by a tool that drops modes has an executable that cannot be started. */
  private async makeExecutable(): Promise<void> {
    if (this.machine.platform !== "win32") {
      const located = locate(this.context.extensionPath, "", this.machine, existsSync, undefined);
      if (located.kind === "found" && located.command.from === "bundled") {
        await chmod(located.command.command, 0o755).catch((error: unknown) => this.log.warn(`The mode of the sidecar could not be set: ${String(error)}`));
      }
    }
  }
}

export const nameOf = (session: Session): string => (session.repositoryRoot ?? session.folder).split(/[\\/]/).filter((part) => part !== "").at(-1) ?? session.folder;

function describe(session: Session): string {
  const board = session.board;
  if (board === undefined) {
    return session.state.message ?? "starting";
  }
  const running = board.runs.filter((run) => run.state === "running" || run.state === "preparing").length;
  const waiting = openDecisions(board).length;
  return `${plural(board.cards.length, "card")} · ${running} running · ${waiting} waiting for you`;
}

export const cardOf = (target: Target): Card | undefined => target.session.board?.cards.find((card) => card.id === target.cardId);

export function runOfTarget(target: Target): Run | undefined {
  const board = target.session.board;
  const card = cardOf(target);
  const id = target.runId ?? card?.activeRunId ?? card?.runIds.at(-1);
  return board === undefined || id === undefined ? undefined : runById(board, id);
}

export function decisionOfTarget(target: Target): Decision | undefined {
  const run = runOfTarget(target);
  return run === undefined || target.session.board === undefined ? undefined : openDecisions(target.session.board).find((decision) => decision.runId === run.id);
}

function isWithin(path: string, folder: string): boolean {
  const root = folder.endsWith("/") || folder.endsWith("\\") ? folder : `${folder}${process.platform === "win32" ? "\\" : "/"}`;
  return path === folder || path.startsWith(root);
}

function thisMachine(): Machine {
  const report = process.platform === "linux" ? (process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined) : undefined;
  return { platform: process.platform, arch: process.arch, musl: process.platform === "linux" && report?.header?.glibcVersionRuntime === undefined };
}

/** The first executable of that name on PATH, so that what is started is known before it is. */
function findOnPath(name: string): string | undefined {
  const names = process.platform === "win32" ? [`${name}.exe`] : [name];
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...(process.env.DOTNET_ROOT === undefined ? [] : [process.env.DOTNET_ROOT])];
  return folders.filter((folder) => folder !== "").flatMap((folder) => names.map((file) => join(folder, file))).find((path) => existsSync(path));
}
