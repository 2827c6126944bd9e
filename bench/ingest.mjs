// What an agent says, through the run folder, the index in SQLite and the notification to a subscribed client, against the same bytes
// through a bare pipe and through what one would write first in Node.
import { spawn } from "node:child_process";
import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { median, pause, row } from "./figures.mjs";
import { Place, echoes, here } from "./place.mjs";
import { writeStream } from "./lines.mjs";

export async function ingest({ quick }) {
  const place = new Place();
  const speeds = { ours: [], pipe: [], node: [] };
  try {
    const stream = join(place.root, "stream.ndjson");
    const { bytes } = writeStream(stream, quick ? 48 : 96);
    const go = join(place.root, "go");
    // The client has subscribed before the flood begins: it is told to begin by a file.
    const wire = await place.connectWith(place.agent(`while [ ! -e '${go}' ]; do sleep 0.01; done\n${echoes}cat '${stream}'\ncat > /dev/null\n`));
    for (let i = 0; i < (quick ? 3 : 5); i++) {
      speeds.pipe.push(bytes / 1000 / (await elapsed(place, "bash", ["-c", `cat '${stream}' | cat > /dev/null`])));
      speeds.ours.push(bytes / 1000 / (await ours(place, wire, go)));
      speeds.node.push(bytes / 1000 / (await elapsed(place, process.execPath, [join(here, "ingest-node.mjs"), stream, join(place.root, `node-${i}`)])));
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
  ];
}

/** Milliseconds from the word to begin to the notification that carries the last line. */
async function ours(place, wire, go) {
  const run = await place.dispatch(wire, await place.card(wire, "flood"));
  const last = Buffer.from('"the last word"');
  const over = new Promise((resolve) => {
    wire.heard = (body, start) => {
      if (start.includes("run/didAppend") && body.includes(last)) resolve();
    };
  });
  await wire.call("run/subscribe", { runId: run.id });
  const stdout = join(place.state, "runs", `${run.cardNumber}-${run.id}`, "1", "stdout.ndjson");
  while (!statSync(stdout, { throwIfNoEntry: false })) await pause(10);
  const from = performance.now();
  writeFileSync(go, "");
  await over;
  const took = performance.now() - from;
  rmSync(go);
  await wire.until("the end of the run", (board) => !["preparing", "running"].includes(board.runs.find((r) => r.id === run.id).state));
  return took;
}

const elapsed = (place, command, args) =>
  new Promise((resolve, reject) => {
    const from = performance.now();
    spawn(command, args, { cwd: place.repository, stdio: ["ignore", "ignore", "inherit"] }).once("exit", (code) => (code === 0 ? resolve(performance.now() - from) : reject(new Error(`${command} ended with ${code}`))));
  });
