import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Session } from "../src/sidecar/session";

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || !existsSync(value)) {
    throw new Error(`${name} names no executable (${value ?? "not set"}). ../test.sh sets it; by hand: publish the sidecar and the scripted agent, then export it.`);
  }
  return value;
}

/** A scratch git repository with a sidecar of its own: real git, the real sidecar, the scripted agent. Nothing of it outlives `end`. */
export class Place {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), "kanbots-")));
  readonly repository = join(this.root, "sample repo");
  readonly scripts = join(this.root, "scripts");
  readonly log: string[] = [];
  private readonly sessions: Session[] = [];

  constructor(files: Readonly<Record<string, string>> = { "README.md": "# Sample\n" }) {
    for (const folder of [this.repository, this.scripts, join(this.root, "home"), join(this.root, "run"), join(this.root, "cache")]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
    this.git("init", "-q", "-b", "main");
    this.git("config", "user.name", "Sample");
    this.git("config", "user.email", "sample@example.com");
    for (const [path, text] of Object.entries(files)) {
      this.write(path, text);
    }
    this.git("add", ".");
    this.git("commit", "-qm", "Sample project");
    this.cli("config", "agents.claude.path", required("KANBOTS_FAKE_AGENT"));
  }

  get environment(): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH, LANG: "C.UTF-8", TZ: "UTC", HOME: join(this.root, "home"), XDG_RUNTIME_DIR: join(this.root, "run"), XDG_CACHE_HOME: join(this.root, "cache"), TMPDIR: tmpdir(),
      GIT_CONFIG_NOSYSTEM: "1", FAKE_AGENT_SCRIPTS: this.scripts, FAKE_AGENT_RECORD: "1", DOTNET_ROOT: process.env.DOTNET_ROOT,
    };
  }

  write(path: string, text: string): void {
    const full = join(this.repository, path);
    mkdirSync(join(full, ".."), { recursive: true });
    writeFileSync(full, text);
  }

  /** A script of the scripted agent (tests/KanBots.FakeAgent/README.md); a card whose body has `[[fake:NAME]]` plays it. */
  script(name: string, steps: readonly object[]): void {
    writeFileSync(join(this.scripts, `${name}.json`), JSON.stringify(steps));
  }

  git(...args: string[]): string {
    return this.gitIn(this.repository, ...args);
  }

  gitIn(folder: string, ...args: string[]): string {
    return execFileSync("git", args, { cwd: folder, env: this.environment, encoding: "utf8" });
  }

  /** The terminal client, which speaks the same wire and is no part of the extension. */
  cli(...args: string[]): string {
    const done = spawnSync(required("KANBOTS_EXECUTABLE"), args, { cwd: this.repository, env: this.environment, encoding: "utf8", timeout: 60_000 });
    if (done.status !== 0) {
      throw new Error(`kanbots-sidecar ${args.join(" ")} ended with ${done.status}: ${done.stdout}${done.stderr}`);
    }
    return done.stdout;
  }

  /** A session that is ready. It is ended with the place. */
  async session(): Promise<Session> {
    const session = new Session({
      folder: this.repository,
      claim: () => true, clientVersion: "0.0.0",
      locate: () => ({ kind: "found", command: { command: required("KANBOTS_EXECUTABLE"), args: [], from: "setting" } }),
      environment: () => this.environment,
      trace: () => "off",
      log: (line) => this.log.push(line),
      later: (milliseconds, callback) => {
        const timer = setTimeout(callback, milliseconds);
        return { dispose: () => clearTimeout(timer) };
      },
      now: () => Date.now(),
    });
    this.sessions.push(session);
    session.start();
    await until("the session is ready", () => session.state.kind === "ready", () => this.log.join("\n"));
    return session;
  }

  /** The pid of the serve of this repository, as it wrote it down itself. */
  servePid(): number {
    return (JSON.parse(readFileSync(join(this.repository, ".git", "kanbots", "serve.json"), "utf8")) as { pid: number }).pid;
  }

  async end(): Promise<void> {
    for (const session of this.sessions) {
      for (const run of session.board?.runs.filter(({ state }) => ["queued", "preparing", "running", "awaitingDecision"].includes(state)) ?? []) {
        await session.change("run/stop", { runId: run.id }).catch(() => undefined);
      }
      session.dispose();
    }
    const pid = existsSync(join(this.repository, ".git", "kanbots", "serve.json")) ? this.servePid() : undefined;
    if (pid !== undefined) {
      try {
        process.kill(pid, "SIGTERM");
      } catch {
        // It has left already.
      }
      await until("serve has left", () => !existsSync(`/proc/${pid}`));
    }
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Waits for a condition, and says which one did not come. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, detail: () => string = () => "", milliseconds = 30_000): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!(await holds())) {
    if (Date.now() > end) {
      throw new Error(`After ${milliseconds / 1000} s it is not so that ${what}. ${detail()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
