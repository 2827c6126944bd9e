import { css } from "lit";

const frame = css`
  kb-board { display: flex; flex-direction: column; height: 100%; min-height: 0; }
  kb-board header { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 8px; padding: 8px 12px; border-bottom: 1px solid var(--kb-border); }
  header .filter { flex: 0 1 270px; min-width: 130px; }
  header select.field {
    padding: 2px 4px; background: var(--vscode-dropdown-background, var(--kb-bg));
    color: var(--vscode-dropdown-foreground, var(--kb-fg)); border-color: var(--vscode-dropdown-border, var(--kb-border));
  }
  header .repository { max-width: 220px; }
  header .repository > span:not([slot]) { overflow: hidden; text-overflow: ellipsis; }
  header .bulk { display: flex; flex-wrap: wrap; align-items: center; gap: 6px; }
  header .summary { margin-left: auto; display: flex; flex-wrap: wrap; gap: 2px 14px; color: var(--kb-dim); }
  header .summary b { color: var(--kb-fg); font-weight: 600; }
  .link { border: 0; padding: 0; background: none; color: inherit; cursor: pointer; border-radius: 2px; }
  .link:hover { text-decoration: underline; }
  .strip { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 8px; padding: 5px 12px; border-bottom: 1px solid var(--kb-border); background: var(--kb-card); }
  .strip > span { flex: 1 1 300px; min-width: 0; overflow-wrap: anywhere; }
  .strip .icon.error { color: var(--kb-bad); }
  .strip .icon.warning { color: var(--kb-ask); }
  .row { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; }
  .nothing { margin: 0; padding: 2px 2px 8px; color: var(--kb-dim); font-size: 12px; }

  kb-board main { flex: 1; min-height: 0; display: flex; flex-direction: column; }
  /* Positioned, so that the words for a screen reader in its columns are clipped with them instead of widening the page. */
  .columns {
    position: relative;
    flex: 1;
    min-height: 0;
    display: grid;
    grid-template-columns: minmax(140px, 0.8fr) minmax(170px, 1fr) minmax(210px, 1.25fr) minmax(210px, 1.25fr) minmax(140px, 0.8fr);
    grid-template-rows: minmax(0, 1fr);
    gap: 4px;
    padding: 8px 8px 0;
    overflow-x: auto;
    overflow-y: hidden;
  }
  .columns.away { filter: saturate(0.25); }
  .columns.away .dot { opacity: 1 !important; }
  .columns:has(> .first) { display: block; overflow-y: auto; }
  kb-column { display: flex; min-width: 0; min-height: 0; border-radius: var(--kb-radius); }
  kb-column > section { flex: 1; min-width: 0; display: flex; flex-direction: column; }
  kb-column[data-over] { background: color-mix(in srgb, var(--vscode-list-dropBackground, var(--kb-focus)) 35%, transparent); }
  .head { display: flex; align-items: center; justify-content: space-between; padding: 0 4px 4px; min-height: 26px; }
  .head h2 { margin: 0; font-size: 11px; font-weight: 600; letter-spacing: 0.04em; text-transform: uppercase; color: var(--kb-dim); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
  .head .count { letter-spacing: normal; margin-left: 3px; }
  .head .add { opacity: 0; }
  kb-column:hover .add, .head .add:focus-visible { opacity: 1; }
  .scroll { flex: 1; min-height: 0; overflow-y: auto; overflow-x: hidden; padding: 0 4px 12px; scrollbar-width: thin; scrollbar-color: var(--vscode-scrollbarSlider-background, #7974) transparent; }
  .cards { position: relative; min-height: 12px; }
  .scroll .all { margin-top: 2px; }
  .adding { margin-bottom: 8px; padding: 8px; background: var(--kb-card); border: 1px solid var(--kb-focus); border-radius: var(--kb-radius); }
  .adding .field { width: 100%; margin-bottom: 6px; }

  .columns.list { display: block; overflow-y: auto; padding-top: 4px; }
  .list kb-column { display: block; }
  .list .scroll { overflow: visible; padding-bottom: 6px; }
  .list .head { padding-top: 4px; }
  .list .cards { min-height: 0; }
`;

const cards = css`
  kb-card {
    display: block;
    margin-bottom: 8px;
    background: var(--kb-card);
    border: 1px solid var(--kb-border);
    border-radius: var(--kb-radius);
    cursor: default;
    user-select: none;
    -webkit-user-select: none;
    content-visibility: auto;
    contain-intrinsic-size: auto 76px;
  }
  kb-card:hover { border-color: color-mix(in srgb, var(--kb-fg) 30%, var(--kb-bg)); }
  kb-card.asks { border-color: color-mix(in srgb, var(--kb-ask) 60%, var(--kb-border)); }
  kb-card[aria-selected="true"] { border-color: var(--kb-focus); background: color-mix(in srgb, var(--kb-focus) 12%, var(--kb-card)); }
  kb-card:focus-visible { outline: 2px solid var(--kb-focus); outline-offset: -2px; }
  kb-card[data-lifted] { opacity: 0.35; }
  .cell { padding: 7px 9px 8px; }
  .top { display: flex; align-items: center; gap: 6px; color: var(--kb-dim); font-size: 12px; min-height: 18px; position: relative; }
  .top .number { flex: none; }
  .top .labels { display: flex; gap: 4px; flex: 1 1 0; min-width: 0; height: 18px; overflow: hidden; flex-wrap: wrap; }
  .top .label {
    border: 1px solid var(--kb-border); border-radius: 9px; padding: 0 6px; font-size: 11px; line-height: 16px; max-width: 90px;
    overflow: hidden; text-overflow: ellipsis; white-space: nowrap; flex: 0 1 auto;
  }
  .top .corner { margin-left: auto; text-align: right; flex: 0 0 auto; max-width: 75%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  kb-card:hover .corner, kb-card:focus-within .corner, kb-card:focus .corner { margin-right: 20px; }
  .top .menu { position: absolute; top: -2px; right: -4px; background: var(--kb-card); opacity: 0; }
  kb-card[aria-selected="true"] .top .menu { background: var(--kb-bg); }
  kb-card:hover .top .menu, kb-card:focus-within .top .menu, kb-card:focus .top .menu, .top .menu[aria-expanded="true"] { opacity: 1; }
  @media (hover: none) {
    .top .menu { opacity: 1; }
    kb-card .corner { margin-right: 20px; }
  }
  kb-card h3 {
    margin: 2px 0 0; font-size: inherit; font-weight: 500; overflow-wrap: anywhere; display: -webkit-box;
    -webkit-box-orient: vertical; -webkit-line-clamp: 4; overflow: hidden; width: fit-content; max-width: 100%;
  }
  kb-card h3:hover { text-decoration: underline; text-decoration-color: var(--kb-dim); text-underline-offset: 2px; cursor: pointer; }
  .dragging h3:hover { text-decoration: none; cursor: inherit; }
  kb-card.done h3 { color: var(--kb-dim); font-weight: 400; }
  .now { margin-top: 6px; font: 12px/1.4 var(--kb-mono); color: var(--kb-dim); white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
  .now b { color: var(--kb-fg); font-weight: 400; }
  .figures { display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: center; margin-top: 7px; font-size: 12px; color: var(--kb-dim); font-variant-numeric: tabular-nums; }
  .bar { width: 46px; height: 4px; flex: none; }
  .bar .all { fill: color-mix(in srgb, var(--kb-fg) 22%, var(--kb-bg)); }
  .bar .spent { fill: var(--kb-dim); }
  .bar.hot .spent { fill: var(--kb-run); }
  .add { color: var(--kb-add); }
  .head .add { color: var(--vscode-icon-foreground, var(--kb-fg)); }
  .del { color: var(--kb-del); }
  .note { display: flex; gap: 5px; margin: 6px 0 0; font-size: 12px; color: var(--kb-dim); overflow-wrap: anywhere; }
  .note > span { min-width: 0; }
  .note .icon { width: 14px; height: 14px; margin-top: 1px; }
  .note .icon.warning { color: var(--kb-ask); }
  .note .icon.error { color: var(--kb-bad); }
  .note .icon-button { margin: -3px 0; }
  .note .icon-button .icon { margin: 0; }
  .note.error { color: var(--kb-fg); }
  .steps { margin-top: 8px; }
  kb-card.idle:not(:hover):not(:focus):not(:focus-within):not([aria-selected="true"]) .button.primary { background: transparent; color: var(--kb-fg); border-color: var(--kb-border); }
  .question { margin-top: 8px; padding-top: 8px; border-top: 1px solid var(--kb-border); }
  .question .ask { margin: 0 0 7px; overflow-wrap: anywhere; white-space: pre-line; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 8; overflow: hidden; }
  .question .note { margin: -3px 0 7px; }
  .question .button { overflow-wrap: anywhere; }
  .question .tool, .question .plan {
    margin: 0 0 7px; max-height: 96px; overflow: auto; font: 12px/1.4 var(--kb-mono); color: var(--kb-dim); white-space: pre-wrap;
    overflow-wrap: anywhere; user-select: text; -webkit-user-select: text; scrollbar-width: thin;
  }
  .question .tool { padding: 4px 6px; border: 1px solid var(--kb-border); border-radius: 4px; background: var(--kb-bg); }
  .question .plan { font: inherit; max-height: 130px; }
  .reply { display: flex; flex-wrap: wrap; gap: 6px; }
  .reply .field { flex: 1 1 100%; min-width: 0; }
  .drop { position: absolute; left: 0; right: 0; height: 2px; border-radius: 1px; background: var(--kb-focus); pointer-events: none; }
  .ghost {
    position: fixed; z-index: 20; pointer-events: none; background: var(--kb-card); border: 1px solid var(--kb-focus);
    border-radius: var(--kb-radius); box-shadow: 0 4px 14px var(--vscode-widget-shadow, #0006); opacity: 0.94;
  }
  .ghost h3 { margin: 2px 0 0; font-size: inherit; font-weight: 500; }
  .ghost .many {
    position: absolute; top: -8px; right: -8px; min-width: 18px; padding: 1px 5px; border-radius: 9px; text-align: center;
    font-size: 11px; background: var(--vscode-badge-background, #616161); color: var(--vscode-badge-foreground, #f8f8f8);
  }
  kb-board.dragging, kb-board.dragging * { cursor: grabbing; }
`;

const rest = css`
  .popup {
    position: fixed; z-index: 30; min-width: 170px; max-width: 300px; max-height: calc(100vh - 8px); overflow-y: auto;
    padding: 4px; border: 1px solid var(--vscode-menu-border, var(--kb-line)); border-radius: 6px;
    background: var(--vscode-menu-background, var(--kb-bg)); color: var(--vscode-menu-foreground, var(--kb-fg));
    box-shadow: 0 2px 8px var(--vscode-widget-shadow, #0006);
  }
  .popup .item { display: block; width: 100%; padding: 3px 14px; border: 0; border-radius: 3px; background: none; text-align: left; cursor: pointer; color: inherit; }
  .popup .item:focus { outline: 1px solid transparent; outline-offset: -1px; background: var(--vscode-menu-selectionBackground, #0078d4); color: var(--vscode-menu-selectionForeground, #ffffff); }
  .popup .item:disabled { color: var(--vscode-disabledForeground, var(--kb-dim)); cursor: default; }
  .popup .item[aria-haspopup]::after { content: "›"; float: right; }
  .popup .rule { margin: 4px 0; border-top: 1px solid var(--vscode-menu-separatorBackground, var(--kb-border)); }
  .state { flex: 1; display: flex; flex-direction: column; align-items: flex-start; gap: 8px; max-width: 520px; margin: 0 auto; padding: 12vh 20px 20px; }
  .state h1, .state h2 { margin: 0; font-size: 17px; font-weight: 600; }
  .state p { margin: 0; color: var(--kb-dim); overflow-wrap: anywhere; }
  .state .row { margin-top: 6px; }
  body.vscode-reduce-motion vscode-progress-bar::part(indicator) { animation: none; width: 100%; }
  body.vscode-high-contrast kb-card.asks, body.vscode-high-contrast-light kb-card.asks { border: 2px solid var(--kb-ask); }
  body.vscode-high-contrast kb-card[aria-selected="true"], body.vscode-high-contrast-light kb-card[aria-selected="true"] {
    background: var(--kb-bg); border: 2px dashed var(--vscode-contrastActiveBorder, var(--kb-focus));
  }
  body.vscode-high-contrast .popup .item:focus, body.vscode-high-contrast-light .popup .item:focus {
    outline-color: var(--vscode-contrastActiveBorder, currentColor); background: none; color: inherit;
  }
  body.vscode-high-contrast .button.primary, body.vscode-high-contrast-light .button.primary { border-color: var(--vscode-contrastBorder, currentColor); font-weight: 600; }
  @media (forced-colors: active) {
    kb-card[aria-selected="true"] { outline: 2px dashed Highlight; outline-offset: -3px; }
    kb-card.asks { border: 2px solid CanvasText; }
    .bar { forced-color-adjust: none; }
    .drop { background: Highlight; }
    .popup .item:focus { outline: 2px solid Highlight; }
  }
`;

export const styles = [frame, cards, rest];
