// Writes src/schema.ts from the OpenAPI document; with --check it only says whether that is needed.
import { readFileSync, writeFileSync } from "node:fs";

import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";

const SOURCE = new URL("../../../openapi.json", import.meta.url);
const TARGET = new URL("../src/schema.ts", import.meta.url);

const document = JSON.parse(readFileSync(SOURCE, "utf8"));

// The document gives every type of problem that there is as an example. It promises no more, so
// that a new one breaks no client; for the editor and the compiler these are all.
const { type } = document.components.schemas.ProblemDetails.properties;
type.enum = type.examples;
delete type.examples;

const types = await openapiTS(document);
const source = COMMENT_HEADER + astToString(types);
if (!process.argv.includes("--check")) writeFileSync(TARGET, source);
else if (readFileSync(TARGET, "utf8") !== source) {
  console.error("src/schema.ts is out of date: make openapi brings it up to date");
  process.exit(1);
}
