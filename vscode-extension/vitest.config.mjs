import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { vscode: fileURLToPath(new URL("test/vscode-stub.ts", import.meta.url)) } },
  test: { include: ["test/unit/**/*.test.ts"], testTimeout: 180_000, hookTimeout: 120_000, pool: "forks", maxWorkers: 2 },
});
