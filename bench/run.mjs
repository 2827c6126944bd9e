// Runs the measures one after the other, since they would disturb each other, and prints one table.
import { existsSync } from "node:fs";
import { board } from "./board.mjs";
import { checkpoint } from "./checkpoint.mjs";
import { dispatch } from "./dispatch.mjs";
import { row, table } from "./figures.mjs";
import { giant } from "./giant.mjs";
import { guard } from "./guard.mjs";
import { idle } from "./idle.mjs";
import { ingest } from "./ingest.mjs";
import { many } from "./many.mjs";
import { memory } from "./memory.mjs";
import { sidecar } from "./place.mjs";
import { radar } from "./radar.mjs";
import { review } from "./review.mjs";
import { start } from "./start.mjs";

const measures = { start, dispatch, many, ingest, giant, memory, guard, review, checkpoint, radar, board, idle };
const words = process.argv.slice(2);
const quick = words.includes("--quick");
const named = words.filter((word) => word !== "--quick");
const unknown = named.find((name) => !(name in measures));
if (unknown || !existsSync(sidecar)) {
  console.error(unknown ? `There is no measure "${unknown}": ${Object.keys(measures).join(", ")}.` : `${sidecar} is not there: bench/run.sh publishes it.`);
  process.exit(2);
}

const rows = [];
for (const name of named.length > 0 ? named : Object.keys(measures)) {
  const from = performance.now();
  try {
    rows.push(...(await measures[name]({ quick })));
  } catch (failure) {
    console.error(failure);
    rows.push(row(name, `failed: ${failure.message.split("\n")[0].slice(0, 200)}`, "", undefined, "it runs", false));
  }
  console.error(`${name}: ${((performance.now() - from) / 1000).toFixed(0)} s`);
}
console.log(table(rows));
process.exit(rows.some((r) => r.met === "**missed**") ? 1 : 0);
