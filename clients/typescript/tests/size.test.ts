import { gzipSync } from "node:zlib";

import { build } from "esbuild";
import { describe, expect, it } from "vitest";

import * as client from "../src/index.js";
import * as hooks from "../src/react/index.js";

const CORE = "../src/index.js";
const REACT = "../src/react/index.js";

/** What a bundler makes of a script beside the sources; an application has its peers anyway. */
async function bundled(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    bundle: true,
    external: ["react", "@tanstack/react-query"],
    format: "esm",
    logLevel: "error",
    minify: true,
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

/** Bytes of gzip. */
async function sizeOf(contents: string): Promise<number> {
  return gzipSync(await bundled(contents)).length;
}

/** Bytes of gzip that each brings by itself, with all it needs. */
const CALL = 850;
const LARGEST = {
  ...Object.fromEntries(Object.keys(client).map((name) => [name, CALL])),
  connect: 3_950,
  Conflict: 450,
  ProblemError: 400,
  SignedOut: 150,
  randomUUID: 250,
};

const LARGEST_HOOKS: Record<keyof typeof hooks, number> = {
  TasksProvider: 3_100,
  blankTask: 200,
  useConnection: 300,
  tasksOptions: 900,
  taskOptions: 700,
  useTasks: 1_600,
  useTask: 1_350,
  useCreateTask: 600,
  useUpdateTask: 500,
  useToggleTask: 500,
  useDeleteTask: 500,
  useWrites: 1_000,
};

describe.each([
  [CORE, LARGEST],
  [REACT, LARGEST_HOOKS],
])("of %s", (module, largest) => {
  it.each(Object.entries(largest))("%s is at most %d bytes", async (name, bytes) => {
    expect(await sizeOf(`export { ${name} } from "${module}"`)).toBeLessThanOrEqual(bytes);
  });
});

it("is under 5 kB with all it needs", async () => {
  const text = await bundled(`export * from "${CORE}"`);
  expect(text).toContain("If-Match");
  expect(gzipSync(text).length).toBeLessThan(5_000);
});

it("is under 8 kB with all hooks", async () => {
  expect(await sizeOf(`export * from "${CORE}"; export * from "${REACT}"`)).toBeLessThan(8_000);
});

it("leaves out what is not used", async () => {
  const text = await bundled(`export { connect, listTasks } from "${CORE}"`);
  expect(text).not.toContain("If-Match");
});

it.each([CORE, REACT])("is nothing where nothing of %s is used", async (module) => {
  expect(await bundled(`import "${module}"`)).toBe("");
});
