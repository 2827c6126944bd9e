// Stands in for VS Code in unit tests: its value types behave as documented, what a person would see is recorded in `shown`, and what a person would
// do is decided by the handlers in `person`. Nothing here renders: the suites in the real workbench show that.
type Listener<T> = (event: T) => unknown;

export class Disposable {
  constructor(private readonly end: () => unknown) {}
  static from(...all: { dispose(): unknown }[]): Disposable {
    return new Disposable(() => all.forEach((one) => one.dispose()));
  }
  dispose(): void {
    this.end();
  }
}

export class EventEmitter<T> {
  private readonly listeners = new Set<Listener<T>>();
  readonly event = (listener: Listener<T>, self?: unknown, disposables?: Disposable[]): Disposable => {
    const bound = self === undefined ? listener : (listener.bind(self) as Listener<T>);
    this.listeners.add(bound);
    const end = new Disposable(() => this.listeners.delete(bound));
    disposables?.push(end);
    return end;
  };
  fire(event: T): void {
    for (const listener of [...this.listeners]) {
      listener(event);
    }
  }
  dispose(): void {
    this.listeners.clear();
  }
}

export class CancellationTokenSource {
  private readonly cancelled = new EventEmitter<void>();
  readonly token = { isCancellationRequested: false, onCancellationRequested: this.cancelled.event };
  cancel(): void {
    if (!this.token.isCancellationRequested) {
      this.token.isCancellationRequested = true;
      this.cancelled.fire();
    }
  }
  dispose(): void {
    this.cancelled.dispose();
  }
}

interface UriParts {
  scheme: string;
  authority?: string;
  path?: string;
  query?: string;
  fragment?: string;
}
const encode = (text: string) => encodeURIComponent(text).replace(/%2F/g, "/");

export class Uri {
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  readonly query: string;
  readonly fragment: string;
  private constructor(parts: UriParts) {
    this.scheme = parts.scheme;
    this.authority = parts.authority ?? "";
    this.path = parts.path ?? "";
    this.query = parts.query ?? "";
    this.fragment = parts.fragment ?? "";
  }
  static file(path: string): Uri {
    return new Uri({ scheme: "file", path });
  }
  static from(parts: UriParts): Uri {
    return new Uri(parts);
  }
  static parse(text: string): Uri {
    const [, scheme = "", authority, path, query, fragment] = /^([^:]+):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/.exec(text) ?? [];
    const plain = (part: string | undefined) => (part === undefined ? undefined : decodeURIComponent(part));
    return new Uri({ scheme, authority: plain(authority), path: plain(path), query: plain(query), fragment: plain(fragment) });
  }
  static joinPath(base: Uri, ...parts: string[]): Uri {
    return base.with({ path: [base.path.replace(/\/$/, ""), ...parts].join("/") });
  }
  get fsPath(): string {
    return this.path;
  }
  with(change: Partial<UriParts>): Uri {
    return new Uri({ ...this, ...change });
  }
  toString(): string {
    return `${this.scheme}:${this.authority === "" && this.scheme !== "file" ? "" : `//${encode(this.authority)}`}${encode(this.path)}${this.query === "" ? "" : `?${encode(this.query)}`}${this.fragment === "" ? "" : `#${encode(this.fragment)}`}`;
  }
  toJSON(): UriParts {
    return { ...this };
  }
}

export class Position {
  constructor(readonly line: number, readonly character: number) {}
}
export class Range {
  readonly start: Position;
  readonly end: Position;
  constructor(startLine: number, startCharacter: number, endLine: number, endCharacter: number) {
    this.start = new Position(startLine, startCharacter);
    this.end = new Position(endLine, endCharacter);
  }
}
export class Selection extends Range {}
export class MarkdownString {
  isTrusted: unknown = false;
  supportHtml = false;
  constructor(public value = "") {}
}
export class ThemeColor {
  constructor(readonly id: string) {}
}
export class ThemeIcon {
  static readonly File = new ThemeIcon("file");
  static readonly Folder = new ThemeIcon("folder");
  constructor(readonly id: string, readonly color?: ThemeColor) {}
}
export class TreeItem {
  id?: string;
  description?: string | boolean;
  tooltip?: unknown;
  iconPath?: unknown;
  command?: { command: string; title: string; arguments?: unknown[] };
  contextValue?: string;
  checkboxState?: unknown;
  resourceUri?: Uri;
  constructor(public label: string, public collapsibleState: number = 0) {}
}
export class FileDecoration {
  constructor(readonly badge?: string, readonly tooltip?: string, readonly color?: ThemeColor) {}
}
export class FileSystemError extends Error {
  static Unavailable(message: string): FileSystemError {
    return new FileSystemError(message);
  }
  static NoPermissions(uri: Uri): FileSystemError {
    return new FileSystemError(`no permission to change ${uri.toString()}`);
  }
  static FileNotFound(uri: Uri): FileSystemError {
    return new FileSystemError(`${uri.toString()} is not there`);
  }
}
export class TabInputText {
  constructor(readonly uri: Uri) {}
}
export class TabInputTextDiff {
  constructor(readonly original: Uri, readonly modified: Uri) {}
}
export class TabInputCustom {
  constructor(readonly uri: Uri, readonly viewType: string) {}
}
export class TabInputWebview {
  constructor(readonly viewType: string) {}
}

export const TreeItemCollapsibleState = { None: 0, Collapsed: 1, Expanded: 2 } as const;
export const TreeItemCheckboxState = { Unchecked: 0, Checked: 1 } as const;
export const CommentMode = { Editing: 0, Preview: 1 } as const;
export const CommentThreadCollapsibleState = { Collapsed: 0, Expanded: 1 } as const;
export const ProgressLocation = { SourceControl: 1, Window: 10, Notification: 15 } as const;
export const QuickPickItemKind = { Separator: -1, Default: 0 } as const;
export const FileType = { Unknown: 0, File: 1, Directory: 2 } as const;
export const FilePermission = { Readonly: 1 } as const;
export const FileChangeType = { Changed: 1, Created: 2, Deleted: 3 } as const;
export const StatusBarAlignment = { Left: 1, Right: 2 } as const;
export const ViewColumn = { Active: -1, Beside: -2, One: 1, Two: 2 } as const;
export const ConfigurationTarget = { Global: 1, Workspace: 2, WorkspaceFolder: 3 } as const;
export const QuickInputButtons = { Back: { iconPath: new ThemeIcon("back"), tooltip: "Back" } };
export const UIKind = { Desktop: 1, Web: 2 } as const;
export const ExtensionMode = { Production: 1, Development: 2, Test: 3 } as const;

export interface Message {
  level: "information" | "warning" | "error";
  text: string;
  modal: boolean;
  detail?: string;
  buttons: readonly string[];
}
export interface QuickInput {
  kind: "pick" | "box";
  title?: string;
  placeholder?: string;
  prompt?: string;
  value: string;
  items: readonly Pickable[];
  selectedItems: readonly Pickable[];
  activeItems: readonly Pickable[];
  canSelectMany: boolean;
  buttons: readonly { tooltip?: string }[];
  validationMessage?: string;
  accept(): void;
  hide(): void;
  press(button: { tooltip?: string }): void;
  type(text: string): void;
}
export interface Pickable {
  label: string;
  description?: string;
  detail?: string;
  kind?: number;
}

/** What a person does when something is asked. Each test sets what it needs; by default nothing is answered. */
export const person: {
  message(message: Message): string | undefined;
  input(input: QuickInput): void;
  pick(items: readonly Pickable[], options: { placeHolder?: string; canPickMany?: boolean }): Pickable | readonly Pickable[] | undefined;
  type(options: { prompt?: string; value?: string }): string | undefined;
} = { message: () => undefined, input: (input) => input.hide(), pick: () => undefined, type: () => undefined };

/** What a person has seen, and what was asked of VS Code. */
export const shown = {
  messages: [] as Message[],
  statusMessages: [] as string[],
  executed: [] as { command: string; arguments: unknown[] }[],
  contexts: new Map<string, unknown>(),
  documents: [] as { uri?: Uri; text?: string }[],
};

const registered = new Map<string, (...values: unknown[]) => unknown>();
/** Started afresh by each test. */
export function reset(): void {
  Object.assign(person, { message: () => undefined, input: (input: QuickInput) => input.hide(), pick: () => undefined, type: () => undefined });
  shown.messages.length = shown.statusMessages.length = shown.executed.length = shown.documents.length = 0;
  shown.contexts.clear();
  registered.clear();
  workspace.textDocuments.length = 0;
  tabs.length = 0;
  trees.clear();
  threads.length = 0;
  fileSystems.clear();
}

function message(level: Message["level"]) {
  return async (text: string, ...rest: unknown[]): Promise<unknown> => {
    const options = typeof rest[0] === "object" && rest[0] !== null && !("title" in rest[0]) ? (rest.shift() as { modal?: boolean; detail?: string }) : {};
    const titles = rest.filter((item) => item !== undefined).map((item) => (typeof item === "string" ? item : (item as { title: string }).title));
    const said: Message = { level, text, modal: options.modal === true, detail: options.detail, buttons: titles };
    shown.messages.push(said);
    const answer = person.message(said);
    return rest.find((item) => (typeof item === "string" ? item : (item as { title: string } | undefined)?.title) === answer && answer !== undefined);
  };
}

function quickInput(kind: QuickInput["kind"]) {
  const accepted = new EventEmitter<void>();
  const hidden = new EventEmitter<void>();
  const pressed = new EventEmitter<unknown>();
  const pressedItem = new EventEmitter<unknown>();
  const changed = new EventEmitter<string>();
  let open = false;
  const input = {
    kind, value: "", items: [] as readonly Pickable[], selectedItems: [] as readonly Pickable[], activeItems: [] as readonly Pickable[], canSelectMany: false, buttons: [], validationMessage: undefined,
    onDidAccept: accepted.event, onDidHide: hidden.event, onDidTriggerButton: pressed.event, onDidTriggerItemButton: pressedItem.event, onDidChangeValue: changed.event,
    show() {
      open = true;
      queueMicrotask(() => person.input(input as unknown as QuickInput));
    },
    hide() {
      if (open) {
        open = false;
        hidden.fire();
      }
    },
    accept: () => accepted.fire(),
    press: (button: unknown) => pressed.fire(button),
    type(text: string) {
      input.value = text;
      changed.fire(text);
    },
    dispose: () => undefined,
  };
  return input;
}

interface StubTree {
  options: { treeDataProvider: { getChildren(node?: unknown): unknown[]; getTreeItem(node: unknown): TreeItem } };
  view: { message?: string; description?: string; badge?: unknown; visible: boolean };
  check(items: readonly [unknown, number][]): void;
  setVisible(visible: boolean): void;
}
export const trees = new Map<string, StubTree>();
export const tabs: { input: unknown; label: string; group: { tabs: unknown } }[] = [];
export const changedTabs = new EventEmitter<void>();
export const openedDocument = new EventEmitter<unknown>();
export const closedDocument = new EventEmitter<unknown>();
const focused = new EventEmitter<{ focused: boolean }>();

export const window = {
  showInformationMessage: message("information"),
  showWarningMessage: message("warning"),
  showErrorMessage: message("error"),
  setStatusBarMessage(text: string) {
    shown.statusMessages.push(text);
    return new Disposable(() => undefined);
  },
  createQuickPick: () => quickInput("pick"),
  createInputBox: () => quickInput("box"),
  showQuickPick: async (items: readonly Pickable[] | Promise<readonly Pickable[]>, options = {}) => person.pick(await items, options),
  showInputBox: async (options = {}) => person.type(options),
  async withProgress<R>(_options: unknown, task: (progress: { report(value: unknown): void }, token: unknown) => Promise<R>): Promise<R> {
    return task({ report: () => undefined }, new CancellationTokenSource().token);
  },
  createTreeView(id: string, options: StubTree["options"]) {
    const [checks, visibility] = [new EventEmitter<{ items: readonly [unknown, number][] }>(), new EventEmitter<{ visible: boolean }>()];
    const view = { message: undefined, description: undefined, visible: true, onDidChangeCheckboxState: checks.event, onDidChangeVisibility: visibility.event, onDidChangeSelection: new EventEmitter<unknown>().event, reveal: async () => undefined, dispose: () => undefined };
    trees.set(id, {
      options,
      view,
      check: (items) => checks.fire({ items }),
      setVisible(visible) {
        view.visible = visible;
        visibility.fire({ visible });
      },
    });
    return view;
  },
  registerFileDecorationProvider: () => new Disposable(() => undefined),
  onDidChangeWindowState: focused.event,
  tabGroups: {
    get all() {
      return [{ tabs }];
    },
    onDidChangeTabs: changedTabs.event,
    async close(closing: readonly unknown[]) {
      for (const tab of closing) {
        tabs.splice(tabs.indexOf(tab as (typeof tabs)[number]), 1);
      }
      changedTabs.fire();
      return true;
    },
  },
  activeTextEditor: undefined as unknown,
  async showTextDocument(target: Uri | { uri: Uri }, options?: unknown) {
    shown.documents.push({ uri: target instanceof Uri ? target : target.uri });
    return { options };
  },
  createStatusBarItem: () => ({ show: () => undefined, hide: () => undefined, dispose: () => undefined, text: "", tooltip: "", command: undefined }),
};

export const commands = {
  registerCommand(name: string, run: (...values: unknown[]) => unknown) {
    registered.set(name, run);
    return new Disposable(() => registered.delete(name));
  },
  async executeCommand(command: string, ...values: unknown[]): Promise<unknown> {
    if (command === "setContext") {
      shown.contexts.set(values[0] as string, values[1]);
      return undefined;
    }
    shown.executed.push({ command, arguments: values });
    if (command === "vscode.changes") {
      // As VS Code does: files that have one side alone are not named, and the label says how many there are.
      const resources = values[1] as [Uri, Uri | undefined, Uri | undefined][];
      tabs.push({ label: `${values[0] as string} (${resources.length} files)`, group: { tabs }, input: { textDiffs: resources.filter(([, original, modified]) => original !== undefined && modified !== undefined).map(([, original, modified]) => ({ original, modified })) } });
      changedTabs.fire();
    }
    return registered.get(command)?.(...values);
  },
  getCommands: async () => [...registered.keys()],
};

export const fileSystems = new Map<string, { readFile(uri: Uri): Promise<Uint8Array>; stat(uri: Uri): Promise<{ mtime: number; size: number }>; onDidChangeFile(listener: Listener<{ uri: Uri }[]>): Disposable }>();
export const workspace = {
  workspaceFolders: undefined as { uri: Uri; name: string }[] | undefined,
  isTrusted: true,
  textDocuments: [] as { uri: Uri; lineCount: number }[],
  onDidOpenTextDocument: openedDocument.event,
  onDidCloseTextDocument: closedDocument.event,
  onDidChangeWorkspaceFolders: new EventEmitter<unknown>().event,
  onDidGrantWorkspaceTrust: new EventEmitter<unknown>().event,
  onDidChangeConfiguration: new EventEmitter<unknown>().event,
  registerFileSystemProvider(scheme: string, provider: never) {
    fileSystems.set(scheme, provider);
    return new Disposable(() => fileSystems.delete(scheme));
  },
  registerTextDocumentContentProvider: (_scheme: string, provider: { provideTextDocumentContent(uri: Uri): string }) => {
    contentProviders.push(provider);
    return new Disposable(() => undefined);
  },
  getConfiguration: () => ({ get: (_key: string, fallback: unknown) => fallback, update: async () => undefined, inspect: () => undefined }),
  async openTextDocument(options: { content?: string }) {
    return { uri: Uri.from({ scheme: "untitled", path: "Untitled-1" }), isClosed: false, getText: () => options.content ?? "" };
  },
};
export const contentProviders: { provideTextDocumentContent(uri: Uri): string }[] = [];

interface StubThread {
  uri: Uri;
  range: Range | undefined;
  comments: readonly { body: unknown; mode: number }[];
  disposed: boolean;
  dispose(): void;
}
export const threads: StubThread[] = [];
export const comments = {
  createCommentController: () => ({
    options: undefined as unknown,
    commentingRangeProvider: undefined as unknown,
    createCommentThread(uri: Uri, range: Range, given: StubThread["comments"]): StubThread {
      const thread: StubThread = {
        uri, range, comments: given, disposed: false,
        dispose() {
          thread.disposed = true;
        },
      };
      threads.push(thread);
      return thread;
    },
    dispose: () => undefined,
  }),
};

export const extensions = { getExtension: (): unknown => undefined };
export const env = {
  language: "en", appName: "stub", uiKind: 1,
  clipboard: {
    text: "",
    async writeText(text: string) {
      env.clipboard.text = text;
    },
    async readText() {
      return env.clipboard.text;
    },
  },
  openExternal: async () => true,
};
