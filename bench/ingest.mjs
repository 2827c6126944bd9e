// What an agent says, through the run folder, the index in SQLite and the notification to a subscribed client, against the same bytes
// through a bare pipe and through what one would write first in Node.
import { spawn } from "node:child_process";
import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cpuMs, median, ms, pause, row } from "./figures.mjs";
import { Place, echoes, here } from "./place.mjs";
import { writeStream } from "./lines.mjs";

export async function ingest({ quick }) {
  const place = new Place();
  const stream = join(place.root, "stream.ndjson");
  const { bytes } = writeStream(stream, quick ? 48 : 96);
  const speeds = { ours: [], pipe: [], node: [] };
  const cpu = { ours: [], node: [] };
  try {
    const go = join(place.root, "go");
    // The client has subscribed before the flood begins: it is told to begin by a file.
    const wire = await place.connectWith(place.agent(`while [ ! -e '${go}' ]; do sleep 0.01; done\n${echoes}cat '${stream}'\ncat > /dev/null\n`));
    for (let i = 0; i < (quick ? 3 : 5); i++) {
      speeds.pipe.push(bytes / 1000 / (await other(place, "bash", ["-c", `cat '${stream}' | cat > /dev/null`])).took);
      const own = await ours(place, wire, go);
      const node = await other(place, process.execPath, [join(here, "ingest-node.mjs"), stream, join(place.root, `node-${i}`)]);
      speeds.ours.push(bytes / 1000 / own.took);
      cpu.ours.push(own.cpu);
      speeds.node.push(bytes / 1000 / node.took);
      cpu.node.push(Number(node.said));
    }
  } finally {
    place.remove();
  }
  const [own, pipe, node] = [median(speeds.ours), median(speeds.pipe), median(speeds.node)];
  const what = "a stream into journal, index and notifications";
  const mb = (speed) => `${speed.toFixed(0)} MB/s`;
  return [
    row(what, mb(own), `bare pipe (\`cat\` to \`cat\`): ${mb(pipe)}`, own / pipe, "≥ 0.12×", own / pipe >= 0.12),
    row(what, mb(own), `Node: readline, JSON.parse, better-sqlite3: ${mb(node)}`, own / node, "≥ 6×", own / node >= 6),
    row(`${what}: CPU of serve and relay for ${(bytes / 1e6).toFixed(0)} MB`, ms(median(cpu.ours)), `the same in Node: ${ms(median(cpu.node))}`, median(cpu.ours) / median(cpu.node)),
  ];
}

/** From the word to begin to the notification that carries the last line: milliseconds, and those of processor. */
async function ours(place, wire, go) {
  const run = await place.dispatch(wire, await place.card(wire, "flood"));
  const last = Buffer.from('"the last word"');
  const over = new Promise((resolve) => {
    wire.heard = (parts, start) => {
      if (start.includes("run/didAppend") && Buffer.concat(parts.slice(-2)).includes(last)) resolve();
    };
  });
  await wire.call("run/subscribe", { runId: run.id });
  const stdout = join(place.state, "runs", `${run.cardNumber}-${run.id}`, "1", "stdout.ndjson");
  while (!statSync(stdout, { throwIfNoEntry: false })) await pause(10);
  const spent = () => cpuMs(place.servePid) + cpuMs(wire.pid);
  const [from, before] = [performance.now(), spent()];
  writeFileSync(go, "");
  await over;
  const [took, cpu] = [performance.now() - from, spent() - before];
  rmSync(go);
  await wire.until("the end of the run", (board) => !["preparing", "running"].includes(board.runs.find((r) => r.id === run.id).state));
  return { took, cpu };
}

const other = (place, command, args) =>
  new Promise((resolve, reject) => {
    const from = performance.now();
    let said = "";
    const child = spawn(command, args, { cwd: place.repository, stdio: ["ignore", "pipe", "inherit"] });
    child.stdout.on("data", (chunk) => (said += chunk));
    child.once("close", (code) => (code === 0 ? resolve({ took: performance.now() - from, said }) : reject(new Error(`${command} ended with ${code}`))));
  });
