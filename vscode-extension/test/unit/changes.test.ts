import { expect, test } from "vitest";
import { asList, asTree, contentKey, countWords, diffTitle, fileAt, FILES_OPENED_MAX, filesUnder, isModeOnly, isPicture, isSameList, type Listing, listingOf, type Row, shownOf, textOf } from "../../src/review/changes";
import type { ChangedFile } from "../../src/shared/protocol";
import { blobOf } from "../reviewed";

const file = (path: string, more: Partial<ChangedFile> = {}): ChangedFile => ({ path, status: "modified", insertions: 1, deletions: 1, binary: false, blob: `blob of ${path}`, mode: "100644", size: 3, ...more });
const listing = (...files: ChangedFile[]): Listing => ({ base: "b", tree: "t", total: { files: files.length, insertions: 0, deletions: 0 }, files, left: [] });
const written = (rows: readonly Row[]): unknown => rows.map((row) => (row.kind === "file" ? row.file.path : { [row.name]: written(row.children) }));

test("pages of one listing are one listing, its totals those of all files", () => {
  const page = (path: string, next?: string) => ({ base: "b", tree: "t", total: { files: 2, insertions: 5, deletions: 0 }, files: [file(path)], next, left: ["odd"] });
  expect(listingOf([page("a", "more"), page("b")])).toEqual({ base: "b", tree: "t", total: { files: 2, insertions: 5, deletions: 0 }, files: [file("a"), file("b")], left: ["odd"] });
});

test("folders come first, and those with one folder only are one row", () => {
  const files = [file("z.txt"), file("src/main/app/one.ts"), file("src/main/app/two.ts"), file("docs/a.md"), file("docs/deep/b.md")];
  expect(written(asTree(files))).toEqual([{ docs: [{ deep: ["docs/deep/b.md"] }, "docs/a.md"] }, { "src/main/app": ["src/main/app/one.ts", "src/main/app/two.ts"] }, "z.txt"]);
  expect(asTree(files).flatMap(filesUnder)).toHaveLength(files.length);
  expect(written(asList(files))).toEqual(["docs/a.md", "docs/deep/b.md", "src/main/app/one.ts", "src/main/app/two.ts", "z.txt"]);
});

test("a renamed file is on the base under its previous path, an added one not at all", () => {
  const all = listing(file("new.ts", { status: "renamed", previousPath: "old.ts" }), file("added.ts", { status: "added" }), file("gone.ts", { status: "deleted", blob: undefined }));
  expect(fileAt(all, "old.ts", "base")?.path).toBe("new.ts");
  expect(fileAt(all, "new.ts", "base")).toBeUndefined();
  expect(fileAt(all, "added.ts", "base")).toBeUndefined();
  expect(fileAt(all, "gone.ts", "base")?.status).toBe("deleted");
  expect(fileAt(all, "gone.ts", "head")).toBeUndefined();
});

test("what a side rests on changes with its content, and the base only with how it is shown", () => {
  const [before, after] = [listing(file("a", { blob: "1" })), listing(file("a", { blob: "2" }))];
  expect(contentKey(before, "a", "head")).not.toBe(contentKey(after, "a", "head"));
  expect(contentKey(before, "a", "base")).toBe(contentKey(after, "a", "base"));
  expect(contentKey(listing(file("a", { binary: true })), "a", "base")).not.toBe(contentKey(before, "a", "base"));
  expect(contentKey(before, "other", "head")).toBe("unchanged");
  expect(contentKey(listing(file("a", { status: "deleted" })), "a", "head")).toBe("gone");
});

test("what cannot be read as text is a sentence", () => {
  const said = (blob: Parameters<typeof shownOf>[0], changed?: ChangedFile, side: "base" | "head" = "head") => {
    const shown = shownOf(blob, changed, side, false);
    return shown.kind === "note" ? shown.text : undefined;
  };
  expect(said(blobOf("", { missing: true, text: undefined }))).toBe("This file is not there any more.");
  expect(said(blobOf("", { missing: true, text: undefined }), undefined, "base")).toBe("This file was not there when the run began.");
  expect(said(blobOf("", { tooLarge: true, size: 9_000_000, text: undefined }))).toBe("This file has 9.0 MB: too large to be compared here. Open it in the worktree.");
  expect(said(blobOf("../elsewhere", { mode: "120000" }))).toBe("A symbolic link to ../elsewhere");
  expect(said(blobOf("Subproject commit abc\n", { mode: "160000" }))).toBe("Subproject commit abc");
  expect(said(blobOf("", { text: undefined, base64: Buffer.from([1, 0, 2]).toString("base64"), size: 3 }))).toBe("A binary file of 3 B, 0123456789.");
  expect(said(blobOf("text", { size: 4 }), file("a", { binary: true }))).toBe("A binary file of 4 B, 0123456789.");
  const executable = file("run.sh", { insertions: 0, deletions: 0, mode: "100755", previousMode: "100644" });
  expect(isModeOnly(executable)).toBe(true);
  expect(said(blobOf("#!"), executable, "base")).toBe("A file that cannot be executed (mode 100644). Its content has not changed.");
  expect(said(blobOf("#!"), executable)).toBe("An executable file (mode 100755). Its content has not changed.");
});

test("text of any encoding comes as its bytes, and raw is what lies in git", () => {
  const latin = Buffer.from([0x4d, 0xfc, 0x6c, 0x6c]);
  const utf16 = Buffer.from([0xff, 0xfe, 0x41, 0x00]);
  for (const bytes of [latin, utf16]) {
    const shown = shownOf(blobOf("", { text: undefined, base64: bytes.toString("base64") }), undefined, "head", false);
    expect(shown.kind).toBe("content");
    expect([...textOf(shown)]).toEqual([...bytes]);
  }
  expect([...textOf(shownOf(blobOf("", { text: undefined, base64: "AAE=" }), file("a.png", { binary: true }), "head", true))]).toEqual([0, 1]);
  expect([isPicture(file("a.PNG", { binary: true })), isPicture(file("a.png")), isPicture(file("a.bin", { binary: true }))]).toEqual([true, false, false]);
});

test("a list is another when a file came, went or was renamed, not when its content changed", () => {
  expect(isSameList(listing(file("a")), listing(file("a", { blob: "other", insertions: 9 })))).toBe(true);
  expect(isSameList(listing(file("a")), listing(file("a"), file("b")))).toBe(false);
  expect(isSameList(listing(file("a")), listing(file("a", { status: "deleted" })))).toBe(false);
  expect(isSameList(listing(file("a")), listing(file("a", { status: "modified", previousPath: "b" })))).toBe(false);
});

test("rows and titles say what there is", () => {
  expect([countWords(file("a", { insertions: 12, deletions: 3 })), countWords(file("a", { binary: true, size: 2_048 })), countWords(file("a", { insertions: 0, deletions: 0, mode: "100755", previousMode: "100644" }))]).toEqual(["+12 −3", "binary, 2.0 KB", "mode 100644 → 100755"]);
  expect(diffTitle(7, "Deflake", listing(file("a")), false, 0)).toBe("#7 Deflake");
  expect(diffTitle(7, "Deflake", listing(...Array.from({ length: 312 }, (_, index) => file(`f${index}`))), true, 5 * FILES_OPENED_MAX)).toBe("#7 Deflake · since last look · 301 to 312 of 312 files");
});
