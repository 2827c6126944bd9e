// What the hypervisor took of a virtual machine's processors. The clock of whatever ran there went on meanwhile, and nothing in the machine can help it.
import { readFileSync } from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

const EVERY_MS = 20;
/** The kernel's unit in /proc/stat, which is the same on every Linux that Node.js runs on. */
const TICK_MS = 10;
const STAT = "/proc/stat";

/**
 * Watches from now on, in a thread of its own.
 * @returns `during(from, to)`: milliseconds of all processors that were taken between two times of the clock (`Date.now()`), from the last look before to the
 * first after them; always 0 where the system does not say it.
 */
export function watchStolen() {
  const looks = [];
  const worker = new Worker(new URL(import.meta.url), { workerData: "stolen" });
  worker.on("message", (some) => looks.push(...some));
  worker.unref();
  return {
    during(from, to) {
      const before = looks.findLastIndex(({ at }) => at <= from);
      const after = looks.findIndex(({ at }) => at >= to);
      return before < 0 || after < 0 ? 0 : looks[after].stolen - looks[before].stolen;
    },
    stop: () => worker.terminate(),
  };
}

function look() {
  try {
    // cpu user nice system idle iowait irq softirq steal …
    return { at: Date.now(), stolen: Number(/^cpu +(?:\d+ ){7}(\d+)/.exec(readFileSync(STAT, "latin1"))[1]) * TICK_MS };
  } catch {
    return undefined; // no Linux
  }
}

if (!isMainThread && workerData === "stolen") {
  let some = [];
  setInterval(() => {
    const now = look();
    if (now === undefined) return;
    some.push(now);
    if (some.length < 25) return;
    parentPort.postMessage(some);
    some = [];
  }, EVERY_MS);
}
