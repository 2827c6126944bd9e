// The baseline: what one would write first. A child's lines, parsed, kept in a file, indexed in SQLite 256 to a transaction, and sent on.
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { once } from "node:events";
import Database from "better-sqlite3";

const [stream, place] = process.argv.slice(2);
const database = new Database(`${place}.db`);
database.pragma("journal_mode = WAL");
database.pragma("synchronous = NORMAL");
database.exec("create table line(seq integer primary key, start integer, stop integer, type text, tokens integer)");
const insert = database.prepare("insert into line values(?, ?, ?, ?, ?)");
const indexAll = database.transaction((batch) => batch.forEach((values) => insert.run(...values)));
const client = spawn("cat", [], { stdio: ["pipe", "ignore", "inherit"] });
const journal = createWriteStream(`${place}.ndjson`);
const agent = spawn("cat", [stream], { stdio: ["ignore", "pipe", "inherit"] });
let [seq, offset, batch] = [0, 0, []];
for await (const line of createInterface({ input: agent.stdout, crlfDelay: Infinity })) {
  const event = JSON.parse(line);
  const to = offset + Buffer.byteLength(line) + 1;
  batch.push([++seq, offset, to, event.type, event.message?.usage?.output_tokens ?? 0]);
  offset = to;
  if (!journal.write(`${line}\n`)) await once(journal, "drain");
  const body = JSON.stringify({ jsonrpc: "2.0", method: "run/didAppend", params: { runId: 1, items: [event] } });
  if (!client.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)) await once(client.stdin, "drain");
  if (batch.length === 256) {
    indexAll(batch);
    batch = [];
  }
}
indexAll(batch);
journal.end();
client.stdin.end();
await Promise.all([once(journal, "finish"), once(client, "exit")]);
const { user, system } = process.cpuUsage();
console.log((user + system) / 1000);
