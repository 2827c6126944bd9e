type Then = (error: string | undefined, messageId: string | undefined) => void;

/** What was asked of the extension and has not been answered: by what it is about, so that its button is held back and its error stands beside it. */
export class Asks {
  private readonly open = new Map<number, { what: string; then?: Then }>();
  private readonly errors = new Map<string, string>();

  constructor(private readonly nextId: () => number, private readonly redraw: () => void) {}

  ask(what: string, post: (id: number) => void, then?: Then): void {
    if (!this.busy(what)) {
      const id = this.nextId();
      this.open.set(id, { what, then });
      this.errors.delete(what);
      post(id);
      this.redraw();
    }
  }

  done(id: number, error: string | undefined, messageId: string | undefined): void {
    const asked = this.open.get(id);
    this.open.delete(id);
    if (asked !== undefined) {
      if (error !== undefined) {
        this.errors.set(asked.what, error);
      }
      asked.then?.(error, messageId);
    }
  }

  busy(what: string): boolean {
    return [...this.open.values()].some((asked) => asked.what === what);
  }

  error(what: string): string | undefined {
    return this.errors.get(what);
  }

  forget(what: string): void {
    this.errors.delete(what);
  }

  fail(what: string, error: string): void {
    this.errors.set(what, error);
  }
}
