// One window of the workbench as a person uses it: palette, pickers, messages, views, menus, diffs, comments and the pages of the extension.
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { artifacts } from "./bench.mjs";
import { slow, until } from "./until.mjs";

const exactly = (text) => new RegExp(`^\\s*${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}\\s*$`);

/** Errors on the console that are the workbench's own in this surrounding, each with its reason. Everything else fails the suite. */
const ALLOWED = [
  { why: "the signing module of Microsoft's own build is in no other", like: /node_modules\/vsda\// },
  { why: "the oldest workbench is installed without its search program", like: /ripgrep\/bin\/rg ENOENT/ },
  { why: "on a busy machine the built-in GitHub extension comes up late", like: /Timed out waiting for authentication provider/ },
  { why: "the workbench reads its settings file twice while it starts", like: /User\/settings\.json already exists|Aborted onWillSaveTextDocument-event|Error: unknown document/ },
  { why: "in a browser a window that reloads cannot wait for its connection to say goodbye", like: /\[lifecycle\] Long running operations during shutdown are unsupported in the web/ },
  { why: "a window that reloads in a browser cannot write its own log any more", like: /IndexedDB database 'vscode-web-db' is closed/ },
  { why: "a right click on a row that the workbench is just drawing anew, which it then draws", like: /TreeError \[kanbots\.\w+\] Data tree node not found/ },
  { why: "a window that reloads or a host that was killed drops what was in flight", like: /Canceled: Canceled|CodeExpectedError: Canceled/ },
];
/** Only while a suite kills processes on purpose. */
const CRASHING = [/CloseEvent/, /\[lifecycle\] Long running operations|Extension host .*(terminated|crash)|UNRESPONSIVE|WebSocket|net::ERR_|Connection|ECONN|disposed|reconnect/i];

export class Window {
  errors = [];
  outside = [];
  log = [];
  /** While a suite kills what belongs to the window, the connection's own errors are expected. */
  crashing = false;

  static async open(bench, path, { theme, viewport = { width: 1400, height: 900 }, payload, expose = {}, reducedMotion = "reduce", active = true } = {}) {
    const window = new Window();
    const browser = await bench.browser();
    window.bench = bench;
    window.context = await browser.newContext({ viewport, reducedMotion, ...(theme ? { colorScheme: theme } : {}) });
    await window.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: `http://127.0.0.1:${bench.port}` });
    const page = (window.page = await window.context.newPage());
    page.setDefaultTimeout(15_000 * slow);
    page.on("console", (message) => {
      const line = `[${message.type()}] ${message.text()}`;
      window.log.push(line);
      if (message.type() === "error" || /proposed menu identifier|CANNOT use API proposal/.test(line)) window.#judge(`${message.text()} ${message.location().url ?? ""}`);
    });
    page.on("pageerror", (error) => window.#judge(`uncaught: ${error.stack ?? error.message}`));
    page.on("request", (request) => {
      const url = new URL(request.url());
      // A webview's own files come from a host that only its service worker knows.
      if (/^(https?|wss?):$/.test(url.protocol) && url.hostname !== "127.0.0.1" && !url.hostname.endsWith(".vscode-cdn.net")) window.outside.push(request.url());
    });
    for (const [name, callback] of Object.entries(expose)) await page.exposeFunction(name, callback);
    await page.goto(bench.url(path, payload), { timeout: 60_000 * slow, waitUntil: "commit" });
    if (active) await window.ready();
    return window;
  }

  async ready() {
    await this.page.locator(".monaco-workbench").waitFor({ timeout: 60_000 * slow });
    await this.page.locator(".statusbar-item").first().waitFor({ timeout: 60_000 * slow });
  }

  #judge(text) {
    if (ALLOWED.some(({ like }) => like.test(text)) || (this.crashing && CRASHING.some((like) => like.test(text)))) return;
    this.errors.push(text.slice(0, 1500));
  }

  /** No error on any console, no request to the outside, so far. */
  clean() {
    const found = [...this.errors.map((error) => `console: ${error}`), ...this.outside.map((url) => `request to the outside: ${url}`)];
    this.errors = [];
    this.outside = [];
    if (found.length > 0) throw new Error(found.slice(0, 10).join("\n"));
  }

  /** An error that the suite has brought about on purpose: VS Code writes every error that it shows to the console too. */
  async expected(text) {
    await until(`the console has "${text}"`, () => this.errors.some((error) => error.includes(text)));
    this.errors = this.errors.filter((error) => !error.includes(text));
  }

  /** A command of the palette by its exact label; Enter would take a fuzzy neighbour. */
  async command(label) {
    const row = this.#labelled(label);
    const input = this.page.locator(".quick-input-widget input.input").first();
    // A window that has just come up learns the commands of extensions a moment later, and does not add them to a list that is open.
    await until(`the palette has "${label}"`, async () => {
      // Not without need: Escape takes notifications off the screen too.
      if (await input.isVisible()) await this.page.keyboard.press("Escape");
      await this.page.keyboard.press("F1");
      await input.waitFor({ timeout: 2000 * slow });
      await input.fill(`>${label}`);
      await row.waitFor({ timeout: 2000 * slow });
      return true;
    }, { seconds: 30, detail: async () => `There is: ${(await this.rows().allInnerTexts()).join(" | ").replaceAll("\n", " ").slice(0, 600)}` });
    await row.click();
  }

  #labelled(label) {
    return this.rows().filter({ has: this.page.locator(".monaco-highlighted-label", { hasText: label instanceof RegExp ? label : exactly(label) }) }).first();
  }

  rows() {
    return this.page.locator(".quick-input-list .monaco-list-row");
  }

  /** Clicks a row of the open quick pick by its label. */
  async pick(label, { text } = {}) {
    if (text !== undefined) await this.page.locator(".quick-input-widget input.input").first().fill(text);
    const row = this.#labelled(label);
    try {
      await row.waitFor({ timeout: 10_000 * slow });
    } catch {
      const there = await this.rows().allInnerTexts();
      throw new Error(`There is no row "${label}" in the quick pick. There is: ${there.join(" | ").replaceAll("\n", " ").slice(0, 600)}`);
    }
    // In its corner: where the mouse rested before, a hover may cover what is below it.
    await row.click({ position: { x: 4, y: 4 } });
  }

  /** Types into the open input box, or the filter of a quick pick, and accepts. */
  async enter(text, { title } = {}) {
    const shown = this.page.locator(".quick-input-widget").filter({ visible: true });
    const widget = title === undefined ? shown : shown.filter({ hasText: title });
    await widget.waitFor();
    const input = widget.locator("input.input").first();
    await input.waitFor();
    await input.fill(text);
    await this.page.keyboard.press("Enter");
  }

  quickPick(text) {
    const shown = this.page.locator(".quick-input-widget").filter({ visible: true });
    return shown.filter({ hasText: text }).or(shown.filter({ has: this.page.locator(`input[placeholder*="${text}"]`) })).first();
  }

  toast(text) {
    return this.page.locator(".notification-toast").filter({ hasText: text });
  }

  async toastButton(text, button) {
    const toast = this.toast(text).first();
    await toast.waitFor({ timeout: 20_000 * slow });
    await toast.hover();
    await toast.getByRole("button", { name: button, exact: true }).first().click();
  }

  async modal(text, button) {
    const dialog = this.page.locator(".monaco-dialog-box").filter({ hasText: text });
    await dialog.waitFor();
    if (button !== undefined) await dialog.getByRole("button", { name: button, exact: true }).click();
    return dialog;
  }

  status(id) {
    return this.page.locator(`.statusbar-item[id$="${id}"]`);
  }

  /** The frame of a page of the extension by its element, "kb-board" or "kb-thread"; of several, the one that is shown and has the text. */
  async webview(element, text) {
    return until(`a page ${element}${text ? ` with "${text}"` : ""} is shown`, async () => {
      for (const frame of this.page.frames()) {
        const outer = frame.parentFrame();
        if (outer === null || outer.parentFrame() === null || !(await (await outer.frameElement()).isVisible())) continue;
        const found = frame.locator(element);
        if ((await found.count()) > 0 && (text === undefined || (await found.filter({ hasText: text }).count()) > 0)) return frame;
      }
      return undefined;
    }, { seconds: 30, detail: async () => `Frames: ${this.page.frames().map((frame) => frame.url().slice(0, 60)).join(" ")}` });
  }

  /** Opens the board by the palette and waits for its page. */
  async board() {
    await this.command("KanBots: Open Board");
    return this.webview("kb-board");
  }

  /** Until the sidecar has answered: what is clicked in a tree while its first rows are still being replaced is lost. */
  async settled() {
    await this.status("kanbots.status").or(this.page.locator(".statusbar-item").filter({ hasText: /running · / })).first().waitFor({ timeout: 40_000 * slow });
  }

  /** A view container in the activity bar, opened. */
  async activity(name) {
    const tab = this.page.locator(".activitybar").getByRole("tab", { name: name instanceof RegExp ? name : new RegExp(`^${name}`) });
    await tab.waitFor({ timeout: 30_000 * slow });
    if ((await tab.getAttribute("aria-selected")) !== "true") await tab.click();
    return tab;
  }

  /** The rows of a view by the title of its pane. */
  view(title) {
    return this.page.locator(".pane").filter({ has: this.page.locator(".pane-header .title", { hasText: exactly(title) }) });
  }

  row(title, text) {
    return this.view(title).locator(".monaco-list-row").filter({ hasText: text }).first();
  }

  /** An action of a row, which is shown while the mouse is over it. A row may move away from under the mouse while others come and go. */
  async rowAction(row, label) {
    const action = row.locator(`.action-label[aria-label^="${label}"], .action-label[title^="${label}"]`).first();
    await until(`the row has the action "${label}"`, async () => {
      await row.hover({ timeout: 2000 * slow });
      await action.click({ timeout: 1000 * slow });
      return true;
    }, { seconds: 30 });
  }

  /** Takes an entry of the menu that something opens. A menu ignores what comes right after it opened, and goes when a list is drawn anew below it: it is opened again then. */
  async menu(open, label) {
    const item = this.page.locator(".monaco-menu .action-item").filter({ has: this.page.locator(".action-label", { hasText: exactly(label) }) }).first();
    await until(`the menu took "${label}"`, async () => {
      if (!(await item.isVisible())) {
        // One that opened just before its row changed has not what is wanted now, and lets no other open.
        if (await this.page.locator(".monaco-menu").first().isVisible()) await this.page.keyboard.press("Escape");
        await open();
        await item.waitFor({ timeout: 3000 * slow });
      }
      const isTaken = await item.click({ timeout: 2000 * slow }).then(() => true, () => false);
      // A menu that took the click goes a moment later: opened again meanwhile, it would be told twice.
      return isTaken && item.waitFor({ state: "hidden", timeout: 1000 * slow }).then(() => true, () => false);
    }, { seconds: 30 });
  }

  async contextMenu(target, label) {
    await this.menu(() => target.click({ button: "right", timeout: 3000 * slow }), label);
  }

  tab(name) {
    return this.page.locator(".tabs-container .tab").filter({ hasText: name });
  }

  /** The files of the open multi-file diff. */
  multiDiff() {
    return this.page.locator(".multiDiffEntry").filter({ visible: true });
  }

  /** Presses the comment gutter beside the line that has the text. */
  async gutterComment(editor, text) {
    const line = editor.locator(".view-line").filter({ hasText: text }).first();
    await until(`a commenting glyph is beside "${text}"`, async () => {
      await line.scrollIntoViewIfNeeded({ timeout: 2000 * slow });
      const place = await line.boundingBox();
      await this.page.mouse.move(place.x + 30, place.y + place.height / 2);
      for (const glyph of await editor.locator(".comment-range-glyph").all()) {
        const box = await glyph.boundingBox().catch(() => null);
        if (box === null || box.width === 0 || Math.abs(box.y - place.y) > 4) continue;
        await this.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
        await this.page.mouse.down();
        await this.page.mouse.up();
        return true;
      }
      return false;
    });
  }

  /** Writes into the open comment form and adds it. */
  async comment(text) {
    await this.page.locator(".comment-form .monaco-editor").filter({ visible: true }).last().click();
    await this.page.keyboard.type(text);
    await this.page.locator(".monaco-button").filter({ visible: true, hasText: exactly("Add Comment") }).last().click();
  }

  /** An action of Source Control, where it is with one repository: in the head of its pane. */
  async scmAction(label) {
    const header = this.page.locator(".scm-view, .pane").filter({ has: this.page.locator(".pane-header") }).filter({ has: this.page.locator(`.action-label[aria-label^="${label}"]`) }).first();
    await header.hover();
    await this.page.locator(`.pane-header .action-label[aria-label^="${label}"], .scm-provider .action-label[aria-label^="${label}"]`).first().click();
  }

  /** What the browser has kept of the window and has the text in it. A workbench in a browser saves its state every few seconds, and not as it goes. */
  stored(text) {
    return this.page.evaluate(async (wanted) => {
      const done = (request) => new Promise((resolve, reject) => Object.assign(request, { onsuccess: () => resolve(request.result), onerror: () => reject(request.error) }));
      const found = [];
      for (const { name } of await indexedDB.databases()) {
        const database = await done(indexedDB.open(name));
        try {
          for (const store of database.objectStoreNames) found.push(...(await done(database.transaction(store).objectStore(store).getAll())).filter((value) => typeof value === "string" && value.includes(wanted)));
        } finally {
          database.close();
        }
      }
      return found;
    }, text);
  }

  /** Until the browser has kept that a page of ours is open. */
  async saved(view) {
    await until(`the window has saved that ${view} is open`, async () => (await this.stored(view)).some((value) => value.includes("editors")), { seconds: 60 });
  }

  async reload() {
    await this.page.reload();
    await this.ready();
  }

  async screenshot(name) {
    mkdirSync(join(artifacts, "e2e"), { recursive: true });
    await this.page.screenshot({ path: join(artifacts, "e2e", `${name}.png`) });
  }

  /** What there is to find out why a step failed: the picture, the console, and the extension's own log. */
  async evidence(name) {
    await this.screenshot(name).catch(() => {});
    const output = [];
    const walk = (folder) => readdirSync(folder, { withFileTypes: true }).forEach((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (/KanBots.*\.log$|remoteexthost\.log$/.test(entry.name) && statSync(path).size > 0) output.push(`== ${path}\n${readFileSync(path, "utf8")}`);
    });
    try {
      walk(join(this.bench.root, "data/logs"));
    } catch {
      // There is no log yet.
    }
    writeFileSync(join(artifacts, "e2e", `${name}.log`), [...output, "== console", ...this.log].join("\n"));
  }

  async close() {
    await this.context.close();
  }
}
