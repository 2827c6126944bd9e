// Measures what a user waits for, side by side with its baseline, in one run: node bench/bench.mjs [ROUNDS]
import { spawn, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, dirname } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const rounds = Number(process.argv[2] ?? 20);
const sidecar = join(here, "..", "artifacts", "bench", "kanbots-sidecar");
if (!existsSync(sidecar)) {
  console.error("Build it first: dotnet publish src/KanBots.Sidecar -c Release -p:PublishProfile=sc-linux-x64 -o artifacts/bench");
  process.exit(2);
}

const place = mkdtempSync(join(tmpdir(), "kb-bench-"));
const repository = join(place, "repository");
const environment = { ...process.env, XDG_CACHE_HOME: join(place, "cache"), XDG_RUNTIME_DIR: place };
execFileSync("git", ["init", "-q", "-b", "main", repository]);
writeFileSync(join(repository, "a"), "a");
execFileSync("git", ["add", "."], { cwd: repository });
execFileSync("git", ["-c", "user.name=B", "-c", "user.email=b@example.com", "commit", "-qm", "a"], { cwd: repository });

/** Milliseconds from the start of a process to its answer to initialize, and the process. */
function greet(command, args) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(command, args, { cwd: repository, env: environment, stdio: ["pipe", "pipe", "inherit"] });
    child.once("error", reject);
    child.stdout.once("data", () => resolve([performance.now() - started, child]));
    const hello = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: { clientName: "bench", workspaceFolder: repository, trusted: true, capabilities: [] } });
    child.stdin.write(`Content-Length: ${Buffer.byteLength(hello)}\r\n\r\n${hello}`);
  });
}

const end = (child) => new Promise((resolve) => { child.once("exit", resolve); child.stdin.end(); child.kill(); });
const serve = () => JSON.parse(readFileSync(join(repository, ".git", "kanbots", "serve.json"))).pid;
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const times = { node: [], warm: [], cold: [] };

const [, keeper] = await greet(sidecar, ["--stdio"]);
for (let i = 0; i < rounds; i++) {
  for (const [name, command, args] of [["node", process.execPath, [join(here, "hello.mjs")]], ["warm", sidecar, ["--stdio"]]]) {
    const [ms, child] = await greet(command, args);
    times[name].push(ms);
    await end(child);
  }
}
await end(keeper);
for (let i = 0; i < rounds; i++) {
  process.kill(serve(), "SIGKILL");
  const [ms, child] = await greet(sidecar, ["--stdio"]);
  times.cold.push(ms);
  await end(child);
}
process.kill(serve(), "SIGKILL");
rmSync(place, { recursive: true, force: true });

const base = median(times.node);
console.log(`Start to the answer of initialize, median of ${rounds}\n`);
console.log("| what | ms | against Node |\n|---|---|---|");
for (const [name, label] of [["node", "the smallest JSON-RPC server in Node"], ["warm", "`--stdio`, serve running"], ["cold", "`--stdio`, serve to be started"]]) {
  console.log(`| ${label} | ${median(times[name]).toFixed(0)} | ${(median(times[name]) / base).toFixed(2)}× |`);
}
