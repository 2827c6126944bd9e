// An issue of another extension's view, read defensively: its type is not ours. Pure.
import type { BoardSnapshot, Card, CardCreateParams } from "../shared/protocol";

export interface ForeignIssue {
  number: number;
  title: string;
  url?: string;
  body: string;
  /** A folder of the repository it is of, when the element tells. */
  folder?: string;
}

const BODY_MAX = 60_000;
const TITLE_MAX = 500;

/** Reads the element of the GitHub Pull Requests extension's Issues view. Undefined: it is no issue. */
export function readIssue(element: unknown): ForeignIssue | undefined {
  const found = read(element) ?? read(field(element, "issue")) ?? read(field(element, "issueModel"));
  if (found === undefined) {
    return undefined;
  }
  const { number, title } = { number: field(found, "number"), title: field(found, "title") };
  if (typeof number !== "number" || !Number.isSafeInteger(number) || number <= 0 || typeof title !== "string" || title.trim() === "") {
    return undefined;
  }
  const url = field(found, "html_url") ?? field(found, "url");
  const body = field(found, "body");
  const folder = field(field(field(found, "githubRepository"), "rootUri"), "fsPath");
  return {
    number,
    title: title.trim().slice(0, TITLE_MAX),
    url: typeof url === "string" && /^https:\/\/[^\s"'<>]+$/.test(url) ? url : undefined,
    body: typeof body === "string" ? body.slice(0, BODY_MAX) : "",
    folder: typeof folder === "string" ? folder : undefined,
  };
}

const read = (element: unknown): unknown => (field(element, "number") !== undefined && field(element, "title") !== undefined ? element : undefined);

/** A property of something of which nothing is known; getters of others may throw. */
function field(of: unknown, name: string): unknown {
  try {
    return typeof of === "object" && of !== null ? (of as Record<string, unknown>)[name] : undefined;
  } catch {
    return undefined;
  }
}

/** The line by which a card says of which issue it is. */
const sourceLine = (issue: ForeignIssue): string => `Issue: ${issue.url ?? `#${issue.number}`}`;

/** The card of an issue, if there is one: it names the issue, or has its number and title. */
export function cardOfIssue(board: BoardSnapshot, issue: ForeignIssue): Card | undefined {
  return (
    (issue.url === undefined ? undefined : board.cards.find((card) => card.body.split("\n", 1)[0] === sourceLine(issue))) ??
    board.cards.find((card) => card.number === issue.number && card.title === issue.title)
  );
}

/** A card for an issue, with the issue's number where that is free. */
export function cardFor(board: BoardSnapshot, issue: ForeignIssue): Omit<CardCreateParams, "requestId"> {
  const isTaken = board.cards.some((card) => card.number === issue.number);
  return { title: issue.title, body: `${sourceLine(issue)}\n\n${issue.body}`.trim(), column: "todo", number: isTaken ? undefined : issue.number };
}
