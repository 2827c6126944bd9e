import * as vscode from "vscode";

/** What is used of the API of VS Code's own git extension, version 1. */
interface GitRef {
  name?: string;
}
interface GitChange {
  uri: vscode.Uri;
  originalUri: vscode.Uri;
  renameUri?: vscode.Uri;
  status: number;
}
export interface GitRepository {
  rootUri: vscode.Uri;
  state: { HEAD?: GitRef };
  getBranches(query: { remote: boolean }): Promise<GitRef[]>;
  getCommit(ref: string): Promise<{ parents: string[]; message: string }>;
  diffBetween(from: string, to: string): Promise<GitChange[]>;
}
interface GitApi {
  repositories: GitRepository[];
  getRepository(uri: vscode.Uri): GitRepository | null;
  openRepository(uri: vscode.Uri): Promise<GitRepository | null>;
  toGitUri(uri: vscode.Uri, ref: string): vscode.Uri;
}

async function api(): Promise<GitApi | undefined> {
  const extension = vscode.extensions.getExtension<{ enabled: boolean; getAPI(version: 1): GitApi }>("vscode.git");
  if (extension === undefined) {
    return undefined;
  }
  const git = extension.isActive ? extension.exports : await extension.activate();
  return git.enabled ? git.getAPI(1) : undefined;
}

/** The repository as git's own extension has it; undefined where that is off, or knows no such one. */
export async function gitRepository(root: string): Promise<GitRepository | undefined> {
  const uri = vscode.Uri.file(root);
  const git = await api();
  return git?.repositories.find((repository) => repository.rootUri.fsPath === uri.fsPath) ?? (await git?.openRepository(uri)) ?? undefined;
}

/** Local branches, by their short names, and the one that is checked out. */
export async function branchesOf(root: string): Promise<{ names: readonly string[]; head?: string }> {
  const repository = await gitRepository(root);
  const branches = (await repository?.getBranches({ remote: false })) ?? [];
  return { names: branches.map((branch) => branch.name).filter((name) => name !== undefined), head: repository?.state.HEAD?.name };
}

/** A commit as git's own extension shows one; where that cannot, in a diff of its files. */
export async function showCommit(root: string, commit: string): Promise<void> {
  const repository = await gitRepository(root);
  if (repository === undefined) {
    void vscode.window.showInformationMessage(`Git is off in this window. The commit is ${commit}.`);
    return;
  }
  if ((await vscode.commands.getCommands(true)).includes("git.viewCommit")) {
    await vscode.commands.executeCommand("git.viewCommit", repository.rootUri, commit);
    return;
  }
  const [git, { parents, message }] = [await api(), await repository.getCommit(commit)];
  const parent = parents[0] ?? EMPTY_TREE;
  const changes = await repository.diffBetween(parent, commit);
  const sides = changes.map((change) => {
    const [before, after] = [git?.toGitUri(change.originalUri, parent), git?.toGitUri(change.renameUri ?? change.uri, commit)];
    return [change.uri, change.status === ADDED ? undefined : before, change.status === DELETED ? undefined : after];
  });
  await vscode.commands.executeCommand("vscode.changes", `${commit.slice(0, 7)} ${message.split("\n")[0] ?? ""}`, sides);
}

/** The tree of a repository's first commit's parent, which git knows without having it. */
const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const ADDED = 1;
const DELETED = 6;
