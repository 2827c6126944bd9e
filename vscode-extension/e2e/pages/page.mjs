// A page of the extension in a browser, as VS Code's webview has it: the same content security policy, the colours of a theme as variables, and a stand-in
// for `acquireVsCodeApi` that keeps what the page sends. No editor, no sidecar: fast enough to try every state.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const require = createRequire(import.meta.url);

const DARK = {
  "--vscode-editor-background": "#1f1f1f", "--vscode-foreground": "#cccccc", "--vscode-descriptionForeground": "#9d9d9d", "--vscode-widget-border": "#313131", "--vscode-list-hoverBackground": "#2a2d2e",
  "--vscode-focusBorder": "#0078d4", "--vscode-button-background": "#0078d4", "--vscode-button-foreground": "#ffffff", "--vscode-button-hoverBackground": "#026ec1", "--vscode-button-border": "#ffffff12",
  "--vscode-button-secondaryBackground": "#313131", "--vscode-button-secondaryForeground": "#cccccc", "--vscode-button-secondaryHoverBackground": "#3c3c3c",
  "--vscode-input-background": "#313131", "--vscode-input-foreground": "#cccccc", "--vscode-input-border": "#3c3c3c", "--vscode-input-placeholderForeground": "#989898",
  "--vscode-dropdown-background": "#313131", "--vscode-dropdown-foreground": "#cccccc", "--vscode-dropdown-border": "#3c3c3c",
  "--vscode-kanbots-running": "#d18616", "--vscode-charts-yellow": "#cca700", "--vscode-charts-green": "#89d185", "--vscode-charts-red": "#f14c4c", "--vscode-charts-blue": "#3794ff",
  "--vscode-menu-background": "#1f1f1f", "--vscode-menu-foreground": "#cccccc", "--vscode-menu-border": "#454545", "--vscode-menu-selectionBackground": "#0078d4", "--vscode-menu-selectionForeground": "#ffffff",
  "--vscode-menu-separatorBackground": "#454545", "--vscode-widget-shadow": "#0000005c", "--vscode-badge-background": "#616161", "--vscode-badge-foreground": "#f8f8f8",
  "--vscode-progressBar-background": "#0078d4", "--vscode-icon-foreground": "#cccccc", "--vscode-toolbar-hoverBackground": "#5a5d5e50", "--vscode-list-dropBackground": "#383b3d", "--vscode-disabledForeground": "#cccccc80",
  "--vscode-scrollbarSlider-background": "#79797966", "--vscode-textLink-foreground": "#4daafc", "--vscode-errorForeground": "#f85149",
};
const LIGHT = {
  ...DARK,
  "--vscode-editor-background": "#ffffff", "--vscode-foreground": "#3b3b3b", "--vscode-descriptionForeground": "#3b3b3b", "--vscode-widget-border": "#e5e5e5", "--vscode-list-hoverBackground": "#f2f2f2",
  "--vscode-focusBorder": "#005fb8", "--vscode-button-background": "#005fb8", "--vscode-button-hoverBackground": "#0258a8", "--vscode-button-border": "#0000001a",
  "--vscode-button-secondaryBackground": "#e5e5e5", "--vscode-button-secondaryForeground": "#3b3b3b", "--vscode-button-secondaryHoverBackground": "#cccccc",
  "--vscode-input-background": "#ffffff", "--vscode-input-foreground": "#3b3b3b", "--vscode-input-border": "#cecece", "--vscode-input-placeholderForeground": "#767676",
  "--vscode-dropdown-background": "#ffffff", "--vscode-dropdown-foreground": "#3b3b3b", "--vscode-dropdown-border": "#cecece",
  "--vscode-charts-yellow": "#bf8803", "--vscode-charts-green": "#388a34", "--vscode-charts-red": "#e51400", "--vscode-charts-blue": "#1a85ff",
  "--vscode-menu-background": "#ffffff", "--vscode-menu-foreground": "#3b3b3b", "--vscode-menu-border": "#cecece", "--vscode-menu-selectionBackground": "#005fb8", "--vscode-menu-separatorBackground": "#d4d4d4",
  "--vscode-widget-shadow": "#00000029", "--vscode-badge-background": "#cccccc", "--vscode-badge-foreground": "#3b3b3b", "--vscode-progressBar-background": "#005fb8", "--vscode-icon-foreground": "#3b3b3b",
  "--vscode-toolbar-hoverBackground": "#b8b8b850", "--vscode-list-dropBackground": "#d6ebff", "--vscode-disabledForeground": "#61616180", "--vscode-textLink-foreground": "#005fb8", "--vscode-errorForeground": "#f85149",
};
const HIGH_CONTRAST = {
  ...DARK,
  "--vscode-editor-background": "#000000", "--vscode-foreground": "#ffffff", "--vscode-descriptionForeground": "#ffffffb3", "--vscode-widget-border": "#6fc3df", "--vscode-contrastBorder": "#6fc3df", "--vscode-contrastActiveBorder": "#f38518",
  "--vscode-focusBorder": "#f38518", "--vscode-button-background": "#000000", "--vscode-button-border": "#6fc3df", "--vscode-button-hoverBackground": "#000000",
  "--vscode-input-background": "#000000", "--vscode-input-foreground": "#ffffff", "--vscode-input-border": "#6fc3df", "--vscode-dropdown-background": "#000000", "--vscode-dropdown-foreground": "#ffffff", "--vscode-dropdown-border": "#6fc3df",
  "--vscode-menu-background": "#000000", "--vscode-menu-foreground": "#ffffff", "--vscode-menu-border": "#6fc3df", "--vscode-list-dropBackground": "#000000", "--vscode-icon-foreground": "#ffffff",
  "--vscode-charts-yellow": "#cca700", "--vscode-charts-red": "#f48771",
};

/** Colours that VS Code takes from others where a theme does not say them. */
const whole = (theme) => ({
  "--vscode-settings-textInputBackground": theme["--vscode-input-background"], "--vscode-settings-textInputForeground": theme["--vscode-input-foreground"], "--vscode-settings-textInputBorder": theme["--vscode-input-border"], ...theme,
});

export const THEMES = {
  dark: { variables: whole(DARK), bodyClass: "vscode-dark" },
  light: { variables: whole(LIGHT), bodyClass: "vscode-light" },
  highContrast: { variables: whole(HIGH_CONTRAST), bodyClass: "vscode-high-contrast" },
};

const FONT = "--vscode-font-family: system-ui, 'DejaVu Sans', sans-serif; --vscode-font-size: 13px; --vscode-font-weight: normal; --vscode-editor-font-family: 'DejaVu Sans Mono', monospace;";
// What VS Code itself puts into every webview.
const DEFAULTS = "html { scrollbar-color: #79797966 transparent; } body { overscroll-behavior-x: none; background-color: transparent; margin: 0; padding: 0 20px; }";
const STUB = `
  window.sent = [];
  window.acquireVsCodeApi = () => ({
    postMessage: (message) => void window.sent.push(structuredClone(message)),
    getState: () => JSON.parse(sessionStorage.getItem("state") ?? "null") ?? undefined,
    setState: (state) => { sessionStorage.setItem("state", JSON.stringify(state)); return state; },
  });
  window.violations = [];
  document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective + " " + event.blockedURI + " " + event.sample));`;

const BODIES = { board: "<kb-board></kb-board>", thread: "<kb-thread></kb-thread>" };

/** Serves `dist/board.js` and `dist/thread.js` in their pages and opens a browser. `open` gives a page, as a rule the one of `usual`, in a theme, ready to be fed by `feed`. */
export async function browse(usual, root) {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const script = Object.keys(BODIES).find((one) => url.pathname === `/${one}.js`);
    if (script !== undefined) {
      response.setHeader("content-type", "text/javascript").end(readFileSync(new URL(`dist/${script}.js`, root)));
      return;
    }
    const name = url.pathname === "/thread" ? "thread" : "board";
    const theme = THEMES[url.searchParams.get("theme") ?? "dark"] ?? THEMES.dark;
    const nonce = "n0nce";
    const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; font-src 'self'; img-src 'self' data:`;
    const variables = Object.entries(theme.variables).map(([key, value]) => `${key}: ${value};`).join(" ");
    response.setHeader("content-type", "text/html").end(`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${name}</title>
<meta http-equiv="Content-Security-Policy" content="${policy}"><style nonce="${nonce}">:root { ${FONT} ${variables} } ${DEFAULTS}</style><script nonce="${nonce}">${STUB}</script></head>
<body class="${theme.bodyClass}" data-place='{"folder":"/r"}'>${BODIES[name]}<script nonce="${nonce}" src="/${name}.js"></script></body></html>`);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
  const port = server.address().port;
  return {
    async open({ name = usual, theme = "dark", width = 1500, height = 860, context: options = {} } = {}) {
      const context = await browser.newContext({ viewport: { width, height }, ...options });
      const page = await context.newPage();
      const problems = [];
      page.on("console", (message) => ["error", "warning"].includes(message.type()) && problems.push(message.text()));
      page.on("pageerror", (error) => problems.push(String(error)));
      await page.goto(`http://127.0.0.1:${port}/${name}?theme=${theme}`);
      await page.waitForFunction(() => window.sent.some((message) => message.t === "ready"));
      return { page, problems, close: () => context.close() };
    },
    async close() {
      await browser.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const feed = (page, ...messages) => page.evaluate(async (all) => {
  for (const message of all) {
    window.postMessage(message, "*");
  }
  // Messages are delivered, models become pixels: two frames.
  await new Promise((resolve) => setTimeout(resolve, 0));
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}, messages);

/** The violations of axe-core as lines, the first few, empty when there are none. Contrast means nothing where the browser puts its own colours in: axe sees ours. */
export async function axe(page, { contrast = true } = {}) {
  await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
  const { violations } = await page.evaluate((options) => window.axe.run(document, options), { resultTypes: ["violations"], rules: { "color-contrast": { enabled: contrast } } });
  return violations.flatMap((violation) => violation.nodes.map((node) => `${violation.id}: ${node.target.join(" ")} ${node.failureSummary?.replaceAll("\n", " ")}`)).slice(0, 5);
}

/** Keeps a picture when SHOTS names a folder for them. */
export async function shot(page, name) {
  if (process.env.SHOTS !== undefined) {
    await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
  }
}

/** The longest task of the page's main thread while `body` runs, in milliseconds on the wall and on the processor. */
export async function busiest(page, body) {
  const browser = page.context().browser();
  await browser.startTracing(page, { categories: ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline", "__metadata"] });
  await body();
  const trace = JSON.parse((await browser.stopTracing()).toString());
  const main = new Set(trace.traceEvents.filter((event) => event.name === "thread_name" && event.args?.name === "CrRendererMain").map((event) => `${event.pid}.${event.tid}`));
  const events = trace.traceEvents.filter((event) => event.ph === "X" && main.has(`${event.pid}.${event.tid}`));
  // Tasks in which the page itself did something; the others are what the test asks the page.
  const own = events.filter((event) => ["FireAnimationFrame", "EventDispatch", "TimerFire", "FunctionCall", "UpdateLayoutTree", "Layout", "Paint"].includes(event.name));
  const tasks = events.filter((task) => task.name === "RunTask" && own.some((event) => event.pid === task.pid && event.tid === task.tid && event.ts >= task.ts && event.ts < task.ts + task.dur));
  const most = (of) => Math.round(Math.max(0, ...tasks.map(of)) / 100) / 10;
  return { wallMs: most((task) => task.dur ?? 0), processorMs: most((task) => task.tdur ?? 0), tasks: tasks.length };
}

/** How many nodes the page keeps, those out of the document included, after a collection of garbage. */
export async function nodes(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable");
  await devtools.send("HeapProfiler.collectGarbage");
  const { metrics } = await devtools.send("Performance.getMetrics");
  await devtools.detach();
  return metrics.find(({ name }) => name === "Nodes").value;
}
