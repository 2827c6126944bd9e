// The small diffs of a thread: what an agent's editing tools say that they change, by lines. Not git's diff: that is the review's.

export interface DiffLine {
  /** `gap`: lines that stayed, left out. */
  sign: "+" | "-" | " " | "gap";
  text: string;
}

export interface EditDiff {
  path: string;
  added: number;
  deleted: number;
  lines: readonly DiffLine[];
}

const CONTEXT = 2;
/** Cells of the table that finds what two texts have in common; beyond it everything between their equal ends counts as changed. */
const CELLS_MAX = 400_000;
/** An agent's own limit is far below. */
const EDITS_MAX = 200;

/** What `Edit`, `MultiEdit`, `Write` and `NotebookEdit` change, undefined for any other tool or an input that is not theirs. */
export function editDiff(tool: string, input: unknown): EditDiff | undefined {
  if (typeof input !== "object" || input === null) {
    return undefined;
  }
  const fields = input as Record<string, unknown>;
  const path = text(fields["file_path"]) ?? text(fields["notebook_path"]);
  if (path === undefined) {
    return undefined;
  }
  const edits = editsOf(tool, fields);
  return edits === undefined ? undefined : ofEdits(path, edits);
}

function editsOf(tool: string, fields: Record<string, unknown>): readonly (readonly [string, string])[] | undefined {
  switch (tool) {
    case "Edit":
      return pair(fields);
    case "MultiEdit":
      return Array.isArray(fields["edits"]) ? fields["edits"].slice(0, EDITS_MAX).flatMap((edit: unknown) => (typeof edit === "object" && edit !== null ? pair(edit as Record<string, unknown>) ?? [] : [])) : undefined;
    case "Write": {
      const content = text(fields["content"]);
      return content === undefined ? undefined : [["", content]];
    }
    case "NotebookEdit": {
      const source = text(fields["new_source"]);
      return source === undefined ? undefined : [["", source]];
    }
    default:
      return undefined;
  }
}

function pair(fields: Record<string, unknown>): readonly (readonly [string, string])[] | undefined {
  const before = text(fields["old_string"]);
  const after = text(fields["new_string"]);
  return before === undefined || after === undefined ? undefined : [[before, after]];
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function ofEdits(path: string, edits: readonly (readonly [string, string])[]): EditDiff {
  const lines: DiffLine[] = [];
  for (const [before, after] of edits) {
    if (lines.length > 0) {
      lines.push({ sign: "gap", text: "" });
    }
    lines.push(...withContext(lineDiff(linesOf(before), linesOf(after))));
  }
  return { path, added: lines.filter((line) => line.sign === "+").length, deleted: lines.filter((line) => line.sign === "-").length, lines };
}

/** A last line break ends a line and begins none. */
function linesOf(content: string): readonly string[] {
  const lines = content.split(/\r?\n/);
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

/** Every line of both, in order: equal ends first, between them the longest common run of lines. */
export function lineDiff(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) {
    head++;
  }
  let tail = 0;
  while (tail < before.length - head && tail < after.length - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) {
    tail++;
  }
  const old = before.slice(head, before.length - tail);
  const young = after.slice(head, after.length - tail);
  return [
    ...before.slice(0, head).map(same),
    ...(old.length * young.length > CELLS_MAX ? [...old.map(gone), ...young.map(come)] : middle(old, young)),
    ...before.slice(before.length - tail).map(same),
  ];
}

const same = (line: string): DiffLine => ({ sign: " ", text: line });
const gone = (line: string): DiffLine => ({ sign: "-", text: line });
const come = (line: string): DiffLine => ({ sign: "+", text: line });

function middle(old: readonly string[], young: readonly string[]): readonly DiffLine[] {
  const width = young.length + 1;
  const common = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = young.length - 1; j >= 0; j--) {
      common[i * width + j] = old[i] === young[j] ? common[(i + 1) * width + j + 1]! + 1 : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < young.length) {
    if (i < old.length && j < young.length && old[i] === young[j]) {
      lines.push(same(old[i]!));
      i++;
      j++;
    } else if (i < old.length && (j === young.length || common[(i + 1) * width + j]! >= common[i * width + j + 1]!)) {
      lines.push(gone(old[i++]!));
    } else {
      lines.push(come(young[j++]!));
    }
  }
  return lines;
}

/** Of what stayed only the lines beside a change. */
function withContext(lines: readonly DiffLine[]): readonly DiffLine[] {
  const kept = lines.map((_, at) => lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some((near) => near.sign !== " "));
  return lines.flatMap((line, at) => (kept[at] === true ? [line] : at > 0 && kept[at - 1] === true && kept.indexOf(true, at) > 0 ? [{ sign: "gap", text: "" } as DiffLine] : []));
}
