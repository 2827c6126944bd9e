import * as vscode from "vscode";
import type { SidecarState, StateAction } from "../shared/messages";
import { plain } from "../shared/words";
import type { Session } from "../sidecar/session";
import { nameOf, type Target, type Workspaces } from "../sidecar/workspaces";
import { type CardRow, type GroupRow, groupsOf } from "./rows";

/** A change of the board is drawn at most this often: costs and tools change many times a second. */
const DRAW_MS = 150;

/** An element of the tree. VS Code knows elements by identity, so that one for each id lives on and is filled anew. */
export type IssueNode =
  | { kind: "repository"; id: string; session: Session }
  | { kind: "group"; id: string; session: Session; row: GroupRow }
  | { kind: "card"; id: string; target: Target; row: CardRow }
  | { kind: "note"; id: string; label: string; icon: string; command?: readonly [string, ...unknown[]] };

/** The issues of the boards of this window. */
export class IssuesView implements vscode.TreeDataProvider<IssueNode>, vscode.Disposable {
  private readonly didChangeTreeData = new vscode.EventEmitter<IssueNode[] | undefined>();
  private readonly nodes = new Map<string, IssueNode>();
  private readonly groups = new Map<Session, readonly GroupRow[]>();
  private readonly tree: vscode.TreeView<IssueNode>;
  private readonly disposables: vscode.Disposable[] = [];
  private timer: NodeJS.Timeout | undefined;
  private drawn = "";
  readonly onDidChangeTreeData = this.didChangeTreeData.event;

  constructor(private readonly workspaces: Workspaces) {
    const listen = (session: Session) => session.onDidChangeBoard(() => this.drawSoon());
    for (const session of workspaces.sessions) {
      listen(session);
    }
    this.tree = vscode.window.createTreeView("kanbots.issues", { treeDataProvider: this, showCollapseAll: true, canSelectMany: true });
    this.disposables.push(
      this.didChangeTreeData,
      this.tree,
      workspaces.onDidOpen(listen),
      workspaces.onDidChange(() => this.drawSoon()),
      vscode.commands.registerCommand("kanbots.openIssue", (argument?: unknown) => this.open(argument)),
      { dispose: () => clearTimeout(this.timer) },
    );
    this.draw();
  }

  getTreeItem(node: IssueNode): vscode.TreeItem {
    switch (node.kind) {
      case "repository": {
        const item = new vscode.TreeItem(plain(nameOf(node.session)), vscode.TreeItemCollapsibleState.Expanded);
        item.iconPath = new vscode.ThemeIcon("repo");
        item.tooltip = plain(node.session.repositoryRoot ?? node.session.folder, 1_000);
        item.contextValue = "repository";
        return named(node, item);
      }
      case "group": {
        const item = new vscode.TreeItem(node.row.label, node.row.isOpen ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed);
        item.description = node.row.description;
        item.contextValue = "group";
        item.accessibilityInformation = { label: `${node.row.label}, ${node.row.description}` };
        return named(node, item);
      }
      case "card": {
        const item = new vscode.TreeItem(node.row.label);
        item.description = node.row.description;
        item.tooltip = node.row.tooltip;
        item.iconPath = new vscode.ThemeIcon(node.row.icon.id, node.row.icon.color === undefined ? undefined : new vscode.ThemeColor(node.row.icon.color));
        item.contextValue = node.row.contextValue;
        item.accessibilityInformation = { label: node.row.spoken };
        item.command = { command: "kanbots.openIssue", title: "Open", arguments: [node] };
        return named(node, item);
      }
      case "note": {
        const item = new vscode.TreeItem(node.label);
        item.iconPath = new vscode.ThemeIcon(node.icon);
        item.tooltip = node.label;
        item.contextValue = "note";
        if (node.command !== undefined) {
          const [command, ...args] = node.command;
          item.command = { command, title: node.label, arguments: args };
        }
        return named(node, item);
      }
    }
  }

  getChildren(parent?: IssueNode): IssueNode[] {
    // Seeing the view is what starts the sidecar.
    this.workspaces.start();
    if (parent === undefined) {
      const { sessions } = this.workspaces;
      const [only] = sessions;
      return sessions.length > 1 ? sessions.map((session) => this.node({ kind: "repository", id: session.folder, session })) : only === undefined ? [] : this.childrenOf(only);
    }
    if (parent.kind === "repository") {
      return this.childrenOf(parent.session);
    }
    return parent.kind === "group" ? parent.row.cards.map((row) => this.node({ kind: "card", id: `${parent.session.folder}#${row.cardId}`, target: { session: parent.session, cardId: row.cardId, runId: row.runId }, row })) : [];
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }

  private childrenOf(session: Session): IssueNode[] {
    const { state } = session;
    const notes = state.message === undefined || state.kind === "ready" ? [] : notesOf(session, state);
    const groups = (this.groups.get(session) ?? []).map((row) => this.node({ kind: "group", id: `${session.folder}:${row.id}`, session, row }));
    const isOneOfSeveral = this.workspaces.sessions.length > 1;
    if (isOneOfSeveral && notes.length + groups.length === 0) {
      return [this.node({ kind: "note", id: `${session.folder}:empty`, label: session.board === undefined ? "Loading…" : "No issues yet", icon: session.board === undefined ? "loading~spin" : "info" })];
    }
    return [...notes.map((note) => this.node(note)), ...groups];
  }

  /** The element with this id, filled with what is so now. */
  private node(fresh: IssueNode): IssueNode {
    const known = this.nodes.get(fresh.id);
    if (known === undefined || known.kind !== fresh.kind) {
      this.nodes.set(fresh.id, fresh);
      return fresh;
    }
    return Object.assign(known, fresh);
  }

  private drawSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.draw();
    }, DRAW_MS);
  }

  /** Tells VS Code what differs: rows whose words changed alone, or everything when rows came, went or moved. */
  private draw(): void {
    const before = new Map([...this.groups.values()].flat().flatMap(({ cards }) => cards).map((row) => [row, JSON.stringify(row)]));
    const shapeBefore = this.drawn;
    this.groups.clear();
    for (const session of this.workspaces.sessions) {
      this.groups.set(session, session.board === undefined ? [] : groupsOf(session.board));
    }
    this.drawn = JSON.stringify([...this.groups].map(([session, groups]) => [session.folder, session.state.kind, session.state.message, session.board === undefined, groups.map(({ id, cards }) => [id, cards.map(({ cardId }) => cardId)])]));
    this.sayState();
    if (this.drawn !== shapeBefore) {
      this.forgetGone();
      this.didChangeTreeData.fire(undefined);
      return;
    }
    const old = new Set(before.values());
    const changed = [...this.groups].flatMap(([session, groups]) => groups.flatMap(({ cards }) => cards.filter((row) => !old.has(JSON.stringify(row))).map((row): IssueNode => this.node({ kind: "card", id: `${session.folder}#${row.cardId}`, target: { session, cardId: row.cardId, runId: row.runId }, row }))));
    if (changed.length > 0) {
      this.didChangeTreeData.fire(changed);
    }
  }

  private forgetGone(): void {
    const ids = new Set([...this.groups].flatMap(([session, groups]) => groups.flatMap(({ cards }) => cards.map(({ cardId }) => `${session.folder}#${cardId}`))));
    for (const [id, node] of this.nodes) {
      if (node.kind === "card" && !ids.has(id)) {
        this.nodes.delete(id);
      }
    }
  }

  /** Sets what the welcome texts of the views go by. */
  private sayState(): void {
    const { sessions } = this.workspaces;
    const kind = sessions.length === 0 ? this.workspaces.state.kind : sessions.some((session) => session.board !== undefined) ? "ready" : (sessions[0]?.state.kind ?? "starting");
    void vscode.commands.executeCommand("setContext", "kanbots.state", kind);
    this.tree.description = sessions.length === 1 && sessions[0]?.state.kind === "reconnecting" ? "reconnecting…" : undefined;
  }

  /** A click: the thread where there is a run, else the card on the board. */
  private async open(argument: unknown): Promise<void> {
    const node = argument as IssueNode | undefined;
    if (node?.kind === "card") {
      const { session, cardId, runId } = node.target;
      const run = session.board?.runs.find(({ id }) => id === runId);
      await (run === undefined || run.state === "queued" ? vscode.commands.executeCommand("kanbots.openBoard", { session, cardId }) : vscode.commands.executeCommand("kanbots.openThread", { session, cardId, runId }));
    }
  }
}

const COMMANDS: Readonly<Record<StateAction["id"], readonly [string, ...unknown[]]>> = {
  manageTrust: ["workbench.trust.manage"],
  restartSidecar: ["kanbots.restartSidecar"],
  showLog: ["kanbots.showLog"],
  openFolder: ["workbench.action.files.openFolder"],
  openSettings: ["workbench.action.openSettings", "kanbots.sidecar"],
};

/** What is wrong with a sidecar, and what can be done, as rows. */
function notesOf(session: Session, state: SidecarState): readonly IssueNode[] {
  return [
    { kind: "note", id: `${session.folder}:message`, label: plain(state.message ?? "", 500), icon: state.kind === "failed" ? "error" : "warning" },
    ...(state.nextStep === undefined ? [] : [{ kind: "note" as const, id: `${session.folder}:next`, label: plain(state.nextStep, 500), icon: "info" }]),
    ...(state.actions ?? []).map((action) => ({ kind: "note" as const, id: `${session.folder}:${action.id}`, label: plain(action.label), icon: "arrow-right", command: COMMANDS[action.id] })),
  ];
}

function named(node: IssueNode, item: vscode.TreeItem): vscode.TreeItem {
  item.id = node.id;
  return item;
}
