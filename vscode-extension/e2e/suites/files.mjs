// The changed files in Source Control: as a tree and as a list, of another run, one file's change, its file in the worktree, and closed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../until.mjs";

const PANE = "Changed Files";

export default async function ({ step, shared }) {
  const bench = await shared();
  const repository = bench.repository("files", { files: { "README.md": "# Sample\n", "src/deep/old.ts": "export const old = 1;\n", "src/gone.ts": "export const gone = 1;\n" } });
  bench.script("deep", [{ write: "src/deep/old.ts", text: "export const old = 2;\n" }, { write: "src/deep/added.ts", text: "export const added = 1;\n" }, { sh: "rm src/gone.ts" }, { say: "Done." }]);
  bench.script("flat", [{ write: "README.md", text: "# Another\n" }, { say: "Done." }]);
  for (const [number, title, script] of [[1, "change deep", "deep"], [2, "change flat", "flat"]]) {
    await repository.dispatch(await repository.card(number, title, script));
    await repository.runIn(number, "inReview");
  }
  const { worktreePath } = (await repository.board()).runs.find((run) => run.cardNumber === 1);
  const window = await bench.open(repository.path);
  const { page } = window;
  const row = (text) => window.row(PANE, text);
  const rows = async () => (await window.view(PANE).locator(".monaco-list-row").evaluateAll((all) => all.map((one) => one.querySelector(".label-name")?.textContent.trim())));
  const shows = async (names) => until(`the view has ${names.join(", ")}`, async () => {
    assert.deepEqual(await rows(), names);
    return true;
  });
  const inMenu = (label) => window.menu(async () => {
    await window.view(PANE).locator(".pane-header").hover();
    await window.view(PANE).locator('.pane-header .action-label[aria-label*="More Actions"]').click({ timeout: 3000 });
  }, label);
  const editor = (which, text) => page.locator(`.monaco-diff-editor .editor.${which}`).filter({ visible: true, hasText: text }).first();

  await step("the files of a run are shown in folders", async () => {
    await window.command("KanBots: Review Changes…");
    await window.pick(/^#1 change deep$/);
    await window.activity("Source Control");
    // All of the height is the list's: rows that do not fit are not drawn.
    for (const other of ["Changes", "Graph"]) await window.view(other).locator(".pane-header").first().click();
    await shows(["src", "deep", "added.ts", "old.ts", "gone.ts"]);
  });
  await step("they are shown as a list, which says the folders, and as a tree again", async () => {
    await inMenu("View as List");
    await shows(["added.ts", "old.ts", "gone.ts"]);
    assert.match(await row("old.ts").innerText(), /src\/deep/);
    await window.screenshot("files-list");
    await inMenu("View as Tree");
    await shows(["src", "deep", "added.ts", "old.ts", "gone.ts"]);
  });
  await step("the change of one file is opened from its menu", async () => {
    await window.contextMenu(row("old.ts"), "Open Change");
    await window.tab("old.ts (#1)").waitFor();
    await editor("original", "old").waitFor();
    await until("both sides are shown", async () => (await editor("original", "old").innerText()).includes("1;") && (await editor("modified", "old").innerText()).includes("2;"));
  });
  await step("its file is opened in the worktree, where it can be written", async () => {
    await window.rowAction(row("old.ts"), "Open File in Worktree");
    await page.locator(".monaco-breadcrumbs").filter({ hasText: "worktrees", visible: true }).first().waitFor();
    const lines = page.locator(".editor-instance .monaco-editor .view-lines").filter({ visible: true, hasText: /old/ }).last();
    await lines.click();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("// by hand");
    await page.keyboard.press("Control+s");
    await until("the file has what was typed", () => readFileSync(join(worktreePath, "src/deep/old.ts"), "utf8").includes("// by hand"));
    assert.equal(repository.read("src/deep/old.ts"), "export const old = 1;\n");
  });
  await step("a deleted file has a change, and no file to open", async () => {
    assert.equal(await row("gone.ts").locator('.action-label[aria-label^="Open File in Worktree"]').count(), 0);
    await window.contextMenu(row("gone.ts"), "Open Change");
    await window.tab("gone.ts (#1, deleted)").waitFor();
  });
  await step("the files of another run are shown by the view's menu, and by the palette", async () => {
    await inMenu("Show Changed Files of…");
    await window.pick(/^#2 change flat$/);
    await shows(["README.md"]);
    await window.command("KanBots: Show Changed Files of…");
    await window.pick(/^#1 change deep$/);
    await shows(["src", "deep", "added.ts", "old.ts", "gone.ts"]);
  });
  await step("the view is closed, stays so after a reload, and comes back with the next review", async () => {
    await inMenu("Close Changed Files");
    await window.view(PANE).waitFor({ state: "detached" });
    await until("the window has saved that it is closed", async () => {
      const kept = await window.stored("kanbots.changedFilesSeen");
      return kept.length > 0 && kept.every((value) => !value.includes("kanbots.looked"));
    }, { seconds: 60 });
    window.crashing = true;
    await window.reload();
    await window.activity("Source Control");
    await window.settled();
    window.crashing = false;
    assert.equal(await window.view(PANE).count(), 0);
    await window.command("KanBots: Review Changes…");
    await window.pick(/^#2 change flat$/);
    await window.activity("Source Control");
    await row("README.md").waitFor();
  });
}
