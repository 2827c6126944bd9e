import { css, type CSSResult } from "lit";

/**
 * Pages draw into the document itself, not into shadow roots: VS Code finds `data-vscode-context` from the event's target upwards.
 * Their styles are constructed sheets, which the content security policy allows without a nonce.
 */
export function adopt(...styles: readonly CSSResult[]): void {
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, ...styles.map((style) => style.styleSheet).filter((sheet) => sheet !== undefined)];
}

/** VS Code's colours under short names. Text on a card is mixed towards the foreground where a chart colour alone is too faint to read. */
export const tokens = css`
  :root {
    --kb-bg: var(--vscode-editor-background, #1f1f1f);
    --kb-fg: var(--vscode-foreground, #cccccc);
    --kb-dim: var(--vscode-descriptionForeground, #9d9d9d);
    --kb-card: color-mix(in srgb, var(--kb-fg) 4%, var(--kb-bg));
    --kb-line: var(--vscode-widget-border, color-mix(in srgb, var(--kb-fg) 18%, var(--kb-bg)));
    --kb-border: color-mix(in srgb, var(--kb-fg) 15%, var(--kb-bg));
    --kb-hover: var(--vscode-list-hoverBackground, #2a2d2e);
    --kb-focus: var(--vscode-focusBorder, #0078d4);
    --kb-run: var(--vscode-kanbots-running, #d18616);
    --kb-ask: var(--vscode-charts-yellow, #cca700);
    --kb-review: var(--vscode-charts-green, #89d185);
    --kb-bad: var(--vscode-charts-red, #f14c4c);
    --kb-queue: var(--vscode-charts-blue, #3794ff);
    --kb-add: color-mix(in srgb, var(--kb-review) 70%, var(--kb-fg));
    --kb-del: color-mix(in srgb, var(--kb-bad) 60%, var(--kb-fg));
    --kb-mono: var(--vscode-editor-font-family, ui-monospace, Consolas, monospace);
    --kb-radius: 6px;
  }
  body.vscode-high-contrast,
  body.vscode-high-contrast-light {
    --kb-card: var(--kb-bg);
    --kb-dim: var(--kb-fg);
    --kb-line: var(--vscode-contrastBorder, currentColor);
    --kb-border: var(--vscode-contrastBorder, currentColor);
    --kb-hover: var(--kb-bg);
    --kb-add: var(--kb-fg);
    --kb-del: var(--kb-fg);
  }
  *, *::before, *::after { box-sizing: border-box; }
  html, body { height: 100%; }
  body {
    margin: 0;
    padding: 0;
    background: var(--kb-bg);
    color: var(--kb-fg);
    font-family: var(--vscode-font-family, system-ui, sans-serif);
    font-size: var(--vscode-font-size, 13px);
    font-weight: var(--vscode-font-weight, normal);
    line-height: 1.4;
  }
  [hidden] { display: none !important; }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  :focus-visible { outline: 1px solid var(--kb-focus); outline-offset: -1px; }
  body.vscode-high-contrast :focus-visible,
  body.vscode-high-contrast-light :focus-visible { outline-width: 2px; }
`;

export const controls = css`
  button, input, select, textarea { font: inherit; color: inherit; }
  .button {
    border: 1px solid var(--vscode-button-border, transparent);
    border-radius: 4px;
    padding: 1px 9px;
    min-height: 22px;
    background: transparent;
    color: var(--kb-fg);
    border-color: var(--kb-border);
    cursor: pointer;
    max-width: 100%;
    text-align: left;
  }
  .button:hover { background: var(--kb-hover); }
  .button.primary {
    background: var(--vscode-button-background, #0078d4);
    color: var(--vscode-button-foreground, #ffffff);
    border-color: var(--vscode-button-border, transparent);
  }
  .button.primary:hover { background: var(--vscode-button-hoverBackground, #026ec1); }
  .button:focus-visible { outline: 1px solid var(--kb-focus); outline-offset: 2px; }
  .button:disabled { opacity: 0.5; cursor: default; }
  .icon-button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    width: 22px;
    height: 22px;
    padding: 0;
    border: 1px solid transparent;
    border-radius: 5px;
    background: transparent;
    color: var(--vscode-icon-foreground, var(--kb-fg));
    cursor: pointer;
  }
  .icon-button:hover { background: var(--vscode-toolbar-hoverBackground, var(--kb-hover)); }
  .field {
    background: var(--vscode-input-background, #313131);
    color: var(--vscode-input-foreground, var(--kb-fg));
    border: 1px solid var(--vscode-input-border, var(--kb-border));
    border-radius: 4px;
    padding: 2px 7px;
    min-height: 24px;
  }
  .field::placeholder { color: var(--vscode-input-placeholderForeground, var(--kb-dim)); opacity: 1; }
  .field:focus { outline: 1px solid var(--kb-focus); outline-offset: -1px; }
  body.vscode-high-contrast .button,
  body.vscode-high-contrast-light .button { border-color: var(--vscode-contrastBorder, currentColor); }
  body.vscode-high-contrast .button:hover,
  body.vscode-high-contrast .icon-button:hover,
  body.vscode-high-contrast-light .button:hover,
  body.vscode-high-contrast-light .icon-button:hover { outline: 1px dashed var(--vscode-contrastActiveBorder, currentColor); }
  /* They draw their focus themselves. Of their colours under the pointer a high contrast theme has none: there an outline says it. */
  vscode-button:focus-visible, vscode-textfield:focus-visible { outline: none; }
  body.vscode-high-contrast vscode-button,
  body.vscode-high-contrast-light vscode-button {
    --vscode-button-hoverBackground: var(--vscode-button-background, transparent);
    --vscode-button-secondaryHoverBackground: var(--vscode-button-secondaryBackground, transparent);
    --vscode-button-secondaryBackground: var(--kb-bg);
    --vscode-button-secondaryForeground: var(--kb-fg);
    --vscode-button-border: var(--vscode-contrastBorder, currentColor);
  }
  body.vscode-high-contrast vscode-button:hover,
  body.vscode-high-contrast-light vscode-button:hover { outline: 1px dashed var(--vscode-contrastActiveBorder, currentColor); }
  svg.icon { width: 16px; height: 16px; fill: currentColor; flex: none; display: block; }
`;
