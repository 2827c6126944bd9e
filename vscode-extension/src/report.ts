import * as vscode from "vscode";
import { plain } from "./shared/words";
import { asFailure } from "./sidecar/failure";

/** Shows what went wrong as one sentence with its next step. What a person has cancelled is not an error. */
export async function report(what: string, error: unknown, log: vscode.LogOutputChannel): Promise<void> {
  const failure = asFailure(error);
  if (failure.kind === "requestCancelled" || failure.kind === "closed") {
    return;
  }
  log.error(`${what}: ${failure.kind}: ${failure.sentence}`);
  const buttons = failure.kind === "internalError" ? ["Show Log"] : [];
  if ((await vscode.window.showErrorMessage(plain(`${what}: ${failure.sentence}`, 600), ...buttons)) === "Show Log") {
    log.show();
  }
}

/** Runs a step that a person waits for: with progress and a cancel button once it takes longer than a moment. Answers undefined when it failed, which was shown. */
export async function withProgress<Result>(what: string, log: vscode.LogOutputChannel, step: (cancel: vscode.CancellationToken, say: (message: string) => void) => Promise<Result>): Promise<Result | undefined> {
  const source = new vscode.CancellationTokenSource();
  let told: ((message: string) => void) | undefined;
  const running = step(source.token, (message) => told?.(message));
  try {
    const first = await Promise.race([running.then(() => true), new Promise<false>((resolve) => setTimeout(() => resolve(false), SHOWN_AFTER_MS))]);
    if (!first) {
      await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: plain(what), cancellable: true }, async (progress, cancel) => {
        told = (message) => progress.report({ message: plain(message) });
        cancel.onCancellationRequested(() => source.cancel());
        await running.catch(() => undefined);
      });
    }
    return await running;
  } catch (error) {
    void report(what, error, log);
    return undefined;
  } finally {
    source.dispose();
  }
}

/** Before it progress is not shown: a notification that flashes is worse than none. */
const SHOWN_AFTER_MS = 600;
