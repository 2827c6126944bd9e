import * as vscode from "vscode";

/** Time in which VS Code gives a restored tab to its serializer; a tab that is still nobody's then is left over. */
const RESTORED_MS = 3_000;

/** One kind of page: which view it is, whether a page of it is shown in a column, and how one is opened again. */
export interface Pages {
  view: string;
  isShownIn(column: vscode.ViewColumn): boolean;
  /** False: not yet, because its session is still on its way. */
  openAgain(label: string, column: vscode.ViewColumn): boolean;
}

/**
 * Opens again what an extension host that crashed has left: VS Code keeps the page on the screen and asks no serializer for it, so that it would show what was,
 * and hear nothing. A tab that is shown, and that no page of this host stands behind, is such a one.
 */
export class LeftTabs implements vscode.Disposable {
  private readonly disposables: vscode.Disposable[];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly kinds: readonly Pages[]) {
    this.disposables = [vscode.window.tabGroups.onDidChangeTabs(() => this.lookSoon()), vscode.window.tabGroups.onDidChangeTabGroups(() => this.lookSoon()), { dispose: () => clearTimeout(this.timer) }];
    this.lookSoon();
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }

  private lookSoon(): void {
    if (this.left().length > 0) {
      this.timer ??= setTimeout(() => {
        this.timer = undefined;
        void this.replace();
      }, RESTORED_MS);
    }
  }

  private left(): readonly { tab: vscode.Tab; column: vscode.ViewColumn; pages: Pages }[] {
    return vscode.window.tabGroups.all.flatMap(({ activeTab: tab, viewColumn: column }) => {
      const view = tab?.input instanceof vscode.TabInputWebview ? tab.input.viewType : undefined;
      // VS Code puts a word of its own before the name of the view.
      const pages = this.kinds.find((kind) => view !== undefined && (view === kind.view || view.endsWith(`-${kind.view}`)));
      return tab === undefined || pages === undefined || pages.isShownIn(column) ? [] : [{ tab, column, pages }];
    });
  }

  private async replace(): Promise<void> {
    for (const { tab, column, pages } of this.left()) {
      if (pages.openAgain(tab.label, column)) {
        await vscode.window.tabGroups.close(tab, true);
      }
    }
    this.lookSoon();
  }
}
