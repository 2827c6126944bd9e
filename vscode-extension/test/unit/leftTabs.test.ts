import { expect, test, vi } from "vitest";
import * as vscode from "vscode";
import { LeftTabs } from "../../src/webviews/leftTabs";

const page = (label: string, view = "kanbots.board") => ({ label, input: new (vscode.TabInputWebview as unknown as new (view: string) => object)(`mainThreadWebview-${view}`) });

function shown(activeTab: object, isKnown: boolean, opens = true) {
  const close = vi.fn(async () => true);
  const groups = [{ activeTab, viewColumn: 1 }];
  const openAgain = vi.fn(() => {
    // As VS Code does: the new page is what the column shows.
    if (opens) isKnown = true;
    return opens;
  });
  const tabGroups = { get all() { return groups; }, close, onDidChangeTabs: () => ({ dispose: () => undefined }), onDidChangeTabGroups: () => ({ dispose: () => undefined }) };
  vi.spyOn(vscode.window, "tabGroups", "get").mockReturnValue(tabGroups as never);
  const left = new LeftTabs([{ view: "kanbots.board", isShownIn: () => isKnown, openAgain }]);
  return { left, close, openAgain, learn: () => (isKnown = true) };
}

test("a page that nobody is behind is opened again, once, and the old tab is closed", async () => {
  vi.useFakeTimers();
  const { left, close, openAgain } = shown(page("Board: sample"), false);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(openAgain.mock.calls).toEqual([["Board: sample", 1]]);
  expect(close).toHaveBeenCalledTimes(1);
  left.dispose();
  vi.useRealTimers();
});

test("a tab that its serializer takes in time stays, and so do those of others", async () => {
  vi.useFakeTimers();
  const restored = shown(page("Board"), false);
  await vi.advanceTimersByTimeAsync(500);
  restored.learn();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(restored.openAgain).not.toHaveBeenCalled();
  restored.left.dispose();
  const foreign = shown(page("Preview", "markdown.preview"), false);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(foreign.openAgain).not.toHaveBeenCalled();
  foreign.left.dispose();
  vi.useRealTimers();
});

test("a page whose session is still on its way is asked for until it is there", async () => {
  vi.useFakeTimers();
  const { left, close, openAgain } = shown(page("Board"), false, false);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(openAgain.mock.calls.length).toBeGreaterThan(1);
  expect(close).not.toHaveBeenCalled();
  left.dispose();
  vi.useRealTimers();
});
