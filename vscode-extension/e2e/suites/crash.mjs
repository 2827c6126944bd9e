// A window that reloads, an extension host and a sidecar that are killed: in mid-run, and everything is there again without a click.
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../until.mjs";

export default async function ({ step, shared }) {
  const bench = await shared();
  const repository = bench.repository("crash");
  const gate = join(bench.root, "crash-go-on");
  bench.script("long", [{ say: "I begin." }, { tool: "Bash", input: { command: "make all" }, sh: `while [ ! -e '${gate}' ]; do sleep 0.1; done; echo built > built.txt`, result: "built" }, { say: "It is built." }]);
  bench.script("asks", [{ ask: [{ question: "Which colour?", header: "Colour", multiSelect: false, options: [{ label: "Blue" }, { label: "Green" }] }] }, { say: "Thank you." }]);
  const heard = join(bench.root, "crash-heard");
  bench.script("talks", [{ say: "I wait to be heard." }, { sh: `while [ ! -e '${heard}' ]; do sleep 0.1; done` }, { say: "I am heard again." }]);
  const long = await repository.card(1, "build it all", "long");
  const asks = await repository.card(2, "paint it", "asks");
  const run = await repository.dispatch(long);
  await repository.dispatch(asks);
  await repository.runIn(2, "awaitingDecision");

  const window = await step("a window shows a run that uses a tool, and a question", async () => {
    const opened = await bench.open(repository.path);
    await asIs(await opened.board());
    return opened;
  });
  /** The run goes on with the very agent that it had, and the question is still asked. */
  async function asIs(board) {
    await board.getByText("make all").first().waitFor();
    await board.getByRole("button", { name: "Green" }).first().waitFor();
    const now = (await repository.board()).runs.find(({ id }) => id === run.id);
    assert.deepEqual([now.state, now.launch], ["running", 1]);
  }

  await step("a reload of the window finds everything as it was", async () => {
    await window.saved("kanbots.board");
    window.crashing = true;
    await window.reload();
    await asIs(await window.webview("kb-board"));
    await window.toast("Which colour?").first().waitFor();
  });
  await step("a thread is open beside the board", async () => {
    await repository.dispatch(await repository.card(4, "talk of it", "talks"));
    await repository.runIn(4, "running");
    const board = await window.webview("kb-board");
    await window.contextMenu(board.locator("kb-card").filter({ hasText: "talk of it" }).first(), "Show Thread Beside…");
    await window.webview("kb-thread", "I wait to be heard.");
  });
  const hosts = () => bench.processes().filter(({ command }) => command.includes("--type=extensionHost"));
  const relays = () => bench.processes().filter(({ command }) => / --stdio/.test(command) && command.includes("extensions/"));
  await step("an extension host that is killed comes back with the board", async () => {
    assert.ok(hosts().length > 0, "no extension host is there");
    const before = hosts().map(({ pid }) => pid);
    for (const pid of before) process.kill(pid, "SIGKILL");
    await until("another extension host is there", () => hosts().some(({ pid }) => !before.includes(pid)), { seconds: 30 });
    await until("the board answers again", async () => relays().length > 0, { seconds: 30 });
    // The page that stays on the screen is one that nobody is behind; what follows must be heard by another.
    const card = await repository.card(3, "made after the crash");
    await until("the board shows what came after the crash", async () => (await (await window.webview("kb-board")).getByText(card.title).count()) > 0, { seconds: 30 });
    await asIs(await window.webview("kb-board"));
  });
  await step("the thread beside it is there again too, and follows its agent", async () => {
    writeFileSync(heard, "");
    await window.webview("kb-thread", "I am heard again.");
    assert.equal(await window.tab("#4 talk of it").count(), 1);
    await repository.runIn(4, "finished");
  });
  await step("serve and its relay that are killed come back, and the card moves on by itself", async () => {
    const serve = repository.servePid();
    for (const pid of [serve, ...relays().map((relay) => relay.pid)]) process.kill(pid, "SIGKILL");
    await until("the killed serve is gone", () => !existsSync(`/proc/${serve}`));
    await until("another serve is there", () => repository.servePid() !== undefined, { seconds: 30 });
    await asIs(await window.webview("kb-board"));
  });
  await step("a second window shows the same, and an answer in one takes the question from both", async () => {
    const second = await bench.open(repository.path);
    const other = await second.board();
    await asIs(other);
    await other.getByRole("button", { name: "Green" }).first().click();
    const board = await window.webview("kb-board");
    for (const frame of [board, other]) await until("the question is gone", async () => (await frame.getByRole("button", { name: "Green" }).count()) === 0);
    for (const one of [window, second]) await until("its notification is gone", async () => !(await one.toast("Which colour?").first().isVisible()));
  });
  await step("the run ends in review on the board", async () => {
    writeFileSync(gate, "");
    await repository.runIn(1, "inReview");
    await (await window.webview("kb-board")).getByRole("button", { name: "Review", exact: true }).first().waitFor();
  });
}
