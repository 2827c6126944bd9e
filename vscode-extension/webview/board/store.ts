import { received, sent, STARTING, withoutConfirmed, withoutError, type Model } from "../../src/shared/boardmodel";
import { dropPosition } from "../../src/shared/boardmove";
import type { Sort } from "../../src/shared/boardview";
import type { FromBoard, ToBoard } from "../../src/shared/messages";
import type { Action } from "../../src/shared/actions";
import type { Column, QuestionAnswer, Remember } from "../../src/shared/protocol";

const CONFIRMED_MS = 2000;

/** Holds the model of the page, sends what is asked for, and tells its listener at most once a frame that something changed. */
export class Store {
  model: Model = STARTING;
  onChange: () => void = () => {};
  onNews: (news: readonly string[]) => void = () => {};
  onReveal: (cardId: number) => void = () => {};
  private lastId = 0;
  private frame = 0;

  constructor(private readonly send: (message: FromBoard) => void) {}

  take(message: ToBoard): void {
    const { model, news } = received(this.model, message);
    this.become(model);
    if (news.length > 0) {
      this.onNews(news);
    }
    if (message.t === "reveal") {
      this.onReveal(message.cardId);
    }
    if (message.t === "done" && message.error === undefined && model.moves.some((move) => move.confirmed)) {
      setTimeout(() => this.become(withoutConfirmed(this.model)), CONFIRMED_MS);
    }
  }

  act(action: Action, cardIds: readonly number[]): void {
    this.ask({ t: "act", id: this.nextId(), action, cardIds });
  }

  /** Puts cards before `index` of the cards shown in a column, one after the other; cards that only change their column go with one message. */
  place(cardIds: readonly number[], column: Column, index: number, shownIds: readonly number[], sort: Sort): void {
    let before = shownIds.slice(0, index).filter((id) => !cardIds.includes(id));
    const after = shownIds.slice(index).filter((id) => !cardIds.includes(id));
    for (const cardId of cardIds) {
      const views = this.model.views;
      const shown = [...before, ...after].map((id) => views.get(id)).filter((view) => view !== undefined);
      const position = dropPosition([...views.values()], shown, before.length, column, sort, cardId);
      this.ask({ t: "move", id: this.nextId(), cardId, column, position });
      before = [...before, cardId];
    }
  }

  moveMany(cardIds: readonly number[], column: Column): void {
    this.ask({ t: "moveMany", id: this.nextId(), cardIds, column });
  }

  answer(decisionId: string, answer: { answers?: readonly QuestionAnswer[]; allow?: boolean; remember?: Remember; reason?: string }): void {
    this.ask({ t: "answer", id: this.nextId(), decisionId, ...answer });
  }

  newCard(title: string, column: Column): void {
    this.ask({ t: "newCard", id: this.nextId(), title, column });
  }

  ask(message: FromBoard): void {
    this.become(sent(this.model, message));
    this.send(message);
  }

  dismissError(cardId: number): void {
    this.become(withoutError(this.model, cardId));
  }

  private nextId(): number {
    return ++this.lastId;
  }

  private become(model: Model): void {
    if (model === this.model) {
      return;
    }
    this.model = model;
    if (this.frame === 0) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.onChange();
      });
    }
  }
}
