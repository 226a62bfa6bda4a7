import type { Request } from "@playwright/test";

import type { App } from "./app.js";
import { API_URL, expect, PASSWORD, test, type User } from "./people.js";

/** The requests with this method that the page sends to the API from now on. */
function requests({ page }: App, method: string): Request[] {
  const seen: Request[] = [];
  page.on("request", (request) => {
    if (request.method() === method && request.url().startsWith(API_URL)) seen.push(request);
  });
  return seen;
}

const statuses = (seen: Request[]) =>
  Promise.all(seen.map(async (request) => (await request.response())?.status()));

test("a create whose response is cut off is sent again, and there is one task", async ({ ann }) => {
  const app = await ann.open();
  const creates = requests(app, "POST");
  await app.page.route(`${API_URL}/**`, async (route) => {
    if (route.request().method() !== "POST" || creates.length > 1) return route.fallback();
    expect((await route.fetch()).status()).toBe(201);
    await route.abort("connectionreset");
  });
  await app.add("Buy milk");

  await expect.poll(() => creates.length).toBe(2);
  await app.saved("Buy milk");
  await expect(app.items).toHaveCount(1);
  expect(await ann.titles()).toEqual(["Buy milk"]);
  const [first, second] = creates.map((request) => request.headers()["idempotency-key"]);
  expect(first).toBeTruthy();
  expect(second).toBe(first);
});

/** Waits until the API refuses the token that the page has. */
async function expire(app: App, user: User): Promise<void> {
  const lists = requests(app, "GET");
  await app.page.reload();
  await expect.poll(() => lists.length).toBeGreaterThan(0);
  const { authorization = "" } = (await lists.at(-1)?.allHeaders()) ?? {};
  const headers = { Authorization: authorization };
  const path = await user.path();
  const status = async () => (await user.context.request.get(path, { headers })).status();
  await expect.poll(status, { timeout: 30_000 }).toBe(401);
}

test("a token that has expired is replaced unseen", async ({ ann }) => {
  const app = await ann.open();
  await expire(app, ann);
  const creates = requests(app, "POST");
  await app.add("Buy milk");
  await app.saved("Buy milk");
  expect(await ann.titles()).toEqual(["Buy milk"]);
  expect(await statuses(creates)).toEqual([401, 201]);
  await expect(app.newTask).toBeFocused();
});

test("a session that has ended asks to sign in again, loses nothing and says no more of it", async ({
  ann,
}) => {
  await ann.create({ title: "Call Bob" });
  const app = await ann.open();
  await app.newTask.fill("Buy milk");
  await expire(app, ann);
  await ann.context.clearCookies();
  await app.edit("Call Bob", { title: "Call Ann" });
  await app.button("Save").click();
  await expect(app.status).toContainText(["Your session has ended."]);
  await app.signIn(ann.email, PASSWORD);
  await expect(app.newTask).toHaveValue("Buy milk");
  await app.saved("Call Ann");
  await expect(app.textbox("Title")).toHaveCount(0);
  expect(await ann.titles()).toEqual(["Call Ann"]);
});

const PROBLEM = {
  type: "/problems/internal-error",
  title: "Internal Server Error",
  status: 500,
  detail: "Something went wrong.",
  instance: "/api",
  request_id: "request-42",
};

/** The API fails from now on. */
async function fail({ page }: App, method: string): Promise<void> {
  await page.route(`${API_URL}/**`, async (route) => {
    if (route.request().method() !== method) return route.fallback();
    await route.fulfill({
      status: 500,
      headers: { "Access-Control-Allow-Origin": new URL(page.url()).origin },
      contentType: "application/problem+json",
      body: JSON.stringify(PROBLEM),
    });
  });
}

test("a list that cannot be loaded says so, and can be asked for again", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const app = await ann.open();
  await fail(app, "GET");
  await app.page.reload();
  await expect(app.alert).toContainText("Something went wrong.");
  await app.page.unrouteAll();
  await app.button("Try again").click();
  await app.saved("Buy milk");
});

test("a toggle that fails is taken back, and the page says why", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const app = await ann.open();
  await fail(app, "PATCH");
  await app.task("Buy milk").click();
  await expect(app.alert).toContainText("Something went wrong.");
  await expect(app.alert).toContainText("request-42");
  await expect(app.task("Buy milk")).not.toBeChecked();
});

test("a delete that fails brings the task back", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const app = await ann.open();
  await fail(app, "DELETE");
  await app.delete("Buy milk");
  await expect(app.task("Buy milk")).toBeHidden();
  await expect(app.alert).toContainText("Something went wrong.");
  await expect(app.task("Buy milk")).toBeVisible();
});

test("an edit that fails keeps the text, to be tried again", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const app = await ann.open();
  await fail(app, "PUT");
  await app.edit("Buy milk", { title: "Buy oat milk" });
  await app.button("Save").click();
  await expect(app.alert).toContainText("Something went wrong.");
  await expect(app.textbox("Title")).toHaveValue("Buy oat milk");

  await app.page.unrouteAll();
  await app.button("Try again").click();
  await expect(app.task("Buy oat milk")).toBeVisible();
  await expect.poll(() => ann.titles()).toEqual(["Buy oat milk"]);
});

test("a title that the API refuses is named at its field, and can be mended", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const app = await ann.open();
  await app.edit("Buy milk", { title: "" });
  await app
    .textbox("Title")
    .evaluate((field: HTMLInputElement) => field.removeAttribute("maxlength"));
  await app.textbox("Title").fill("x".repeat(256));
  await app.button("Save").click();
  await expect(app.textbox("Title")).toHaveAccessibleDescription(/255/);
  await expect(app.textbox("Title")).toHaveValue("x".repeat(256));

  await app.textbox("Title").fill("Buy oat milk");
  await app.button("Save").click();
  await expect.poll(() => ann.titles()).toEqual(["Buy oat milk"]);
  await expect(app.task("Buy oat milk")).toBeVisible();
});

test("a new task survives that there is no network", async ({ ann }) => {
  const app = await ann.open();
  await ann.context.setOffline(true);
  await app.add("Buy milk");
  await expect(app.status).toContainText([/^Saved on this device, will be sent\./]);
  await ann.context.setOffline(false);
  await app.saved("Buy milk");
  expect(await ann.titles()).toEqual(["Buy milk"]);
});
