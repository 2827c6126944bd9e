// What the guard's hooks cost an agent's git: a commit and 20 ref updates, with the environment of a real launch and without it,
// one after the other in one run: node bench/guard.mjs [ROUNDS]
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, dirname } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const rounds = Number(process.argv[2] ?? 40);
const sidecar = join(here, "..", "artifacts", "bench", "kanbots-sidecar");
if (!existsSync(sidecar)) {
  console.error("Build it first: dotnet publish src/KanBots.Sidecar -c Release -p:PublishProfile=sc-linux-x64 -o artifacts/bench");
  process.exit(2);
}

const place = mkdtempSync(join(tmpdir(), "kb-bench-"));
const repository = join(place, "repository");
const identity = { GIT_AUTHOR_NAME: "B", GIT_AUTHOR_EMAIL: "b@example.com", GIT_COMMITTER_NAME: "B", GIT_COMMITTER_EMAIL: "b@example.com" };
const environment = { ...process.env, ...identity, XDG_CACHE_HOME: join(place, "cache"), XDG_RUNTIME_DIR: place };
const git = (folder, env, args, input) => {
  const ran = spawnSync("git", args, { cwd: folder, env, input, encoding: "utf8" });
  if (ran.status !== 0) {
    throw new Error(`git ${args.join(" ")}: ${ran.stderr}`);
  }
  return ran.stdout.trim();
};
execFileSync("git", ["init", "-q", "-b", "main", repository]);
for (let i = 0; i < 200; i++) {
  writeFileSync(join(repository, `file-${i}`), `${i}\n`);
}
git(repository, environment, ["add", "."]);
git(repository, environment, ["commit", "-qm", "a"]);

// An agent that says which environment it was given, and waits.
const agent = join(place, "agent");
writeFileSync(agent, `#!/bin/sh\nenv -0 > '${place}/env.part'\nmv '${place}/env.part' '${place}/env'\ncat > /dev/null\n`);
chmodSync(agent, 0o700);
const kanbots = (...args) => execFileSync(sidecar, args, { cwd: repository, env: environment, encoding: "utf8" });
kanbots("config", "agents.claude.path", agent);
kanbots("card", "add", "bench");
kanbots("dispatch", "1");
while (!existsSync(join(place, "env"))) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
}
const guarded = Object.fromEntries(readFileSync(join(place, "env"), "utf8").split("\0").filter(Boolean).map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
const worktree = join(repository, ".kanbots", "worktrees", "issue-1-1");
const [one, two] = [git(worktree, environment, ["rev-parse", "HEAD"]), git(worktree, environment, ["commit-tree", "-m", "other", "HEAD^{tree}"])];

const times = { plain: [], guarded: [] };
for (let i = 0; i < rounds; i++) {
  for (const [name, env] of i % 2 ? [["plain", environment], ["guarded", guarded]] : [["guarded", guarded], ["plain", environment]]) {
    writeFileSync(join(worktree, "file-1"), `${name} ${i}\n`);
    const updates = Array.from({ length: 20 }, (_, ref) => `update refs/remotes/bench/${ref} ${times.plain.length + times.guarded.length & 1 ? one : two}\n`).join("");
    const started = performance.now();
    git(worktree, env, ["commit", "-qam", "work"]);
    git(worktree, env, ["update-ref", "--stdin"], updates);
    times[name].push(performance.now() - started);
  }
}
kanbots("stop", "1");
process.kill(JSON.parse(readFileSync(join(repository, ".git", "kanbots", "serve.json"))).pid, "SIGKILL");
execFileSync("chmod", ["-R", "u+w", place]);
rmSync(place, { recursive: true, force: true });

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const base = median(times.plain);
console.log(`A commit and 20 ref updates, median of ${rounds}\n`);
console.log("| | ms | against plain git |\n|---|---|---|");
console.log(`| plain git | ${base.toFixed(1)} | 1 |`);
console.log(`| with the guard | ${median(times.guarded).toFixed(1)} | ${(median(times.guarded) / base).toFixed(2)} |`);
