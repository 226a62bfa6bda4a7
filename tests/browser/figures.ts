import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

const { SCREENSHOTS } = process.env;
const README = resolve("../../README.md");

/** Where a picture goes that the README shows; `make screenshots` says so, else it is dropped. */
export function picture(name: string): string | undefined {
  return SCREENSHOTS && resolve("../..", SCREENSHOTS, name);
}

/** Writes a figure into the README, between its marks, where `make screenshots` asks for that. */
export function quote(name: string, text: string): void {
  if (!SCREENSHOTS) return;
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const document = readFileSync(README, "utf8");
  const [before = "", rest] = document.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`The README has no marks for ${name}`);
  writeFileSync(README, `${before}${begin}${text}${end}${after}`);
}
