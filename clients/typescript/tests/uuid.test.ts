import { afterEach, expect, it, vi } from "vitest";

import { randomUUID } from "../src/index.js";

afterEach(() => vi.unstubAllGlobals());

it("makes another UUID of version 4 each time, without a secure context", () => {
  const { crypto } = globalThis;
  // What a page has that was opened at http://192.168…
  vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
  const made = Array.from({ length: 1_000 }, randomUUID);
  expect(new Set(made).size).toBe(made.length);
  for (const uuid of made) {
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});
