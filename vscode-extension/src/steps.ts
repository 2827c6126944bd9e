import * as vscode from "vscode";

/** The person went a step back. */
export const BACK = Symbol("back");
export type Back = typeof BACK;

/** Where a question stands in its dialog. What is asked is taken away when `token` is cancelled: it was answered elsewhere. */
export interface Place {
  title: string;
  step?: number;
  totalSteps?: number;
  canGoBack?: boolean;
  token?: vscode.CancellationToken;
}

/** Asks for one of `items`; they may still be on their way. Undefined: the person left, or it was taken away. */
export async function pickOne<Item extends vscode.QuickPickItem>(place: Place, items: readonly Item[] | Promise<readonly Item[]>, placeholder: string, active?: (item: Item) => boolean): Promise<Item | Back | undefined> {
  const pick = vscode.window.createQuickPick<Item>();
  pick.placeholder = placeholder;
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  return run(place, pick, (settle) => {
    void fill(pick, items, settle).then(() => {
      const found = active === undefined ? undefined : pick.items.find(active);
      if (found !== undefined) {
        pick.activeItems = [found];
      }
    });
    pick.onDidAccept(() => {
      const [item] = pick.selectedItems;
      if (item !== undefined) {
        settle(item);
      }
    });
  });
}

/** Asks for any of `items`. */
export async function pickMany<Item extends vscode.QuickPickItem>(place: Place, items: readonly Item[], placeholder: string): Promise<readonly Item[] | Back | undefined> {
  const pick = vscode.window.createQuickPick<Item>();
  pick.placeholder = placeholder;
  pick.canSelectMany = true;
  pick.items = items;
  return run(place, pick, (settle) => pick.onDidAccept(() => settle(pick.selectedItems)));
}

/** Asks for a text. `validate` says what is wrong with it; nothing is wrong: undefined. */
export async function askText(place: Place, asked: { prompt: string; placeholder?: string; value?: string; validate?: (text: string) => string | undefined }): Promise<string | Back | undefined> {
  const input = vscode.window.createInputBox();
  input.prompt = asked.prompt;
  input.placeholder = asked.placeholder;
  input.value = asked.value ?? "";
  return run(place, input, (settle) => {
    input.onDidChangeValue((text) => {
      input.validationMessage = asked.validate?.(text);
    });
    input.onDidAccept(() => {
      const wrong = asked.validate?.(input.value);
      input.validationMessage = wrong;
      if (wrong === undefined) {
        settle(input.value);
      }
    });
  });
}

async function fill<Item extends vscode.QuickPickItem>(pick: vscode.QuickPick<Item>, items: readonly Item[] | Promise<readonly Item[]>, settle: (value: undefined, error?: unknown) => void): Promise<void> {
  pick.busy = true;
  try {
    pick.items = await items;
    pick.busy = false;
  } catch (error) {
    settle(undefined, error);
  }
}

/** Shows an input until it is settled, hidden or taken away, and lets go of it then. */
function run<Value>(place: Place, input: vscode.QuickInput & { buttons: readonly vscode.QuickInputButton[]; onDidTriggerButton: vscode.Event<vscode.QuickInputButton> }, listen: (settle: (value: Value | undefined, error?: unknown) => void) => unknown): Promise<Value | Back | undefined> {
  return new Promise((resolve, reject) => {
    let taken: vscode.Disposable | undefined;
    let isSettled = false;
    const end = (finish: () => void) => {
      if (!isSettled) {
        isSettled = true;
        taken?.dispose();
        finish();
        input.dispose();
      }
    };
    if (place.token?.isCancellationRequested === true) {
      end(() => resolve(undefined));
      return;
    }
    input.title = place.title;
    input.step = place.step;
    input.totalSteps = place.totalSteps;
    // A dialog that an accidental click closes would lose what was chosen so far.
    input.ignoreFocusOut = true;
    input.buttons = place.canGoBack === true ? [vscode.QuickInputButtons.Back] : [];
    input.onDidTriggerButton((button) => button === vscode.QuickInputButtons.Back && end(() => resolve(BACK)));
    input.onDidHide(() => end(() => resolve(undefined)));
    taken = place.token?.onCancellationRequested(() => end(() => resolve(undefined)));
    listen((value, error) => end(() => (error === undefined ? resolve(value) : reject(error))));
    input.show();
  });
}
