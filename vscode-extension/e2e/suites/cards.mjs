// What can be asked of one card and its run: by the palette and its pickers, the Issues view and the board's context menu. And what belongs to the window: its menu, spending, log, a restart.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../until.mjs";

export default async function ({ step, shared }) {
  const bench = await shared();
  const repository = bench.repository("cards");
  const gate = join(bench.root, "cards-go-on");
  bench.script("work", [{ write: "work.txt", text: "worked\n" }, { say: "Done.", usd: 0.25 }]);
  bench.script("waits", [{ write: "begun.txt", text: "begun\n" }, { tool: "Bash", input: { command: "make all" }, sh: `while [ ! -e '${gate}' ]; do sleep 0.1; done`, result: "made" }, { say: "All is made." }]);
  bench.script("forked", [{ write: "forked.txt", text: "forked\n" }, { say: "I went another way." }]);
  bench.script("fails", [{ say: "I try." }, { error: "Overloaded" }]);
  bench.script("stillborn", [{ stderrOnly: "cannot begin" }, { exit: 3 }]);
  const window = await step("a window opens on a board without cards", async () => {
    const opened = await bench.open(repository.path);
    await opened.activity("KanBots");
    await opened.settled();
    return opened;
  });
  const { page } = window;
  const cardOf = async (number) => (await repository.board()).cards.find((card) => card.number === number);
  const latest = async (number) => (await repository.board()).runs.filter((run) => run.cardNumber === number).at(-1);
  const issue = (number) => window.row("Issues", `#${number} `);
  const box = (text) => page.locator(".quick-input-widget").filter({ visible: true, hasText: text });

  await step("a card is written by the palette: a title that may not be empty, and what the agent needs to know", async () => {
    await window.command("KanBots: New Card…");
    await box("New card (1/2)").waitFor();
    await page.keyboard.press("Enter");
    await box("Say in a few words what is to be done.").waitFor();
    await window.enter("tidy the shed", { title: "New card (1/2)" });
    await window.enter("[[fake:work]]", { title: "New card (2/2)" });
    await repository.until("the card is there", ({ cards }) => cards.some(({ title, body, column }) => title === "tidy the shed" && body === "[[fake:work]]" && column === "todo"));
    await issue(1).waitFor();
  });
  await step("it is edited from the Issues view: title, text, labels", async () => {
    await window.contextMenu(issue(1), "Edit Card…");
    await window.enter("tidy the old shed", { title: "Card #1 (1/3)" });
    await box("Card #1 (2/3)").waitFor();
    await page.keyboard.press("Enter");
    await window.enter("garden, soon", { title: "Card #1 (3/3)" });
    await repository.until("the card is another", ({ cards: [card] }) => card.title === "tidy the old shed" && card.body === "[[fake:work]]" && card.labels.join() === "garden,soon");
  });
  await step("it is moved by the palette, and offered every column but its own", async () => {
    await window.command("KanBots: Move Card…");
    await window.quickPick("Move card: which card?").waitFor();
    await window.pick(/^#1 tidy the old shed$/);
    await window.quickPick("Move #1 to").waitFor();
    assert.deepEqual((await window.rows().allInnerTexts()).map((text) => text.trim()), ["Backlog", "In progress", "Review", "Done"]);
    await window.pick("Backlog");
    await repository.until("the card has moved", ({ cards }) => cards[0].column === "backlog");
  });
  await step("it is archived from the board, brought back by Undo, and archived by the palette", async () => {
    const board = await window.board();
    const card = board.locator("kb-card").filter({ hasText: "tidy the old shed" });
    await window.contextMenu(card.first(), "Archive Card…");
    await repository.until("the card is off the board", ({ cards }) => cards.length === 0);
    await until("it has left the board", async () => (await card.count()) === 0);
    await window.toastButton("Card #1 is archived.", "Undo");
    await repository.until("the card is back", ({ cards }) => cards.length === 1);
    await card.first().waitFor();
    await window.command("KanBots: Archive Card…");
    await window.pick(/^#1 tidy the old shed$/);
    await repository.until("the card is off the board", ({ cards }) => cards.length === 0);
    await window.toastButton("Card #1 is archived.", "Undo");
    await repository.until("the card is back", ({ cards }) => cards.length === 1);
  });
  await step("a card is deleted only after a question, and not while a run of it holds work", async () => {
    await repository.card(8, "goes away");
    await window.command("KanBots: Delete Card…");
    await window.pick(/^#8 goes away$/);
    await window.modal("It has no runs. This cannot be undone; Archive keeps it.", "Cancel");
    assert.ok(await cardOf(8), "a card was deleted that was to stay");
    await window.contextMenu(issue(8), "Delete Card…");
    await window.modal("Delete card #8 “goes away”?", "Delete");
    await repository.until("the card is gone", ({ cards }) => cards.every(({ number }) => number !== 8));
    await issue(8).waitFor({ state: "detached" });
    await repository.dispatch(await repository.card(2, "stays", "work"));
    await repository.runIn(2, "inReview");
    await window.row("Issues", /#2 .*in review/).waitFor();
    await window.contextMenu(issue(2), "Delete Card…");
    await window.modal("Its 1 run and what they cost are forgotten with it.", "Delete");
    await window.toast("The card was not deleted: ").filter({ hasText: "has a worktree. Archive the card instead." }).waitFor();
    await window.expected("The card was not deleted: ");
    assert.ok(await cardOf(2), "a card was deleted whose run holds work");
  });

  await step("a thread opens by the palette", async () => {
    await repository.dispatch(await repository.card(3, "make it all", "waits"));
    await repository.runIn(3, "running");
    await window.command("KanBots: Open Thread…");
    await window.pick(/^#3 make it all$/);
    await (await window.webview("kb-thread", "make all")).getByText("make all").first().waitFor();
    await window.tab("#3 make it all").waitFor();
  });
  await step("the window's menu leads to what runs", async () => {
    await window.command("View: Close Editor");
    await window.tab("#3 make it all").waitFor({ state: "detached" });
    await window.command("KanBots: Show Menu");
    await window.pick(/^#3 make it all$/);
    await window.tab("#3 make it all").waitFor();
  });
  await step("the sidecar is restarted by the menu, and the agent goes on meanwhile", async () => {
    const relays = () => bench.processes().filter(({ command }) => / --stdio/.test(command) && command.includes("extensions/")).map(({ pid }) => pid);
    const agents = () => bench.processes().filter(({ command }) => command.includes("kanbots-fake-agent")).map(({ pid }) => pid).sort();
    const [before, working] = [relays(), agents()];
    assert.ok(before.length > 0 && working.length > 0, "no sidecar, or no agent, is there");
    await window.command("KanBots: Show Menu");
    await window.pick(/Restart the sidecar$/);
    await until("another relay is there", () => relays().length > 0 && relays().every((pid) => !before.includes(pid)), { detail: () => `${before} became ${relays()}` });
    assert.deepEqual(agents(), working);
    await repository.card(4, "written after the restart", "work");
    await issue(4).waitFor();
    const { state, launch } = await latest(3);
    assert.deepEqual([state, launch], ["running", 1]);
  });
  await step("the sidecar is restarted by the palette, and the thread follows the agent to its end", async () => {
    await window.command("KanBots: Restart Sidecar");
    writeFileSync(gate, "");
    await repository.runIn(3, "inReview");
    await (await window.webview("kb-thread", "All is made.")).getByText("All is made.").first().waitFor();
    assert.equal((await latest(3)).launch, 1);
  });

  await step("a run is stopped by the palette, and resumed by it in the same session", async () => {
    bench.script("endless", [{ say: "Working." }, { wait: 600_000 }]);
    await repository.dispatch(await repository.card(5, "never ends", "endless"));
    const { sessionId } = await repository.until("it has a session", ({ runs }) => runs.find((run) => run.cardNumber === 5 && run.state === "running" && run.sessionId !== undefined));
    await window.command("KanBots: Stop Run…");
    await window.pick(/^#5 never ends$/);
    const stopped = await repository.runIn(5, "stopped");
    await window.command("KanBots: Resume Run…");
    await window.pick(/^#5 never ends$/);
    const resumed = await repository.until("it has gone on", ({ runs }) => runs.find((run) => run.id === stopped.id && run.launch === 2));
    assert.equal(resumed.sessionId, sessionId);
  });
  await step("a run that failed is retried, midway or before it began", async () => {
    await repository.dispatch(await repository.card(6, "fails midway", "fails"));
    const failed = await repository.runIn(6, "failed");
    await window.contextMenu(issue(6), "Retry Run…");
    await repository.until("it has gone on", ({ runs }) => runs.some((run) => run.id === failed.id && run.launch === 2));
    await repository.dispatch(await repository.card(7, "never begins", "stillborn"));
    const stillborn = await repository.runIn(7, "failed");
    bench.script("stillborn", [{ say: "Now I begin." }]);
    await window.command("KanBots: Retry Run…");
    await window.pick(/^#7 never begins$/);
    await repository.until("it has begun and ended well", ({ runs }) => runs.some((run) => run.id === stillborn.id && run.launch === 2 && run.state === "finished"));
    assert.match(JSON.stringify((await repository.request("run/events", { runId: stillborn.id })).items), /Now I begin\./);
  });

  await repository.dispatch(await cardOf(1));
  const run = await repository.runIn(1, "inReview");
  await step("a fork begins with the run's files and does what its prompt says, and its thread opens", async () => {
    // An agent is told the card's text and the prompt: of the two only the prompt names a script.
    await repository.change("card/update", { cardId: run.cardId, body: "" });
    const board = await window.board();
    await window.contextMenu(board.locator("kb-card").filter({ hasText: "tidy the old shed" }).first(), "Fork Run…");
    await window.enter("another way [[fake:forked]]", { title: "Fork #1" });
    const fork = await repository.until("the fork has worked", ({ runs }) => runs.find((one) => one.cardNumber === 1 && one.id !== run.id && one.state === "inReview"));
    assert.equal(readFileSync(join(fork.worktreePath, "work.txt"), "utf8"), "worked\n");
    assert.equal(readFileSync(join(fork.worktreePath, "forked.txt"), "utf8"), "forked\n");
    assert.equal(existsSync(join(run.worktreePath, "forked.txt")), false);
    await (await window.webview("kb-thread", "I went another way.")).getByText("I went another way.").first().waitFor();
  });
  await step("the name of the branch is copied", async () => {
    const { branch } = await latest(3);
    await window.command("KanBots: Copy Branch Name…");
    await window.pick(/^#3 make it all$/);
    await until("the clipboard has it", async () => (await page.evaluate(() => navigator.clipboard.readText())) === branch, { detail: () => page.evaluate(() => navigator.clipboard.readText()) });
    assert.match(repository.git("branch", "--list", branch), new RegExp(branch));
  });
  await step("a terminal opens in the worktree", async () => {
    const { worktreePath } = await latest(3);
    const shells = () => bench.processes().filter(({ command }) => /\bbash\b/.test(command)).map(({ pid }) => pid);
    const before = shells();
    await window.contextMenu(issue(3), "Open Terminal in Worktree…");
    const shell = await until("a shell is there", () => shells().find((pid) => !before.includes(pid) && readlinkSync(`/proc/${pid}/cwd`) === worktreePath), { detail: () => shells().map((pid) => readlinkSync(`/proc/${pid}/cwd`)).join(" ") });
    await page.locator(".terminal-wrapper.active .xterm").first().click();
    await page.keyboard.type("echo typed > typed.txt\n");
    await until("what is typed there is done there", () => existsSync(join(worktreePath, "typed.txt")));
    await window.screenshot("cards-terminal");
    await page.keyboard.type("exit\n");
    await until("the shell has ended", () => !existsSync(`/proc/${shell}`));
    // Its view goes a moment later, and the focus with it.
    await page.locator(".terminal-wrapper").first().waitFor({ state: "detached" });
  });
  await step("the worktree opens in a window of its own", async () => {
    const { worktreePath } = await latest(3);
    await window.command("KanBots: Open Worktree in New Window…");
    await window.pick(/^#3 make it all$/);
    const other = await until("another window is there", () => window.context.pages().find((one) => one !== page));
    await until("it is on the worktree", () => new URL(other.url()).searchParams.get("folder") === worktreePath, { detail: () => other.url() });
    await other.close();
  });
  await step("where no file manager can show the worktree, its place is told", async () => {
    const { worktreePath } = await latest(3);
    await window.command("KanBots: Reveal Worktree…");
    await window.pick(/^#3 make it all$/);
    await window.screenshot("cards-reveal");
    await window.toastButton(worktreePath, "Copy Path");
    await until("the clipboard has it", async () => (await page.evaluate(() => navigator.clipboard.readText())) === worktreePath);
  });

  await step("what was spent is told by card and in all", async () => {
    await window.command("KanBots: Show Spending");
    await window.quickPick("In all").waitFor();
    const rows = (await window.rows().allInnerTexts()).join(" | ").replaceAll("\n", " ");
    for (const words of [/\$0\.50/, /#1 tidy the old shed\s*\$0\.25/]) assert.match(rows, words);
    await page.keyboard.press("Escape");
  });
  await step("the log is shown", async () => {
    await window.command("KanBots: Show Log");
    await page.locator(".part.panel .view-lines").filter({ hasText: /kanbots-sidecar/ }).first().waitFor();
    await window.screenshot("cards-log");
  });
}
