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
    const fill = (rows: readonly Item[]) => {
      pick.items = rows;
      pick.busy = false;
      const found = active === undefined ? undefined : rows.find(active);
      if (found !== undefined) {
        pick.activeItems = [found];
      }
    };
    if (items instanceof Promise) {
      pick.busy = true;
      items.then(fill, (error: unknown) => settle(undefined, error));
    } else {
      fill(items);
    }
    pick.onDidAccept(() => {
      const [item] = pick.selectedItems;
      if (item !== undefined) {
        settle(item);
      }
    });
  });
}

/** Asks for one or more of `items`. */
export async function pickMany<Item extends vscode.QuickPickItem>(place: Place, items: readonly Item[], placeholder: string, chosen: (item: Item) => boolean): Promise<readonly Item[] | Back | undefined> {
  const pick = vscode.window.createQuickPick<Item>();
  pick.placeholder = placeholder;
  pick.matchOnDescription = true;
  pick.matchOnDetail = true;
  pick.canSelectMany = true;
  pick.items = items;
  // `picked` of an item counts in showQuickPick alone.
  pick.selectedItems = items.filter(chosen);
  return run(place, pick, (settle) => pick.onDidAccept(() => pick.selectedItems.length > 0 && settle(pick.selectedItems)));
}

export interface AskedText {
  prompt: string;
  placeholder?: string;
  value?: string;
  /** Says what is wrong with a text; undefined: nothing. */
  validate?: (text: string) => string | undefined;
  /** Offered by a pencil, for a text that is too long for a box; answers undefined when the person has left. */
  elsewhere?: (text: string) => Promise<string | undefined>;
}

const PENCIL: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("edit"), tooltip: "Write It in an Editor" };

/** Asks for a text. A box is one line: of a text of several the first is shown, and it stays whole unless that is changed. */
export async function askText(place: Place, asked: AskedText): Promise<string | Back | undefined> {
  const input = vscode.window.createInputBox();
  const whole = asked.value ?? "";
  const [firstLine = ""] = whole.split("\n");
  const written = (): string => (input.value === firstLine ? whole : input.value);
  input.prompt = asked.prompt;
  input.placeholder = asked.placeholder;
  input.value = firstLine;
  const answer = await run<string | typeof PENCIL>(place, input, (settle) => {
    if (asked.elsewhere !== undefined) {
      input.buttons = [...input.buttons, PENCIL];
    }
    input.onDidTriggerButton((button) => button === PENCIL && settle(PENCIL));
    input.onDidChangeValue((text) => {
      input.validationMessage = asked.validate?.(text);
    });
    input.onDidAccept(() => {
      const wrong = asked.validate?.(input.value);
      input.validationMessage = wrong;
      if (wrong === undefined) {
        settle(written());
      }
    });
  });
  return answer === PENCIL ? asked.elsewhere?.(written()) : (answer as string | Back | undefined);
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
