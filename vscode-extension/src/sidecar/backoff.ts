/** Waits before the next start, in milliseconds, by how many starts in a row have failed. A sidecar that ran for a while starts the row anew. */
const WAITS_MS = [0, 500, 1_000, 2_000, 5_000, 10_000, 30_000] as const;

/** A sidecar that has been ready for so long counts as one that works. */
export const WORKED_MS = 60_000;

export const waitBefore = (failures: number): number => WAITS_MS[Math.min(Math.max(failures - 1, 0), WAITS_MS.length - 1)] ?? 0;

/** From the third failure in a row on, people are told; before it a restart is not worth a word. */
export const isWorthTelling = (failures: number): boolean => failures >= 3;

/** What an exit of `kanbots-sidecar --stdio` means (codes of the relay). */
export type Exit = { kind: "again" } | { kind: "stay"; message: string; nextStep: string };

/**
 * @param code exit code; null when a signal ended it
 * @param said the last line of its stderr
 */
export function readExit(code: number | null, said: string): Exit {
  switch (code) {
    case 5:
      return { kind: "stay", message: said || "The sidecar refused this window.", nextStep: "Do what it says, then restart the sidecar." };
    case 6:
      return { kind: "stay", message: said || "This folder is not in a git repository.", nextStep: "Open a folder of a git repository, or run “Git: Initialize Repository”, then restart the sidecar." };
    default:
      return { kind: "again" };
  }
}
