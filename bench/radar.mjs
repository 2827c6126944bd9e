// Eight runs that write all the time and end a turn every ten seconds: what looking ahead for conflicts costs, git and all, beside the git of their checkpoints.
import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { begin, done } from "./lines.mjs";
import { cpuMs, pause, row } from "./figures.mjs";
import { Place } from "./place.mjs";

const runs = 8;
const turnSeconds = 10;
const looking = ["diff-tree", "merge-tree", "for-each-ref", "rev-parse"];

/** Every git that serve starts leaves what it used of the processor, as the shell that started it is told. */
function weighed(place) {
  const [spent, bin] = [join(place.root, "spent"), join(place.root, "bin")];
  const real = execFileSync("bash", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  mkdirSync(spent);
  mkdirSync(bin);
  writeFileSync(join(bin, "git"), `#!/bin/sh\n'${real}' "$@"\ncode=$?\n{ times; echo "$*"; } > '${spent}'/$$\nexit $code\n`);
  chmodSync(join(bin, "git"), 0o700);
  place.environment.PATH = `${bin}:${place.environment.PATH}`;
  return () => {
    const all = readdirSync(spent).map((name) => readFileSync(join(spent, name), "utf8").split("\n")).filter((lines) => lines.length >= 3);
    const sum = (isLooking) => all.filter(([, , args]) => args.split(" ").some((word) => looking.includes(word)) === isLooking)
      .flatMap(([, children]) => children.split(" ")).reduce((total, time) => total + Number(/^(\d+)m([\d.]+)s$/.exec(time)[1]) * 60_000 + Number(/m([\d.]+)s$/.exec(time)[1]) * 1000, 0);
    return { look: sum(true), other: sum(false) };
  };
}

export async function radar({ quick }) {
  const seconds = quick ? 30 : 120;
  const place = new Place(1_000);
  try {
    const gits = weighed(place);
    const turns = Math.ceil(seconds / turnSeconds) + 3;
    const writes = `turn=$((turn + 1)); for i in $(seq ${turnSeconds * 5}); do echo "$$ $turn $i" > folder-0/file-$((i % 3)).txt; echo "$$ $turn $i" > new-$((i % 5)).txt; sleep 0.2; done`;
    const turn = `echo "\${line%?},\\"isReplay\\":true}"\necho '${begin}'\n${writes}\necho '${done}'`;
    const wire = await place.connectWith(place.agent(`while read -r line; do case $line in *'"type":"user"'*) ;; *) continue ;; esac\n${turn}\ndone\n`));
    const ids = [];
    for (let i = 0; i < runs; i++) ids.push((await place.dispatch(wire, await place.card(wire, "radar"))).id);
    await wire.until("all run", (board) => board.runs.every((run) => run.state === "running" && run.sessionId));
    for (const id of ids) for (let i = 0; i < turns; i++) await wire.ask("run/reply", { runId: id, text: "go on" });
    await wire.until("conflicts are seen", (board) => board.runs.filter((run) => run.conflicts).length === runs);
    const [own, git] = [cpuMs(place.servePid), gits()];
    await pause(seconds * 1000);
    const percent = (milliseconds) => milliseconds / seconds / 10;
    const after = gits();
    const used = percent(after.look - git.look + cpuMs(place.servePid) - own);
    return [row(`${runs} live runs that write all the time: the look ahead with its git, and serve itself`, `${used.toFixed(1)} % of a core`, `the git of their checkpoints: ${percent(after.other - git.other).toFixed(1)} %`, undefined, "< 5 %", used < 5)];
  } finally {
    place.remove();
  }
}
