import type { Page } from "@playwright/test";

import { guessPasswords } from "./accounts.js";
import { API_URL, ask, DOCS_URL, expect, test } from "./people.js";

/** What a page's own request comes to. */
const outcome = (page: Page, init: RequestInit) =>
  ask(page, `${API_URL}/api/somebody/tasks`, init).then(
    ({ status }) => String(status),
    (error: Error) => error.message,
  );

const PREFLIGHTED = { method: "PUT", headers: { "Content-Type": "application/json" } };

test("a page of another origin gets no response from the API", async ({ page }) => {
  await page.goto(`${DOCS_URL}/openapi.json`);
  expect(await outcome(page, {})).toContain("Failed to fetch");
  expect(await outcome(page, PREFLIGHTED)).toContain("Failed to fetch");
});

test("a page of an allowed origin gets its responses", async ({ page }) => {
  await page.goto("/");
  expect(await outcome(page, {})).toBe("401");
  expect(await outcome(page, PREFLIGHTED)).toBe("401");
});

test("the browser lets the page see what it needs of a response", async ({ ann }) => {
  const { page } = await ann.open();
  const path = await ann.path();
  const call = async (method: string, url: string, extra: Record<string, string>, body?: object) =>
    ask(page, url, {
      method,
      headers: {
        Authorization: `Bearer ${await ann.token()}`,
        "Content-Type": "application/json",
        ...extra,
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });

  const key = { "Idempotency-Key": crypto.randomUUID() };
  const created = await call("POST", path, key, { title: "Buy milk" });
  expect(created).toMatchObject({ status: 201, headers: { etag: '"1"' } });
  expect(created.headers["location"]).toContain("/tasks/");
  expect(created.headers["x-request-id"]).toBeTruthy();
  const again = await call("POST", path, key, { title: "Buy milk" });
  expect(again).toMatchObject({ status: 201, headers: { "idempotency-replayed": "true" } });

  const task = `${path}/${JSON.parse(created.text).id}`;
  const changed = await call("PUT", task, { "If-Match": '"1"' }, { title: "Buy bread" });
  expect(changed).toMatchObject({ status: 200, headers: { etag: '"2"' } });
  const late = await call("PATCH", `${task}/complete`, { "If-Match": '"1"' }, { completed: true });
  expect(late).toMatchObject({ status: 412, headers: { etag: '"2"' } });
  expect((await call("GET", task, { "If-None-Match": '"2"' })).status).toBe(304);

  await ann.create({ title: "Buy eggs" });
  const page1 = await call("GET", `${path}?limit=1`, {});
  expect(page1.headers["link"]).toContain('rel="next"');
  expect((await call("DELETE", task, { "If-Match": '"2"' })).status).toBe(204);
});

test("passwords cannot be guessed as often as one likes, whatever address one claims", async ({ request }) => {
  await guessPasswords(request);
});
