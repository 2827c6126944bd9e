import * as vscode from "vscode";
import { report, withProgress } from "../report";
import { allows } from "../shared/actions";
import type { Run } from "../shared/protocol";
import { plain, plural } from "../shared/words";
import { asFailure } from "../sidecar/failure";
import type { Session } from "../sidecar/session";
import { cardOf, decisionOfTarget, runOfTarget, type Target, type Workspaces } from "../sidecar/workspaces";
import { targetsFor } from "../targets";
import { type DispatchChoice, paramsOf, readChoice, saidOf } from "./choice";
import { askDispatch } from "./dialog";

const SAID_MS = 6_000;

/** Sends cards to agents: at once with the last choice, or after asking with what. The choice is remembered for each repository. */
export class Dispatch implements vscode.Disposable {
  private readonly disposables: vscode.Disposable[];

  constructor(private readonly context: vscode.ExtensionContext, private readonly workspaces: Workspaces, private readonly log: vscode.LogOutputChannel) {
    this.disposables = [
      vscode.commands.registerCommand("kanbots.dispatch", (argument?: unknown, selected?: unknown) => this.dispatch(argument, selected, false)),
      vscode.commands.registerCommand("kanbots.dispatchWith", (argument?: unknown, selected?: unknown) => this.dispatch(argument, selected, true)),
    ];
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }

  /** @param selected what else is selected in a tree, which VS Code gives as the second argument */
  private async dispatch(argument: unknown, selected: unknown, asks: boolean): Promise<void> {
    const named = await targetsFor(this.workspaces, asks ? "dispatchWith" : "dispatch", Array.isArray(selected) && selected.length > 1 ? selected : argument);
    const targets = named.filter((target) => {
      const card = cardOf(target);
      // A card that was only just made may not be on the board yet.
      return card === undefined || allows("dispatch", card, runOfTarget(target), decisionOfTarget(target));
    });
    const [first] = targets;
    if (first === undefined) {
      const [live] = named;
      const run = live === undefined ? undefined : runOfTarget(live);
      if (run !== undefined) {
        void vscode.window.showInformationMessage(`#${run.cardNumber} has a run already. Stop it first, or answer what it asks.`);
      }
      return;
    }
    // One choice is asked for the cards of each repository: its agents and branches are its own.
    for (const session of new Set(targets.map((target) => target.session))) {
      await this.dispatchIn(session, targets.filter((target) => target.session === session), asks);
    }
  }

  private async dispatchIn(session: Session, targets: readonly Target[], asks: boolean): Promise<void> {
    const last = readChoice(this.context.workspaceState.get(keyOf(session)));
    const [first] = targets;
    const what = targets.length === 1 && first !== undefined ? plain(`#${cardOf(first)?.number} ${cardOf(first)?.title ?? ""}`, 60) : plural(targets.length, "card");
    let choice: DispatchChoice = last ?? {};
    let prompt = "";
    if (asks) {
      try {
        const asked = await askDispatch(session, what, last);
        if (asked === undefined) {
          return;
        }
        ({ choice, prompt } = asked);
      } catch (error) {
        void report(`Nothing was dispatched`, error, this.log);
        return;
      }
      await this.context.workspaceState.update(keyOf(session), choice);
    }
    await withProgress(`Dispatching ${what}`, this.log, async (cancel) => {
      const runs: Run[] = [];
      const failures: { number: number | undefined; error: unknown }[] = [];
      // In the order of the selection, so that the queue is in that order too.
      for (const target of targets) {
        try {
          runs.push((await session.change("run/dispatch", paramsOf(target.cardId, choice, prompt), cancel)).run);
        } catch (error) {
          failures.push({ number: cardOf(target)?.number, error });
          if (asFailure(error).kind === "requestCancelled") {
            break;
          }
        }
      }
      this.tell(runs, failures);
    });
  }

  private tell(runs: readonly Run[], failures: readonly { number: number | undefined; error: unknown }[]): void {
    if (runs.length > 0) {
      vscode.window.setStatusBarMessage(`$(rocket) ${saidOf(runs, failures.length)}`, SAID_MS);
    }
    const [first] = failures;
    if (first !== undefined) {
      void report(failures.length === 1 ? `#${first.number} was not dispatched` : `${failures.length} cards were not dispatched (#${failures.map(({ number }) => number).join(", #")})`, first.error, this.log);
    }
  }
}

const keyOf = (session: Session): string => `kanbots.dispatch:${session.folder}`;
