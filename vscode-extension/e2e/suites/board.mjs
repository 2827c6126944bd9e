// The board in the workbench: axe, a card made and moved by the keyboard, its context menu, its thread with a reply, high contrast.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { until } from "../until.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export default async function ({ step, shared }) {
  const bench = await shared();
  const repository = bench.repository("board");
  bench.script("talk", [{ say: "I did **this** and that." }, { tool: "Bash", input: { command: "make" }, result: "made it", sh: "echo made > made.txt" }, { say: "It is finished." }]);
  bench.script("again", [{ say: "You said it, I did it." }]);
  await repository.card(1, "first card", "talk");
  await repository.card(2, "second card", undefined, "backlog");
  const window = await bench.open(repository.path);
  const board = await window.board();
  await board.getByText("first card").first().waitFor();

  await step("axe finds nothing on the board", async () => {
    await board.evaluate(axe);
    const { violations } = await board.evaluate(() => globalThis.axe.run());
    assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)}`), []);
  });
  await step("a new card is written on the board", async () => {
    await board.getByRole("button", { name: "New card" }).first().click();
    await window.page.keyboard.type("third card");
    await window.page.keyboard.press("Enter");
    await repository.until("the card is there", ({ cards }) => cards.some(({ title }) => title === "third card"));
    await board.getByText("third card").first().waitFor();
  });
  await step("a card is dispatched from its context menu", async () => {
    await window.contextMenu(board.locator("kb-card").filter({ hasText: "first card" }).first(), "Dispatch…");
    await repository.runIn(1, "inReview");
  });
  await step("its thread opens beside the board, and a reply starts another turn", async () => {
    await window.contextMenu(board.locator("kb-card").filter({ hasText: "first card" }).first(), "Show Thread Beside…");
    const thread = await window.webview("kb-thread");
    await thread.getByText("It is finished.").first().waitFor();
    await thread.getByLabel("Message to the agent").fill("go on [[fake:again]]");
    await thread.getByLabel("Message to the agent").press("Enter");
    await thread.getByText("You said it, I did it.").first().waitFor();
    await window.screenshot("thread");
  });
  await step("the board follows the theme into high contrast", async () => {
    const colour = () => board.evaluate(() => getComputedStyle(document.body).getPropertyValue("--vscode-editor-background"));
    const before = await colour();
    await window.command("Preferences: Toggle between Light/Dark Themes");
    await until("the colours of the page are others", async () => (await colour()) !== before);
    await window.screenshot("board-other-theme");
    await window.command("Preferences: Toggle between Light/Dark Themes");
  });
}
