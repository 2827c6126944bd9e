import { html, LitElement, nothing, type TemplateResult } from "lit";

export interface MenuItem {
  readonly label: string;
  /** Runs and closes; or shows other items in place. */
  readonly run?: () => void;
  readonly items?: readonly MenuItem[];
  /** A line above it. */
  readonly apart?: boolean;
  readonly disabled?: boolean;
}

const EDGE = 4;

/** The menu of the page: one at a time, at the button that opened it, which gets the focus back. */
export class Menu extends LitElement {
  static override properties = { items: { state: true } };

  declare items: readonly MenuItem[];
  private opener: HTMLElement | undefined;
  private label = "";
  private typed = "";
  private typedAt = 0;

  constructor() {
    super();
    this.items = [];
    this.addEventListener("keydown", (event) => this.onKey(event));
    this.addEventListener("focusout", (event) => {
      if (event.relatedTarget instanceof Node && !this.contains(event.relatedTarget)) {
        this.close(false);
      }
    });
  }

  get isOpen(): boolean {
    return this.items.length > 0;
  }

  open(opener: HTMLElement, label: string, items: readonly MenuItem[]): void {
    this.opener = opener;
    this.label = label;
    opener.setAttribute("aria-expanded", "true");
    this.show(items);
    document.addEventListener("pointerdown", this.onOutside, true);
    window.addEventListener("blur", this.onBlur);
    window.addEventListener("resize", this.onBlur);
  }

  close(refocus = true): void {
    if (!this.isOpen) {
      return;
    }
    this.items = [];
    document.removeEventListener("pointerdown", this.onOutside, true);
    window.removeEventListener("blur", this.onBlur);
    window.removeEventListener("resize", this.onBlur);
    this.opener?.setAttribute("aria-expanded", "false");
    if (refocus && this.opener?.isConnected === true) {
      this.opener.focus();
    }
    this.opener = undefined;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override render(): TemplateResult | typeof nothing {
    return this.isOpen
      ? html`<div class="popup" role="menu" aria-label=${this.label}>
          ${this.items.map((item) => html`${item.apart === true ? html`<div class="rule" role="separator"></div>` : nothing}<button
            class="item" type="button" role="menuitem" tabindex="-1" aria-haspopup=${item.items === undefined ? nothing : "menu"} ?disabled=${item.disabled ?? false}
            @click=${() => this.pick(item)} @pointermove=${(event: PointerEvent) => (event.currentTarget as HTMLElement).focus({ preventScroll: true })}>${item.label}</button>`)}
        </div>`
      : nothing;
  }

  private show(items: readonly MenuItem[]): void {
    this.items = items;
    void this.updateComplete.then(() => {
      this.stand();
      this.buttons()[0]?.focus({ preventScroll: true });
    });
  }

  private pick(item: MenuItem): void {
    if (item.items !== undefined) {
      this.show(item.items);
    } else {
      this.close();
      item.run?.();
    }
  }

  /** Below its opener, else above it; never over the edge of the page. */
  private stand(): void {
    const popup = this.querySelector<HTMLElement>(".popup");
    if (popup === null || this.opener === undefined) {
      return;
    }
    const at = this.opener.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = popup;
    const below = at.bottom + 2 + height <= window.innerHeight - EDGE;
    popup.style.left = `${Math.max(EDGE, Math.min(at.right - width, window.innerWidth - width - EDGE))}px`;
    popup.style.top = `${Math.max(EDGE, below ? at.bottom + 2 : at.top - 2 - height)}px`;
  }

  private buttons(): HTMLButtonElement[] {
    return [...this.querySelectorAll<HTMLButtonElement>("button.item:not(:disabled)")];
  }

  private onKey(event: KeyboardEvent): void {
    const buttons = this.buttons();
    const index = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const step = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: -1 }[event.key];
    if (step !== undefined) {
      buttons.at(step % buttons.length)?.focus();
    } else if (event.key === "Escape" || event.key === "ArrowLeft") {
      this.close();
    } else if (event.key === "Tab") {
      this.close();
    } else if (event.key === "ArrowRight" && (document.activeElement as HTMLElement | null)?.getAttribute("aria-haspopup") === "menu") {
      (document.activeElement as HTMLElement).click();
    } else if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey) {
      this.typed = event.timeStamp - this.typedAt < 800 ? this.typed + event.key.toLowerCase() : event.key.toLowerCase();
      this.typedAt = event.timeStamp;
      [...buttons.slice(index + (this.typed.length > 1 ? 0 : 1)), ...buttons].find((button) => button.textContent.toLowerCase().startsWith(this.typed))?.focus();
    } else {
      event.stopPropagation();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private readonly onOutside = (event: Event): void => {
    if (event.target instanceof Node && !this.contains(event.target)) {
      this.close(false);
    }
  };

  private readonly onBlur = (): void => this.close(false);
}

customElements.define("kb-menu", Menu);
