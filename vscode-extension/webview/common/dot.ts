import { css, html, type TemplateResult } from "lit";
import type { Dot } from "../../src/shared/protocol";

/** The state as a dot. It is decoration: the state is a word beside it. */
export const dot = (state: Dot): TemplateResult | undefined => (state === "none" ? undefined : html`<span class="dot ${state}" aria-hidden="true"></span>`);

export const dotStyles = css`
  .dot { width: 9px; height: 9px; border-radius: 50%; flex: none; background: var(--kb-dim); }
  .dot.running { background: var(--kb-run); animation: kb-pulse 1.6s ease-in-out infinite; }
  .dot.awaitingDecision { background: var(--kb-ask); }
  .dot.inReview { background: var(--kb-review); }
  .dot.failed { background: var(--kb-bad); }
  .dot.queued { background: transparent; border: 2px solid var(--kb-queue); }
  .dot.interrupted { background: transparent; border: 2px dashed var(--kb-bad); }
  @keyframes kb-pulse { 50% { opacity: 0.35; } }
  @media (prefers-reduced-motion: reduce) { .dot.running { animation: none; } }
  body.vscode-reduce-motion .dot.running { animation: none; }
  @media (forced-colors: active) {
    .dot { forced-color-adjust: none; }
  }
`;
