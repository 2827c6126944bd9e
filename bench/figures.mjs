// What a measure says, and how it is reckoned.
import { readFileSync, readdirSync } from "node:fs";

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length % 2 ? sorted[(sorted.length - 1) / 2] : (sorted[sorted.length / 2 - 1] + sorted[sorted.length / 2]) / 2;
};

/** A row of the table. `ratio` and `goal` may be absent: then there is nothing to compare with, or nothing was promised. */
export const row = (what, ours, baseline, ratio, goal, met) => ({ what, ours, baseline, ratio: ratio === undefined ? "" : `${ratio.toFixed(2)}×`, goal: goal ?? "", met: met === undefined ? "" : met ? "yes" : "**missed**" });

export const table = (rows) =>
  ["| what | ours | baseline | ratio | goal | met |", "|---|---|---|---|---|---|", ...rows.map((r) => `| ${r.what} | ${r.ours} | ${r.baseline} | ${r.ratio} | ${r.goal} | ${r.met} |`)].join("\n");

export const ms = (value) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;

/** Its share of memory in MB: pages that n processes share count for each an n-th. */
export const pssMb = (pid) => Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))[1]) / 1024;

export const peakMb = (pid) => Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;

/** Milliseconds of processor that its threads have had, those that have ended included, to ten milliseconds. */
export const cpuMs = (pid) => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
};

/** The same to the microsecond, of the threads that live. */
export const fineCpuMs = (pid) => readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e6, 0);

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
