import { expect, test } from "vitest";
import type { RemovedWorktree, WorktreeItem } from "../../src/shared/protocol";
import { offered, planWords, resultWords, rowOf } from "../../src/worktrees/words";

const item = (path: string, more: Partial<WorktreeItem> = {}): WorktreeItem => ({ path, class: "merged", removal: "discard", bytes: 2_000_000, loses: [], ...more });
const removed = (path: string, more: Partial<RemovedWorktree> = {}): RemovedWorktree => ({ path, class: "trash", removal: "free", bytes: 1_000, loses: [], done: false, ...more });

test("only what can be removed is offered, the harmless first", () => {
  const items = [item("/f", { class: "foreign", removal: "remove" }), item("/main", { class: "main", removal: "nothing" }), item("/d", { class: "dirty" }), item("/m")];
  expect(offered(items).map(({ path }) => path)).toEqual(["/m", "/d", "/f"]);
});

test("a row says what it is, what it takes and what would be lost", () => {
  expect(rowOf(item("/w/issue-7-1", { cardNumber: 7, mergedInto: "main" }))).toEqual({ label: "issue-7-1", description: "#7 · landed on main · 2.0 MB", detail: "Nothing is lost: it is put aside, to be restored for a while." });
  expect(rowOf(item("/x", { class: "trash", removal: "free", loses: ["3 files that no branch has."] })).detail).toBe("It is deleted for good. Lost: 3 files that no branch has.");
});

test("a plan names what goes, what is lost and what stays", () => {
  expect(planWords([removed("/a", { loses: ["a file"] }), removed("/b", { removal: "nothing", why: "An agent is at work there." })])).toBe("a is deleted for good. Lost: a file\nb stays: An agent is at work there.");
  expect(planWords(Array.from({ length: 15 }, (_, index) => removed(`/t${index}`))).split("\n").at(-1)).toBe("and 3 more worktrees");
});

test("the result tells what went, what it freed and what did not go", () => {
  expect(resultWords([removed("/a", { done: true }), removed("/b", { done: true, bytes: 0 })])).toBe("2 worktrees removed, 1.0 KB freed.");
  expect(resultWords([removed("/a", { why: "git failed." })])).toBe("No worktree was removed. a stays: git failed.");
});
