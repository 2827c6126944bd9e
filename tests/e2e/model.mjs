// A scripted model on loopback: answers POST /v1/messages as the provider would, and keeps a ledger of what each call would cost.
// A prompt names its script by [[model:NAME]]; the step is the number of assistant messages after that prompt, so the server keeps no
// state and any number of agents, sub-agents and resumed sessions may ask at once.
// Usage: node model.mjs LEDGER            prints "listening PORT"
import http from "node:http";
import fs from "node:fs";

const ledger = process.argv[2];
const bash = (command, description = "runs it") => ({ type: "tool_use", name: "Bash", input: { command, description } });
const text = words => ({ type: "text", text: words });
// 2.1.197 takes the plan from the tool's input; 2.1.330 from the file that its own reminder names, which is written first.
const plan = words => ({ type: "tool_use", name: "ExitPlanMode", input: { plan: words } });
const planFile = words => asked => {
  const path = /(\/[^"\n]*?\/plans\/[\w.-]+\.md)/.exec(JSON.stringify(asked.messages).replaceAll("\\n", "\n"))?.[1];
  return path ? { type: "tool_use", name: "Write", input: { file_path: path, content: words } } : text(words);
};
const question = { type: "tool_use", name: "AskUserQuestion", input: { questions: [{ question: "Use Radix or build from scratch?", header: "Toast", multiSelect: false, options: [{ label: "Radix", description: "one more dependency" }, { label: "Scratch", description: "ours to maintain" }] }] } };

const scripts = {
  plain: [[text("Looking."), bash("echo plain > plain.txt")], [text("Done.")]],
  ask: [[text("I need to know."), question], [bash("echo asked > asked.txt")], [text("Thank you.")]],
  permission: [[bash("node -e \"require('fs').writeFileSync('one.txt','1')\"")], [bash("node -e \"require('fs').writeFileSync('two.txt','2')\"")], [text("Finished.")]],
  plan: [[planFile("Write the file in three steps."), plan("Write the file in three steps.")], [planFile("Write the file in one step."), plan("Write the file in one step.")], [bash("echo planned > planned.txt")], [text("Planned and done.")]],
  slow: [[bash("node -e \"setTimeout(()=>{}, 600000)\"")], [text("Never.")]],
  forgetful: [[bash("test -e go-on || node -e \"setTimeout(()=>{}, 600000)\"")], [bash("echo remembered > remembered.txt")], [text("Done.")]],
  longer: [[bash("node -e \"setTimeout(()=>{}, 2000)\"")], [bash("echo second > second.txt")], [text("Heard.")]],
  subagent: [[{ type: "tool_use", name: "Agent", input: { description: "look around", prompt: "[[model:child]] look", subagent_type: "general-purpose" } }], [text("The helper is back.")]],
  child: [[text("I looked around.")]],
  resumed: [[bash("echo resumed > resumed.txt")], [text("Went on.")]],
};

const blocks = message => typeof message.content === "string" ? [{ type: "text", text: message.content }] : message.content ?? [];

function place(messages) {
  for (let i = messages.length - 1; i >= 0; i--) {
    if (messages[i].role !== "user") continue;
    for (const block of blocks(messages[i]).filter(block => block.type === "text").reverse()) {
      const named = [...block.text.matchAll(/\[\[model:([\w-]+)\]\]/g)].at(-1);
      if (named) return { name: named[1], step: messages.slice(i + 1).filter(message => message.role === "assistant").length };
    }
  }
  return { name: "plain", step: 0 };
}

let calls = 0;
const server = http.createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  const reply = (status, value) => { response.writeHead(status, { "content-type": "application/json" }); response.end(JSON.stringify(value)); };
  if (request.method !== "POST" || !request.url.startsWith("/v1/messages")) return reply(404, { type: "error", error: { type: "not_found_error", message: "not here" } });
  if (request.url.includes("count_tokens")) return reply(200, { input_tokens: 100 });
  const asked = JSON.parse(body);
  const { name, step } = place(asked.messages);
  const id = ++calls;
  const log = entry => fs.appendFileSync(ledger, JSON.stringify({ id, name, step, model: asked.model, session: request.headers["x-claude-code-session-id"], ...entry }) + "\n");
  if (asked.model === "no-such-model") {
    log({ failed: 404 });
    return reply(404, { type: "error", error: { type: "not_found_error", message: "model: no-such-model" } });
  }
  if (name === "failing") {
    log({ failed: 400 });
    return reply(400, { type: "error", error: { type: "invalid_request_error", message: "this is not possible" } });
  }
  const content = (scripts[name] ?? scripts.plain)[Math.min(step, (scripts[name] ?? scripts.plain).length - 1)].map(block => typeof block === "function" ? block(asked) : block).map((block, i) => block.type === "tool_use" ? { id: `toolu_${process.pid}_${id}_${i}`, ...block } : block);
  const usage = { input_tokens: 1000 + id, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 50 };
  const message = { id: `msg_${id}`, type: "message", role: "assistant", model: asked.model, content: [], stop_reason: null, stop_sequence: null, usage: { ...usage, output_tokens: 1 } };
  const stop = content.some(block => block.type === "tool_use") ? "tool_use" : "end_turn";
  log({ usage });
  if (!asked.stream) return reply(200, { ...message, content, stop_reason: stop, usage });
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (type, value) => response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...value })}\n\n`);
  send("message_start", { message });
  content.forEach((block, index) => {
    const isText = block.type === "text";
    send("content_block_start", { index, content_block: isText ? { type: "text", text: "" } : { type: "tool_use", id: block.id, name: block.name, input: {} } });
    send("content_block_delta", { index, delta: isText ? { type: "text_delta", text: block.text } : { type: "input_json_delta", partial_json: JSON.stringify(block.input) } });
    send("content_block_stop", { index });
  });
  send("message_delta", { delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: usage.output_tokens } });
  send("message_stop", {});
  response.end();
});
server.listen(0, "127.0.0.1", () => console.log(`listening ${server.address().port}`));
