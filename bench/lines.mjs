// A stream as an agent writes it: texts, tool uses and their results, 2.5 kB a line on average, after the beginning of a turn.
import { closeSync, openSync, writeSync } from "node:fs";

const session = "00000000-0000-4000-8000-000000000000";
export const begin = JSON.stringify({ type: "system", subtype: "init", session_id: session, model: "bench-1", claude_code_version: "2.1.330", cwd: "/", tools: [], permissionMode: "bypassPermissions" });
export const done = JSON.stringify({ type: "result", subtype: "success", is_error: false, num_turns: 1, duration_ms: 1, result: "the last word", session_id: session, total_cost_usd: 0.01 });
const prose = "The retry loop reads the file again before the lock is taken, so that a second writer may have changed it: \"quoted\", a path src/a/b.ts, naïve – 10 µs.\n";

/** @returns its bytes and lines */
export function writeStream(path, megabytes) {
  const file = openSync(path, "w");
  let [bytes, lines] = [0, 0];
  const write = (text) => {
    bytes += writeSync(file, `${text}\n`);
    lines++;
  };
  write(begin);
  for (let i = 0; bytes < megabytes * 1e6; i++) {
    const usage = { input_tokens: 1000 + i, output_tokens: 100, cache_read_input_tokens: 20_000, cache_creation_input_tokens: 10 };
    const message = (content, extra) => ({ type: "assistant", message: { id: `msg_${i}`, type: "message", role: "assistant", model: "bench-1", content, stop_reason: null, usage }, parent_tool_use_id: null, session_id: session, uuid: `${i}`, ...extra });
    write(JSON.stringify(message([{ type: "text", text: prose.repeat(2 + (i % 7)) }])));
    write(JSON.stringify(message([{ type: "tool_use", id: `toolu_${i}`, name: "Bash", input: { command: `grep -rn retry src | head -${i}`, description: "Find the retries" } }])));
    const output = prose.repeat(20 + (i % 41));
    write(JSON.stringify({ type: "user", message: { role: "user", content: [{ tool_use_id: `toolu_${i}`, type: "tool_result", content: output, is_error: false }] }, parent_tool_use_id: null, session_id: session, uuid: `u${i}`, tool_use_result: { stdout: "", stderr: "", interrupted: false } }));
  }
  write(done);
  closeSync(file);
  return { bytes, lines };
}
