// The contract between the extension and its two pages. Every message has a tag `t`. A page holds nothing that it cannot be sent again.
import type { Action } from "./actions";
import type { BoardSnapshot, ByteRange, Card, Checkpoint, Column, Decision, QuestionAnswer, Remember, Run, ThreadItem } from "./protocol";

/** How the sidecar of a repository stands. `message` and `nextStep` are sentences; `actions` are commands of the extension that can be asked for. */
export interface SidecarState {
  kind: "none" | "untrusted" | "starting" | "ready" | "reconnecting" | "failed";
  message?: string;
  nextStep?: string;
  actions?: readonly StateAction[];
}

export interface StateAction {
  id: "manageTrust" | "restartSidecar" | "showLog" | "openFolder" | "openSettings";
  label: string;
}

/** What only the extension knows of a board: the name of its repository, whether it is one of several, the limit of runs at once. */
export interface BoardFrame {
  repository: string;
  /** The folder of the repository, for the context of the page's menus; without it the page takes the one that it was opened for. */
  folder?: string;
  several: boolean;
  maxParallel?: number;
}

export type ToBoard =
  | { t: "state"; state: SidecarState }
  /** The board as it is now. Sent whole; equal parts keep their identity by `id`. */
  | { t: "board"; board: BoardSnapshot; frame: BoardFrame }
  /** Only what differs from the board sent before it; `order` lists nothing: a page lays it over by id. */
  | { t: "change"; revision: number; cards: readonly Card[]; runs: readonly Run[]; decisions: readonly Decision[]; removedCards: readonly number[]; removedRuns: readonly number[]; removedDecisions: readonly string[]; spend?: BoardSnapshot["spend"]; notices?: BoardSnapshot["notices"] }
  /** What a message with `id` came to; an error is a sentence with its next step. */
  | { t: "done"; id: number; error?: string }
  /** Bring a card into view and focus it. */
  | { t: "reveal"; cardId: number };

export type FromBoard =
  | { t: "ready" }
  | { t: "act"; id: number; action: Action; cardIds: readonly number[] }
  | { t: "move"; id: number; cardId: number; column: Column; position: number }
  | { t: "moveMany"; id: number; cardIds: readonly number[]; column: Column }
  | { t: "answer"; id: number; decisionId: string; answers?: readonly QuestionAnswer[]; allow?: boolean; remember?: Remember; reason?: string }
  /** Opens the extension's own dialog of a decision: free text, several questions, many options. */
  | { t: "answerMore"; decisionId: string }
  | { t: "newCard"; id: number; title: string; column: Column }
  | { t: "state"; action: StateAction["id"] }
  | { t: "pickRepository" };

export type ToThread =
  | { t: "state"; state: SidecarState }
  /** Starts the page over with a piece of the thread: its end, unless `atStart` and `atEnd` say that it is all. */
  | { t: "thread"; card: Card; run: Run; decisions: readonly Decision[]; items: readonly ThreadItem[]; atStart: boolean; checkpoints?: readonly Checkpoint[] }
  /** `checkpoints` (of `run/details`, the oldest first) only when they have changed. */
  | { t: "run"; card: Card; run: Run; decisions: readonly Decision[]; checkpoints?: readonly Checkpoint[] }
  /** What has come at the end. A page that has dropped its end keeps none of it, and asks for `newer` or `latest` later. */
  | { t: "append"; items: readonly ThreadItem[] }
  /** Items before those that the page has, in order. */
  | { t: "older"; items: readonly ThreadItem[]; atStart: boolean }
  /** Items after those that the page has, in order; `atEnd` when there are none after them now. */
  | { t: "newer"; items: readonly ThreadItem[]; atEnd: boolean }
  /** An answer to `line`: the raw line or a piece of a long text, from `offset` (bytes) on. */
  | { t: "line"; id: number; text?: string; next?: number; error?: string }
  /** `messageId` after a `reply`. */
  | { t: "done"; id: number; error?: string; messageId?: string }
  | { t: "gone"; message: string };

export type FromThread =
  | { t: "ready" }
  /** A page holds a bounded piece of the thread and drops the other end: `before` and `after` are the cursors of its first and last item. */
  | { t: "older"; before?: string }
  | { t: "newer"; after: string }
  /** Starts over with the end of the thread: the answer is `thread`. */
  | { t: "latest" }
  | { t: "line"; id: number; bytes: ByteRange; offset: number }
  | { t: "reply"; id: number; text: string; replaces?: string }
  | { t: "answer"; id: number; decisionId: string; answers?: readonly QuestionAnswer[]; allow?: boolean; remember?: Remember; reason?: string }
  | { t: "answerMore"; decisionId: string }
  | { t: "rewind"; id: number; checkpoint: string }
  | { t: "forkFrom"; id: number; checkpoint: string }
  | { t: "act"; id: number; action: Action }
  | { t: "copy"; text: string }
  | { t: "state"; action: StateAction["id"] };
