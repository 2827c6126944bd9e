import * as vscode from "vscode";
import type { ReviewSide } from "../shared/protocol";

export const BASE_SCHEME = "kanbots-base";
export const HEAD_SCHEME = "kanbots-head";

/** One side of one file of a run's changes. */
export interface FilePlace {
  /** The workspace folder whose sidecar knows the run. */
  folder: string;
  runId: number;
  /** From the top of the repository, with slashes. */
  path: string;
  side: ReviewSide;
  /** The tree that the base is of; absent for the commit on which the run began. */
  from?: string;
  /** For an editor that shows any bytes. */
  raw?: boolean;
}

/** Both sides of a file have the same path, else VS Code shows it as renamed. */
export const uriOf = (place: FilePlace): vscode.Uri =>
  vscode.Uri.from({ scheme: place.side === "base" ? BASE_SCHEME : HEAD_SCHEME, authority: `run-${place.runId}`, path: `/${place.path}`, query: JSON.stringify({ folder: place.folder, from: place.from, raw: place.raw }) });

export function placeOf(uri: vscode.Uri): FilePlace | undefined {
  const runId = Number(/^run-(\d+)$/.exec(uri.authority)?.[1]);
  if ((uri.scheme !== BASE_SCHEME && uri.scheme !== HEAD_SCHEME) || !Number.isSafeInteger(runId)) {
    return undefined;
  }
  try {
    const said = JSON.parse(uri.query) as { folder?: unknown; from?: unknown; raw?: unknown };
    if (typeof said.folder !== "string") {
      return undefined;
    }
    return { folder: said.folder, runId, path: uri.path.slice(1), side: uri.scheme === BASE_SCHEME ? "base" : "head", from: typeof said.from === "string" ? said.from : undefined, raw: said.raw === true || undefined };
  } catch {
    return undefined;
  }
}
