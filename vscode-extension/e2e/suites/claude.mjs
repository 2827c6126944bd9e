// The same way with the real Claude Code CLI against a scripted model on loopback.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { needed, root } from "../bench.mjs";
import { walk } from "./walkthrough.mjs";

export default async function ({ step, bench: start }) {
  const claude = needed(join(root, "tests/e2e/claude-2.1.330/node_modules/@anthropic-ai/claude-code-linux-x64/claude"), "run ./test.sh, or npm ci in tests/e2e/claude-2.1.330.");
  const folder = join(root, "artifacts/e2e");
  mkdirSync(folder, { recursive: true });
  const model = spawn("node", [join(root, "tests/e2e/model.mjs"), join(folder, "ledger.ndjson")], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [line] = await once(createInterface({ input: model.stdout }), "line");
    const bench = await start({
      environment: {
        ANTHROPIC_BASE_URL: `http://127.0.0.1:${line.split(" ")[1]}`, ANTHROPIC_API_KEY: "dummy", DISABLE_TELEMETRY: "1", DISABLE_ERROR_REPORTING: "1", DISABLE_AUTOUPDATER: "1",
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1", IS_SANDBOX: "1", NO_PROXY: "127.0.0.1,localhost",
      },
    });
    const repository = bench.repository("claude", { agent: claude });
    await walk({ step, bench, repository, question: "Use Radix or build from scratch?", answer: "Radix", bodies: ["[[model:ask]] please", "[[model:subagent]] please", "[[model:plain]] please"], line: "plain", comment: "say it again [[model:resumed]]", file: "resumed.txt", after: "resumed\n", pictures: "claude" });
  } finally {
    model.kill();
  }
}
