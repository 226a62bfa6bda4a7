import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { API_URL, expect, PAGE_URL, test } from "./people.js";

const ROOT = resolve("../..");
const PACKAGES = join(ROOT, "examples/web/node_modules");

const README = readFileSync(join(ROOT, "README.md"), "utf8");
const [, SNIPPET = ""] = /^```tsx\n(.*?)^```$/ms.exec(README) ?? [];

/** An application of what an editor would hold, with the packages of the example. */
const APPLICATION = {
  "Tasks.tsx": SNIPPET,
  "main.tsx": `
    import { createRoot } from "react-dom/client";
    import Tasks from "./Tasks";
    createRoot(document.body).render(<Tasks />);`,
  "index.html": `<!doctype html><title>Tasks</title><script type="module" src="main.tsx"></script>`,
  "vite.config.ts": `export default {
    base: "/readme/",
    define: { "process.env.NEXT_PUBLIC_API_URL": ${JSON.stringify(JSON.stringify(API_URL))} },
  };`,
  "tsconfig.json": JSON.stringify({
    extends: join(ROOT, "examples/web/tsconfig.json"),
    // As create-next-app has it.
    compilerOptions: { noPropertyAccessFromIndexSignature: false },
    include: ["*.tsx"],
  }),
};

test("the README's frontend compiles, and shows the user's tasks", async ({ ann }, { outputDir }) => {
  mkdirSync(outputDir, { recursive: true });
  for (const [name, text] of Object.entries(APPLICATION)) writeFileSync(join(outputDir, name), text);
  symlinkSync(PACKAGES, join(outputDir, "node_modules"));
  for (const program of ["typescript/bin/tsc", "vite/bin/vite.js"]) {
    const build = program.startsWith("vite") ? ["build", "--logLevel", "error"] : [];
    execFileSync(process.execPath, [join(PACKAGES, program), ...build], { cwd: outputDir });
  }

  await ann.create({ title: "Buy milk" });
  const page = await ann.context.newPage();
  // What a test answers comes from no network, and may not call this machine otherwise.
  await ann.context.grantPermissions(["local-network-access"]);
  await page.route(`${PAGE_URL}/readme/**`, (route) => {
    const path = new URL(route.request().url()).pathname.replace(/^\/readme\//, "");
    return route.fulfill({ path: join(outputDir, "dist", path || "index.html") });
  });
  await page.goto(`${PAGE_URL}/readme/`);
  await expect(page.getByRole("listitem")).toHaveText("Buy milk");
});
