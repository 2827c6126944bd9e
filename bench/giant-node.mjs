// The baseline of the long line: read it, parse it, and say what that took.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

const before = process.cpuUsage();
let lines = 0;
for await (const line of createInterface({ input: createReadStream(process.argv[2]), crlfDelay: Infinity })) lines += JSON.parse(line) ? 1 : 0;
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ ms: (user + system) / 1000, mb: process.resourceUsage().maxRSS / 1024, lines }));
