// What `decisions` leaves out: permissions, several questions with many choices, and what a person will not answer.
import assert from "node:assert/strict";
import { until } from "../until.mjs";

export default async function ({ step, shared }) {
  const bench = await shared();
  const repository = bench.repository("native");
  bench.script("asks-two", [{ ask: [{ question: "Which colours?", header: "Colours", multiSelect: true, options: [{ label: "Blue" }, { label: "Green" }, { label: "Red" }] }, { question: "How large?", header: "Size", multiSelect: false, options: [{ label: "Small" }, { label: "Large" }] }] }, { say: "Thank you." }]);
  bench.script("wants", [{ permission: "Bash", input: { command: "rm -rf build" } }, { say: "Over." }]);
  const two = await repository.card(1, "paint it", "asks-two");
  const wants = await repository.card(2, "clean it", "wants");
  const unwanted = [await repository.card(3, "choose a colour", "asks-two"), await repository.card(4, "clean it too", "wants")];
  const window = await bench.open(repository.path);
  await window.activity("KanBots");
  await window.settled();
  const nothingWaits = () => repository.until("nothing waits", (board) => board.decisions.every(({ state }) => state !== "open"));

  await step("a permission is asked in a notification, and allowed once", async () => {
    await repository.dispatch(wants, { permissionMode: "ask" });
    await window.toastButton("rm -rf build", "Allow once");
    await nothingWaits();
  });
  await step("several questions are asked one after another, with many choices and words of one's own", async () => {
    await repository.dispatch(two);
    await window.row("Decisions", "#1 ").click();
    await window.quickPick("Which colours?").waitFor();
    for (const colour of ["Blue", "Red"]) await window.rows().filter({ hasText: colour }).first().click();
    await window.page.keyboard.press("Enter");
    await window.quickPick("How large?").waitFor();
    await window.pick("Other…");
    await until("the box for words of one's own is there", async () => (await window.rows().count()) === 0);
    await window.enter("As large as a house");
    await nothingWaits();
    await until("the Decisions view is empty", async () => (await window.row("Decisions", "#1 ").count()) === 0);
  });
  /** What the agent of a card was told, by the thread that the sidecar keeps. */
  const told = async (number) => {
    const run = (await repository.board()).runs.find(({ cardNumber }) => cardNumber === number);
    return JSON.stringify((await repository.request("run/events", { runId: run.id })).items);
  };
  await step("a question is dismissed from the Decisions view, which the agent is told, and it goes on", async () => {
    await repository.dispatch(unwanted[0]);
    const row = window.row("Decisions", "#3 ");
    await row.waitFor();
    await window.contextMenu(row, "Dismiss…");
    const asked = window.page.locator(".quick-input-widget").filter({ visible: true, hasText: "Dismiss the question of #3" });
    await asked.waitFor();
    await window.page.keyboard.press("Escape");
    await asked.waitFor({ state: "hidden" });
    assert.ok((await repository.board()).decisions.some(({ state }) => state === "open"), "what was not dismissed is gone");
    await window.contextMenu(row, "Dismiss…");
    await window.enter("", { title: "Dismiss the question of #3" });
    await nothingWaits();
    await repository.runIn(3, "finished");
    assert.match(await told(3), /The user did not answer the questions\./);
    assert.match(await told(3), /Thank you\./);
    await until("the Decisions view is empty", async () => (await row.count()) === 0);
  });
  await step("a permission is dismissed by the palette with a reason, which the agent reads as a denial", async () => {
    await repository.dispatch(unwanted[1], { permissionMode: "ask" });
    await window.row("Decisions", "#4 ").waitFor();
    await window.command("KanBots: Dismiss…");
    await window.quickPick("Dismiss: which card?").waitFor();
    await window.pick(/^#4 clean it too$/);
    await window.enter("Leave it as it is", { title: "Dismiss the permission of #4" });
    await nothingWaits();
    await repository.runIn(4, "finished");
    const items = JSON.parse(await told(4));
    assert.ok(items.some(({ kind, isError, body }) => kind === "toolResult" && isError === true && body.text.includes("Leave it as it is")), JSON.stringify(items));
    assert.match(await told(4), /Over\./);
  });
}
