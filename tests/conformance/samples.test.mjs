// The samples that the C# side wrote, read by the TypeScript types and by the JSON schema.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { after, test } from "node:test";
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const schemaFolder = resolve(import.meta.dirname, "../../schema");
const samplesFolder = join(schemaFolder, "samples");
const samples = readdirSync(samplesFolder).map((file) => ({ type: basename(file, ".json"), text: readFileSync(join(samplesFolder, file), "utf8") }));
const schema = JSON.parse(readFileSync(join(schemaFolder, "protocol.schema.json"), "utf8"));
const folder = mkdtempSync(join(tmpdir(), "kb-samples-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const ajv = new Ajv.default({ strict: true, allErrors: true });
addFormats.default(ajv);
ajv.addKeyword("methods").addKeyword("errorCodes");
ajv.addSchema(schema, "wire");
const validatorOf = (type) => ajv.getSchema(`wire#/$defs/${type}`);

function compile(name, text) {
  const file = join(folder, `${name}.ts`);
  writeFileSync(file, text);
  const flags = ["--strict", "--exactOptionalPropertyTypes", "--noEmit", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler", "--allowImportingTsExtensions"];
  try {
    execFileSync(process.execPath, [resolve(import.meta.dirname, "node_modules/typescript/bin/tsc"), ...flags, file], { stdio: "pipe" });
    return "";
  } catch (failure) {
    return `${failure.stdout}${failure.stderr}`;
  }
}

const source = (list) =>
  `import type * as wire from ${JSON.stringify(join(schemaFolder, "protocol.ts"))};\n${list.map(({ type, text }) => `export const ${type}: readonly wire.${type}[] = ${text};`).join("\n")}\n`;

test("there is a sample of every type", () => {
  assert.deepEqual(samples.map(({ type }) => type).sort(), Object.keys(schema.$defs).sort());
});

test("every sample is of its TypeScript type", { timeout: 120_000 }, () => {
  assert.equal(compile("samples", source(samples)), "");
});

test("TypeScript refuses a wrong kind, a missing member and an unknown one", { timeout: 120_000 }, () => {
  const wrong = compile("wrong", source([
    { type: "CardSource", text: `[{ "kind": "gitlab" }]` },
    { type: "RunReplyResult", text: "[{}]" },
    { type: "NoticeItem", text: `[{ "kind": "notice", "topic": "", "message": "", "cursor": "", "seq": 0, "at": "", "bytes": { "launch": 0, "from": 0, "to": 0 }, "extra": 1 }]` },
  ]));
  assert.equal(wrong.match(/error TS/g)?.length, 3, wrong);
});

for (const { type, text } of samples) {
  test(`${type} is what the schema says, and less of it is not`, () => {
    const validate = validatorOf(type);
    for (const sample of JSON.parse(text)) {
      assert.ok(validate(sample), `${JSON.stringify(validate.errors)} in ${JSON.stringify(sample)}`);
      for (const name of schema.$defs[type].required ?? []) {
        const { [name]: _, ...less } = sample;
        assert.ok(!validate(less), `${type} without ${name} is accepted`);
      }
    }
  });
}
