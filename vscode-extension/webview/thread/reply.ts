import { html, nothing, type TemplateResult } from "lit";
import { textIn, type Box } from "../../src/shared/replying";

export interface Replying {
  box: Box;
  placeholder: string;
  /** Why nothing can be sent. */
  refused: string | undefined;
  busy: boolean;
  error: string | undefined;
  type(text: string): void;
  recall(step: 1 | -1): void;
  send(): void;
  cancelReplace(): void;
}

export function replyBox(replying: Replying): TemplateResult {
  const { box, refused } = replying;
  const text = textIn(box);
  const keys = (event: KeyboardEvent): void => {
    const area = event.currentTarget as HTMLTextAreaElement;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      replying.send();
    } else if (event.key === "ArrowUp" && area.selectionEnd === area.selectionStart && !area.value.slice(0, area.selectionStart).includes("\n") && box.at < box.sent.length) {
      event.preventDefault();
      replying.recall(1);
    } else if (event.key === "ArrowDown" && box.at > 0 && !area.value.slice(area.selectionEnd).includes("\n")) {
      event.preventDefault();
      replying.recall(-1);
    }
  };
  return html`<textarea class="field" rows="2" dir="auto" aria-label="Message to the agent" aria-describedby="reply-note" placeholder=${refused ?? replying.placeholder} ?disabled=${refused !== undefined} .value=${text}
      @input=${(event: InputEvent) => replying.type((event.target as HTMLTextAreaElement).value)} @keydown=${keys}></textarea>
    <div class="under" id="reply-note">
      ${replying.error !== undefined ? html`<span class="text error" role="alert">${replying.error}</span>` : html`<span class="text">${box.replaces !== undefined ? "Takes the place of the message that was not delivered." : replying.busy ? "Sending…" : text === "" ? "" : "Enter sends, Shift+Enter begins a line."}</span>`}
      ${box.replaces === undefined ? nothing : html`<button class="text-button" type="button" @click=${() => replying.cancelReplace()}>Send as a new one</button>`}
      ${refused !== undefined || text.trim() === "" ? nothing : html`<vscode-button ?disabled=${replying.busy} aria-disabled=${String(replying.busy)} @click=${() => replying.send()}>Send</vscode-button>`}
    </div>`;
}
