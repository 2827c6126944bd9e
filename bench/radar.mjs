// Eight runs that write all the time and end a turn every ten seconds: what keeping their files and looking ahead costs, git and all.
import { readFileSync } from "node:fs";
import { begin, done } from "./lines.mjs";
import { pause, row } from "./figures.mjs";
import { Place } from "./place.mjs";

const runs = 8;
const turnSeconds = 10;

/** Milliseconds of processor of a process and of all children that it has waited for. */
const withChildrenMs = (pid) => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
};

export async function radar({ quick }) {
  const seconds = quick ? 30 : 120;
  const place = new Place(1_000);
  try {
    const turns = Math.ceil(seconds / turnSeconds) + 3;
    const writes = `for i in $(seq ${turnSeconds * 5}); do echo "$$ $i" > folder-0/file-$((i % 3)).txt; echo "$$ $i" > new-$((i % 5)).txt; sleep 0.2; done`;
    const turn = `echo "\${line%?},\\"isReplay\\":true}"\necho '${begin}'\n${writes}\necho '${done}'`;
    const wire = await place.connectWith(place.agent(`while read -r line; do case $line in *'"type":"user"'*) ;; *) continue ;; esac\n${turn}\ndone\n`));
    const ids = [];
    for (let i = 0; i < runs; i++) ids.push((await place.dispatch(wire, await place.card(wire, "radar"))).id);
    await wire.until("all run", (board) => board.runs.every((run) => run.state === "running" && run.sessionId));
    for (const id of ids) for (let i = 0; i < turns; i++) await wire.ask("run/reply", { runId: id, text: "go on" });
    await wire.until("conflicts are seen", (board) => board.runs.filter((run) => run.conflicts).length === runs);
    const before = withChildrenMs(place.servePid);
    await pause(seconds * 1000);
    const used = (withChildrenMs(place.servePid) - before) / seconds / 10;
    return [row(`${runs} live runs that write all the time: serve, checkpoints and the look ahead`, `${used.toFixed(1)} % of a core`, "", undefined, "< 5 %", used < 5)];
  } finally {
    place.remove();
  }
}
