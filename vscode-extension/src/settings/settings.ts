import * as vscode from "vscode";
import { plain } from "../shared/words";
import { asFailure } from "../sidecar/failure";
import type { Session } from "../sidecar/session";
import type { Workspaces } from "../sidecar/workspaces";
import { givenOf, OWN_SETTINGS, toSend } from "./given";

/**
 * Tells the sidecars what is set in VS Code. Where a setting is set here, here is where it is decided; where it is not, the sidecar's own value
 * stands, whoever set it. Removing it here gives the default back.
 */
export class Settings implements vscode.Disposable {
  private readonly names: readonly string[];
  private readonly given = new Map<Session, Readonly<Record<string, unknown>>>();
  /** What was refused once, by name and value: it is said once and not sent again until it changes. */
  private readonly refused = new Map<string, string>();
  private readonly disposables: vscode.Disposable[] = [];
  private busy: Promise<void> = Promise.resolve();

  constructor(context: vscode.ExtensionContext, private readonly workspaces: Workspaces, private readonly log: vscode.LogOutputChannel) {
    this.names = namesOf(context.extension.packageJSON);
    const listen = (session: Session) => session.onDidChangeState(({ kind }) => kind === "ready" && this.sendSoon(session));
    for (const session of workspaces.sessions) {
      listen(session);
      this.sendSoon(session);
    }
    this.disposables.push(
      workspaces.onDidOpen(listen),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (this.names.some((name) => change.affectsConfiguration(`kanbots.${name}`))) {
          for (const session of workspaces.sessions) {
            this.sendSoon(session);
          }
        }
      }),
    );
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }

  /** One after the other: a change that comes while another is on its way is laid over what that has made. */
  private sendSoon(session: Session): void {
    this.busy = this.busy.then(() => this.send(session));
  }

  private async send(session: Session): Promise<void> {
    if (session.state.kind !== "ready" || !this.workspaces.sessions.includes(session)) {
      return;
    }
    const configuration = vscode.workspace.getConfiguration("kanbots", vscode.Uri.file(session.folder));
    const given: Record<string, unknown> = {};
    for (const name of this.names) {
      const value = givenOf(configuration.inspect(name));
      if (value !== undefined && this.refused.get(`${session.folder}\n${name}`) !== JSON.stringify(value)) {
        given[name] = value;
      }
    }
    try {
      const { values: has } = await session.request("config/get", {});
      const values = toSend(given, this.given.get(session) ?? {}, has);
      // One at a time: the wrong one is then known by its name, and the others are taken all the same.
      const taken = { ...given };
      for (const [name, value] of Object.entries(values)) {
        if (!(await this.set(session, name, value))) {
          delete taken[name];
        }
      }
      this.given.set(session, taken);
    } catch (error) {
      this.log.warn(`Settings: ${asFailure(error).sentence}`);
    }
  }

  private async set(session: Session, name: string, value: unknown): Promise<boolean> {
    try {
      await session.change("config/set", { values: { [name]: value } });
      this.log.info(value === null ? `${name} has its default again` : `${name} is set as VS Code's settings say`);
      return true;
    } catch (error) {
      const failure = asFailure(error);
      this.log.warn(`kanbots.${name}: ${failure.kind}: ${failure.sentence}`);
      if (failure.kind === "settingUnknown" || failure.kind === "invalidArgument" || failure.kind === "invalidParams") {
        this.refused.set(`${session.folder}\n${name}`, JSON.stringify(value));
        void this.tell(name, failure.kind === "settingUnknown" ? "The sidecar of this repository does not know it. Update the older of the two." : failure.sentence);
      }
      return false;
    }
  }

  private async tell(name: string, what: string): Promise<void> {
    if ((await vscode.window.showWarningMessage(plain(`The setting kanbots.${name} was not taken: ${what}`, 500), "Open Settings")) === "Open Settings") {
      await vscode.commands.executeCommand("workbench.action.openSettings", `@id:kanbots.${name}`);
    }
  }
}

/** The sidecar's settings, as the manifest of this very package lists them. */
export function namesOf(manifest: unknown): readonly string[] {
  const sections = (manifest as { contributes?: { configuration?: readonly { properties?: Readonly<Record<string, unknown>> }[] } }).contributes?.configuration ?? [];
  return sections.flatMap(({ properties }) => Object.keys(properties ?? {})).map((name) => name.replace(/^kanbots\./, "")).filter((name) => !OWN_SETTINGS.has(name));
}
