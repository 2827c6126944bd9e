// A run of the scripted agent that has changed files, for the tests of review and landing.
import type { ReviewBlobResult, Run } from "../src/shared/protocol";
import type { Session } from "../src/sidecar/session";
import type { Workspaces } from "../src/sidecar/workspaces";
import { Place, until } from "./place";
import { EventEmitter } from "./vscode-stub";

export const silentLog = new Proxy({}, { get: () => () => undefined }) as never;

/** The workspaces of a window that has this one session. */
export function workspacesOf(session: Session): Workspaces {
  return { sessions: [session], start: () => undefined, sessionOf: (folder: string) => (folder === session.folder ? session : undefined), onDidChange: new EventEmitter<void>().event, pick: async () => session, state: session.state } as unknown as Workspaces;
}

/** What an extension remembers over a reload of its window. */
export function memory() {
  const kept = new Map<string, unknown>();
  return { get: (key: string, fallback?: unknown) => kept.get(key) ?? fallback, keys: () => [...kept.keys()], update: async (key: string, value: unknown) => void (value === undefined ? kept.delete(key) : kept.set(key, value)) } as never;
}

export async function dispatched(place: Place, session: Session, title: string, steps: readonly object[], number: number): Promise<Run> {
  place.script(`play${number}`, steps);
  const { card } = await session.change("card/create", { title, body: `[[fake:play${number}]]`, number });
  return (await session.change("run/dispatch", { cardId: card.id })).run;
}

export const runNow = (session: Session, id: number): Run => session.board?.runs.find((run) => run.id === id) ?? (() => { throw new Error(`the board has no run ${id}`); })();

export async function reviewed(place: Place, session: Session, title: string, steps: readonly object[], number: number): Promise<Run> {
  const { id } = await dispatched(place, session, title, steps, number);
  await until(`#${number} is in review`, () => session.board?.runs.find((run) => run.id === id)?.state === "inReview", () => JSON.stringify(session.board?.runs.find((run) => run.id === id)));
  return runNow(session, id);
}

export const blobOf = (text: string, more: Partial<ReviewBlobResult> = {}): ReviewBlobResult => ({ missing: false, size: text.length, mode: "100644", blob: "0123456789abcdef", text, ...more });
