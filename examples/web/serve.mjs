// Serves the page and Better Auth on loopback until standard input ends, or SIGTERM comes.
//
//   node serve.mjs         the built page
//   node serve.mjs --dev   the sources, with hot replacement of what is edited
//
// It prints {"url": …} once it serves.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { build, createServer, preview } from "vite";

process.stdin.on("end", () => process.exit()).resume();
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit());

try {
  const server = process.argv.includes("--dev") ? await serveSources() : await serveBuilt();
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.httpServer?.address());
  console.log(JSON.stringify({ url: `http://localhost:${port}` }));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

async function serveSources() {
  return (await createServer()).listen();
}

/** In a folder of its own, because the API's address is in what is built. */
async function serveBuilt() {
  const outDir = mkdtempSync(join(tmpdir(), "task-page-"));
  process.on("exit", () => rmSync(outDir, { recursive: true }));
  await build({ build: { outDir, emptyOutDir: false } });
  return preview({ build: { outDir } });
}
