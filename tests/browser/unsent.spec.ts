import type { Page, Route } from "@playwright/test";

import { API_URL, expect, test, type User } from "./people.js";

const WAITING = /^Saved on this device, will be sent\./;

/** The API cannot be reached from any tab until what this returns is called. */
async function outage({ context }: User): Promise<() => Promise<void>> {
  const cut = (route: Route) => route.abort("connectionrefused");
  await context.route(`${API_URL}/**`, cut);
  return () => context.unroute(`${API_URL}/**`, cut);
}

/** What the API answered to writes: how often it did each. */
function ledger({ context }: User): string[] {
  const done: string[] = [];
  context.on("response", (response) => {
    const { url, method } = { url: response.url(), method: response.request().method() };
    const isWrite = url.startsWith(API_URL) && !["GET", "OPTIONS"].includes(method);
    if (isWrite && response.ok()) done.push(method);
  });
  return done;
}

const comeBack = (page: Page) => page.evaluate(() => window.dispatchEvent(new Event("focus")));

test("what was typed and not saved is there after a reload, which says so", async ({ ann }) => {
  await ann.create({ title: "Buy milk", description: "One litre" });
  const app = await ann.open();
  await app.edit("Buy milk", { title: "Buy oat milk" });
  await app.newTask.fill("Call B");
  await app.page.reload();
  await expect(app.textbox("Title")).toHaveValue("Buy oat milk");
  await expect(app.textbox("Description")).toHaveValue("One litre");
  await expect(app.items).toContainText(["You had not saved this when you left."]);
  await expect(app.newTask).toHaveValue("Call B");
  await app.button("Save").click();
  await expect.poll(() => ann.titles()).toEqual(["Buy oat milk"]);
  await app.newTask.press("Enter");
  await expect.poll(() => ann.titles()).toEqual(["Buy oat milk", "Call B"]);
  await app.page.reload();
  await app.saved("Call B");
  await expect(app.newTask).toHaveValue("");
  await expect(app.textbox("Title")).toHaveCount(0);
});

test("what was done offline is sent once, though the page is loaded again", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  await ann.create({ title: "Call Bob" });
  const app = await ann.open();
  const done = ledger(ann);
  const end = await outage(ann);
  await app.add("Buy bread");
  await app.task("Buy bread").click();
  await app.task("Buy milk").click();
  await app.edit("Call Bob", { title: "Call Ann" });
  await app.button("Save").click();
  await expect(app.status).toContainText([WAITING]);
  await expect(app.alert).toHaveCount(0);

  await app.page.reload();
  await expect(app.status).toContainText([WAITING]);
  await expect(app.task("Buy bread")).toBeChecked();
  await expect(app.task("Call Ann")).toBeVisible();
  await end();
  await comeBack(app.page);
  await app.saved("Call Ann");
  await expect(app.status).not.toContainText([WAITING]);
  expect(await ann.tasks()).toMatchObject([
    { title: "Buy milk", completed: true, version: 2 },
    { title: "Call Ann", version: 2 },
    { title: "Buy bread", completed: true, version: 2 },
  ]);
  expect(done.sort()).toEqual(["PATCH", "PATCH", "POST", "PUT"]);
});

test("after an outage five changes arrive by themselves, each once", async ({ ann }) => {
  const app = await ann.open();
  const done = ledger(ann);
  const end = await outage(ann);
  const titles = ["One", "Two", "Three", "Four", "Five"];
  for (const title of titles) await app.add(title);
  await expect(app.status).toContainText([WAITING]);
  await expect(app.alert).toHaveCount(0);
  await end(); // nobody comes back, nothing is clicked: the pauses end
  await expect.poll(() => done.length, { timeout: 30_000 }).toBe(5);
  for (const title of titles) await app.saved(title);
  await expect(app.status).not.toContainText([WAITING]);
  expect((await ann.titles()).sort()).toEqual(titles.sort());
});

test("what was done offline is sent at once when the device is online again", async ({ ann }) => {
  const app = await ann.open();
  await ann.context.setOffline(true);
  await app.add("Buy milk");
  await expect(app.status).toContainText([WAITING]);
  await app.page.reload().catch(() => undefined); // without a service worker there is no page
  await ann.context.setOffline(false);
  await app.page.goto("/");
  await app.saved("Buy milk");
  expect(await ann.titles()).toEqual(["Buy milk"]);
});

test("a filter that is chosen while the API is down does not empty the list", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  await ann.create({ title: "Call Bob", completed: true });
  const app = await ann.open();
  const end = await outage(ann);
  await app.filter("Open").check();
  await expect.poll(() => app.titles()).toEqual(["Buy milk"]);
  await app.sortBy.selectOption("Title Z–A");
  await app.filter("All").check();
  await expect.poll(() => app.titles()).toEqual(["Call Bob", "Buy milk"]);
  await expect(app.status).toContainText(["The server cannot be reached. Trying again…"]);
  await end();
  await comeBack(app.page);
  await expect.poll(() => app.titles()).toEqual(["Call Bob", "Buy milk"]);
  await expect(app.list).toHaveAttribute("aria-busy", "false");
});

test("the browser asks before it leaves what cannot be kept", async ({ ann }) => {
  const app = await ann.open();
  await app.page.evaluate(() => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  });
  await app.newTask.fill("Buy milk");
  await expect(app.status).toContainText(["This browser keeps nothing."]);
  const asked = app.page.waitForEvent("dialog");
  const closing = app.page.close({ runBeforeUnload: true });
  expect((await asked).type()).toBe("beforeunload");
  await (await asked).dismiss();
  await closing;
  await app.newTask.fill("");
  await expect(app.status).not.toContainText(["This browser keeps nothing."]);
});
