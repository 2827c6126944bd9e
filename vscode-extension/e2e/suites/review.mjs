// Review as a person does it: all files in one diff that stays true while the agent writes, comments on lines, marks on what was viewed.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../until.mjs";

const FILES = {
  "README.md": "# Sample\n",
  "src/auth.ts": "export const attempts = 1;\nexport const wait = 50;\nexport const strict = true;\n",
  "src/gone.ts": "export const gone = true;\n",
  "src/old-name.ts": "export const first = 1;\nexport const second = 2;\nexport const third = 3;\n",
  "logo.png": Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64"),
};
const WORK = [
  { say: "I make it steady." },
  { write: "src/auth.ts", text: "export const attempts = 3;\nexport const wait = 50;\nexport const strict = true;\n" },
  { write: "src/added.ts", text: "export const added = true;\n" },
  { sh: "rm src/gone.ts && git mv src/old-name.ts src/new-name.ts && printf 'x' >> logo.png && chmod +x README.md" },
  { say: "Done." },
];
const MANY = 312;
const PART = 60;

export default async function ({ step, shared }) {
  const bench = await shared();
  const repository = bench.repository("review", { files: FILES });
  bench.script("steady", WORK);
  bench.script("second", [{ say: "I take it in." }, { write: "src/auth.ts", text: "export const attempts = 5;\nexport const wait = 50;\nexport const strict = true;\n" }, { say: "Done again." }]);
  bench.script("many", [{ sh: `mkdir -p many && for i in $(seq ${MANY}); do echo "line $i" > many/file$i.txt; done` }, { say: "Done." }]);
  await repository.dispatch(await repository.card(7, "Deflake the auth test", "steady"));
  const run = await repository.runIn(7, "inReview");
  const inWorktree = (path) => join(run.worktreePath, path);
  const drafts = async () => (await repository.request("run/details", { runId: run.id })).comments;
  const window = await step("a window opens", () => bench.open(repository.path, { viewport: { width: 1500, height: 1300 } }));
  const { page } = window;
  const entry = (name) => window.multiDiff().filter({ hasText: name });
  const side = (name, which) => entry(name).first().locator(`.editor.${which}`).first();
  const shows = (what, locator, text) => until(what, async () => (await locator.innerText()).replaceAll("\u00a0", " ").includes(text), { detail: () => locator.innerText() });
  const pane = "Changed Files";
  const treeRow = (text) => window.row(pane, text);

  await step("Review opens all that has changed in one diff", async () => {
    await window.command("KanBots: Review Changes…");
    await window.pick(/^#7 Deflake the auth test$/);
    await window.tab("#7 Deflake the auth test (6 files)").waitFor();
    for (const name of ["README.md", "logo.png", "added.ts", "auth.ts", "gone.ts", "new-name.ts"]) await entry(name).first().waitFor();
    await shows("the old line is on the left", side("auth.ts", "original"), "attempts = 1");
    await shows("the new line is on the right", side("auth.ts", "modified"), "attempts = 3");
    await shows("the added file is there", side("added.ts", "modified"), "added = true");
    await shows("the deleted file is there", side("gone.ts", "original"), "gone = true");
    await shows("a binary file is a sentence", side("logo.png", "modified"), "A binary file of");
    await shows("a mode is a sentence", side("README.md", "modified"), "An executable file (mode 100755)");
    await entry("new-name.ts").filter({ hasText: "old-name.ts" }).first().waitFor();
    await window.screenshot("review-multi-diff");
  });

  await step("the changed files are listed in Source Control, each with what has become of it", async () => {
    await window.activity("Source Control");
    // All of the height is the list's: rows that do not fit are not drawn.
    for (const other of ["Changes", "Graph"]) await window.view(other).locator(".pane-header").first().click();
    await treeRow("auth.ts").waitFor();
    for (const name of ["added.ts", "gone.ts", "new-name.ts", "logo.png", "README.md"]) await treeRow(name).waitFor();
    await treeRow("was src/old-name.ts").waitFor();
    const hasLetter = (name, letter) =>
      treeRow(name).locator(".monaco-icon-label").first().evaluate((label, wanted) => [label, ...label.querySelectorAll("*")].some((part) => getComputedStyle(part, "::after").content === `"${wanted}"`), letter);
    for (const [name, letter] of [["auth.ts", "M"], ["added.ts", "A"], ["gone.ts", "D"], ["new-name.ts", "R"]]) await until(`${name} has its letter`, () => hasLetter(name, letter));
    await until("the totals are told", async () => /6 files, \+\d+ −\d+/.test(await window.view(pane).innerText()));
    await window.screenshot("review-changed-files");
  });

  await step("the right side follows the agent", async () => {
    writeFileSync(inWorktree("src/auth.ts"), "export const attempts = 4;\nexport const wait = 50;\nexport const strict = true;\n");
    await shows("the diff has the line of now", side("auth.ts", "modified"), "attempts = 4");
  });

  await step("a file that comes meanwhile is offered quietly", async () => {
    writeFileSync(inWorktree("src/later.ts"), "export const later = true;\n");
    await treeRow("The open diff has other files").click();
    await window.tab("#7 Deflake the auth test (7 files)").waitFor();
    await until("the old diff is replaced", async () => (await window.tab("#7 Deflake").count()) === 1);
    await entry("later.ts").first().waitFor();
  });

  const box = () => page.locator(".review-widget .comment-form .monaco-editor").last();
  const write = async (text) => {
    await box().waitFor();
    await box().click();
    await page.keyboard.insertText(text);
    await page.locator(".review-widget .form-actions").getByRole("button", { name: "Add Comment" }).filter({ visible: true }).last().click();
  };
  await step("a comment is written beside a line of the multi-file diff, and is a draft", async () => {
    await window.gutterComment(side("auth.ts", "modified"), "attempts = 4");
    await write("Use a constant [x](command:workbench.action.closeWindow) $(zap) [[fake:second]]");
    await until("the sidecar has the draft", async () => (await drafts()).length === 1);
    const [draft] = await drafts();
    assert.deepEqual([draft.path, draft.line, draft.side], ["src/auth.ts", 1, "head"]);
    const body = page.locator(".review-comment .comment-body").first();
    await until("its text is shown as it is", async () => (await body.innerText()).includes("[x](command:workbench.action.closeWindow) $(zap)"), { detail: () => body.innerText() });
    assert.equal(await body.locator("a, .codicon").count(), 0, "a comment's text is drawn as a link or an icon");
    await treeRow("Send 1 comment to agent").waitFor();
    await window.screenshot("review-comment");
  });

  await step("the same comment is in the diff of one file, where another is written, changed and taken away", async () => {
    await treeRow("auth.ts").click();
    await window.tab("auth.ts (#7)").waitFor();
    const single = page.locator(".monaco-diff-editor .editor.modified").filter({ visible: true }).first();
    await page.locator(".review-comment .comment-body").filter({ hasText: "Use a constant", visible: true }).first().waitFor();
    await window.gutterComment(single, "strict = true");
    await write("Not needed");
    await until("the sidecar has both", async () => (await drafts()).length === 2);
    const second = page.locator(".review-comment").filter({ hasText: "Not needed", visible: true }).first();
    await second.hover();
    await second.locator(".action-label[aria-label*='Edit Comment']").first().click();
    const editing = page.locator(".review-comment .edit-textarea .monaco-editor, .review-comment .monaco-editor").filter({ visible: true }).first();
    await editing.click();
    await page.keyboard.press("Control+A");
    await page.keyboard.insertText("Needed after all");
    await page.locator(".review-comment .form-actions").getByRole("button", { name: "Save" }).filter({ visible: true }).first().click();
    await until("the draft is changed", async () => (await drafts()).some(({ text, line }) => text === "Needed after all" && line === 3), { detail: async () => JSON.stringify(await drafts()) });
    const changed = page.locator(".review-comment").filter({ hasText: "Needed after all", visible: true }).first();
    await changed.hover();
    await changed.locator(".action-label[aria-label*='Delete Comment']").first().click();
    await until("it is taken away", async () => (await drafts()).length === 1);
  });

  await step("a file is edited where the agent works", async () => {
    await page.locator(".editor-actions .action-label[aria-label*='Edit in Worktree']").filter({ visible: true }).first().click();
    await page.locator(".monaco-breadcrumbs").filter({ hasText: "worktrees", visible: true }).first().waitFor();
  });

  await step("a mark on a viewed file is kept, and goes when the file changes", async () => {
    const check = (name) => treeRow(name).locator(".custom-view-tree-node-item-checkbox").first();
    // A row that is drawn anew between the press and the release of the mouse takes no click: a person sees it and clicks again.
    await until("the file is marked", async () => {
      if ((await check("added.ts").getAttribute("aria-checked")) !== "true") await check("added.ts").click({ timeout: 2000 });
      return (await check("added.ts").getAttribute("aria-checked")) === "true";
    });
    await until("the sidecar has the mark", async () => (await repository.request("review/changes", { runId: run.id })).files.some((file) => file.path === "src/added.ts" && file.viewed));
    await until("the tree says so", async () => /1 viewed/.test(await window.view(pane).innerText()));
    writeFileSync(inWorktree("src/added.ts"), "export const added = false;\n");
    await until("the mark is gone", async () => !/viewed/.test(await window.view(pane).innerText()));
  });

  await step("after a reload all is as it was", async () => {
    window.crashing = true;
    await window.reload();
    await window.tab("#7 Deflake").first().click();
    window.crashing = false;
    await shows("the diff shows its files again", side("auth.ts", "modified"), "attempts = 4");
    await page.locator(".review-comment .comment-body").filter({ hasText: "Use a constant" }).first().waitFor();
    await window.activity("Source Control");
    await treeRow("Send 1 comment to agent").waitFor();
  });

  await step("the comments are sent to the agent, who goes on", async () => {
    await treeRow("Send 1 comment to agent").click();
    await window.toast("1 comment sent to the agent of #7.").waitFor();
    await until("the agent has taken it in", () => readFileSync(inWorktree("src/auth.ts"), "utf8").includes("attempts = 5"));
    await repository.runIn(7, "inReview");
    await shows("the diff has what it wrote", side("auth.ts", "modified"), "attempts = 5");
    assert.equal((await drafts()).length, 0);
    await until("no draft is shown any more", async () => (await page.locator(".review-comment").count()) === 0);
  });

  await step("the changes since the last look are only those", async () => {
    await window.command("KanBots: Review Changes Since Last Look…");
    await window.pick(/^#7 Deflake the auth test$/);
    await window.tab("since last look").waitFor();
    await shows("what was shown last is on the left", side("auth.ts", "original"), "attempts = 4");
    await shows("what is there now is on the right", side("auth.ts", "modified"), "attempts = 5");
    assert.equal(await entry("gone.ts").count(), 0);
    await window.screenshot("review-since-last-look");
  });

  await step(`of ${MANY} files ${PART} are opened at a time, and all are listed`, async () => {
    await repository.dispatch(await repository.card(8, "Generate fixtures", "many"));
    await repository.runIn(8, "inReview");
    await window.command("KanBots: Review Changes…");
    await window.pick(/^#8 Generate fixtures$/);
    await window.tab(`1 to ${PART} of ${MANY} files`).waitFor();
    await window.toastButton(`1 to ${PART} of ${MANY} files are open.`, "Open the Next");
    await window.tab(`${PART + 1} to ${2 * PART} of ${MANY} files`).waitFor();
    await until("the part before is replaced", async () => (await window.tab("#8 Generate fixtures").count()) === 1);
    await window.toastButton(`${PART + 1} to ${2 * PART} of ${MANY} files are open.`, "Show Changed Files");
    await until("the tree has all of them", async () => (await window.view(pane).innerText()).includes(`${MANY} files, +${MANY} −0`), { detail: () => window.view(pane).innerText() });
    await window.screenshot("review-many-files");
  });
}
