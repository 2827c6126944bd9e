// The Issues view as data: pure. Every text that is not ours has passed `plain`.
import { type Action, ACTION_WORDS, allows, nextSteps } from "../shared/actions";
import { openDecisions, runOf } from "../shared/board";
import { toolLine } from "../shared/cardwords";
import type { BoardSnapshot, Card, Column, Decision, Dot, Run } from "../shared/protocol";
import { COLUMN_WORDS, DOT_WORDS, money, plain, plural, STATE_WORDS } from "../shared/words";

export interface CardRow {
  kind: "card";
  cardId: number;
  runId?: number;
  label: string;
  description: string;
  tooltip: string;
  icon: { id: string; color?: string };
  contextValue: string;
  spoken: string;
}

export interface GroupRow {
  kind: "group";
  id: "waiting" | Column;
  label: string;
  description: string;
  isOpen: boolean;
  cards: readonly CardRow[];
}

const ICONS: Readonly<Record<Dot, { id: string; color?: string }>> = {
  none: { id: "circle-outline" },
  queued: { id: "clock", color: "charts.blue" },
  running: { id: "play-circle", color: "kanbots.running" },
  awaitingDecision: { id: "question", color: "charts.yellow" },
  inReview: { id: "git-pull-request", color: "charts.green" },
  failed: { id: "error", color: "charts.red" },
  interrupted: { id: "debug-disconnect", color: "charts.red" },
};

const actions = Object.keys(ACTION_WORDS) as readonly Action[];

const word = (prefix: string, action: Action): string => `${prefix}${action.charAt(0).toUpperCase()}${action.slice(1)}`;

/** The words of a tree item's `viewItem` by which menus are shown: `canDispatch`, `canStop`, …, and `nextDispatch`, … for the one button on its row. */
export function contextOf(card: Card, run: Run | undefined, decision: Decision | undefined): string {
  const next = decision !== undefined ? "answer" : run === undefined ? "dispatch" : (nextSteps(card, run, decision)[0] ?? (allows("stop", card, run, decision) ? "stop" : undefined));
  return ["card", ...actions.filter((action) => allows(action, card, run, decision)).map((action) => word("can", action)), ...(next !== undefined && allows(next, card, run, decision) ? [word("next", next)] : [])].join(" ");
}

/** The cards of a board, the waiting ones first and then by column, in the board's own order. */
export function groupsOf(board: BoardSnapshot): readonly GroupRow[] {
  const decisions = new Map([...openDecisions(board)].reverse().map((decision) => [decision.runId, decision]));
  const cards = board.cards.filter((card) => card.archived !== true);
  const rows = new Map<GroupRow["id"], { position: number; row: CardRow }[]>();
  for (const card of cards) {
    const run = runOf(board, card);
    const decision = run === undefined ? undefined : decisions.get(run.id);
    const id = decision === undefined ? card.column : "waiting";
    rows.set(id, [...(rows.get(id) ?? []), { position: decision === undefined ? card.position : Date.parse(decision.askedAt), row: rowOf(card, run, decision) }]);
  }
  return (["waiting", ...board.columns] as const).flatMap((id): readonly GroupRow[] => {
    const of = [...(rows.get(id) ?? [])].sort((a, b) => a.position - b.position || a.row.cardId - b.row.cardId);
    return of.length === 0 ? [] : [{ kind: "group", id, label: id === "waiting" ? "Waiting for you" : COLUMN_WORDS[id], description: String(of.length), isOpen: id !== "done", cards: of.map(({ row }) => row) }];
  });
}

function rowOf(card: Card, run: Run | undefined, decision: Decision | undefined): CardRow {
  const dot = decision === undefined ? card.dot : "awaitingDecision";
  const state = DOT_WORDS[dot] !== "" ? DOT_WORDS[dot] : run === undefined ? "" : STATE_WORDS[run.state];
  const cost = card.costMicroUsd > 0 ? money(card.costMicroUsd) : "";
  const tool = run?.state === "running" && run.currentTool !== undefined ? plain(run.currentTool, 60) : "";
  const reason = run?.reason === undefined ? "" : plain(run.reason.message);
  const ask = decision === undefined ? "" : plain(decision.questions[0]?.text ?? (decision.tool === undefined ? "" : `${decision.tool.name}: ${decision.tool.description ?? toolLine(decision.tool.name, decision.tool.input)}`));
  const label = plain(`#${card.number} ${card.title}`, 200);
  const stat = run?.diffStat === undefined || run.diffStat.files === 0 ? "" : `${plural(run.diffStat.files, "file")} changed, +${run.diffStat.insertions} −${run.diffStat.deletions}`;
  const labels = card.labels.length === 0 ? "" : plain(`labels: ${card.labels.join(", ")}`);
  const words = (parts: readonly string[], separator: string) => parts.filter((part) => part !== "").join(separator);
  return {
    kind: "card",
    cardId: card.id,
    runId: run?.id,
    label,
    description: words([state, tool, cost], " · "),
    tooltip: words([label, words([state, cost], " · "), ask, reason, stat, labels, run === undefined ? plain(card.body, 400) : plain(run.branch)], "\n"),
    icon: ICONS[dot],
    contextValue: contextOf(card, run, decision),
    spoken: words([label, state === "" ? COLUMN_WORDS[card.column] : state, ask, cost, stat], ", "),
  };
}
