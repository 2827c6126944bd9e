// The wire's types, generated from the records of the sidecar. Nothing is declared twice.
export * from "../../../schema/protocol";
