// What agents ask, in the workbench: notifications, the Decisions view, quick picks, withdrawal, hostile text; the Issues view and that of the GitHub extension.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "../until.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const HOSTILE = { question: "[Run](command:workbench.action.terminal.new) $(gear) which?\nSecond line", option: "[Radix](command:workbench.action.terminal.new) $(trash)" };

function stubOf(bench) {
  const vsix = join(bench.root, "stub-github.vsix");
  execFileSync("node", [join(here, "../../node_modules/@vscode/vsce/vsce"), "package", "--no-dependencies", "--allow-missing-repository", "--skip-license", "-o", vsix], { cwd: join(here, "../stub-github"), stdio: "pipe" });
  return vsix;
}

export default async function ({ step, bench: start }) {
  const bench = await start({ environment: { FAKE_AGENT_RECORD: "1" } });
  bench.install(stubOf(bench));
  const repository = bench.repository("sample");
  const asking = (question, ...labels) => [{ ask: [{ question, header: "Toast", multiSelect: false, options: labels.map((label) => ({ label })) }] }, { say: "Done." }];
  bench.script("choose", asking("Use Radix or build from scratch?", "Radix", "From scratch"));
  bench.script("hostile", asking(HOSTILE.question, HOSTILE.option, "Other one"));
  bench.script("auth", [{ say: "I look." }, { tool: "Bash", input: { command: "npm test" }, ms: 60_000 }]);
  await repository.card(88, "add toast component", "choose");
  await repository.card(89, "deflake the auth test", "auth");
  await repository.card(90, "audit [x](command:workbench.action.terminal.new) $(gear)", "hostile");
  await repository.card(91, "second question", "choose");

  const window = await step("the window opens on a repository with a board, and says in the status bar what runs", async () => {
    const opened = await bench.open(repository.path);
    await opened.status("kanbots.status").filter({ hasText: "0 running" }).waitFor();
    return opened;
  });
  const { page } = window;
  const terminals = () => page.locator(".terminal-tabs-entry, .terminal-wrapper").count();
  const answersOf = async (number) => {
    const run = (await repository.board()).runs.find((one) => one.cardNumber === number);
    const path = join(run.worktreePath, ".fake-answers.json");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  };

  await step("the Issues view lists the cards, and one is dispatched from its row", async () => {
    await window.activity("KanBots");
    await window.row("Issues", "#88 add toast component").waitFor();
    await window.rowAction(window.row("Issues", "#88 add toast component"), "Dispatch");
    await window.toast("Use Radix or build from scratch?").waitFor();
    await window.row("Issues", "Waiting for you").waitFor();
    await window.row("Decisions", "Use Radix or build from scratch?").waitFor();
    await window.screenshot("decisions-toast");
  });

  await step("a question is answered by the button of its notification", async () => {
    await window.toastButton("#88", "From scratch");
    await repository.runIn(88, "finished", "inReview");
    await until("the agent has the answer", async () => (await answersOf(88)).includes("From scratch"));
    await window.toast("#88").waitFor({ state: "detached" });
    await window.row("Decisions", "#88").waitFor({ state: "detached" });
  });

  await step("the text of an agent runs nothing and draws nothing: notification, views, quick pick", async () => {
    await window.contextMenu(window.row("Issues", "#90"), "Dispatch…");
    const toast = window.toast("#90");
    await toast.waitFor();
    const text = await toast.locator(".notification-list-item-message").innerText();
    if (!/Run/.test(text) || /\n/.test(text)) throw new Error(`The question reads: ${text}`);
    for (const [what, count] of [["links", await toast.locator(".notification-list-item-message a").count()], ["icons", await toast.locator(".notification-list-item-message .codicon, .notification-list-item-buttons-container .codicon-trash").count()]]) {
      if (count > 0) throw new Error(`The notification has ${count} ${what}.`);
    }
    await toast.locator(".notification-list-item-message").click();
    for (const row of [window.row("Issues", "#90"), window.row("Decisions", "#90")]) {
      if ((await row.locator(".codicon-gear, a[href]").count()) > 0) throw new Error("A row draws what an agent wrote.");
    }
    await window.screenshot("decisions-hostile");
    await window.row("Decisions", "#90").click();
    const pick = window.quickPick("Toast");
    await pick.waitFor();
    if ((await pick.locator(".quick-input-list").locator(".codicon-trash, .codicon-gear, a[href]").count()) > 0) throw new Error("The quick pick draws what an agent wrote.");
    await window.screenshot("decisions-hostile-pick");
    if ((await terminals()) > 0) throw new Error("A terminal was opened by the text of an agent.");
    await pick.locator(".monaco-list-row").first().click();
    await until("the agent has its own words back", async () => JSON.stringify(await answersOf(90)).includes("command:workbench.action.terminal.new"));
    if ((await terminals()) > 0) throw new Error("A terminal was opened by the text of an agent.");
  });

  await step("what is answered in a terminal is taken away here, notification and dialog; what another card asks stays", async () => {
    const { cards } = await repository.board();
    const again = cards.find(({ number }) => number === 88);
    await repository.dispatch(again);
    await window.toast("#88").waitFor();
    await window.rowAction(window.row("Issues", "#91"), "Dispatch");
    await window.toast("#91").waitFor();
    await window.row("Decisions", "#88").click();
    await window.quickPick("Toast").waitFor();
    repository.cli("answer", "88", "Radix");
    await window.quickPick("Toast").waitFor({ state: "detached" }).catch(() => window.quickPick("Toast").waitFor({ state: "hidden" }));
    await window.toast("#88").waitFor({ state: "detached" });
    await window.toast("#91").waitFor();
    await window.row("Decisions", "#88").waitFor({ state: "detached" });
    await window.screenshot("decisions-withdrawn");
  });

  await step("a notification that is closed leaves its question in the view, and the keyboard answers it", async () => {
    await window.toast("#91").hover();
    await window.toast("#91").locator('.codicon-notifications-clear, [aria-label^="Clear Notification"]').first().click();
    await window.toast("#91").waitFor({ state: "detached" });
    await window.row("Decisions", "#91").waitFor();
    await window.status("kanbots.status").filter({ hasText: "1 waiting" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.press("a");
    await window.quickPick("Toast").waitFor();
    await window.pick("Other…");
    await window.enter("Ask the designers");
    await until("the agent has the words", async () => (await answersOf(91)).includes("Ask the designers"));
    await window.view("Decisions").getByText("Nothing waits for you").waitFor();
  });

  await step("the dialog asks with what, in six steps", async () => {
    await window.contextMenu(window.row("Issues", "#89"), "Dispatch With…");
    await window.pick("Claude Code");
    await window.modal("not signed in", "Use Anyway");
    await window.pick("Default");
    await window.pick("Ask before using tools");
    await window.rows().filter({ hasText: "The default branch of the repository." }).waitFor();
    await window.screenshot("dispatch-base");
    await window.pick("main");
    await window.enter("2.50");
    await window.enter("");
    const run = await repository.runIn(89, "running", "awaitingDecision");
    if (run.budget.microUsd !== 2_500_000 || run.permissionMode !== "ask" || run.baseRef !== "main") throw new Error(`The run is ${JSON.stringify(run)}`);
    await window.contextMenu(window.row("Issues", "#89"), "Stop Run…");
    await repository.runIn(89, "stopped");
  });

  await step("an issue of the GitHub extension becomes a card and runs", async () => {
    await window.activity("GitHub");
    await window.contextMenu(page.locator(".monaco-list-row").filter({ hasText: "#412 Deflake the auth test" }).first(), "Dispatch with KanBots");
    await repository.runIn(412, "running");
    await window.screenshot("github-issues");
  });

  await step("the menu of the status bar and what was spent", async () => {
    await window.status("kanbots.status").click();
    await window.quickPick("Open the board").waitFor();
    await window.screenshot("status-menu");
    await window.pick(/Spending/);
    await window.quickPick("In all").waitFor();
    await window.screenshot("spending");
    await page.keyboard.press("Escape");
  });

  await step("the setup is checked", async () => {
    await window.command("KanBots: Check Setup");
    await window.quickPick("Claude Code").waitFor();
    await window.screenshot("check-setup");
    await page.keyboard.press("Escape");
  });
}
