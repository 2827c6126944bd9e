import * as vscode from "vscode";
import { baseRows } from "./choice";

/** What is used of VS Code's Git extension (its API 1). */
interface GitRepository {
  readonly rootUri: vscode.Uri;
  readonly state: { readonly HEAD?: { readonly name?: string } };
  getBranches(query: { remote?: boolean }): Promise<readonly { name?: string }[]>;
}

interface GitApi {
  getAPI(version: 1): { getRepository(uri: vscode.Uri): GitRepository | null };
}

/** The branches of a repository as VS Code's own Git extension knows them; none when it is switched off: a name can then be typed. */
export async function branchesOf(root: string): Promise<readonly string[]> {
  const git = vscode.extensions.getExtension<GitApi>("vscode.git");
  if (git === undefined) {
    return [];
  }
  try {
    const repository = (git.isActive ? git.exports : await git.activate()).getAPI(1).getRepository(vscode.Uri.file(root));
    if (repository === null) {
      return [];
    }
    const branches = [...(await repository.getBranches({})), ...(await repository.getBranches({ remote: true }))];
    return baseRows(branches.flatMap(({ name }) => (name === undefined ? [] : [name])), repository.state.HEAD?.name);
  } catch {
    // Git is disabled (`git.enabled`), or the repository went meanwhile.
    return [];
  }
}
