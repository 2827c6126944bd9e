/** The one way from a page to the extension. `acquireVsCodeApi` may be called once only, so it is called here. */
interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

const api = acquireVsCodeApi();

export const post = <Message extends { t: string }>(message: Message): void => api.postMessage(message);

/** What the page kept for itself over a reload, laid over `initial`. Whatever is not an object is not ours. */
export function savedState<State extends object>(initial: State): State {
  const saved = api.getState();
  return typeof saved === "object" && saved !== null ? { ...initial, ...saved } : initial;
}

/** What the page is of, as the extension wrote it into the body. It is kept with the state, so that a restored tab knows what it was. */
const place: unknown = JSON.parse(document.body?.dataset.place ?? "null");

/** The folder of the repository that the page is about, when it is about one. */
export const placeFolder = (): string | undefined => {
  const folder = (place as { folder?: unknown } | null)?.folder;
  return typeof folder === "string" && folder !== "" ? folder : undefined;
};

export const saveState = (state: object): void => api.setState({ ...state, place });

/** Calls back with each message of the extension. */
export function receive<Message extends { t: string }>(take: (message: Message) => void): void {
  window.addEventListener("message", (event: MessageEvent<unknown>) => {
    const message = event.data;
    if (typeof message === "object" && message !== null && typeof (message as { t?: unknown }).t === "string") {
      take(message as Message);
    }
  });
}
