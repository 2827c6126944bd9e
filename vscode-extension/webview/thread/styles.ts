import { css } from "lit";

/** The page around the thread: its head, the list that scrolls, the reply box. */
export const frameStyles = css`
  body { overflow: hidden; }
  kb-thread { display: flex; flex-direction: column; height: 100%; min-width: 0; }
  .head { padding: 8px 12px; border-bottom: 1px solid var(--kb-line); }
  .head .top { display: flex; align-items: center; gap: 6px; color: var(--kb-dim); font-size: 0.92em; flex-wrap: wrap; }
  .head .top .ref { overflow-wrap: anywhere; }
  .head .top .figures { margin-left: auto; display: flex; align-items: center; gap: 8px; white-space: nowrap; }
  .head h1 { margin: 3px 0 0; font-size: 1.08em; font-weight: 600; overflow-wrap: anywhere; }
  .head .row, .ask .row { display: flex; gap: 6px; flex-wrap: wrap; align-items: center; margin-top: 6px; }
  .head .note { margin: 6px 0 0; font-size: 0.92em; color: var(--kb-dim); overflow-wrap: anywhere; }
  .head .note.bad, .error { color: color-mix(in srgb, var(--kb-bad) 55%, var(--kb-fg)); }
  .bar { width: 46px; height: 4px; border-radius: 2px; background: var(--kb-line); border: 0; appearance: none; }
  .bar::-webkit-progress-bar { background: var(--kb-border); border-radius: 2px; }
  .bar::-webkit-progress-value { background: var(--kb-dim); border-radius: 2px; }
  .bar.hot::-webkit-progress-value { background: var(--kb-run); }
  .banner { display: flex; gap: 8px; align-items: center; flex-wrap: wrap; padding: 6px 12px; border-bottom: 1px solid var(--kb-line); background: var(--kb-card); }
  .banner .text { flex: 1 1 200px; overflow-wrap: anywhere; }
  .blank { flex: 1; display: flex; flex-direction: column; gap: 8px; align-items: center; justify-content: center; padding: 24px; text-align: center; color: var(--kb-dim); }
  .blank p { margin: 0; max-width: 46ch; overflow-wrap: anywhere; }
  .find { display: flex; align-items: center; gap: 4px; padding: 4px 12px; border-bottom: 1px solid var(--kb-line); }
  .find vscode-textfield { flex: 1 1 120px; min-width: 60px; }
  .find .count { color: var(--kb-dim); font-size: 0.92em; white-space: nowrap; }
  .find .up svg { transform: rotate(180deg); }
  .view { position: relative; flex: 1; min-height: 0; display: flex; flex-direction: column; }
  .scroller { flex: 1; min-height: 0; overflow-y: auto; overflow-x: hidden; overflow-anchor: none; padding: 6px 0; }
  .edge { position: absolute; top: 0; left: 0; right: 0; text-align: center; pointer-events: none; z-index: 1; }
  .edge span { display: inline-block; background: var(--kb-card); border: 1px solid var(--kb-line); border-top: 0; border-radius: 0 0 4px 4px; padding: 1px 8px; font-size: 0.92em; color: var(--kb-dim); }
  .below { position: absolute; bottom: 8px; left: 50%; transform: translateX(-50%); z-index: 1; box-shadow: 0 1px 4px var(--vscode-widget-shadow, rgb(0 0 0 / 36%)); }
  .button.below { background: var(--vscode-button-secondaryBackground, var(--kb-card)); color: var(--vscode-button-secondaryForeground, var(--kb-fg)); }
  .asks { display: flex; align-items: center; gap: 8px; padding: 6px 12px; border-top: 1px solid color-mix(in srgb, var(--kb-ask) 60%, var(--kb-line)); }
  .asks .text { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .reply { border-top: 1px solid var(--kb-line); padding: 8px 12px; }
  .reply textarea { display: block; width: 100%; min-height: 44px; max-height: 40vh; resize: none; field-sizing: content; overflow-y: auto; padding: 5px 8px; }
  .reply .under { display: flex; align-items: center; gap: 8px; margin-top: 4px; font-size: 0.92em; color: var(--kb-dim); }
  .reply .under:not(:has(*:not(:empty))) { display: none; }
  .reply .under .text { flex: 1; min-width: 0; overflow-wrap: anywhere; }
  .menu { position: fixed; z-index: 10; min-width: 170px; max-width: min(320px, 100vw - 12px); max-height: calc(100vh - 12px); overflow-y: auto;
    margin: 0; padding: 4px; list-style: none; border: 1px solid var(--vscode-menu-border, var(--kb-line)); border-radius: 5px;
    background: var(--vscode-menu-background, var(--kb-bg)); color: var(--vscode-menu-foreground, var(--kb-fg)); box-shadow: 0 2px 8px var(--vscode-widget-shadow, rgb(0 0 0 / 36%)); }
  .menu button { display: block; width: 100%; padding: 3px 12px; border: 0; border-radius: 3px; background: transparent; color: inherit; text-align: left; cursor: pointer; }
  .menu button:hover, .menu button:focus { background: var(--vscode-menu-selectionBackground, var(--kb-hover)); color: var(--vscode-menu-selectionForeground, inherit); outline: 1px solid var(--vscode-menu-selectionBorder, transparent); outline-offset: -1px; }
  ::highlight(kb-find) { background-color: var(--vscode-editor-findMatchHighlightBackground, rgb(234 92 0 / 33%)); }
  ::highlight(kb-found) { background-color: var(--vscode-editor-findMatchBackground, #9e6a03); }
  @media (max-width: 340px) { .head, .reply, .banner, .find { padding-left: 8px; padding-right: 8px; } }
`;

/** What stands in the thread. */
export const entryStyles = css`
  .entry { position: relative; padding: 4px 12px; overflow-wrap: anywhere; }
  .entry:focus { outline: none; }
  .entry:focus-visible { outline: 1px solid var(--kb-focus); outline-offset: -2px; border-radius: 4px; }
  .entry.d1 { padding-left: 26px; } .entry.d2 { padding-left: 40px; } .entry.d3 { padding-left: 54px; } .entry.d4 { padding-left: 68px; }
  .entry.d1::before, .entry.d2::before, .entry.d3::before, .entry.d4::before { content: ""; position: absolute; top: 0; bottom: 0; width: 2px; background: var(--kb-border); }
  .entry.d1::before { left: 17px; } .entry.d2::before { left: 31px; } .entry.d3::before { left: 45px; } .entry.d4::before { left: 59px; }
  .entry .more-button { position: absolute; top: 3px; right: 12px; opacity: 0; background: var(--kb-bg); }
  .entry:hover .more-button, .entry:focus .more-button, .entry:focus-within .more-button { opacity: 1; }
  .entry.tool .more-button, .entry.output .more-button { top: 8px; right: 18px; background: var(--kb-card); } .entry.ask .more-button { top: 8px; right: 18px; }
  .dim, .entry.system, .entry.notice { color: var(--kb-dim); font-size: 0.92em; }
  .who { display: block; color: var(--kb-dim); font-size: 0.92em; margin-bottom: 2px; }
  .prose > :first-child { margin-top: 0; } .prose > :last-child { margin-bottom: 0; }
  .prose p { margin: 0 0 8px; } .prose .heading { font-weight: 600; margin: 12px 0 6px; } .prose .h1 { font-size: 1.2em; } .prose .h2 { font-size: 1.1em; }
  .prose ul, .prose ol { margin: 0 0 8px; padding-left: 22px; } .prose li > p { margin: 0 0 3px; } .prose li.task { list-style: none; position: relative; } .prose li.task .box { position: absolute; left: -19px; }
  .prose blockquote { margin: 0 0 8px; padding: 2px 0 2px 10px; border-left: 3px solid var(--kb-border); color: var(--kb-dim); }
  .prose code { font-family: var(--kb-mono); font-size: 0.95em; background: color-mix(in srgb, var(--kb-fg) 9%, transparent); border-radius: 3px; padding: 0 3px; }
  .prose hr { border: 0; border-top: 1px solid var(--kb-border); margin: 8px 0; }
  .prose .link { text-decoration: underline; text-decoration-color: var(--kb-dim); text-underline-offset: 2px; } .prose .url { color: var(--kb-dim); }
  .table { overflow-x: auto; margin: 0 0 8px; } .table table { border-collapse: collapse; } .table th, .table td { border: 1px solid var(--kb-border); padding: 2px 8px; text-align: left; vertical-align: top; overflow-wrap: normal; }
  .table th { font-weight: 600; background: var(--kb-card); } .table .right { text-align: right; } .table .center { text-align: center; }
  .code { margin: 0 0 8px; border: 1px solid var(--kb-border); border-radius: 5px; background: var(--kb-card); }
  .code-head { display: flex; align-items: center; justify-content: space-between; padding: 1px 2px 0 8px; color: var(--kb-dim); font-size: 0.88em; min-height: 22px; }
  pre { margin: 0; font-family: var(--kb-mono); font-size: 0.95em; line-height: 1.45; white-space: pre; overflow-x: auto; tab-size: 4; }
  .code pre { padding: 0 8px 6px; }
  .box-line { display: flex; align-items: baseline; gap: 6px; width: 100%; padding: 3px 8px; border: 0; background: transparent; color: var(--kb-dim); font-family: var(--kb-mono); font-size: 0.93em; text-align: left; cursor: pointer; min-height: 24px; }
  .call { border: 1px solid var(--kb-border); border-radius: 5px; background: var(--kb-card); }
  .box-line .mark { flex: none; align-self: center; width: 12px; height: 12px; } .box-line .mark svg { width: 12px; height: 12px; }
  .box-line .name { color: var(--kb-fg); flex: none; } .box-line .what { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; } .box-line .meta { flex: none; display: flex; gap: 6px; white-space: nowrap; font-variant-numeric: tabular-nums; }
  .entry:hover .box-line .meta, .entry:focus-within .box-line .meta { padding-right: 22px; }
  .box-line .meta > * + *::before { content: "· "; color: var(--kb-dim); } .box-line .meta > .add::before, .box-line .meta > .del::before { content: none; }
  .box-line.plain { align-items: center; font-size: 0.92em; padding-left: 0; padding-right: 0; min-height: 20px; font-family: inherit; }
  .call .inside { padding: 0 8px 6px; } .call .inside > * { margin-top: 4px; }
  .call .label { color: var(--kb-dim); font-size: 0.88em; }
  .output pre, .inside pre { max-height: 420px; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
  pre.failed { border-left: 2px solid var(--kb-bad); padding-left: 6px; }
  .add { color: var(--kb-add); } .del { color: var(--kb-del); } .bad { color: color-mix(in srgb, var(--kb-bad) 55%, var(--kb-fg)); }
  .diff { display: block; font-family: var(--kb-mono); font-size: 0.93em; line-height: 1.45; white-space: pre; overflow-x: auto; max-height: 420px; overflow-y: auto; }
  .diff div { min-width: max-content; padding: 0 4px; } .diff .plus { background: var(--vscode-diffEditor-insertedLineBackground, color-mix(in srgb, var(--kb-review) 14%, transparent)); } .diff .minus { background: var(--vscode-diffEditor-removedLineBackground, color-mix(in srgb, var(--kb-bad) 14%, transparent)); }
  .diff .gap { color: var(--kb-dim); }
  .text-button { border: 0; padding: 1px 3px; background: transparent; color: var(--vscode-textLink-foreground, var(--kb-fg)); cursor: pointer; border-radius: 3px; font-size: 0.95em; } .text-button:hover { text-decoration: underline; } .text-button:disabled { opacity: 0.5; cursor: default; text-decoration: none; }
  .message .bubble { display: inline-block; max-width: 100%; border: 1px solid var(--kb-border); border-radius: 6px; padding: 5px 10px; background: color-mix(in srgb, var(--kb-fg) 7%, var(--kb-bg)); white-space: pre-wrap; }
  .rule { display: flex; gap: 8px; align-items: center; color: var(--kb-dim); font-size: 0.92em; flex-wrap: nowrap; }
  .rule::before, .rule::after { content: ""; flex: 1 1 12px; border-top: 1px solid var(--kb-border); }
  .rule .in { display: flex; gap: 4px; align-items: center; flex-wrap: wrap; justify-content: center; max-width: 80%; }
  .ask .box { border: 1px solid color-mix(in srgb, var(--kb-ask) 60%, var(--kb-line)); border-radius: 6px; padding: 8px 10px; }
  .ask .chip { border: 1px solid var(--kb-border); border-radius: 9px; padding: 0 7px; font-size: 0.85em; color: var(--kb-dim); margin-right: 6px; }
  .ask p { margin: 0 0 6px; white-space: pre-wrap; } .ask fieldset { border: 0; margin: 0 0 8px; padding: 0; min-width: 0; } .ask legend { padding: 0; margin-bottom: 6px; white-space: pre-wrap; }
  .ask .options { display: flex; flex-wrap: wrap; gap: 6px; } .ask .options.tall { flex-direction: column; align-items: stretch; }
  .ask .option small { display: block; color: var(--kb-dim); font-size: 0.9em; } .ask .option[aria-pressed="true"] { border-color: var(--kb-focus); background: color-mix(in srgb, var(--kb-focus) 18%, transparent); }
  .ask .own { display: flex; gap: 6px; margin-top: 6px; flex-wrap: wrap; } .ask .own .field { flex: 1 1 160px; min-width: 0; }
  .ask .answered { color: var(--kb-dim); white-space: pre-wrap; margin: 2px 0 0; }
  .result .line { display: flex; flex-wrap: wrap; gap: 4px 10px; color: var(--kb-dim); font-size: 0.92em; border-top: 1px solid var(--kb-border); padding-top: 6px; } .result .line b { font-weight: 600; color: var(--kb-fg); } .result .line b.bad { color: color-mix(in srgb, var(--kb-bad) 55%, var(--kb-fg)); }
  .todos { margin: 0; padding: 0; list-style: none; } .todos .completed { color: var(--kb-dim); text-decoration: line-through; }
  .rawline { margin-top: 6px; border: 1px dashed var(--kb-border); border-radius: 5px; padding: 4px 8px; } .rawline pre { max-height: 300px; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.88em; }
  @media (forced-colors: active) { .diff .plus, .diff .minus { background: transparent; } }
`;
