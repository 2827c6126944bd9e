// Which decisions have a notification. Pure: the shell shows and takes away what this says.

/** Notifications of ours at once. VS Code stacks three; a fourth would push the first one out of sight. */
export const TOASTS_MAX = 3;

export interface Waiting {
  key: string;
  /** Its notification was shown and nothing was done with it: it is on the screen, or in the bell by now. */
  isShown: boolean;
  /** It was shown so lately that it takes one of the places on the screen. */
  holdsPlace: boolean;
  /** The person has closed its notification, or has it open in a dialog: it is in the view, and is not pushed again. */
  isQuiet: boolean;
}

export interface Plan {
  /** Keys to show now, the oldest first, each with how many wait behind it. */
  show: readonly { key: string; more: number }[];
  /** What is on the screen holds something that is open no more: all of ours is hidden, and `show` is what of it comes back. */
  hide: boolean;
}

/**
 * @param open the open decisions, the oldest first
 * @param staleShown notifications on the screen whose decision is open no more
 */
export function planOf(open: readonly Waiting[], staleShown: number): Plan {
  const hide = staleShown > 0;
  const onScreen = hide ? [] : open.filter((one) => one.isShown && one.holdsPlace);
  // What was seen already comes back first, then the oldest that was not.
  const candidates = open.filter((one) => !one.isQuiet && (hide || !one.isShown));
  const ordered = [...candidates.filter((one) => one.isShown), ...candidates.filter((one) => !one.isShown)];
  const chosen = ordered.slice(0, Math.max(0, TOASTS_MAX - onScreen.length));
  const behind = ordered.length - chosen.length;
  return { hide, show: chosen.map(({ key }, index) => ({ key, more: index === chosen.length - 1 ? behind : 0 })) };
}
