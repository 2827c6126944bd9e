import { html, nothing, type TemplateResult } from "lit";

export interface MenuItem {
  label: string;
  run(): void;
}

export interface OpenMenu {
  items: readonly MenuItem[];
  label: string;
  x: number;
  y: number;
  /** Where the focus goes when it closes. */
  from: HTMLElement;
}

export const menuAt = (from: HTMLElement, label: string, items: readonly MenuItem[]): OpenMenu => {
  const place = from.getBoundingClientRect();
  return { items, label, from, x: place.right, y: place.bottom + 2 };
};

export function drawMenu(menu: OpenMenu | undefined, close: (refocus: boolean) => void): TemplateResult | typeof nothing {
  if (menu === undefined) {
    return nothing;
  }
  const keys = (event: KeyboardEvent): void => {
    const buttons = [...(event.currentTarget as HTMLElement).querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const to = event.key === "ArrowDown" ? at + 1 : event.key === "ArrowUp" ? at - 1 + buttons.length : event.key === "Home" ? 0 : event.key === "End" ? buttons.length - 1 : undefined;
    if (to !== undefined) {
      event.preventDefault();
      buttons[to % buttons.length]?.focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      close(true);
    }
    event.stopPropagation();
  };
  return html`<div class="menu" role="menu" aria-label=${menu.label} @keydown=${keys} @focusout=${(event: FocusEvent) => {
    if (event.relatedTarget instanceof Node && !(event.currentTarget as HTMLElement).contains(event.relatedTarget)) {
      close(false);
    }
  }}>${menu.items.map((item) => html`<button type="button" role="menuitem" tabindex="-1" @click=${() => {
    close(true);
    item.run();
  }}>${item.label}</button>`)}</div>`;
}

/** Puts the menu beside its button and inside the page, and its first item in focus. Styles are set here: the page allows none in markup. */
export function placeMenu(element: HTMLElement, menu: OpenMenu): void {
  const { width, height } = element.getBoundingClientRect();
  element.style.left = `${Math.max(6, Math.min(menu.x - width, window.innerWidth - width - 6))}px`;
  element.style.top = `${Math.max(6, Math.min(menu.y, window.innerHeight - height - 6))}px`;
  element.querySelector("button")?.focus({ preventScroll: true });
}
