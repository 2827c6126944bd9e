// A repository with a board of its own, in a temp folder that a measure removes when it is done.
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Wire } from "./wire.mjs";

export const here = dirname(fileURLToPath(import.meta.url));
export const sidecar = process.env.KANBOTS_EXECUTABLE ?? join(here, "..", "artifacts", "bench", "sidecar", "kanbots-sidecar");
const identity = { GIT_AUTHOR_NAME: "B", GIT_AUTHOR_EMAIL: "b@example.com", GIT_COMMITTER_NAME: "B", GIT_COMMITTER_EMAIL: "b@example.com" };
const textBytes = 6 << 10;
/** How often a folder is tried that somebody still writes into, a tenth of a second apart. */
const REMOVE_TRIES_MAX = 30;

export class Place {
  /**
   * @param files how many files of 6 KiB the repository has, 200 in a folder
   * @param parent where it lies
   */
  constructor(files = 1, parent = tmpdir()) {
    this.root = mkdtempSync(join(parent, "kb-bench-"));
    this.repository = join(this.root, "repository");
    this.environment = { ...process.env, ...identity, XDG_CACHE_HOME: join(this.root, "cache"), XDG_RUNTIME_DIR: join(this.root, "run"), GIT_CONFIG_GLOBAL: "/dev/null" };
    mkdirSync(this.environment.XDG_RUNTIME_DIR, { mode: 0o700 });
    this.clients = [];
    this.git(["init", "-q", "-b", "main", this.repository], this.root);
    for (let i = 0; i < files; i++) {
      const folder = join(this.repository, `folder-${Math.floor(i / 200)}`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `file-${i}.txt`), `${i} `.repeat(Math.ceil(textBytes / `${i} `.length)).slice(0, textBytes));
    }
    this.git(["add", "."]);
    this.git(["commit", "-qm", "a"]);
  }

  get state() { return join(this.repository, ".git", "kanbots"); }

  get servePid() { return JSON.parse(readFileSync(join(this.state, "serve.json"))).pid; }

  git(args, folder = this.repository, environment = this.environment, input = undefined) {
    const ran = spawnSync("git", args, { cwd: folder, env: environment, input, encoding: "utf8" });
    if (ran.status !== 0) throw new Error(`git ${args.join(" ")}: ${ran.stderr}`);
    return ran.stdout.trim();
  }

  /** A script for bash that plays the agent; its stdin is the first message and what follows. */
  agent(script) {
    const path = join(this.root, `agent-${readdirSync(this.root).length}`);
    writeFileSync(path, `#!/bin/bash\n${script}`);
    chmodSync(path, 0o700);
    return path;
  }

  /** A client that has said hello. */
  async connect() {
    const wire = new Wire(spawn(sidecar, ["--stdio"], { cwd: this.repository, env: this.environment, stdio: ["pipe", "pipe", "inherit"] }));
    this.clients.push(wire);
    await wire.call("initialize", hello(this.repository));
    return wire;
  }

  /** With room and money for many runs of this agent. */
  async connectWith(agent) {
    const wire = await this.connect();
    await wire.ask("config/set", { values: { "agents.claude.path": agent, "runs.maxParallel": 64, "runs.budget.dayMicroUsd": 1_000_000_000 } });
    return wire;
  }

  async card(wire, title) { return (await wire.ask("card/create", { title })).card.id; }

  async dispatch(wire, cardId) { return (await wire.ask("run/dispatch", { cardId })).run; }

  killServe() {
    if (existsSync(join(this.state, "serve.json"))) end(this.servePid);
  }

  /** Everything that was started here ends by its pid; then the folder goes. */
  remove() {
    for (const client of this.clients) client.end();
    this.killServe();
    for (const host of this.hosts()) {
      end(host.agentPid);
      end(host.hostPid);
    }
    spawnSync("chmod", ["-R", "u+w", this.root]);
    // A git that serve had started may still write for a moment: what it adds after a folder was listed is seen by the next try, and not by Node's own.
    for (let tries = 1; ; tries++) {
      try {
        rmSync(this.root, { recursive: true, force: true });
        return;
      } catch (failure) {
        if (failure.code !== "ENOTEMPTY" || tries === REMOVE_TRIES_MAX) throw failure;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      }
    }
  }

  /** host.json of every launch there was. */
  hosts() {
    const runs = join(this.state, "runs");
    return !existsSync(runs) ? [] : readdirSync(runs, { recursive: true }).filter((name) => name.endsWith("host.json")).map((name) => JSON.parse(readFileSync(join(runs, name))));
  }
}

/** Memory, where there is room: how long a disk takes to write 20,000 files differs from one time to the next by more than what is measured. */
export const inMemory = existsSync("/dev/shm") && statfsSync("/dev/shm").bavail * statfsSync("/dev/shm").bsize > 2 ** 31 ? "/dev/shm" : tmpdir();

/** The first lines of an agent's script: says that the message has arrived, without which its turn has no end. */
export const echoes = `read -r line\necho "\${line%?},\\"isReplay\\":true}"\n`;

export const hello = (folder) => ({ clientName: "bench", workspaceFolder: folder, trusted: true, capabilities: [] });

function end(pid) {
  try {
    if (pid) process.kill(pid, "SIGKILL");
  } catch (gone) {
    if (gone.code !== "ESRCH") throw gone;
  }
}
