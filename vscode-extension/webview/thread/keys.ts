import type { Feed } from "./feed";

export interface RowActions {
  feed: Feed;
  focus(key: string, toEnd: boolean): void;
  reply(): void;
  copy(key: string): void;
  /** False where there is nothing to fold. */
  toggle(key: string): boolean;
}

const PAGE = 8;

/** Keys of the list itself and of its rows; those of buttons and fields inside a row are their own. */
export function rowKeys(event: KeyboardEvent, actions: RowActions): void {
  const target = event.target as HTMLElement;
  const key = target.dataset["key"];
  if ((key === undefined && !target.classList.contains("scroller")) || event.altKey) {
    return;
  }
  if (event.ctrlKey || event.metaKey) {
    if (event.key.toLowerCase() === "c" && key !== undefined && (document.getSelection()?.isCollapsed ?? true)) {
      event.preventDefault();
      actions.copy(key);
    }
    return;
  }
  const to = goal(event.key, key, actions.feed);
  if (to !== undefined) {
    event.preventDefault();
    actions.focus(to, event.key === "End");
  } else if (event.key === "r") {
    event.preventDefault();
    actions.reply();
  } else if (key !== undefined && (event.key === "Enter" || event.key === " ") && actions.toggle(key)) {
    event.preventDefault();
  }
}

function goal(pressed: string, key: string | undefined, feed: Feed): string | undefined {
  const last = feed.keys.length - 1;
  const index = key === undefined ? undefined : feed.indexOf(key);
  const first = (): number => feed.indexOf(feed.seen("first") ?? "") ?? 0;
  const lowest = (): number => feed.indexOf(feed.seen("last") ?? "") ?? last;
  switch (pressed) {
    case "ArrowDown":
      return feed.keys[index === undefined ? first() : Math.min(last, index + 1)];
    case "ArrowUp":
      return feed.keys[index === undefined ? lowest() : Math.max(0, index - 1)];
    case "PageDown":
      return feed.keys[Math.min(last, (index ?? first()) + PAGE)];
    case "PageUp":
      return feed.keys[Math.max(0, (index ?? lowest()) - PAGE)];
    case "Home":
      return feed.keys[0];
    case "End":
      return feed.keys[last];
    default:
      return undefined;
  }
}
