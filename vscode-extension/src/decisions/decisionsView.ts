import * as vscode from "vscode";
import { plural } from "../shared/words";
import { ICONS, rowOf } from "./asking";
import type { Asked, Decisions } from "./decisions";

/** While the view is seen, how old a question is stays true. */
const AGE_MS = 30_000;

/** The list of what waits for the person. Nothing leaves it but by being answered, dismissed or withdrawn. */
export class DecisionsView implements vscode.TreeDataProvider<Asked>, vscode.Disposable {
  private readonly didChangeTreeData = new vscode.EventEmitter<void>();
  private readonly tree: vscode.TreeView<Asked>;
  private readonly disposables: vscode.Disposable[] = [];
  readonly onDidChangeTreeData = this.didChangeTreeData.event;

  constructor(private readonly decisions: Decisions) {
    this.tree = vscode.window.createTreeView("kanbots.decisions", { treeDataProvider: this });
    const timer = setInterval(() => this.tree.visible && decisions.open.length > 0 && this.didChangeTreeData.fire(), AGE_MS);
    this.disposables.push(this.didChangeTreeData, this.tree, decisions.onDidChange(() => this.refresh()), { dispose: () => clearInterval(timer) });
    this.refresh();
  }

  getTreeItem(asked: Asked): vscode.TreeItem {
    const row = rowOf(asked.decision, this.decisions.titleOf(asked), this.decisions.where(asked.session), Date.now());
    const item = new vscode.TreeItem(row.label);
    item.id = asked.key;
    item.description = row.description;
    item.tooltip = row.tooltip;
    item.iconPath = new vscode.ThemeIcon(ICONS[asked.decision.kind], new vscode.ThemeColor("charts.yellow"));
    item.contextValue = `decision ${asked.decision.kind}`;
    item.accessibilityInformation = { label: row.spoken };
    item.command = { command: "kanbots.answer", title: "Answer…", arguments: [{ key: asked.key }] };
    return item;
  }

  getChildren(parent?: Asked): Asked[] {
    return parent === undefined ? [...this.decisions.open] : [];
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }

  private refresh(): void {
    const count = this.decisions.open.length;
    this.tree.badge = count === 0 ? undefined : { value: count, tooltip: `${plural(count, "decision")} ${count === 1 ? "waits" : "wait"} for you` };
    void vscode.commands.executeCommand("setContext", "kanbots.waiting", count > 0);
    this.didChangeTreeData.fire();
  }
}
