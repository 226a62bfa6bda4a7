import { gzipSync } from "node:zlib";

import { build } from "esbuild";
import { expect, it } from "vitest";

/** What a bundler makes of a script beside the sources. */
async function bundled(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    bundle: true,
    format: "esm",
    logLevel: "error",
    minify: true,
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

function compressed(text: string): number {
  return gzipSync(text).length;
}

it("is under 5 kB with all it needs", async () => {
  const text = await bundled('export * from "../src/index.js"');
  expect(text).toContain("If-Match");
  expect(compressed(text)).toBeLessThan(5_000);
});

it("leaves out what is not used", async () => {
  const text = await bundled('export { connect, listTasks } from "../src/index.js"');
  expect(text).not.toContain("If-Match");
});

it("is nothing where nothing is used", async () => {
  expect(await bundled('import "../src/index.js"')).toBe("");
});
