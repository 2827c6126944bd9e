// One line of 64 MiB: what it costs the server, which keeps its range, and what it costs a program that reads and parses it.
import { spawn } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { cpuMs, median, peakMb, row } from "./figures.mjs";
import { begin, done } from "./lines.mjs";
import { Place, echoes, here } from "./place.mjs";

const lineBytes = 64 << 20;

export async function giant({ quick }) {
  const place = new Place();
  const [ours, node] = [[], []];
  try {
    const stream = join(place.root, "giant.ndjson");
    const file = openSync(stream, "w");
    const [head, tail] = ['{"type":"assistant","message":{"role":"assistant","content":[{"type":"text","text":"', '"}]}}\n'];
    writeSync(file, `${begin}\n${head}${"x".repeat(lineBytes - head.length - tail.length + 1)}${tail}${done}\n`);
    closeSync(file);
    for (let i = 0; i < (quick ? 3 : 7); i++) {
      ours.push(await served(place, stream));
      node.push(await parsed(stream));
    }
  } finally {
    place.remove();
  }
  const [ms, mb, baseMs, baseMb] = [median(ours.map((o) => o.ms)), Math.max(...ours.map((o) => o.mb)), median(node.map((n) => n.ms)), median(node.map((n) => n.mb))];
  return [
    row("a line of 64 MiB: CPU of serve", `${ms.toFixed(0)} ms`, `Node, readline and JSON.parse: ${baseMs.toFixed(0)} ms`, ms / baseMs, "≤ 1 s", ms <= 1000),
    row("a line of 64 MiB: most memory serve ever had", `${mb.toFixed(0)} MB`, `Node: ${baseMb.toFixed(0)} MB`, mb / baseMb, "≤ 200 MB", mb <= 200),
  ];
}

/** By a serve that has done nothing else yet. */
async function served(place, stream) {
  place.killServe();
  const wire = await place.connectWith(place.agent(`${echoes}cat '${stream}'\ncat > /dev/null\n`));
  const before = cpuMs(place.servePid);
  const run = await place.dispatch(wire, await place.card(wire, "giant"));
  await wire.until("the end of the run", (board) => ["finished", "inReview", "failed", "stopped"].includes(board.runs.find((r) => r.id === run.id).state));
  const pages = await wire.call("run/events", { runId: run.id, limit: 50 });
  if (!pages.items.some((item) => item.why === "tooLong")) throw new Error("the line of 64 MiB is not in the thread");
  const figures = { ms: cpuMs(place.servePid) - before, mb: peakMb(place.servePid) };
  wire.end();
  return figures;
}

const parsed = (stream) =>
  new Promise((resolve, reject) => {
    let said = "";
    const child = spawn(process.execPath, [join(here, "giant-node.mjs"), stream], { stdio: ["ignore", "pipe", "inherit"] });
    child.stdout.on("data", (chunk) => (said += chunk));
    child.once("exit", (code) => (code === 0 ? resolve(JSON.parse(said)) : reject(new Error(`Node ended with ${code}`))));
  });
