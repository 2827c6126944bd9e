import * as vscode from "vscode";

export const BACK = Symbol("back");
export type Answer<Value> = Value | typeof BACK | undefined;

export interface StepPlace {
  title: string;
  step: number;
  steps: number;
  /** A question within a step, which leads back to the step. */
  within?: boolean;
}

/** One step of a dialog of several: picked, "back", or undefined when a person has left. */
export function pickStep<Item extends vscode.QuickPickItem>(place: StepPlace, placeholder: string, items: readonly Item[], options: { many?: boolean; chosen?: readonly Item[]; active?: Item } = {}): Promise<Answer<readonly Item[]>> {
  const input = vscode.window.createQuickPick<Item>();
  Object.assign(input, { ...frame(place), placeholder, items, canSelectMany: options.many === true, matchOnDescription: true, matchOnDetail: true });
  if (options.many === true) {
    input.selectedItems = options.chosen ?? items;
  } else if (options.active !== undefined) {
    input.activeItems = [options.active];
  }
  return ask(input, () => (input.selectedItems.length === 0 ? undefined : input.selectedItems));
}

/** @param elsewhere offered by a pencil, for a text that is too long for a box; answers undefined when a person has left */
export async function typeStep(place: StepPlace, prompt: string, value: string, trouble: (value: string) => string | undefined, elsewhere?: (value: string) => Promise<string | undefined>): Promise<Answer<string>> {
  const input = vscode.window.createInputBox();
  // A box is one line: what has several is written in the editor, or stays as it is.
  Object.assign(input, { ...frame(place), prompt, value: value.split("\n")[0] });
  const kept = value.includes("\n") ? value : undefined;
  const pencil = { iconPath: new vscode.ThemeIcon("edit"), tooltip: "Write It in an Editor" };
  if (elsewhere !== undefined) {
    input.buttons = [...input.buttons, pencil];
  }
  input.onDidChangeValue((text) => (input.validationMessage = trouble(text)));
  let inEditor: string | undefined;
  input.onDidTriggerButton((button) => {
    if (button === pencil) {
      inEditor = kept !== undefined && input.value === kept.split("\n")[0] ? kept : input.value;
      input.hide();
    }
  });
  const typed = await ask(input, () => {
    input.validationMessage = trouble(input.value);
    return input.validationMessage !== undefined ? undefined : kept !== undefined && input.value === kept.split("\n")[0] ? kept : input.value;
  });
  return inEditor === undefined || elsewhere === undefined ? typed : elsewhere(inEditor);
}

const frame = ({ title, step, steps, within }: StepPlace) => ({ title, step, totalSteps: steps, ignoreFocusOut: true, buttons: step > 1 || within === true ? [vscode.QuickInputButtons.Back] : [] });

function ask<Value>(input: vscode.QuickPick<vscode.QuickPickItem> | vscode.InputBox, read: () => Value | undefined): Promise<Answer<Value>> {
  return new Promise((resolve) => {
    let answer: Answer<Value>;
    const end = (given: Answer<Value>) => {
      answer = given;
      input.hide();
    };
    input.onDidAccept(() => {
      const given = read();
      if (given !== undefined) {
        end(given);
      }
    });
    input.onDidTriggerButton((button) => button === vscode.QuickInputButtons.Back && end(BACK));
    input.onDidHide(() => {
      input.dispose();
      resolve(answer);
    });
    input.show();
  });
}
