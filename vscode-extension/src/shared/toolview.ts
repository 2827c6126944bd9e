// How a call of a tool is said in one line, and how its output is shown: `Grep "Dialog" in src/ui … 12 matches · 0.3 s`.
import type { ToolResultItem, ToolUseItem } from "./protocol";
import { plural } from "./words";

export interface ToolLine {
  name: string;
  what: string;
  /** Said at the end of the line, in order. */
  meta: readonly string[];
}

/** Output of a program as text: without colours and other orders to a terminal; of a line that was written over, what stood there last. */
export function plainOutput(output: string): string {
  if (!/[\u001b\u009b\r\u0008]/.test(output)) {
    return output;
  }
  return output
    .replace(/(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]/g, "")
    .replace(/\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?/g, "")
    .replace(/\u001b[ -/]*[0-~]?/g, "")
    .replace(/\u0008/g, "")
    .replace(/\r+\n/g, "\n")
    .replace(/[^\n]*\r(?=[^\n])/g, "")
    .replace(/\r/g, "");
}

/** At most the last `count` lines, and how many stand before them. */
export function lastLines(output: string, count: number): { text: string; before: number } {
  const lines = output.replace(/\n+$/, "").split("\n");
  return { text: lines.slice(-count).join("\n"), before: Math.max(0, lines.length - count) };
}

/** Paths of the run's worktree as seen from it. */
export const fromRoot = (text: string, root: string): string => (root === "" ? text : text.replaceAll(`${root}/`, "").replaceAll(`${root}\\`, "").replaceAll(root, "."));

/** `0.3 s`, `12 s`, `2 min 5 s`, `1 h 2 min`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 10) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : whole < 3600 ? `${Math.floor(whole / 60)} min${whole % 60 === 0 ? "" : ` ${whole % 60} s`}` : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

const known = new WeakMap<ToolUseItem, { result: ToolResultItem | undefined; line: ToolLine }>();

/** Made once for a call and once more for its result: it is asked for each time that a row is drawn. */
export function toolLine(use: ToolUseItem, result: ToolResultItem | undefined, root: string): ToolLine {
  const before = known.get(use);
  if (before !== undefined && before.result === result) {
    return before.line;
  }
  const line = newLine(use, result, root);
  known.set(use, { result, line });
  return line;
}

function newLine(use: ToolUseItem, result: ToolResultItem | undefined, root: string): ToolLine {
  const input: Record<string, unknown> = typeof use.input === "object" && use.input !== null ? (use.input as Record<string, unknown>) : {};
  return { name: toolName(use.name), what: oneLine(fromRoot(what(use, input), root)), meta: result === undefined ? [] : meta(use, result) };
}

/** `mcp__server__tool` is said as `server · tool`. */
function toolName(name: string): string {
  const parts = name.startsWith("mcp__") ? name.split("__").slice(1) : [];
  return parts.length > 1 ? parts.join(" · ") : name;
}

const said = (value: unknown): string => (typeof value === "string" ? value : "");
const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim().slice(0, 400);

function what(use: ToolUseItem, input: Record<string, unknown>): string {
  const path = said(input["file_path"]) || said(input["notebook_path"]);
  switch (use.name) {
    case "Grep":
    case "Glob": {
      const where = said(input["path"]);
      const pattern = said(input["pattern"]);
      return pattern === "" ? summary(use) : `${JSON.stringify(pattern)}${where === "" ? "" : ` in ${where}`}`;
    }
    case "Read": {
      const from = input["offset"];
      const count = input["limit"];
      return path === "" ? summary(use) : typeof from === "number" && typeof count === "number" ? `${path} from line ${from}, ${plural(count, "line")}` : path;
    }
    case "Task":
    case "Agent":
      return said(input["description"]) || summary(use);
    case "TodoWrite": {
      const todos = todosOf(input);
      return todos.length === 0 ? summary(use) : `${todos.filter((todo) => todo.status === "completed").length} of ${plural(todos.length, "step")} done`;
    }
    default:
      return path || summary(use);
  }
}

/** The sidecar's line begins with the name of the tool. */
const summary = (use: ToolUseItem): string => (use.summary === use.name ? "" : use.summary.startsWith(`${use.name} `) ? use.summary.slice(use.name.length + 1) : use.summary);

export interface Todo {
  content: string;
  status: string;
}

export function todosOf(input: unknown): readonly Todo[] {
  const todos: unknown = typeof input === "object" && input !== null ? (input as Record<string, unknown>)["todos"] : undefined;
  return Array.isArray(todos)
    ? todos.slice(0, 200).flatMap((todo: unknown) => (typeof todo === "object" && todo !== null && "content" in todo && typeof todo.content === "string" ? [{ content: todo.content, status: "status" in todo ? said(todo.status) : "" }] : []))
    : [];
}

function meta(use: ToolUseItem, result: ToolResultItem): readonly string[] {
  const took = Date.parse(result.at) - Date.parse(use.at);
  const time = Number.isFinite(took) && took >= 100 ? [duration(took)] : [];
  return result.isError ? ["failed", ...time] : [...found(use.name, result.body.text), ...time];
}

function found(tool: string, output: string): readonly string[] {
  const count = /^Found (\d+ \w+)/.exec(output)?.[1];
  switch (tool) {
    case "Grep":
    case "Glob":
      return [count ?? (/^No (?:matches|files) found/.test(output) || output.trim() === "" ? "no matches" : plural(lines(output), tool === "Glob" ? "file" : "match", tool === "Glob" ? "files" : "matches"))];
    case "Read":
      return [plural(lines(output), "line")];
    case "Bash":
      return output.trim() === "" ? ["no output"] : lines(output) > 1 ? [plural(lines(output), "line")] : [];
    default:
      return [];
  }
}

const lines = (output: string): number => output.replace(/\n+$/, "").split("\n").length;
