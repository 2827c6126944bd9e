import { css, html, type TemplateResult } from "lit";
import type { Dot } from "../../src/shared/protocol";

/** The state as a dot. It is decoration: the state is a word beside it. */
export const dot = (state: Dot): TemplateResult | undefined => (state === "none" ? undefined : html`<span class="dot ${state}" aria-hidden="true"></span>`);

export const dotStyles = css`
  .dot { width: 9px; height: 9px; border-radius: 50%; flex: none; background: var(--kb-dim); }
  .dot.running { background: var(--kb-run); }
  .dot.awaitingDecision { background: var(--kb-ask); }
  .dot.inReview { background: var(--kb-review); }
  .dot.failed { background: var(--kb-bad); }
  .dot.queued { background: transparent; border: 2px solid var(--kb-queue); }
  .dot.interrupted { background: transparent; border: 2px dashed var(--kb-bad); }
  .dot:not(.running), body.vscode-reduce-motion .dot { opacity: 1 !important; }
  @media (prefers-reduced-motion: reduce) { .dot { opacity: 1 !important; } }
  @media (forced-colors: active) {
    .dot { forced-color-adjust: none; }
  }
`;

const BEAT = 400; // milliseconds
const STRENGTHS = ["1", "0.65", "0.35", "0.65"];

/** Lets the dots of what runs breathe. Not by a CSS animation: for one, Chromium makes sixty frames a second, which cost a fifth of a core with four
 * threads open and nothing to show. Style says where nothing may move, and what no longer runs is at full strength whatever stands in its `style`. */
export function breathe(): void {
  let beat = 0;
  setInterval(() => {
    if (!document.hidden) {
      beat++;
      for (const running of document.querySelectorAll<HTMLElement>(".dot.running")) {
        running.style.opacity = STRENGTHS[beat % STRENGTHS.length]!;
      }
    }
  }, BEAT);
}
