// Which of VS Code's settings the sidecar is told: pure.

/** Settings of the extension alone. Every other `kanbots.` setting is one of the sidecar's, by the same name. */
export const OWN_SETTINGS: ReadonlySet<string> = new Set(["sidecar.path", "trace.server", "notifications"]);

/** What VS Code knows of one setting: where a person has set it. */
export interface Inspected {
  globalValue?: unknown;
  workspaceValue?: unknown;
  workspaceFolderValue?: unknown;
}

/** The value that a person has set, the narrowest place first; undefined when it is set nowhere. */
export const givenOf = (inspected: Inspected | undefined): unknown => inspected?.workspaceFolderValue ?? inspected?.workspaceValue ?? inspected?.globalValue;

/**
 * What has to be sent: what is set here and differs from what the sidecar has, and null (its default) for what was set here and is no more.
 * A value that was never set here is left as it is: it may have been set in a terminal or another editor.
 */
export function toSend(given: Readonly<Record<string, unknown>>, givenBefore: Readonly<Record<string, unknown>>, has: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (JSON.stringify(value) !== JSON.stringify(has[name])) {
      values[name] = value;
    }
  }
  for (const name of Object.keys(givenBefore)) {
    if (!(name in given)) {
      values[name] = null;
    }
  }
  return values;
}
