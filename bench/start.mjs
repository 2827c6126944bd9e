// From the start of the process to its answer to `initialize`: what an editor's user waits for.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { median, ms, row } from "./figures.mjs";
import { Place, hello, here, sidecar } from "./place.mjs";
import { Wire } from "./wire.mjs";

export async function start({ quick }) {
  const place = new Place();
  const times = { node: [], warm: [], cold: [] };
  const greet = async (name, command, args) => {
    const started = performance.now();
    const wire = new Wire(spawn(command, args, { cwd: place.repository, env: place.environment, stdio: ["pipe", "pipe", "inherit"] }));
    const gone = new Promise((resolve) => wire.child.once("exit", resolve));
    await wire.call("initialize", hello(place.repository));
    times[name]?.push(performance.now() - started);
    wire.end();
    await gone;
  };
  try {
    await greet("first: places the build", sidecar, ["--stdio"]);
    for (let i = 0; i < (quick ? 20 : 60); i++) {
      await greet("warm", sidecar, ["--stdio"]);
      await greet("node", process.execPath, [join(here, "hello.mjs")]);
      place.killServe();
      await greet("cold", sidecar, ["--stdio"]);
    }
  } finally {
    place.remove();
  }
  const [node, warm, cold] = [median(times.node), median(times.warm), median(times.cold)];
  const base = `the smallest JSON-RPC server in Node: ${ms(node)}`;
  return [
    row("`--stdio` to `initialize`, serve running", ms(warm), base, warm / node, "≤ 0.7×", warm / node <= 0.7),
    row("`--stdio` to `initialize`, serve to be started", ms(cold), base, cold / node, "≤ 1.6×", cold / node <= 1.6),
  ];
}
