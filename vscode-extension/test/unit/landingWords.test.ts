import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { branchRows, branchTrouble, dayOf, landingWords, messageFor } from "../../src/landing/words";

test("a name is refused where git refuses it", () => {
  const names = ["main", "fix/login", "a b", "a..b", "-x", "a~1", "a^", "a:b", "a?", "a*", "a[b", "a\\b", "a/", "/a", "a//b", ".a", "a/.b", "a.lock", "a.lock/b", "a.", "a@{b", "@", "ünicode", "a@b", "a\tb", "HEAD", "feature-1.2"];
  for (const name of names) {
    const git = spawnSync("git", ["check-ref-format", "--branch", name], { encoding: "utf8" });
    expect([name, branchTrouble(name) === undefined]).toEqual([name, git.status === 0 && name !== "HEAD" && name !== "@"]);
  }
  expect(branchTrouble("kanbots/mine")).toContain("belong to runs");
});

test("the branch where the run began comes first, then that which is checked out", () => {
  expect(branchRows(["a", "kanbots/issue-1-1", "main", "next"], "origin/main", "next")).toEqual([{ name: "main", why: "where the run began" }, { name: "next", why: "checked out" }, { name: "a" }]);
  expect(branchRows(["main"], "refs/heads/main", "main")).toEqual([{ name: "main", why: "where the run began, checked out" }]);
  expect(branchRows(["a"], "0123abcd", undefined)).toEqual([{ name: "a" }]);
});

test("what lands is said in one line", () => {
  const files = [{ path: "a", status: "modified", insertions: 2, deletions: 1, binary: false }, { path: "b", status: "added", insertions: 5, deletions: 0, binary: false }] as const;
  expect(landingWords(files, undefined, "main", false, "squash")).toBe("Land 2 files (+7 −1) on main as one commit");
  expect(landingWords(files, ["b"], "next", true, "merge")).toBe("Land 1 file (+5 −0) on the new branch next by a merge");
  expect([messageFor(" Deflake ", 7), messageFor("", 7)]).toEqual(["Deflake (#7)", "Work of an agent (#7)"]);
  expect(dayOf("2026-12-30T10:00:00Z", "en")).toBe("December 30, 2026");
});
