import type { ChangedFile, DiffStat, FileStatus, ReviewBlobResult, ReviewChangesResult, ReviewSide } from "../shared/protocol";
import { bytes, plural } from "../shared/words";

/** Files that the multi-file diff opens at once. Each has two documents there, and from 175 of them on VS Code takes what listens to them for a leak. */
export const FILES_OPENED_MAX = 60;

/** Files of a page of a listing. Small enough that the first answer comes at once and that a cancel is heard between two. */
export const FILES_PER_PAGE = 500;

/** What a run has changed, all pages of it. */
export interface Listing {
  base: string;
  tree: string;
  total: DiffStat;
  files: readonly ChangedFile[];
  /** Paths that git could not take in. */
  left: readonly string[];
}

export function listingOf(pages: readonly ReviewChangesResult[]): Listing {
  const last = pages.at(-1);
  if (last === undefined) {
    throw new RangeError("A listing has a page.");
  }
  return { base: last.base, tree: last.tree, total: last.total, files: pages.flatMap((page) => page.files), left: last.left ?? [] };
}

/** Whether the same files would be opened, whatever is in them. */
export const isSameList = (a: Listing, b: Listing): boolean =>
  a.files.length === b.files.length && a.files.every((file, index) => file.path === b.files[index]?.path && file.status === b.files[index]?.status && file.previousPath === b.files[index]?.previousPath);

/** The base has a renamed file under its previous path. */
export const pathOn = (file: ChangedFile, side: ReviewSide): string => (side === "base" ? (file.previousPath ?? file.path) : file.path);

export const isThereOn = (file: ChangedFile, side: ReviewSide): boolean => file.status !== (side === "base" ? "added" : "deleted");

export const fileAt = (listing: Listing, path: string, side: ReviewSide): ChangedFile | undefined => listing.files.find((file) => isThereOn(file, side) && pathOn(file, side) === path);

/** Only its mode is another: the content of both sides is the same. */
export const isModeOnly = (file: ChangedFile): boolean => file.status === "modified" && file.previousMode !== undefined && !file.binary && file.insertions === 0 && file.deletions === 0;

/**
 * What a side of a file rests on, as far as a listing tells: while it stays the same, so does what is shown.
 * A file that is not listed is on both sides as it was.
 */
export function contentKey(listing: Listing, path: string, side: ReviewSide): string {
  const file = fileAt(listing, path, side);
  if (file === undefined) {
    return listing.files.some((other) => other.status === "deleted" && other.path === path) ? "gone" : "unchanged";
  }
  const shape = `${file.binary ? "binary" : ""}${isModeOnly(file) ? `mode ${file.previousMode} ${file.mode}` : ""}`;
  return side === "base" ? `base ${shape}` : `${file.blob} ${file.mode} ${shape}`;
}

/** What an editor is given: the bytes of the file, or a sentence where they cannot be read as text. */
export type Shown = { kind: "content"; bytes: Uint8Array } | { kind: "note"; text: string };

const decode = (blob: ReviewBlobResult): Uint8Array => (blob.base64 === undefined ? Buffer.from(blob.text ?? "", "utf8") : Buffer.from(blob.base64, "base64"));

/** As VS Code tells text from the rest: no zero byte at the start, unless a byte order mark says why. */
const ZERO_LOOKED_FOR = 512;
function isBinary(content: Uint8Array): boolean {
  const isUtf16 = (content[0] === 0xff && content[1] === 0xfe) || (content[0] === 0xfe && content[1] === 0xff);
  return !isUtf16 && content.subarray(0, ZERO_LOOKED_FOR).includes(0);
}

/**
 * @param file of the listing; absent where it is not among the changes
 * @param raw true for an editor that shows any bytes, such as that of images
 */
export function shownOf(blob: ReviewBlobResult, file: ChangedFile | undefined, side: ReviewSide, raw: boolean): Shown {
  if (blob.missing) {
    return { kind: "note", text: side === "base" ? "This file was not there when the run began." : "This file is not there any more." };
  }
  if (blob.tooLarge === true) {
    return { kind: "note", text: `This file has ${bytes(blob.size)}: too large to be compared here. Open it in the worktree.` };
  }
  const content = decode(blob);
  if (raw) {
    return { kind: "content", bytes: content };
  }
  if (blob.mode === "120000") {
    return { kind: "note", text: `A symbolic link to ${Buffer.from(content).toString("utf8")}` };
  }
  if (blob.mode === "160000") {
    return { kind: "note", text: Buffer.from(content).toString("utf8").trim() };
  }
  if (file?.binary === true || isBinary(content)) {
    return { kind: "note", text: `A binary file of ${bytes(blob.size)}${blob.blob === undefined ? "" : `, ${blob.blob.slice(0, 10)}`}.` };
  }
  if (file !== undefined && isModeOnly(file)) {
    return { kind: "note", text: `${modeWords(side === "base" ? file.previousMode : file.mode)}. Its content has not changed.` };
  }
  return { kind: "content", bytes: content };
}

export const textOf = (shown: Shown): Uint8Array => (shown.kind === "content" ? shown.bytes : Buffer.from(`${shown.text}\n`, "utf8"));

export function modeWords(mode: string | undefined): string {
  switch (mode) {
    case "100755":
      return "An executable file (mode 100755)";
    case "120000":
      return "A symbolic link";
    case "160000":
      return "A nested repository";
    default:
      return `A file that cannot be executed (mode ${mode ?? "100644"})`;
  }
}

const IMAGES = new Set(["png", "jpg", "jpeg", "jpe", "gif", "bmp", "ico", "webp", "avif", "svg"]);
/** VS Code shows it as a picture, so that two can be compared side by side. */
export const isPicture = (file: ChangedFile): boolean => file.binary && IMAGES.has(file.path.slice(file.path.lastIndexOf(".") + 1).toLowerCase());

export const STATUS_LETTERS: Readonly<Record<FileStatus, string>> = { added: "A", deleted: "D", modified: "M", renamed: "R", typeChanged: "T" };
export const STATUS_WORDS: Readonly<Record<FileStatus, string>> = { added: "added", deleted: "deleted", modified: "modified", renamed: "renamed", typeChanged: "of another type" };
/** git's own colours in VS Code. */
export const STATUS_COLORS: Readonly<Record<FileStatus, string>> = {
  added: "gitDecoration.addedResourceForeground",
  deleted: "gitDecoration.deletedResourceForeground",
  modified: "gitDecoration.modifiedResourceForeground",
  renamed: "gitDecoration.renamedResourceForeground",
  typeChanged: "gitDecoration.modifiedResourceForeground",
};

/** `+12 −3`, or why there are no lines to count. */
export function countWords(file: ChangedFile): string {
  if (file.binary) {
    return file.size === undefined ? "binary" : `binary, ${bytes(file.size)}`;
  }
  if (isModeOnly(file)) {
    return `mode ${file.previousMode} → ${file.mode}`;
  }
  return `+${file.insertions} −${file.deletions}`;
}

export const totalWords = (total: DiffStat): string => (total.files === 0 ? "No changes" : `${plural(total.files, "file")}, +${total.insertions} −${total.deletions}`);

/** Which files of a long list are open, from 1: `81 to 160 of 312 files`. */
export const partWords = (listing: Listing, start: number): string => `${start + 1} to ${Math.min(start + FILES_OPENED_MAX, listing.files.length)} of ${listing.files.length} files`;

/** The title of a diff of several files. VS Code adds how many it shows. */
export function diffTitle(cardNumber: number, cardTitle: string, listing: Listing, sinceLastLook: boolean, start: number): string {
  const cut = listing.files.length > FILES_OPENED_MAX ? ` · ${partWords(listing, start)}` : "";
  return `#${cardNumber} ${cardTitle}${sinceLastLook ? " · since last look" : ""}${cut}`;
}

export interface Folder {
  kind: "folder";
  /** From the top of the repository. */
  path: string;
  /** Folders that hold nothing but one folder are one row: `src/main/app`. */
  name: string;
  children: readonly Row[];
}
export interface FileRow {
  kind: "file";
  file: ChangedFile;
}
export type Row = Folder | FileRow;

/** Files by folder, folders first, each in the order of names. */
export function asTree(files: readonly ChangedFile[]): readonly Row[] {
  interface Building {
    folders: Map<string, Building>;
    files: ChangedFile[];
  }
  const root: Building = { folders: new Map(), files: [] };
  for (const file of files) {
    let place = root;
    for (const part of file.path.split("/").slice(0, -1)) {
      const next: Building = place.folders.get(part) ?? { folders: new Map(), files: [] };
      place.folders.set(part, next);
      place = next;
    }
    place.files.push(file);
  }
  const rows = (place: Building, path: string): Row[] => [
    ...[...place.folders].sort(([a], [b]) => compareNames(a, b)).map(([name, inner]) => folder(name, inner, path === "" ? name : `${path}/${name}`)),
    ...place.files.sort((a, b) => compareNames(a.path, b.path)).map((file): FileRow => ({ kind: "file", file })),
  ];
  const folder = (name: string, place: Building, path: string): Folder => {
    const [only] = place.folders;
    return place.files.length === 0 && place.folders.size === 1 && only !== undefined ? folder(`${name}/${only[0]}`, only[1], `${path}/${only[0]}`) : { kind: "folder", path, name, children: rows(place, path) };
  };
  return rows(root, "");
}

export const asList = (files: readonly ChangedFile[]): readonly Row[] => [...files].sort((a, b) => compareNames(a.path, b.path)).map((file): FileRow => ({ kind: "file", file }));

export const filesUnder = (row: Row): readonly ChangedFile[] => (row.kind === "file" ? [row.file] : row.children.flatMap(filesUnder));

const compareNames = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);
