import { ResponseError } from "vscode-jsonrpc";
import type { ErrorData } from "../shared/protocol";

/** What the sidecar refused, as a person reads it: a sentence, and what to do next. A caller branches on `kind`. */
export class SidecarFailure extends Error {
  constructor(
    readonly kind: string,
    message: string,
    readonly data: Partial<ErrorData> = {},
  ) {
    super(message);
    this.name = "SidecarFailure";
  }

  get nextStep(): string | undefined {
    return this.data.nextStep;
  }

  get sentence(): string {
    return this.nextStep === undefined || this.message.includes(this.nextStep) ? this.message : `${this.message} ${this.nextStep}`;
  }
}

export function asFailure(error: unknown): SidecarFailure {
  if (error instanceof SidecarFailure) {
    return error;
  }
  if (error instanceof ResponseError) {
    const data = (typeof error.data === "object" && error.data !== null ? error.data : {}) as Partial<ErrorData>;
    return new SidecarFailure(error.code === -32800 ? "requestCancelled" : (data.kind ?? "internalError"), error.message, data);
  }
  return new SidecarFailure("internalError", error instanceof Error ? error.message : String(error));
}
