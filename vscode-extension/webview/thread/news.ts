import type { ThreadItem } from "../../src/shared/protocol";
import { plural } from "../../src/shared/words";

/** What a screen reader is told of items that have come: the last words of the agent, or how much it has done. */
export function news(items: readonly ThreadItem[]): string {
  const said = items.filter((item) => item.parentToolUseId === undefined);
  const asked = said.findLast((item) => item.kind === "question");
  if (asked !== undefined && asked.kind === "question") {
    return `The agent asks: ${asked.summary.slice(0, 200)}`;
  }
  const ended = said.findLast((item) => item.kind === "result");
  if (ended !== undefined && ended.kind === "result") {
    return ended.isError ? `The turn ended: ${ended.outcome}` : "The turn ended.";
  }
  const text = said.findLast((item) => item.kind === "text");
  const calls = items.filter((item) => item.kind === "toolUse").length;
  return [text !== undefined && text.kind === "text" ? `Agent: ${text.body.text.slice(0, 200)}` : "", calls > 0 ? plural(calls, "tool call") : ""].filter((part) => part !== "").join(". ");
}
