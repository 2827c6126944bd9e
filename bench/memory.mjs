// Memory of each of our processes, as its proportional share: what would come free if it ended, plus its part of what is shared.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { median, pssMb, row } from "./figures.mjs";
import { Place, here } from "./place.mjs";
import { begin } from "./lines.mjs";

const many = 30;

export async function memory() {
  const place = new Place(100);
  const hello = spawn(process.execPath, [join(here, "hello.mjs")], { stdio: ["pipe", "ignore", "inherit"] });
  try {
    const wire = await place.connectWith(place.agent(`echo '${begin}'\ncat > /dev/null\n`));
    const dispatched = async (count) => {
      for (let i = 0; i < count; i++) await place.dispatch(wire, await place.card(wire, "memory"));
      await wire.until("all run", (board) => board.runs.every((run) => run.state === "running" && run.sessionId) && place.hosts().filter((host) => host.agentPid).length === board.runs.length);
      return place.hosts().map((host) => pssMb(host.hostPid));
    };
    const [alone] = await dispatched(1);
    const relay = pssMb(wire.pid);
    const hosts = await dispatched(many - 1);
    const serve = pssMb(place.servePid);
    const node = pssMb(hello.pid);
    const rowOf = (what, own, goal) => row(`memory of ${what}`, `${own.toFixed(1)} MB`, `the smallest JSON-RPC server in Node: ${node.toFixed(0)} MB`, own / node, `≤ ${goal} MB`, own <= goal);
    return [rowOf(`serve with ${many} runs`, serve, 50), rowOf("the relay", relay, 25), rowOf("a run host alone", alone, 14), rowOf(`a run host among ${many}`, median(hosts), 6)];
  } finally {
    hello.kill();
    place.remove();
  }
}
