// The board's page in the workbench by mouse and by keyboard: dragging, many cards at once, filter and order, two windows, little room, high contrast, reduced motion.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { until } from "../until.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TITLES = ["sort the bulbs", "rake the leaves", "mend the fence", "oil the gate", "paint the bench", "prune the rose"];
/** Themes that VS Code calls otherwise than it shows them. */
const THEMES = { "Dark High Contrast": "Default High Contrast", "Light High Contrast": "Default High Contrast Light" };

export default async function ({ step, shared }) {
  const bench = await shared();
  const repository = bench.repository("boardpage");
  bench.script("endless", [{ say: "Working." }, { wait: 600_000 }]);
  bench.script("asks", [{ ask: [{ question: "Which colour?", header: "Colour", multiSelect: false, options: [{ label: "Blue" }, { label: "Green" }] }] }, { say: "Thank you." }]);
  const cards = [];
  for (const [index, title] of TITLES.entries()) cards.push(await repository.card(index + 1, title, "endless", index === 0 ? "backlog" : "todo"));
  const window = await bench.open(repository.path);
  const { page } = window;
  const board = await window.board();
  await board.getByText("prune the rose").first().waitFor();

  const card = (number, frame = board) => frame.locator("kb-column:not([hidden]) kb-card:not([hidden])").filter({ hasText: TITLES[number - 1] }).first();
  const column = (key, frame = board) => frame.locator(`kb-column[data-key="${key}"]`);
  /** The numbers of the cards in the columns that have some: as a page draws them, and as the sidecar keeps them. */
  const drawn = (frame = board) => frame.evaluate(() => Object.fromEntries([...document.querySelectorAll("kb-column:not([hidden])")].map((one) => [one.dataset.key, [...one.querySelectorAll("kb-card:not([hidden])")].map((other) => other.view.card.number)]).filter(([, numbers]) => numbers.length > 0)));
  const kept = async () => {
    const columns = {};
    for (const one of (await repository.board()).cards.sort((a, b) => a.position - b.position || a.id - b.id)) (columns[one.column] ??= []).push(one.number);
    return columns;
  };
  let last;
  const isSo = (what, look, wanted) => until(what, async () => {
    last = await look();
    assert.deepEqual(last, wanted);
    return true;
  }, { detail: () => `It is ${JSON.stringify(last)}.` });
  /** On the wire and on the page. Done is drawn newest first. */
  const stands = async (wanted, frame = board) => {
    await isSo("the sidecar has the cards so", kept, wanted);
    await isSo("the page shows them so", () => drawn(frame), wanted.done === undefined ? wanted : { ...wanted, done: [...wanted.done].reverse() });
  };
  /** Takes a card with the mouse and holds it over a place, as a person does: not in one jump. */
  const hold = async (number, over) => {
    const from = await card(number).locator("h3").boundingBox();
    await page.mouse.move(from.x + from.width + 4, from.y + from.height / 2);
    await page.mouse.down();
    await page.mouse.move(from.x + from.width + 16, from.y + from.height / 2 + 6, { steps: 3 });
    await board.locator(".ghost").waitFor();
    await page.mouse.move(over.x, over.y, { steps: 8 });
  };
  const inColumn = async (key) => {
    const place = await column(key).boundingBox();
    return { x: place.x + place.width / 2, y: place.y + place.height * 0.7 };
  };
  const over = (key) => until(`the card is held over ${key}`, async () => (await board.locator("kb-column[data-over]").count()) === 1 && (await column(key).getAttribute("data-over")) !== null);

  await step("a card is dragged to another column, and is there on the wire and on the page", async () => {
    await stands({ backlog: [1], todo: [2, 3, 4, 5, 6] });
    await hold(2, await inColumn("review"));
    await over("review");
    await window.screenshot("boardpage-drag");
    await page.mouse.up();
    await stands({ backlog: [1], todo: [3, 4, 5, 6], review: [2] });
    assert.equal(await board.locator(".ghost, .drop").count(), 0);
  });
  await step("a card is dragged to a place within its column", async () => {
    const first = await card(3).boundingBox();
    await hold(6, { x: first.x + first.width / 2, y: first.y + 4 });
    await over("todo");
    await page.mouse.up();
    await stands({ backlog: [1], todo: [6, 3, 4, 5], review: [2] });
  });
  await step("Escape puts a dragged card back", async () => {
    await hold(3, await inColumn("done"));
    await over("done");
    await page.keyboard.press("Escape");
    await board.locator(".ghost").waitFor({ state: "detached" });
    await page.mouse.up();
  });
  await step("cards are moved by the keyboard: to the next column, and within one", async () => {
    await card(4).focus();
    await page.keyboard.press("Control+ArrowRight");
    // Had the card that was put back been moved, it would be seen with this one.
    await stands({ backlog: [1], todo: [6, 3, 5], inProgress: [4], review: [2] });
    await until("the card keeps the focus", () => board.evaluate(() => document.activeElement?.view?.card.number === 4));
    await page.keyboard.press("Control+ArrowLeft");
    await stands({ backlog: [1], todo: [4, 6, 3, 5], review: [2] });
    await card(5).focus();
    await page.keyboard.press("Control+ArrowUp");
    await stands({ backlog: [1], todo: [4, 6, 5, 3], review: [2] });
  });
  await step("several cards are chosen by Ctrl+click and dragged together", async () => {
    for (const number of [3, 5]) await card(number).locator(".number").click({ modifiers: ["Control"] });
    await board.getByRole("group", { name: "2 selected" }).waitFor();
    await hold(3, await inColumn("done"));
    await over("done");
    await page.mouse.up();
    await until("both have moved", async () => (await kept()).done?.toSorted().join() === "3,5");
    await page.keyboard.press("Escape");
  });
  await step("a range is chosen by Shift and moved by the menu of the selection", async () => {
    const now = (await drawn()).done;
    await card(now[0]).locator(".number").click();
    await card(now[1]).locator(".number").click({ modifiers: ["Shift"] });
    await board.getByRole("group", { name: "2 selected" }).waitFor();
    await board.getByRole("button", { name: "Move to…" }).click();
    await board.getByRole("menuitem", { name: "Backlog" }).click();
    await until("both have moved", async () => (await kept()).backlog.toSorted().join() === "1,3,5");
    await isSo("the page shows what the sidecar keeps", async () => (await drawn()).backlog, (await kept()).backlog);
  });
  const statesOf = async (numbers) => {
    const { runs } = await repository.board();
    return numbers.map((number) => runs.find((run) => run.cardNumber === number)?.state);
  };
  await step("cards that are chosen by the keyboard are dispatched together", async () => {
    await page.keyboard.press("Escape");
    const [top] = (await drawn()).backlog;
    await card(top).focus();
    for (const key of ["x", "Shift+ArrowDown", "Shift+ArrowDown"]) await page.keyboard.press(key);
    await board.getByRole("button", { name: "Dispatch 3 selected" }).click();
    await isSo("all three run", () => statesOf([1, 3, 5]), ["running", "running", "running"]);
    assert.deepEqual(await statesOf([2, 4, 6]), [undefined, undefined, undefined]);
  });
  await step("and are stopped together", async () => {
    await card(1).focus();
    await page.keyboard.press("Control+a");
    await board.getByRole("button", { name: "Stop 3", exact: true }).click();
    await isSo("all three are stopped", () => statesOf([1, 3, 5]), ["stopped", "stopped", "stopped"]);
    await page.keyboard.press("Escape");
  });
  await step("the filter takes words, numbers and states, and Escape clears it", async () => {
    await card(4).focus();
    await page.keyboard.press("/");
    const shown = async () => Object.values(await drawn()).flat().toSorted();
    for (const [text, numbers] of [["fence", [3]], ["#2", [2]], ["state:stopped", [1, 3, 5]], ["state:stopped -bulbs", [3, 5]], ["nothing like it", []]]) {
      await page.keyboard.type(text);
      await isSo(`"${text}" shows its cards`, shown, numbers);
      await page.keyboard.press("Escape");
      await isSo("all are shown again", shown, [1, 2, 3, 4, 5, 6]);
    }
  });
  await step("the order of the page is another, and that of the board stays", async () => {
    const before = await kept();
    const order = board.getByLabel("Order of the cards");
    await order.selectOption({ label: "Newest" });
    const newest = Object.fromEntries(Object.entries(before).map(([key, numbers]) => [key, numbers.toSorted((a, b) => b - a)]));
    await isSo("the newest is first", drawn, newest);
    assert.deepEqual(await kept(), before);
    await order.selectOption({ label: "Board order" });
    await isSo("the board's order is back", drawn, before);
  });
  await step("a second window shows the same, and what is moved in one", async () => {
    const second = await bench.open(repository.path);
    const other = await second.board();
    await other.getByText("prune the rose").first().waitFor();
    await isSo("both are equal", () => drawn(other), await drawn());
    await hold(2, await inColumn("todo"));
    await over("todo");
    await page.mouse.up();
    await until("it has moved", async () => (await kept()).todo.includes(2));
    const now = await kept();
    for (const frame of [board, other]) await isSo("the page shows it", () => drawn(frame), now);
  });

  const violations = async () => {
    await board.evaluate(axe);
    const found = await board.evaluate(() => globalThis.axe.run());
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)}`);
  };
  await step("a page without room for columns is a list, and a page of any width does not scroll sideways", async () => {
    await window.command("View: Close Primary Side Bar");
    for (const width of [1400, 900, 700, 500, 340]) {
      await page.setViewportSize({ width, height: 800 });
      await until(`the page is ${width < 640 ? "a list" : "columns"} at ${width} px`, async () => {
        const inner = await board.evaluate(() => innerWidth);
        return Math.abs(inner - width) < 120 && ((await board.locator(".columns.list").count()) === 1) === inner < 640;
      }, { detail: () => board.evaluate(() => innerWidth) });
      const wider = () => board.evaluate(() => [document.documentElement, document.body, document.querySelector("header")].map((one) => one.scrollWidth - one.clientWidth));
      await isSo(`nothing is wider than a page of ${width} px`, wider, [0, 0, 0]);
      if (width === 500) {
        assert.deepEqual(await violations(), []);
        await window.screenshot("boardpage-narrow");
      }
    }
    await page.setViewportSize({ width: 1400, height: 900 });
  });
  await step("in high contrast axe finds nothing, with a card that asks, one that runs and one that is chosen", async () => {
    await repository.dispatch(cards[3]);
    await repository.dispatch(await repository.card(7, "choose a colour", "asks"));
    await board.getByRole("button", { name: "Green" }).first().waitFor();
    await card(6).locator(".number").click({ modifiers: ["Control"] });
    const theme = () => board.evaluate(() => document.body.dataset.vscodeThemeId);
    const choose = async (label) => {
      await window.command("Preferences: Color Theme");
      await window.pick(label, { text: label });
      await until(`the page is in ${label}`, async () => (await theme()) === (THEMES[label] ?? label), { detail: theme });
    };
    const before = await theme();
    for (const label of [...Object.keys(THEMES), "Dark Modern"]) {
      await choose(label);
      assert.deepEqual(await violations(), [], label);
      await window.screenshot(`boardpage-${label.toLowerCase().replaceAll(" ", "-")}`);
    }
    // As it was for the suites that come after in this workbench.
    await choose(before);
  });
  await step("nothing moves for those who asked for less motion, and something does for others", async () => {
    // What its opacity was over two of its breaths.
    const seen = () => card(4).locator(".dot.running").evaluate(async (dot) => {
      const all = new Set();
      for (const end = performance.now() + 3200; performance.now() < end; await new Promise(requestAnimationFrame)) all.add(getComputedStyle(dot).opacity);
      return [...all].sort();
    });
    assert.deepEqual(await seen(), ["1"]);
    await page.emulateMedia({ reducedMotion: "no-preference" });
    await until("the dot of what runs breathes", async () => (await seen()).join(" ") === "0.35 0.65 1");
    await page.emulateMedia({ reducedMotion: "reduce" });
    await until("it rests again", async () => (await seen()).join(" ") === "1");
  });
}
