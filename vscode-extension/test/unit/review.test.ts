import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CHANGED_FILES_VIEW, type Node } from "../../src/review/changedFiles";
import { FILES_OPENED_MAX, FILES_PER_PAGE } from "../../src/review/changes";
import { placeOf, uriOf } from "../../src/review/places";
import { Review } from "../../src/review/review";
import type { Run } from "../../src/shared/protocol";
import type { Session } from "../../src/sidecar/session";
import { Place, until } from "../place";
import { memory, reviewed, runNow, silentLog, workspacesOf } from "../reviewed";
import { type EventEmitter, fileSystems, openedDocument, person, reset, shown, tabs, threads, trees, workspace } from "../vscode-stub";

let place: Place;
let session: Session;
let review: Review;
let kept = memory();
beforeEach(async () => {
  reset();
  place = new Place({ "README.md": "# Sample\n", "src/a.ts": "one\ntwo\nthree\n", "src/gone.ts": "gone\n", "src/old.ts": "a long enough file\nto be known again\nwhen it is renamed\n", "bin.dat": "\u0000old" });
  session = await place.session();
  kept = memory();
  review = new Review(workspacesOf(session), kept, silentLog);
});
afterEach(async () => {
  review.dispose();
  await place.end();
});

const WORK = [
  { write: "src/a.ts", text: "one\nTWO\nthree\n" },
  { write: "src/new.ts", text: "new\n" },
  { sh: "rm src/gone.ts && mv src/old.ts src/renamed.ts && printf '\\000new' > bin.dat && chmod +x README.md && ln -s src/a.ts link" },
  { say: "Done." },
];
const open = (run: Run, command = "kanbots.review") => vscode.commands.executeCommand(command, { session, cardId: run.cardId, runId: run.id });
const text = async (uri: vscode.Uri) => Buffer.from(await (fileSystems.get(uri.scheme) as unknown as vscode.FileSystemProvider).readFile(uri)).toString("utf8");
const rows = (node?: Node): readonly Node[] => trees.get(CHANGED_FILES_VIEW)?.options.treeDataProvider.getChildren(node) as readonly Node[];
const allRows = (node?: Node): readonly Node[] => rows(node).flatMap((row) => [row, ...allRows(row)]);
const labels = () => allRows().map((row) => trees.get(CHANGED_FILES_VIEW)?.options.treeDataProvider.getTreeItem(row).label);
const fileRow = (path: string) => allRows().find((row) => row.kind === "file" && row.file.path === path);
const lastDiff = () => shown.executed.filter(({ command }) => command === "vscode.changes").at(-1)?.arguments as [string, [vscode.Uri, vscode.Uri | undefined, vscode.Uri | undefined][]];
function show(uri: vscode.Uri): void {
  const document = { uri: uri as never, lineCount: 3 };
  workspace.textDocuments.push(document);
  (openedDocument as EventEmitter<unknown>).fire(document);
}

test("all that a run has changed opens in one diff, each side as git and the worktree have it", async () => {
  const run = await reviewed(place, session, "Work [x](command:y) $(zap)", WORK, 7);
  await open(run);
  const [title, resources] = lastDiff();
  expect(title).not.toContain("](");
  expect(title).not.toContain("$(");
  const sides = Object.fromEntries(resources.map(([uri, original, modified]) => [placeOf(uri)?.path, [original && placeOf(original)?.path, modified && placeOf(modified)?.path]]));
  expect(sides).toEqual({
    "README.md": ["README.md", "README.md"], "bin.dat": ["bin.dat", "bin.dat"], link: [undefined, "link"], "src/a.ts": ["src/a.ts", "src/a.ts"], "src/gone.ts": ["src/gone.ts", undefined],
    "src/new.ts": [undefined, "src/new.ts"], "src/renamed.ts": ["src/old.ts", "src/renamed.ts"],
  });
  const at = async (path: string) => {
    const [, original, modified] = resources.find(([uri]) => placeOf(uri)?.path === path) ?? [];
    return [original && (await text(original)), modified && (await text(modified))];
  };
  expect(await at("src/a.ts")).toEqual([place.git("show", "main:src/a.ts"), "one\nTWO\nthree\n"]);
  expect(await at("src/renamed.ts")).toEqual([place.git("show", "main:src/old.ts"), place.git("show", "main:src/old.ts")]);
  expect(await at("src/gone.ts")).toEqual(["gone\n", undefined]);
  expect((await at("bin.dat")).every((side) => side?.startsWith("A binary file of 4 B"))).toBe(true);
  expect(await at("README.md")).toEqual(["A file that cannot be executed (mode 100644). Its content has not changed.\n", "An executable file (mode 100755). Its content has not changed.\n"]);
  expect(await at("link")).toEqual([undefined, "A symbolic link to src/a.ts\n"]);
  expect(labels()).toEqual(["src", "a.ts", "gone.ts", "new.ts", "renamed.ts", "README.md", "bin.dat", "link"]);
  expect(trees.get(CHANGED_FILES_VIEW)?.view.message).toBe("7 files, +3 −2");
});

test("the right side follows the worktree, and another list of files is offered and reloaded", async () => {
  const run = await reviewed(place, session, "Work", WORK, 7);
  await open(run);
  const uri = uriOf({ folder: session.folder, runId: run.id, path: "src/a.ts", side: "head" });
  const provider = fileSystems.get(uri.scheme) as unknown as vscode.FileSystemProvider;
  const before = await provider.stat(uri);
  await text(uri);
  show(uri);
  const told: string[] = [];
  provider.onDidChangeFile((changes) => told.push(...changes.map((change) => change.uri.toString())));
  writeFileSync(join(run.worktreePath, "src/a.ts"), "one\nTWO again\nthree\n");
  await until("the editor is told of the change", () => told.includes(uri.toString()), () => told.join());
  expect(await text(uri)).toBe("one\nTWO again\nthree\n");
  expect((await provider.stat(uri)).mtime).toBeGreaterThan(before.mtime);
  expect(labels()).not.toContain("The open diff has other files: reload it");
  writeFileSync(join(run.worktreePath, "src/later.ts"), "later\n");
  rmSync(join(run.worktreePath, "src/new.ts"));
  await until("the tree offers to reload the diff", () => labels()[0] === "The open diff has other files: reload it", () => labels().join());
  expect(() => provider.writeFile(uri, new Uint8Array(), { create: true, overwrite: true })).toThrow();
  await vscode.commands.executeCommand("kanbots.reloadReview");
  expect(lastDiff()[1].map(([one]) => placeOf(one)?.path)).toContain("src/later.ts");
  expect(tabs).toHaveLength(1);
  expect(labels()).not.toContain("The open diff has other files: reload it");
});

test("what is shown comes back after the sidecar was started again", async () => {
  const run = await reviewed(place, session, "Work", WORK, 7);
  await open(run);
  const uri = uriOf({ folder: session.folder, runId: run.id, path: "src/a.ts", side: "head" });
  await text(uri);
  show(uri);
  await session.restart();
  writeFileSync(join(run.worktreePath, "src/a.ts"), "after the restart\n");
  await until("the editor has the bytes of now", async () => (await text(uri)) === "after the restart\n");
});

test("pages are followed to the end, and no more files are opened than an editor bears", async () => {
  const count = FILES_PER_PAGE + 7;
  const run = await reviewed(place, session, "Many", [{ sh: `mkdir many && for i in $(seq ${count}); do echo $i > many/f$i; done` }, { say: "Done." }], 8);
  await open(run);
  expect(lastDiff()[0]).toBe(`#8 Many · 1 to ${FILES_OPENED_MAX} of ${count} files`);
  expect(lastDiff()[1]).toHaveLength(FILES_OPENED_MAX);
  expect(allRows().filter((row) => row.kind === "file")).toHaveLength(count);
  expect(shown.messages.map(({ text }) => text)).toContain(`1 to ${FILES_OPENED_MAX} of ${count} files are open. All are in Changed Files of Source Control.`);
  // Part after part, up to the last.
  const seen = new Set<string>();
  person.message = (message) => {
    lastDiff()[1].forEach(([uri]) => seen.add(uri.path));
    return message.buttons.find((button) => button === "Open the Next");
  };
  await open(run);
  expect(seen.size).toBe(count);
  expect(tabs).toHaveLength(1);
});

test("a mark on a viewed file is kept by the sidecar, and lost when the file changes", async () => {
  const run = await reviewed(place, session, "Work", WORK, 7);
  await open(run);
  const tree = trees.get(CHANGED_FILES_VIEW);
  const isViewed = (path: string) => {
    const row = fileRow(path);
    return row !== undefined && (tree?.options.treeDataProvider.getTreeItem(row).checkboxState as { state: number }).state === vscode.TreeItemCheckboxState.Checked;
  };
  tree?.check([[fileRow("src/a.ts"), 1], [fileRow("src/new.ts"), 1]]);
  await until("both are viewed", () => isViewed("src/a.ts") && isViewed("src/new.ts"));
  const asked = await (await place.session()).request("review/changes", { runId: run.id });
  expect(asked.files.filter((file) => file.viewed === true).map(({ path }) => path)).toEqual(["src/a.ts", "src/new.ts"]);
  expect(tree?.view.message).toBe("7 files, +3 −2 · 2 viewed");
  writeFileSync(join(run.worktreePath, "src/a.ts"), "another\n");
  await until("the changed file has lost its mark", () => !isViewed("src/a.ts"));
  expect(isViewed("src/new.ts")).toBe(true);
  tree?.check([[fileRow("src/new.ts"), 0]]);
  await until("the other was unmarked", () => !isViewed("src/new.ts"));
});

const comment = (uri: vscode.Uri, line: number, body: string) => vscode.commands.executeCommand("kanbots.addComment", { thread: { uri, range: new vscode.Range(line - 1, 0, line - 1, 0), comments: [], dispose: () => undefined }, text: body });
const drafts = async (run: Run) => (await session.request("run/details", { runId: run.id })).comments.map(({ path, line, side, text: body }) => ({ path, line, side, body }));
const live = () => threads.filter((thread) => !thread.disposed && thread.comments.length > 0);

test("comments are drafts in the sidecar: written, changed, taken away, found again after a reload, sent together", async () => {
  const run = await reviewed(place, session, "Work", WORK, 7);
  await open(run);
  const [head, base] = (["head", "base"] as const).map((side) => uriOf({ folder: session.folder, runId: run.id, path: "src/a.ts", side })) as [vscode.Uri, vscode.Uri];
  const hostile = "[run](command:workbench.action.quit) <img src=x onerror=alert(1)> $(zap)";
  await comment(head, 2, hostile);
  await comment(base, 1, "Why?");
  await comment(head, 3, "Not needed");
  expect(await drafts(run)).toEqual([{ path: "src/a.ts", line: 2, side: "head", body: hostile }, { path: "src/a.ts", line: 1, side: "base", body: "Why?" }, { path: "src/a.ts", line: 3, side: "head", body: "Not needed" }]);
  expect(labels()[0]).toBe("Send 3 comments to agent");

  // As in a window that was reloaded: all is made anew, from the sidecar.
  review.dispose();
  threads.length = 0;
  review = new Review(workspacesOf(session), kept, silentLog);
  await until("the drafts are shown again", () => live().length === 3, () => JSON.stringify(live()));
  expect(live().map((thread) => [thread.uri.scheme, thread.range?.start.line, thread.comments.map(({ body }) => body)])).toEqual([["kanbots-head", 1, [hostile]], ["kanbots-base", 0, ["Why?"]], ["kanbots-head", 2, ["Not needed"]]]);

  const [first, , third] = live();
  const edited = first?.comments[0] as unknown as vscode.Comment;
  await vscode.commands.executeCommand("kanbots.editComment", edited);
  expect(edited.mode).toBe(vscode.CommentMode.Editing);
  edited.body = "Use a constant";
  await vscode.commands.executeCommand("kanbots.saveComment", edited);
  await vscode.commands.executeCommand("kanbots.deleteComment", third?.comments[0]);
  expect((await drafts(run)).map(({ body }) => body)).toEqual(["Use a constant", "Why?"]);
  expect(live().flatMap((thread) => thread.comments.map(({ body }) => body))).toEqual(["Use a constant", "Why?"]);

  await vscode.commands.executeCommand("kanbots.sendComments");
  expect(shown.messages.map(({ text }) => text)).toContain("2 comments sent to the agent of #7.");
  expect(await drafts(run)).toEqual([]);
  expect(live()).toEqual([]);
  await until("the agent was told", async () => {
    const { items } = await session.request("run/events", { runId: run.id });
    return items.some((item) => item.kind === "userMessage" && item.body.text.includes("src/a.ts:2\nUse a constant") && item.body.text.includes("src/a.ts:1 (as it was before)\nWhy?"));
  });
});

test("a comment that is refused is not lost", async () => {
  const run = await reviewed(place, session, "Work", WORK, 7);
  await open(run);
  const long = "x".repeat(10_001);
  await comment(uriOf({ folder: session.folder, runId: run.id, path: "src/a.ts", side: "head" }), 1, long);
  expect(shown.messages.at(-1)?.text).toContain("A comment has at most 10000 characters.");
  expect(await vscode.env.clipboard.readText()).toBe(long);
});

test("changes since the last look are those since, and all of them where that look is not known", async () => {
  const run = await reviewed(place, session, "Work", WORK, 7);
  await open(run, "kanbots.reviewSinceLastLook");
  expect(lastDiff()[1]).toHaveLength(7);
  expect(shown.statusMessages).toEqual(["No earlier look at #7 is known: this is all of it."]);
  await open(run, "kanbots.reviewSinceLastLook");
  expect(shown.messages.at(-1)?.text).toBe("Nothing has changed in #7 since your last look.");
  writeFileSync(join(run.worktreePath, "src/a.ts"), "one\nTWO\nthree\nfour\n");
  await open(run, "kanbots.reviewSinceLastLook");
  const [title, resources] = lastDiff();
  expect(title).toBe("#7 Work · since last look");
  expect(resources.map(([uri]) => placeOf(uri)?.path)).toEqual(["src/a.ts"]);
  const [, original, modified] = resources[0] ?? [];
  expect([await text(original as vscode.Uri), await text(modified as vscode.Uri)]).toEqual(["one\nTWO\nthree\n", "one\nTWO\nthree\nfour\n"]);
});

test("a tree that git has cleaned away is no obstacle", async () => {
  const run = await reviewed(place, session, "Work", WORK, 7);
  const board = session.board;
  await (kept as vscode.Memento).update("kanbots.lastLooks", { [`${session.folder}#${board?.epoch}#${run.id}`]: "0".repeat(40) });
  await open(run, "kanbots.reviewSinceLastLook");
  expect(lastDiff()[1]).toHaveLength(7);
});

test("a run that was discarded is not looked at any more, and editors keep what they show", async () => {
  const run = await reviewed(place, session, "Work", WORK, 7);
  await open(run);
  const uri = uriOf({ folder: session.folder, runId: run.id, path: "src/a.ts", side: "head" });
  await text(uri);
  show(uri);
  expect(shown.contexts.get("kanbots.reviewing")).toBe(true);
  await session.change("run/discard", { runId: run.id });
  await until("the view is closed", () => shown.contexts.get("kanbots.reviewing") === false);
  expect(await text(uri)).toBe("one\nTWO\nthree\n");
  expect(await text(uriOf({ folder: session.folder, runId: run.id, path: "src/new.ts", side: "head" }))).toContain("was discarded. Restore it to look at it.");
});

test("a single change opens in a diff, one that has one side in an editor, and the file itself where the agent works", async () => {
  const run = await reviewed(place, session, "Work", WORK, 7);
  await open(run);
  await vscode.commands.executeCommand("kanbots.openChange", fileRow("src/renamed.ts"));
  const diff = shown.executed.at(-1);
  expect([diff?.command, ...(diff?.arguments.slice(0, 2) ?? []).map((uri) => placeOf(uri as vscode.Uri)?.path), diff?.arguments[2]]).toEqual(["vscode.diff", "src/old.ts", "src/renamed.ts", "renamed.ts (#7)"]);
  await vscode.commands.executeCommand("kanbots.openChange", fileRow("src/gone.ts"));
  expect([shown.executed.at(-1)?.command, placeOf(shown.executed.at(-1)?.arguments[0] as vscode.Uri)?.side]).toEqual(["vscode.open", "base"]);
  await vscode.commands.executeCommand("kanbots.editInWorktree", uriOf({ folder: session.folder, runId: run.id, path: "src/a.ts", side: "head" }));
  expect(shown.documents.at(-1)?.uri?.fsPath).toBe(join(run.worktreePath, "src/a.ts"));
  expect(runNow(session, run.id).state).toBe("inReview");
});
