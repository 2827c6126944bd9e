// What the status bar says of all boards of a window: pure.
import { openDecisions } from "../shared/board";
import type { BoardSnapshot, CostGetResult } from "../shared/protocol";
import { money, plain, plural } from "../shared/words";

export interface Summary {
  running: number;
  waiting: number;
  queued: number;
  todayMicroUsd: number;
}

export function summaryOf(boards: readonly BoardSnapshot[]): Summary {
  const runs = boards.flatMap((board) => board.runs);
  return {
    running: runs.filter(({ state }) => state === "running" || state === "preparing").length,
    waiting: boards.reduce((count, board) => count + openDecisions(board).length, 0),
    queued: runs.filter(({ state }) => state === "queued").length,
    todayMicroUsd: boards.reduce((sum, board) => sum + board.spend.todayMicroUsd, 0),
  };
}

const today = (microUsd: number): string => `$${(microUsd / 1_000_000).toFixed(2)} today`;

export function barText(summary: Summary): string {
  const parts = [`${summary.running} running`, ...(summary.waiting > 0 ? [`${summary.waiting} waiting`] : []), ...(summary.queued > 0 ? [`${summary.queued} queued`] : []), today(summary.todayMicroUsd)];
  return `$(${summary.waiting > 0 ? "bell-dot" : "project"}) ${parts.join(" · ")}`;
}

export const barSpoken = (summary: Summary): string =>
  `KanBots: ${plural(summary.running, "agent")} running, ${summary.waiting} waiting for you, ${summary.queued} queued, ${today(summary.todayMicroUsd)}`;

export interface SpendRow {
  label: string;
  description: string;
}

export interface SpendGroup {
  title: string;
  rows: readonly SpendRow[];
}

/** What was spent, as lists: by day, by model, by card. Costs without a price are said to be unknown, not to be nothing. */
export function spendOf(result: CostGetResult): readonly SpendGroup[] {
  const cost = (microUsd: number | undefined, isEstimate: boolean | undefined) => (microUsd === undefined ? "no price known" : `${isEstimate === true ? "about " : ""}${money(microUsd)}`);
  const cut = result.cut;
  const more = (count: number | undefined): readonly SpendRow[] => (count === undefined || count === 0 ? [] : [{ label: `and ${count} more`, description: "" }]);
  return [
    { title: "In all", rows: [{ label: cost(result.total.microUsd, result.total.isEstimate), description: [plural(result.total.turns, "turn"), ...(result.total.unpricedTurns === undefined || result.total.unpricedTurns === 0 ? [] : [`${result.total.unpricedTurns} of them without a price`])].join(", ") }] },
    { title: "By day (UTC)", rows: [...result.days.map((day) => ({ label: plain(day.day, 20), description: cost(day.cost.microUsd, day.cost.isEstimate) })), ...more(cut?.days)] },
    { title: "By model", rows: [...result.models.map((model) => ({ label: plain(model.model, 80), description: `${cost(model.microUsd, false)}, ${plural(model.runs, "run")}` })), ...more(cut?.models)] },
    { title: "By card", rows: [...result.cards.map((card) => ({ label: plain(`#${card.cardNumber} ${card.title}`, 120), description: cost(card.cost.microUsd, card.cost.isEstimate) })), ...more(cut?.cards)] },
  ].filter(({ rows }) => rows.length > 0);
}
