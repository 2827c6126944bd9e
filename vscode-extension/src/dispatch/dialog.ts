import * as vscode from "vscode";
import type { AgentInfo } from "../shared/protocol";
import { money, plain } from "../shared/words";
import type { Session } from "../sidecar/session";
import { askText, BACK, type Back, pickOne, type Place } from "../steps";
import { branchesOf } from "./branches";
import { agentRow, budgetText, choiceWords, type DispatchChoice, MODES, readBudget } from "./choice";

export interface Dispatched {
  choice: DispatchChoice;
  prompt: string;
}

type Row<Value> = vscode.QuickPickItem & { value?: Value; other?: boolean };

/** What the steps have found out so far. */
interface Draft {
  choice: DispatchChoice;
  prompt: string;
  agents: readonly AgentInfo[];
  /** The last choice was taken as a whole. */
  isDone: boolean;
}

type Step = (draft: Draft, place: Place, session: Session, last: DispatchChoice | undefined) => Promise<Draft | Back | undefined>;

const STEPS: readonly Step[] = [askAgent, askModel, askMode, askBase, askBudget, askPrompt];

/** Asks with what a run is dispatched, in six steps; every step shows what would be taken without it. Undefined: the person left. */
export async function askDispatch(session: Session, what: string, last: DispatchChoice | undefined): Promise<Dispatched | undefined> {
  let draft: Draft = { choice: last ?? {}, prompt: "", agents: [], isDone: false };
  let at = 0;
  while (at < STEPS.length && !draft.isDone) {
    const step = STEPS[at];
    const next = await step?.(draft, { title: `Dispatch ${what}`, step: at + 1, totalSteps: STEPS.length, canGoBack: at > 0 }, session, last);
    if (next === undefined) {
      return undefined;
    }
    if (next === BACK) {
      at -= 1;
    } else {
      draft = next;
      at += 1;
    }
  }
  return { choice: draft.choice, prompt: draft.prompt };
}

async function askAgent(draft: Draft, place: Place, session: Session, last: DispatchChoice | undefined): Promise<Draft | Back | undefined> {
  type AgentRow = vscode.QuickPickItem & { agent?: AgentInfo; takesLast?: boolean };
  for (;;) {
    const rows = session.request("agent/list", {}).then(({ agents }): readonly AgentRow[] => [
      ...(last === undefined ? [] : [{ label: "Dispatch with the last choice", description: choiceWords(last), takesLast: true }, { label: "Choose anew", kind: vscode.QuickPickItemKind.Separator }]),
      ...agents.map((agent) => ({ ...agentRow(agent), agent })),
    ]);
    const picked = await pickOne(place, rows, "Which agent?", last === undefined ? (row) => row.agent?.id === draft.choice.agent : undefined);
    if (picked === undefined || picked === BACK) {
      return picked;
    }
    if (picked.takesLast === true && last !== undefined) {
      return { ...draft, choice: last, isDone: true };
    }
    const help = picked.agent === undefined || picked.agent.status === "ready" ? "take" : await offerHelp(picked.agent);
    if (help === undefined) {
      return undefined;
    }
    if (help === "take" && picked.agent !== undefined) {
      return { ...draft, agents: [picked.agent], choice: { ...draft.choice, agent: picked.agent.id } };
    }
  }
}

/** An agent that cannot work is not taken silently: what is missing is said, and where to go from here. */
async function offerHelp(agent: AgentInfo): Promise<"again" | "take" | undefined> {
  const { label, description } = agentRow(agent);
  const message = plain(`${label}: ${description.split(" · ").at(-1) ?? "not ready"}. ${agent.statusMessage ?? "Check the setup to see what is missing."}`, 500);
  // Whether it is signed in is a guess from outside: who knows better may go on.
  const buttons = ["Try Again", "Check Setup", ...(agent.status === "notSignedIn" ? ["Use Anyway"] : [])];
  switch (await vscode.window.showWarningMessage(message, { modal: true }, ...buttons)) {
    case "Try Again":
      return "again";
    case "Use Anyway":
      return "take";
    case "Check Setup":
      void vscode.commands.executeCommand("kanbots.checkSetup");
      return undefined;
    default:
      return undefined;
  }
}

async function askModel(draft: Draft, place: Place): Promise<Draft | Back | undefined> {
  const models = draft.agents[0]?.models ?? [];
  const rows: readonly Row<string>[] = [{ label: "Default", detail: "What the agent itself is set to." }, ...models.map((model) => ({ label: plain(model, 80), value: model })), { label: "Other…", detail: "The name of a model, as the agent knows it.", other: true }];
  const model = await pickOrType(place, rows, "Which model?", draft.choice.model, "The name of a model");
  return typeof model !== "object" ? model : { ...draft, choice: { ...draft.choice, model: model.value } };
}

async function askMode(draft: Draft, place: Place): Promise<Draft | Back | undefined> {
  const picked = await pickOne(place, MODES, "How freely may it work?", ({ mode }) => mode === (draft.choice.permissionMode ?? "bypassPermissions"));
  return picked === undefined || picked === BACK ? picked : { ...draft, choice: { ...draft.choice, permissionMode: picked.mode } };
}

async function askBase(draft: Draft, place: Place, session: Session): Promise<Draft | Back | undefined> {
  const rows = Promise.all([session.request("config/get", {}), branchesOf(session.repositoryRoot ?? session.folder)]).then(([{ values }, branches]): readonly Row<string>[] => {
    const configured = values["worktree.baseRef"];
    return [
      { label: "Default", detail: typeof configured === "string" && configured !== "" ? plain(`${configured}, as the setting worktree.baseRef says.`) : "The default branch of the repository." },
      ...branches.map((name) => ({ label: plain(name, 120), value: name })),
      { label: "Other…", detail: "Any branch, tag or commit.", other: true },
    ];
  });
  const base = await pickOrType(place, rows, "From which branch?", draft.choice.baseRef, "A branch, tag or commit");
  return typeof base !== "object" ? base : { ...draft, choice: { ...draft.choice, baseRef: base.value } };
}

async function askBudget(draft: Draft, place: Place, session: Session): Promise<Draft | Back | undefined> {
  const byDefault = await session.request("config/get", {}).then(({ values }) => values["runs.budget.microUsd"]);
  const said = await askText(place, {
    prompt: `What may the run spend, in dollars? It stops and asks when that is reached. Empty: ${typeof byDefault === "number" ? money(byDefault) : "the budget of the settings"}.`,
    placeholder: typeof byDefault === "number" ? budgetText(byDefault) : undefined,
    value: budgetText(draft.choice.budgetMicroUsd),
    validate: (text) => {
      const budget = readBudget(text);
      return budget.kind === "wrong" ? budget.message : undefined;
    },
  });
  if (typeof said !== "string") {
    return said;
  }
  const budget = readBudget(said);
  return { ...draft, choice: { ...draft.choice, budgetMicroUsd: budget.kind === "budget" ? budget.microUsd : undefined } };
}

async function askPrompt(draft: Draft, place: Place): Promise<Draft | Back | undefined> {
  const prompt = await askText(place, { prompt: "Anything to add to the card's text? May be left empty.", value: draft.prompt });
  return typeof prompt !== "string" ? prompt : { ...draft, prompt };
}

/** One of the rows, or a word of one's own. An object: what was chosen. */
async function pickOrType(place: Place, rows: readonly Row<string>[] | Promise<readonly Row<string>[]>, placeholder: string, chosen: string | undefined, prompt: string): Promise<{ value?: string } | Back | undefined> {
  for (;;) {
    const picked = await pickOne(place, rows, placeholder, (row) => row.value === chosen && row.other !== true);
    if (picked === undefined || picked === BACK) {
      return picked;
    }
    if (picked.other !== true) {
      return { value: picked.value };
    }
    const typed = await askText({ ...place, canGoBack: true }, { prompt, value: chosen, validate: (text) => (text.trim() === "" ? "Go back to take the default." : undefined) });
    if (typed !== BACK) {
      return typed === undefined ? undefined : { value: typed.trim() };
    }
  }
}
