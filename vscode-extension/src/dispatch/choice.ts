// What a run is dispatched with: pure. A choice that is absent is the sidecar's own default.
import type { AgentInfo, PermissionMode, Run, RunDispatchParams } from "../shared/protocol";
import { money, plain, plural } from "../shared/words";

export interface DispatchChoice {
  agent?: string;
  model?: string;
  permissionMode?: PermissionMode;
  baseRef?: string;
  budgetMicroUsd?: number;
}

export const MODES: readonly { mode: PermissionMode; label: string; detail: string }[] = [
  { mode: "bypassPermissions", label: "Work without asking", detail: "The agent may use every tool, in its own worktree. It asks only what it needs to know." },
  { mode: "ask", label: "Ask before using tools", detail: "Commands and edits wait for Allow or Deny, unless they were allowed for the card." },
  { mode: "plan", label: "Plan first", detail: "The agent reads and plans, and begins to work when you approve its plan." },
];

const isMode = (mode: unknown): mode is PermissionMode => MODES.some((one) => one.mode === mode);

/** Of a choice that was remembered, by this version or another one: what can still be understood. */
export function readChoice(stored: unknown): DispatchChoice | undefined {
  if (typeof stored !== "object" || stored === null) {
    return undefined;
  }
  const { agent, model, permissionMode, baseRef, budgetMicroUsd } = stored as Record<string, unknown>;
  const text = (value: unknown) => (typeof value === "string" && value !== "" && value.length <= 500 ? value : undefined);
  return {
    agent: text(agent),
    model: text(model),
    permissionMode: isMode(permissionMode) ? permissionMode : undefined,
    baseRef: text(baseRef),
    budgetMicroUsd: typeof budgetMicroUsd === "number" && Number.isSafeInteger(budgetMicroUsd) && budgetMicroUsd > 0 ? budgetMicroUsd : undefined,
  };
}

/** A choice in a few words: only what was chosen is named. */
export function choiceWords(choice: DispatchChoice): string {
  const parts = [
    choice.agent,
    choice.model ?? "default model",
    MODES.find(({ mode }) => mode === choice.permissionMode)?.label.toLowerCase(),
    choice.baseRef === undefined ? undefined : `from ${choice.baseRef}`,
    choice.budgetMicroUsd === undefined ? undefined : money(choice.budgetMicroUsd),
  ];
  return plain(parts.filter((part) => part !== undefined).join(", "), 120);
}

export function paramsOf(cardId: number, choice: DispatchChoice, prompt: string): Omit<RunDispatchParams, "requestId"> {
  const { agent, model, permissionMode, baseRef, budgetMicroUsd } = choice;
  return { cardId, agent, model, permissionMode, baseRef, budget: budgetMicroUsd === undefined ? undefined : { microUsd: budgetMicroUsd }, prompt: prompt.trim() === "" ? undefined : prompt.trim() };
}

/** Dollars as a person writes them: `5`, `$2.50`, `0,75`. Empty: the default. */
export function readBudget(text: string): { kind: "default" } | { kind: "budget"; microUsd: number } | { kind: "wrong"; message: string } {
  const said = text.trim().replace(/^\$\s*/, "").replace(/\s*(\$|USD)$/i, "");
  if (said === "") {
    return { kind: "default" };
  }
  if (!/^\d{1,9}([.,]\d{1,6})?$/.test(said)) {
    return { kind: "wrong", message: "Dollars, such as 5 or 2.50. Empty: the budget of the settings." };
  }
  const [whole = "0", part = ""] = said.replace(",", ".").split(".");
  const microUsd = Number(whole) * 1_000_000 + Number(part.padEnd(6, "0"));
  return microUsd > 0 ? { kind: "budget", microUsd } : { kind: "wrong", message: "A budget is more than nothing: there is no run without one." };
}

export const budgetText = (microUsd: number | undefined): string => (microUsd === undefined ? "" : String(microUsd / 1_000_000));

/** An agent as a row. One that cannot work says what is missing and the next step. */
export function agentRow(agent: AgentInfo): { label: string; description: string; detail?: string; isReady: boolean } {
  const words = { ready: "ready", notInstalled: "not installed", notSignedIn: "not signed in", broken: "does not work" } as const;
  return {
    label: plain(agent.name, 60),
    description: plain([agent.version, words[agent.status]].filter((part) => part !== undefined).join(" · "), 80),
    detail: agent.statusMessage === undefined ? (agent.path === undefined ? undefined : plain(agent.path)) : plain(agent.statusMessage),
    isReady: agent.status === "ready",
  };
}

/** Branches to begin from: those that people made, the likely ones first. Branches of runs are continued by Fork, not from here. */
export function baseRows(names: readonly string[], current: string | undefined): readonly string[] {
  const rank = (name: string) => (name === current ? 0 : /^(main|master|develop|trunk)$/.test(name) ? 1 : name.includes("/") ? 3 : 2);
  return [...new Set(names)].filter((name) => !/(^|\/)kanbots\/issue-/.test(name) && !name.endsWith("/HEAD")).sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

/** What became of a dispatch, in one quiet line. */
export function saidOf(runs: readonly Run[], failed: number): string {
  const [only] = runs;
  if (runs.length === 1 && only !== undefined && failed === 0) {
    return only.state === "queued" ? plain(`#${only.cardNumber} is queued: ${only.reason?.message ?? "it starts when a slot is free"}`, 160) : `#${only.cardNumber} is dispatched`;
  }
  const queued = runs.filter((run) => run.state === "queued").length;
  return [`${plural(runs.length, "card")} dispatched`, ...(queued > 0 ? [`${queued} of them queued until a slot is free`] : []), ...(failed > 0 ? [`${failed} refused`] : [])].join(", ");
}
