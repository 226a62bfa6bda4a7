// Writes src/schema.ts from the OpenAPI document; with --check it only says whether that is needed.
import { readFileSync, writeFileSync } from "node:fs";

import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";

const SOURCE = new URL("../../../openapi.json", import.meta.url);
const TARGET = new URL("../src/schema.ts", import.meta.url);

const text = readFileSync(SOURCE, "utf8");
const document = JSON.parse(text);

// The type of a problem is one of those that the operations show, and what the rest of the API
// answers with: no operation of the document has that.
const shown = text.match(/(?<=")\/problems\/[a-z-]+(?=")/g) ?? [];
document.components.schemas.ProblemDetails.properties.type.enum = [
  ...new Set([...shown, "/problems/method-not-allowed", "/problems/quota"]),
].sort();

const types = await openapiTS(document, { defaultNonNullable: false });
const source = COMMENT_HEADER + astToString(types);
if (!process.argv.includes("--check")) writeFileSync(TARGET, source);
else if (readFileSync(TARGET, "utf8") !== source) {
  console.error("src/schema.ts is out of date: npm run types");
  process.exit(1);
}
