import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import ts from "typescript";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const README = readFileSync(join(ROOT, "README.md"), "utf8");

interface Packed {
  files: { path: string }[];
}

describe("the package", () => {
  const pack = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const [packed] = JSON.parse(execFileSync("npm", pack, { cwd: ROOT, encoding: "utf8" })) as [
    Packed,
  ];
  const paths = packed.files.map(({ path }) => path);

  it("has what was built, and says what it is", () => {
    const others = paths.filter((path) => !path.startsWith("dist/"));
    expect(others.sort()).toEqual(["LICENSE", "README.md", "package.json"]);
    expect(paths).toContain("dist/react/index.d.ts");
  });

  it.each(["hooks", "provider"])("marks the %s as a client's, for React on a server", (name) => {
    const built = readFileSync(join(ROOT, "dist", "react", `${name}.js`), "utf8");
    expect(built).toMatch(/^"use client";/);
  });

  it.each(["task-api-client", "task-api-client/react"])("gives %s as a module", async (name) => {
    const script = `console.log(Object.keys(await import("${name}")).join())`;
    const node = ["--input-type=module", "--eval", script];
    const exported = execFileSync(process.execPath, node, { cwd: ROOT, encoding: "utf8" });
    for (const each of exported.trim().split(",")) expect(README).toContain(each);
  });
});

/** What an application has beside what the README shows. */
const APPLICATION = `
declare module "next/headers" { export function headers(): Promise<Headers>; }
declare module "./auth" {
  export const auth: { api: { getToken(_: { headers: Headers }): Promise<{ token: string }> } };
}
declare module "./auth-client" {
  export const auth: { token(): Promise<{ data: { token: string } | null }> };
}`;

it("shows in its README what compiles", () => {
  const blocks = [...README.matchAll(/```tsx?\n(.*?)```/gs)].map(([, code = ""]) => code);
  expect(blocks).toHaveLength(3);
  const files = new Map(blocks.map((code, index) => [join(ROOT, "tests", `${index}.tsx`), code]));
  files.set(join(ROOT, "tests", "application.d.ts"), APPLICATION.replaceAll('"./', '"*/'));

  const options: ts.CompilerOptions = {
    jsx: ts.JsxEmit.ReactJSX,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
    noEmit: true,
    skipLibCheck: true,
    strict: true,
    types: ["node"],
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => files.get(name) ?? readFile(name);
  host.getSourceFile = (name, version, ...others) =>
    files.has(name)
      ? ts.createSourceFile(name, files.get(name) ?? "", version)
      : getSourceFile(name, version, ...others);
  const program = ts.createProgram([...files.keys()], options, host);
  const errors = ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText);
  expect(errors).toEqual([]);
});
