// What `kanbots-sidecar doctor` writes, as data: pure. Each line begins with a word of its own.
import { plain } from "../shared/words";

export interface Finding {
  kind: "ok" | "problem";
  text: string;
  /** What `doctor --fix` would do about it. */
  fix?: string;
}

export function readDoctor(output: string): readonly Finding[] {
  const findings: Finding[] = [];
  for (const line of output.split(/\r?\n/)) {
    const [, word, text = ""] = /^(ok|problem|would)\s+(.*)$/.exec(line) ?? [];
    const last = findings.at(-1);
    if (word === "ok" || word === "problem") {
      findings.push({ kind: word, text: plain(text, 1_000) });
    } else if (word === "would" && last !== undefined) {
      last.fix = plain(text, 1_000);
    }
  }
  return findings;
}
