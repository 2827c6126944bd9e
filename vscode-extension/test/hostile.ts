// What an agent could write to make VS Code do something. Of the surfaces of the extension none may show it as more than text.
export const HOSTILE: readonly string[] = [
  "[x](command:workbench.action.terminal.new)",
  "[x] (command:workbench.action.terminal.new)",
  "[x]\n(command:workbench.action.terminal.new)",
  "[x]\u200b(command:workbench.action.terminal.new)",
  "[a](https://example.com \"title\")",
  "[a](file:///etc/passwd)",
  "$(gear) $(sync~spin)",
  "$\u200b(gear)",
  "one\ntwo\r\nthree\u2028four\u2029five\u0085six",
  "\u202egpj.exe\u202c \u2066isolated\u2069 \u061carabic",
  "\u001b]8;;command:x\u0007click\u001b]8;;\u0007",
  "<img src=x onerror=alert(1)> **bold** `code`",
  "&&mnemonic & more",
  "x".repeat(100_000),
  `${"[x](command:a) ".repeat(10_000)}`,
  "",
];

/** Why a text that VS Code may render is not plain; undefined when it is. Written without the code that makes it so. */
export function notPlain(text: string, max = 2_500): string | undefined {
  if (text.length > max) {
    return `it has ${text.length} characters`;
  }
  // VS Code's own pattern for links in messages (base/common/linkedText).
  if (/\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i.test(text)) {
    return "it holds a link";
  }
  // VS Code's own pattern for icons in labels (base/common/iconLabels).
  if (/\$\([a-z0-9-]+(~[a-z]+)?\)/i.test(text)) {
    return "it holds an icon";
  }
  const control = [...text].find((character) => character !== "\n" && (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(character) || /[\u202a-\u202e\u2066-\u2069\u061c\u200b-\u200f]/.test(character)));
  return control === undefined ? undefined : `it holds U+${control.codePointAt(0)?.toString(16)}`;
}
