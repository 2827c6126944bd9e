// A board that nobody touches: 50 cards, three clients. No git process may start, and hardly any processor may be used.
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fineCpuMs, pause, row } from "./figures.mjs";
import { Place } from "./place.mjs";

const cards = 50;

export async function idle({ quick }) {
  const seconds = quick ? 60 : 600;
  const place = new Place();
  // Every git that serve or a relay starts is one of this name on its PATH, and leaves a line.
  const gits = join(place.root, "gits");
  const bin = join(place.root, "bin");
  const real = execFileSync("bash", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  mkdirSync(bin);
  writeFileSync(join(bin, "git"), `#!/bin/sh\necho "$*" >> '${gits}'\nexec '${real}' "$@"\n`);
  chmodSync(join(bin, "git"), 0o700);
  place.environment.PATH = `${bin}:${place.environment.PATH}`;
  const counted = () => (existsSync(gits) ? readFileSync(gits, "utf8").trim().split("\n").length : 0);
  // What a server in Node needs that does nothing but look once a second.
  const node = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000); process.stdin.resume()"], { stdio: ["pipe", "ignore", "inherit"] });
  try {
    const clients = [await place.connect(), await place.connect(), await place.connect()];
    for (let i = 0; i < cards; i++) await place.card(clients[0], `card ${i}`);
    for (const client of clients) await client.call("board/get");
    await pause(2000);
    const [pid, relays] = [place.servePid, clients.map((client) => client.pid)];
    const spent = () => [pid, ...relays].reduce((sum, each) => sum + fineCpuMs(each), 0);
    const [gitBefore, before, nodeBefore] = [counted(), spent(), fineCpuMs(node.pid)];
    if (gitBefore === 0) throw new Error("no git was counted at the start: the count is blind");
    await pause(seconds * 1000);
    const [started, own, other] = [counted() - gitBefore, (spent() - before) / seconds / 10, (fineCpuMs(node.pid) - nodeBefore) / seconds / 10];
    const what = `idle for ${seconds / 60} min, ${cards} cards, three clients`;
    return [
      row(`${what}: git processes`, `${started}`, "", undefined, "none", started === 0),
      row(`${what}: serve and three relays`, `${own.toFixed(3)} % of a core`, `a timer of one second in Node: ${other.toFixed(3)} %`, own / other, "≤ 0.2 %", own <= 0.2),
    ];
  } finally {
    node.kill();
    place.remove();
  }
}
