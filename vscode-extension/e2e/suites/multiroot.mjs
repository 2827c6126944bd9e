// Several folders in one window: one board for each repository, one for two folders of the same, and a picker where it is not clear which is meant.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../until.mjs";

export default async function ({ step, shared }) {
  const bench = await shared();
  const [first, second] = [bench.repository("roots/first"), bench.repository("roots/second")];
  bench.script("ask-roots", [{ ask: [{ question: "Which way?", header: "Way", multiSelect: false, options: [{ label: "Left" }, { label: "Right" }] }] }, { say: "Done." }]);
  await first.card(1, "a card of the first", "ask-roots");
  await second.card(2, "a card of the second");
  const workspace = join(bench.root, "roots.code-workspace");
  writeFileSync(workspace, JSON.stringify({ folders: [first.path, second.path, join(first.path, "src")].map((path) => ({ path })) }));

  const window = await step("the Issues view has each repository once, also the one of two folders", async () => {
    const opened = await bench.open(workspace);
    await opened.activity("KanBots");
    await opened.row("Issues", "#1 a card of the first").waitFor();
    await opened.row("Issues", "#2 a card of the second").waitFor();
    const repositories = opened.view("Issues").locator(".monaco-list-row[aria-level='1']");
    await until("the folder within the first repository is folded into it", async () => (await repositories.count()) === 2, { detail: async () => (await repositories.allInnerTexts()).join(" | ") });
    return opened;
  });
  await step("opening the board asks which, and each has its own tab", async () => {
    await window.command("KanBots: Open Board");
    await window.quickPick("second").waitFor();
    // Whichever folder of a repository was answered first: in the order of the folders, each with the place of its repository.
    assert.deepEqual(await window.rows().evaluateAll((rows) => rows.map((row) => row.getAttribute("aria-label").split(", ").slice(0, 2))), [["first", first.path], ["second", second.path]]);
    await window.pick("second");
    await (await window.webview("kb-board", "a card of the second")).getByText("a card of the second").first().waitFor();
    await window.command("KanBots: Open Board");
    await window.pick("first");
    const board = await window.webview("kb-board", "a card of the first");
    assert.equal(await board.getByText("a card of the second").count(), 0, "the boards are mixed");
    await window.tab("Board: first").waitFor();
    await window.tab("Board: second").waitFor();
  });
  await step("a question of one repository is asked once, with its name, and answered there", async () => {
    await first.dispatch((await first.board()).cards[0]);
    await window.toast("Which way?").first().waitFor();
    await window.row("Decisions", "Which way?").waitFor();
    assert.equal(await window.view("Decisions").locator(".monaco-list-row").filter({ hasText: "Which way?" }).count(), 1);
    assert.equal(await window.toast("Which way?").count(), 1);
    assert.match(await window.toast("Which way?").innerText(), /first/);
    await window.screenshot("several-repositories");
    await window.toastButton("Which way?", "Left");
    await first.runIn(1, "finished", "inReview");
    assert.deepEqual((await second.board()).runs, []);
  });
}
