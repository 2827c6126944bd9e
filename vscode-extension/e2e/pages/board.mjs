// The board's page in a browser, without an editor: `node e2e/pages/board.mjs` after `npm run build`. SHOTS=<folder> keeps pictures of every state.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { asBoard, card, change, everyState, FRAME, large, question, READY, run } from "./boards.mjs";
import { axe, browse, busiest, feed, nodes, shot } from "./page.mjs";

let browser;
before(async () => (browser = await browse("board", new URL("../../", import.meta.url))));
after(() => browser.close());

const byNumber = (page, number) => page.locator("kb-card", { has: page.locator(`.number:text-is("#${number}")`) });
const titles = (page, column) => page.locator(`kb-column[data-key="${column}"] h3`).allTextContents();
const sent = (page, kind) => page.evaluate((t) => window.sent.filter((message) => message.t === t), kind);
const focused = (page) => page.evaluate(() => document.activeElement?.closest("kb-card")?.querySelector(".number")?.textContent ?? document.activeElement?.tagName);
const said = (page, text) => page.waitForFunction((wanted) => document.querySelector("[role=status]")?.textContent?.includes(wanted), text, { timeout: 3000 });

/** A page with the board of every state, closed when the body is through; nothing may reach the console or break the policy. */
async function on(options, body) {
  const { board = everyState(), frame = FRAME, ...rest } = options;
  const { page, problems, close } = await browser.open(rest);
  try {
    await feed(page, READY, asBoard(board, frame));
    await body(page, board);
    assert.deepEqual(problems, []);
    assert.deepEqual(await page.evaluate(() => window.violations), []);
  } finally {
    await close();
  }
}

for (const theme of ["dark", "light", "highContrast"]) {
  test(`every state reads well for axe, ${theme}`, () => on({ theme }, async (page) => {
    await shot(page, `board-${theme}`);
    assert.deepEqual(await axe(page), []);
    await byNumber(page, 91).click({ modifiers: ["Control"] });
    await byNumber(page, 92).click({ modifiers: ["Control"] });
    await byNumber(page, 92).getByRole("button", { name: "More actions for #92" }).click();
    await shot(page, `board-menu-${theme}`);
    assert.deepEqual(await axe(page), []);
  }));
}

test("forced colours, a narrow page, a page at twice the size", async () => {
  for (const [name, options] of Object.entries({ forced: { context: { forcedColors: "active" } }, narrow: { width: 380, height: 900 }, zoomed: { width: 750, height: 430, context: { deviceScaleFactor: 2 } } })) {
    await on(options, async (page) => {
      await shot(page, `board-${name}`);
      assert.deepEqual(await axe(page, { contrast: name !== "forced" }), [], name);
    });
  }
});

test("pages without a board say why and what to do", async () => {
  const { page, problems, close } = await browser.open({ width: 900, height: 500 });
  const states = [
    { kind: "starting" },
    { kind: "none", actions: [{ id: "openFolder", label: "Open folder" }] },
    { kind: "untrusted", actions: [{ id: "manageTrust", label: "Manage workspace trust" }] },
    { kind: "reconnecting", message: "The sidecar went away. Trying again in 4 s.", actions: [{ id: "restartSidecar", label: "Try now" }] },
    { kind: "failed", message: "The sidecar was not found.", nextStep: "Set kanbots.sidecar.path to its executable.", actions: [{ id: "openSettings", label: "Open settings" }, { id: "showLog", label: "Show log" }] },
  ];
  for (const state of states) {
    await feed(page, { t: "state", state });
    await shot(page, `page-${state.kind}`);
    assert.deepEqual(await axe(page), [], state.kind);
    for (const { label, id } of state.actions ?? []) {
      await page.getByRole("button", { name: label }).click();
      assert.equal((await sent(page, "state")).at(-1).action, id);
    }
  }
  await feed(page, READY, asBoard({ ...everyState(), cards: [], runs: [], decisions: [] }));
  await shot(page, "page-empty");
  assert.deepEqual(await axe(page), []);
  await page.getByRole("main").getByRole("button", { name: "New card" }).click();
  await page.keyboard.type("First thing");
  await page.keyboard.press("Enter");
  assert.deepEqual((await sent(page, "newCard")).map(({ title, column }) => ({ title, column })), [{ title: "First thing", column: "todo" }]);
  await close();
  assert.deepEqual(problems, []);
});

test("the board stays while its sidecar is away", () => on({}, async (page) => {
  await feed(page, { t: "state", state: { kind: "reconnecting", message: "The sidecar went away. Trying again in 4 s.", actions: [{ id: "showLog", label: "Show log" }] } });
  await shot(page, "board-reconnecting");
  assert.equal(await page.locator("kb-card").count(), 14);
  await page.getByRole("button", { name: "Show log" }).click();
  assert.deepEqual(await sent(page, "state"), [{ t: "state", action: "showLog" }]);
  assert.deepEqual(await axe(page), []);
}));

test("cards that wait stand first; archived ones are not shown; Done has its latest first", () => on({}, async (page) => {
  assert.deepEqual(await titles(page, "inProgress"), ["Add toast component", "Sign the release archives", "Deflake the auth test", "Upgrade the parser", "Generate the client from the schema"]);
  assert.deepEqual(await titles(page, "done"), ["Fix the date picker in Safari", "Try the new bundler"]);
  assert.match(await page.locator(".summary").innerText(), /2 running · 2 waiting for you · 1 queued \(limit 4\)\s+today \$1\.84 of \$50/);
}));

test("questions are answered in place", () => on({}, async (page, board) => {
  await byNumber(page, 88).getByRole("button", { name: "Radix" }).click();
  assert.deepEqual((await sent(page, "answer"))[0], { t: "answer", id: 1, decisionId: "d1", answers: [{ questionId: "q1", values: ["Radix"] }], allow: true });
  assert.equal(await byNumber(page, 88).getByRole("button", { name: "Scratch" }).isDisabled(), true);
  await feed(page, { t: "done", id: 1, error: "The question was answered in another window." });
  await byNumber(page, 88).getByText("answered in another window").waitFor();
  await byNumber(page, 88).getByRole("button", { name: "Other…" }).click();
  await page.keyboard.type("Use <b>both</b>");
  await page.keyboard.press("Enter");
  assert.deepEqual((await sent(page, "answer"))[1].answers, [{ questionId: "q1", values: ["Use <b>both</b>"] }]);
  await byNumber(page, 96).getByRole("button", { name: "Deny…" }).click();
  await page.keyboard.type("not here");
  await shot(page, "board-deny");
  await page.keyboard.press("Enter");
  assert.deepEqual((await sent(page, "answer"))[2], { t: "answer", id: 3, decisionId: "d2", allow: false, remember: "once", reason: "not here" });
  await feed(page, change({ decisions: [{ ...board.decisions[0], state: "answered" }], runs: [{ ...board.runs[3], state: "running" }] }));
  assert.equal(await byNumber(page, 88).locator(".question").count(), 0);
  await said(page, "#88 running");
}));

test("each kind of decision has its own buttons", async () => {
  const board = everyState();
  const [first] = board.decisions;
  const kinds = [
    [{ ...first, kind: "plan", questions: [], tool: { name: "ExitPlanMode", description: "1. Read\n2. Write" } }, "Approve", { allow: true }],
    [{ ...first, kind: "budget", questions: [], tool: { name: "budget", description: "The budget of $5 is reached. Continue with more?" } }, "Continue with more", { allow: true }],
    [{ ...first, kind: "permission", questions: [], tool: { name: "Bash", input: { command: "ls" } } }, "Allow for this card", { allow: true, remember: "card" }],
  ];
  for (const [decision, name, answer] of kinds) {
    await on({ board: { ...board, decisions: [decision] } }, async (page) => {
      await shot(page, `board-${decision.kind}`);
      await byNumber(page, 88).getByRole("button", { name, exact: true }).click();
      assert.deepEqual(await sent(page, "answer"), [{ t: "answer", id: 1, decisionId: "d1", ...answer }]);
    });
  }
  for (const decision of [{ ...first, questions: [...first.questions, ...first.questions] }, question("d1", board.runs[3], "Which?", ["a", "b", "c", "d", "e"])]) {
    await on({ board: { ...board, decisions: [decision] } }, async (page) => {
      await byNumber(page, 88).getByRole("button", { name: "Answer…" }).click();
      assert.deepEqual(await sent(page, "answerMore"), [{ t: "answerMore", decisionId: "d1" }]);
    });
  }
});

test("hostile text is text", () => on({}, async (page) => {
  const evil = "<img src=x onerror=alert(1)> [go](command:workbench.action.quit) $(zap) \u202e";
  const item = card(50, 500, "todo", evil, { labels: [evil], runIds: [50], dot: "awaitingDecision" });
  const asks = question("evil", { id: 50, cardNumber: 500 }, evil, [evil]);
  await feed(page, change({ cards: [item], runs: [run(50, item, "awaitingDecision", { currentTool: evil, reason: { kind: "x", message: evil } })], decisions: [asks] }));
  assert.equal(await byNumber(page, 500).locator("h3").textContent(), evil);
  assert.equal(await page.locator("kb-board img, kb-board a").count(), 0);
}));

test("a card is dragged to another column, shown there at once, and comes back when refused", () => on({}, async (page, board) => {
  const from = await byNumber(page, 93).locator("h3").boundingBox();
  const to = await byNumber(page, 92).boundingBox();
  await page.mouse.move(from.x + 10, from.y + 5);
  await page.mouse.down();
  await page.mouse.move(from.x + 40, from.y + 20, { steps: 3 });
  await page.mouse.move(to.x + 30, to.y + 8, { steps: 6 });
  await page.waitForFunction(() => document.querySelector(".drop") !== null);
  await shot(page, "board-drag");
  await page.mouse.up();
  assert.deepEqual(await sent(page, "move"), [{ t: "move", id: 1, cardId: 1, column: "todo", position: 1 }]);
  await page.waitForFunction(() => document.querySelectorAll('kb-column[data-key="todo"] kb-card').length === 4);
  assert.deepEqual((await titles(page, "todo")).slice(0, 3), ["Cache the font metrics between renders", "Document the retry policy", "Drop the legacy export"]);
  assert.deepEqual(await sent(page, "act"), [], "the click that ends a drag opens nothing");
  await feed(page, { t: "done", id: 1, error: "The card is gone." });
  assert.equal((await titles(page, "todo")).length, 3);
  await byNumber(page, 93).getByText("The card is gone.").waitFor();
  await said(page, "The card is gone.");
  assert.equal(board.cards[0].column, "backlog");
}));

test("Escape ends a drag; the order within a column is changed by one", () => on({}, async (page) => {
  const from = await byNumber(page, 91).locator("h3").boundingBox();
  await page.mouse.move(from.x + 10, from.y + 5);
  await page.mouse.down();
  await page.mouse.move(from.x + 300, from.y + 200, { steps: 5 });
  assert.equal(await page.locator(".ghost").count(), 1);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".ghost, .drop, [data-lifted], [data-over]").count(), 0);
  await page.mouse.up();
  assert.deepEqual(await sent(page, "move"), []);
  const below = await byNumber(page, 95).boundingBox();
  await page.mouse.move(from.x + 10, from.y + 5);
  await page.mouse.down();
  await page.mouse.move(below.x + 40, below.y + below.height + 30, { steps: 6 });
  await page.waitForFunction(() => document.querySelector(".drop") !== null);
  await page.mouse.up();
  assert.deepEqual((await sent(page, "move")).map(({ column, position }) => ({ column, position })), [{ column: "todo", position: 2 }]);
  await feed(page, { t: "done", id: 1 }, change({ cards: [card(3, 91, "todo", "Cache the font metrics between renders", { position: 6 })] }));
  assert.equal((await titles(page, "todo")).at(-1), "Cache the font metrics between renders");
}));

test("the keyboard walks, selects, moves, opens and comes back", () => on({}, async (page, board) => {
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.type), "search");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(page), "#93");
  await page.keyboard.press("ArrowRight");
  assert.equal(await focused(page), "#91");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Shift+ArrowDown");
  assert.equal(await focused(page), "#95");
  assert.equal(await page.locator("kb-card[aria-selected=true]").count(), 2);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("kb-card[aria-selected=true]").count(), 0);
  await page.keyboard.press("Home");
  await page.keyboard.press("Control+ArrowRight");
  assert.deepEqual((await sent(page, "move")).at(-1), { t: "move", id: 1, cardId: 3, column: "inProgress", position: 0 });
  await said(page, "#91 is in In progress");
  await page.waitForFunction(() => document.activeElement?.closest('kb-column[data-key="inProgress"]') !== null);
  assert.equal(await focused(page), "#91", "the card keeps the focus where it goes");
  await feed(page, { t: "done", id: 1 }, change({ cards: [{ ...board.cards.find((item) => item.id === 3), column: "inProgress", position: 0.5 }] }));
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Home");
  assert.equal(await focused(page), "#88");
  await page.keyboard.press("Enter");
  assert.deepEqual((await sent(page, "act")).map(({ action, cardIds }) => ({ action, cardIds })), [{ action: "showThread", cardIds: [8] }]);
  await page.keyboard.press("F2");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Radix");
  await page.keyboard.press("ArrowRight");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Scratch");
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "KB-CARD");
  await page.keyboard.press("n");
  await page.keyboard.type("n is a letter here, and so is /");
  assert.equal(await page.evaluate(() => document.activeElement.value), "n is a letter here, and so is /");
  await page.keyboard.press("Enter");
  assert.deepEqual((await sent(page, "newCard")).map((message) => message.title), ["n is a letter here, and so is /"]);
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".adding").count(), 0);
}));

test("Tab goes from column to column by one card each, and into the controls of the card that has the focus", () => on({}, async (page) => {
  await byNumber(page, 88).focus();
  const way = [];
  for (let at = 0; at < 7; at++) {
    await page.keyboard.press("Tab");
    way.push(await page.evaluate(() => (document.activeElement.tagName === "KB-CARD" ? document.activeElement.querySelector(".number").textContent : document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent)));
  }
  assert.deepEqual(way, ["More actions for #88", "Radix", "Scratch", "Other…", "New card in Review", "#90", "More actions for #90"]);
}));

test("selected cards are dispatched, moved and stopped together", () => on({}, async (page) => {
  await byNumber(page, 91).click();
  await byNumber(page, 92).click({ modifiers: ["Shift"] });
  await byNumber(page, 89).locator(".top").click({ modifiers: ["Control"] });
  await shot(page, "board-selected");
  await page.getByRole("button", { name: "Dispatch 2 selected" }).click();
  await page.getByRole("button", { name: "Stop 1" }).click();
  await page.getByRole("button", { name: "Move to…" }).click();
  await page.getByRole("menuitem", { name: "Done" }).click();
  assert.deepEqual((await sent(page, "act")).filter(({ action }) => action !== "editCard").map(({ action, cardIds }) => ({ action, cardIds })), [{ action: "dispatch", cardIds: [3, 4] }, { action: "stop", cardIds: [6] }]);
  assert.deepEqual((await sent(page, "moveMany")).map(({ cardIds, column }) => ({ cardIds, column })), [{ cardIds: [3, 4, 6], column: "done" }]);
  assert.equal((await titles(page, "done")).length, 5);
  await byNumber(page, 93).focus();
  await page.keyboard.press("Control+a");
  assert.equal(await page.locator("kb-card[aria-selected=true]").count(), 14);
}));

test("a key on a button of the head does that button's work and nothing more", () => on({}, async (page) => {
  await byNumber(page, 91).click({ modifiers: ["Control"] });
  for (const key of ["Enter", "Space"]) {
    await page.getByRole("button", { name: "Move to…" }).focus();
    await page.keyboard.press(key);
    await page.waitForFunction(() => document.activeElement?.textContent?.trim() === "Backlog");
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => document.activeElement?.textContent?.trim() === "Move to…");
    await page.getByRole("button", { name: "New card", exact: true }).focus();
    await page.keyboard.press(key);
    await page.waitForFunction(() => document.activeElement?.matches(".adding input"));
    await page.keyboard.type("x");
    assert.equal(await page.evaluate(() => document.activeElement.value), "x");
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => document.querySelector(".adding") === null);
  }
  assert.deepEqual(await sent(page, "moveMany"), []);
}));

test("the menu of a card works by keyboard and gives the focus back", () => on({}, async (page) => {
  await byNumber(page, 90).focus();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("role")), "menuitem");
  await page.keyboard.press("m");
  await page.keyboard.press("Enter");
  assert.deepEqual(await page.getByRole("menuitem").allTextContents(), ["Backlog", "Todo", "In progress", "Review", "Done"]);
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "More actions for #90");
  const context = JSON.parse(await byNumber(page, 90).getAttribute("data-vscode-context"));
  assert.equal(context.webviewSection, "card");
  assert.equal(context.cardId, 11);
  assert.equal(context["kanbots.can.promote"], true);
  assert.equal(context["kanbots.can.stop"], undefined);
}));

test("the filter, the order and Done are kept by the page", () => on({}, async (page) => {
  await page.keyboard.press("/");
  await page.keyboard.type("state:waiting");
  assert.equal(await page.locator("kb-card").count(), 2);
  await page.getByLabel("Order of the cards").selectOption("cost");
  await page.reload();
  await feed(page, READY, asBoard(everyState()));
  assert.equal(await page.getByLabel("Filter the cards").inputValue(), "state:waiting");
  assert.equal(await page.getByLabel("Order of the cards").inputValue(), "cost");
  assert.equal(await page.locator("kb-card").count(), 2);
  assert.deepEqual((await page.evaluate(() => JSON.parse(sessionStorage.getItem("state")))).place, { folder: "/r" });
  await page.getByLabel("Filter the cards").fill("nothing like it");
  await shot(page, "board-filtered");
  await feed(page, { t: "reveal", cardId: 11 });
  await page.waitForFunction(() => document.activeElement?.querySelector?.(".number")?.textContent === "#90");
}));

test("a page keeps what it is of from the start; a card asked for before the board comes is shown with it", async () => {
  const { page, close } = await browser.open();
  assert.deepEqual((await page.evaluate(() => JSON.parse(sessionStorage.getItem("state")))).place, { folder: "/r" });
  await feed(page, { t: "reveal", cardId: 11 }, READY, asBoard(everyState(), { repository: "sample", several: true }));
  await page.waitForFunction(() => document.activeElement?.querySelector?.(".number")?.textContent === "#90");
  assert.equal(JSON.parse(await byNumber(page, 90).getAttribute("data-vscode-context")).folder, "/r");
  await page.getByRole("button", { name: "sample" }).click();
  assert.deepEqual(await sent(page, "pickRepository"), [{ t: "pickRepository" }]);
  await close();
});

test("a draft survives what happens around it", () => on({}, async (page, board) => {
  await byNumber(page, 96).getByRole("button", { name: "Deny…" }).click();
  await page.keyboard.type("because ");
  // The other question goes, so that this card goes up; a run beside it changes.
  await feed(page, change({ decisions: [{ ...board.decisions[0], state: "withdrawn" }], runs: [{ ...board.runs[1], currentTool: "Read a.ts" }] }));
  await page.keyboard.type("it is signed elsewhere");
  assert.equal(await byNumber(page, 96).locator("input").inputValue(), "because it is signed elsewhere");
}));

test("cards that came and went leave nothing in the page", () => on({}, async (page) => {
  const comeAndGo = async (rounds) => {
    for (let i = 0; i < rounds; i++) {
      await feed(page, change({ cards: [card(900, 900, "todo", "comes and goes"), card(901, 901, "backlog", "this one too")] }));
      await page.waitForFunction(() => document.body.textContent.includes("comes and goes"));
      await feed(page, change({ removedCards: [900, 901] }));
      await page.waitForFunction(() => !document.body.textContent.includes("comes and goes"));
    }
  };
  await comeAndGo(5);
  const before = await nodes(page);
  await comeAndGo(60);
  const after = await nodes(page);
  assert.ok(after < before + 60, `${before} nodes became ${after}`);
}));

test("in a narrow page cards are one list, those that wait first", () => on({ width: 400 }, async (page) => {
  assert.deepEqual(await page.locator("h2").evaluateAll((all) => all.map((heading) => heading.firstChild.nextSibling.textContent.trim())), ["Waiting for you", "Failed or stopped", "In review", "Running", "Queued", "Todo", "Backlog", "Done"]);
  await byNumber(page, 88).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(page), "#87");
  await page.setViewportSize({ width: 1200, height: 800 });
  await page.waitForFunction(() => document.querySelectorAll("kb-column").length === 5 && document.querySelectorAll("kb-column:not([hidden]) kb-card:not([hidden])").length === 14);
}));

test("a board of 500 cards stays smooth while four runs write and while it is laid out anew", async (context) => {
  const { page, close } = await browser.open({ width: 1300 });
  const board = large();
  const all = () => page.waitForFunction(() => document.querySelectorAll("kb-column:not([hidden]) kb-card:not([hidden])").length === 421, undefined, { timeout: 30_000 });
  await feed(page, READY, asBoard(board));
  await all();
  const phases = {
    live: async () => {
      const drawn = await page.evaluate(async (runs) => {
        let others = 0;
        const ofOther = (node) => {
          const id = (node.parentElement ?? node).closest?.("kb-card")?.dataset.cardId;
          return id !== undefined && !["1", "2", "3", "4"].includes(id);
        };
        const observer = new MutationObserver((records) => (others += records.filter((record) => ofOther(record.target)).length));
        observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
        for (let at = 0; at < 60; at++) {
          for (const run of runs) {
            window.postMessage({ t: "change", revision: at, cards: [], runs: [{ ...run, currentTool: `Bash step ${at}`, costMicroUsd: at * 10_000 }], decisions: [], removedCards: [], removedRuns: [], removedDecisions: [] }, "*");
          }
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        observer.disconnect();
        return others;
      }, board.runs.slice(0, 4));
      assert.equal(drawn, 0, "only the cards of the runs are drawn");
      await page.waitForFunction(() => document.querySelector('kb-card[data-card-id="1"] .now')?.textContent?.includes("step 59"));
    },
    narrow: async () => {
      await page.setViewportSize({ width: 500, height: 860 });
      await page.waitForFunction(() => document.querySelector(".columns.list") !== null);
      await all();
    },
    wide: async () => {
      await page.setViewportSize({ width: 1300, height: 860 });
      await page.waitForFunction(() => document.querySelector(".columns:not(.list)") !== null);
      await all();
    },
    filter: async () => {
      await page.getByLabel("Filter the cards").fill("state:running");
      await page.waitForFunction(() => document.querySelectorAll("kb-column:not([hidden]) kb-card:not([hidden])").length === 4);
      await page.getByLabel("Filter the cards").fill("");
      await all();
    },
  };
  const worst = {};
  for (const [name, phase] of Object.entries(phases)) {
    worst[name] = await busiest(page, phase);
  }
  // For information; what is promised of it is measured in bench/, on a machine that does nothing else.
  context.diagnostic(`longest task by phase: ${JSON.stringify(worst)}`);
  await close();
});
