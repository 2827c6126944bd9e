/** Marks the words in what is drawn. The marks are the browser's own: no element changes. */
const RANGES_MAX = 2000;

export function markWords(rows: HTMLElement | undefined, query: string, current: string | undefined): void {
  if (!("highlights" in CSS)) {
    return;
  }
  const wanted = query.trim().toLowerCase();
  CSS.highlights.delete("kb-find");
  CSS.highlights.delete("kb-found");
  if (wanted === "" || rows === undefined) {
    return;
  }
  const all: Range[] = [];
  const found: Range[] = [];
  for (const row of rows.children) {
    const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
    const isCurrent = (row as HTMLElement).dataset["key"] === current;
    for (let node = walker.nextNode(); node !== null && all.length + found.length < RANGES_MAX; node = walker.nextNode()) {
      const text = (node.nodeValue ?? "").toLowerCase();
      for (let at = text.indexOf(wanted); at >= 0 && all.length + found.length < RANGES_MAX; at = text.indexOf(wanted, at + wanted.length)) {
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, Math.min(at + wanted.length, node.nodeValue?.length ?? 0));
        (isCurrent ? found : all).push(range);
      }
    }
  }
  CSS.highlights.set("kb-find", new Highlight(...all));
  CSS.highlights.set("kb-found", new Highlight(...found));
}
