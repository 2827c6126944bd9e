import type { ChangedFile, LandingStrategy } from "../shared/protocol";
import { plural } from "../shared/words";

export const STRATEGIES: readonly { strategy: LandingStrategy; label: string; detail: string }[] = [
  { strategy: "squash", label: "Squash", detail: "One commit with all of it on top of the branch." },
  { strategy: "merge", label: "Merge", detail: "The agent's commits as they are, and a merge commit." },
  { strategy: "rebase", label: "Rebase", detail: "The agent's commits one by one on top of the branch, what was not committed last." },
];

/** What the sidecar writes when it is given no message. Its trailers (run, co-author) come below it. */
export const messageFor = (title: string, cardNumber: number): string => `${title.trim() === "" ? "Work of an agent" : title.trim()} (#${cardNumber})`;

/** Why a name is none for a branch, in git's rules; undefined when it is one. The sidecar's own branches are not to be landed on. */
export function branchTrouble(name: string): string | undefined {
  if (name === "") {
    return "Type the name of a branch, such as fix/login.";
  }
  if (name.startsWith("kanbots/")) {
    return "Names below kanbots/ belong to runs. Take another one.";
  }
  if (/[\s~^:?*[\\\u0000-\u001f\u007f]/.test(name)) {
    return "A branch has no spaces and none of ~ ^ : ? * [ \\ in its name.";
  }
  if (name === "@" || name === "HEAD" || name.startsWith("-") || name.includes("..") || name.includes("@{") || name.endsWith(".") || name.split("/").some((part) => part === "" || part.startsWith(".") || part.endsWith(".lock"))) {
    return "git does not take this as the name of a branch. Take one such as fix/login.";
  }
  return undefined;
}

/** A base such as `origin/main` or `refs/heads/main` as the branch that it stands for. */
export const branchOfBase = (base: string): string => base.replace(/^refs\/heads\//, "").replace(/^refs\/remotes\/[^/]+\//, "").replace(/^origin\//, "");

export interface BranchRow {
  name: string;
  why?: string;
}

/** Branches to land on: that from which the run began, that which is checked out, then the others as git has them. */
export function branchRows(branches: readonly string[], base: string, head: string | undefined): readonly BranchRow[] {
  const known = branches.filter((name) => !name.startsWith("kanbots/"));
  const began = branchOfBase(base);
  const first: BranchRow[] = known.includes(began) ? [{ name: began, why: began === head ? "where the run began, checked out" : "where the run began" }] : [];
  const second: BranchRow[] = head !== undefined && head !== began && known.includes(head) ? [{ name: head, why: "checked out" }] : [];
  const named = new Set([...first, ...second].map((row) => row.name));
  return [...first, ...second, ...known.filter((name) => !named.has(name)).map((name) => ({ name }))];
}

/** The last sentence before something lands. */
export function landingWords(files: readonly ChangedFile[], chosen: readonly string[] | undefined, branch: string, isNew: boolean, strategy: LandingStrategy): string {
  const landing = chosen === undefined ? files : files.filter((file) => chosen.includes(file.path));
  const insertions = landing.reduce((sum, file) => sum + file.insertions, 0);
  const deletions = landing.reduce((sum, file) => sum + file.deletions, 0);
  const how = { squash: "as one commit", merge: "by a merge", rebase: "by a rebase" }[strategy];
  return `Land ${plural(landing.length, "file")} (+${insertions} −${deletions}) on ${isNew ? "the new branch " : ""}${branch} ${how}`;
}

export const shortCommit = (commit: string): string => commit.slice(0, 7);

/** The day until which something can be brought back, as a person reads it there. */
export const dayOf = (until: string, locale?: string): string => new Date(until).toLocaleDateString(locale, { day: "numeric", month: "long", year: "numeric" });
