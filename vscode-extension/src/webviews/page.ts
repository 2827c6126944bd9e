import { randomBytes } from "node:crypto";
import * as vscode from "vscode";

/** What a page is of. It travels into the page and back with its saved state, so that a restored tab knows what it was. */
export interface Place {
  folder: string;
  runId?: number;
}

/** A webview panel of ours: its HTML, and messages both ways. A page that is hidden may be dropped by the editor; it says `ready` each time it comes up. */
export class Page<To, From extends { t: string }> implements vscode.Disposable {
  private readonly disposables: vscode.Disposable[] = [];
  private readonly didEnd = new vscode.EventEmitter<void>();
  private readonly didHear = new vscode.EventEmitter<From>();
  readonly onDidEnd = this.didEnd.event;
  readonly onDidHear = this.didHear.event;

  constructor(readonly panel: vscode.WebviewPanel, extensionUri: vscode.Uri, script: "board" | "thread", place: Place) {
    panel.webview.options = { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(extensionUri, "dist")] };
    panel.webview.html = html(panel.webview, extensionUri, script, place);
    this.disposables.push(
      panel.webview.onDidReceiveMessage((message: unknown) => {
        if (typeof message === "object" && message !== null && typeof (message as { t?: unknown }).t === "string") {
          this.didHear.fire(message as From);
        }
      }),
      panel.onDidDispose(() => {
        this.didEnd.fire();
        this.dispose();
      }),
    );
  }

  post(message: To): void {
    void this.panel.webview.postMessage(message);
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
    this.didHear.dispose();
    this.didEnd.dispose();
  }
}

function html(webview: vscode.Webview, extensionUri: vscode.Uri, script: "board" | "thread", place: Place): string {
  const nonce = randomBytes(16).toString("base64");
  const source = webview.asWebviewUri(vscode.Uri.joinPath(extensionUri, "dist", `${script}.js`)).toString();
  // Lit's style sheets are constructed, so that no inline style is allowed; nothing is loaded but our own script.
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>KanBots</title>
<style nonce="${nonce}">html, body { height: 100%; margin: 0; padding: 0; }</style>
</head>
<body data-place="${attribute(JSON.stringify(place))}">
<kb-${script}></kb-${script}>
<script nonce="${nonce}" src="${source}"></script>
</body>
</html>`;
}

const attribute = (text: string): string => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** The icon of a tab, for light and dark themes. */
export const iconOf = (extensionUri: vscode.Uri, name: "board" | "thread"): { light: vscode.Uri; dark: vscode.Uri } => ({
  light: vscode.Uri.joinPath(extensionUri, "media", `${name}-light.svg`),
  dark: vscode.Uri.joinPath(extensionUri, "media", `${name}-dark.svg`),
});
