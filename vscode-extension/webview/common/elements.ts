// VS Code's controls as elements, for what stands around the cards and the thread. Inside them, and for the reply, controls are the browser's own: an
// agent's words must be able to break over lines, a message grows with its text, and of a card's controls only one at a time is a stop of the Tab key,
// none of which these elements allow. The order of the cards is the browser's list, since theirs knows no letters, Home and End.
import "@vscode-elements/elements/dist/vscode-badge/index.js";
import "@vscode-elements/elements/dist/vscode-button/index.js";
import "@vscode-elements/elements/dist/vscode-progress-bar/index.js";
import "@vscode-elements/elements/dist/vscode-textfield/index.js";
import type { VscodeTextfield } from "@vscode-elements/elements/dist/vscode-textfield/index.js";

// A vscode-button acts when a key goes down. What gets the focus by that must not get the rest of the key too: Enter would press the first entry of the
// menu that it opened, the space bar would write into the field.
document.addEventListener("keydown", (event) => {
  if ((event.key === "Enter" || event.key === " ") && event.target instanceof Element && event.target.matches("vscode-button")) {
    event.preventDefault();
  }
}, { capture: true });

/** With what is in it selected, so that typing replaces it. */
export function focusField(field: VscodeTextfield | null): void {
  void field?.updateComplete.then(() => {
    field.focus();
    field.wrappedElement.select();
  });
}
