import type { Locator, Page } from "@playwright/test";

import { expect, test } from "./people.js";

test("a task is added, changed, completed and deleted", async ({ ann }) => {
  const app = await ann.open();
  await app.add("Buy milk");
  await expect(app.task("Buy milk")).toBeVisible();
  await expect(app.newTask).toHaveValue("");
  await expect(app.newTask).toBeFocused();

  await app.edit("Buy milk", { title: "Buy oat milk", description: "Two litres" });
  await app.button("Save").click();
  await expect(app.items).toContainText(["Two litres"]);
  await app.task("Buy oat milk").click();
  await expect(app.task("Buy oat milk")).toBeChecked();
  await expect
    .poll(() => ann.tasks())
    .toMatchObject([{ title: "Buy oat milk", description: "Two litres", completed: true }]);

  await app.delete("Buy oat milk");
  await expect(app.items).toHaveCount(0);
  await expect(app.status).toContainText(["Deleted “Buy oat milk”"]);
  await expect.poll(() => ann.titles()).toEqual([]);
  await app.page.reload();
  await expect(app.newTask).toBeVisible();
  await expect(app.items).toHaveCount(0);
});

test("Undo brings a deleted task back, and nothing was deleted", async ({ ann }) => {
  const { id } = await ann.create({ title: "Buy milk" });
  const app = await ann.open();
  await app.delete("Buy milk");
  await expect(app.task("Buy milk")).toBeHidden();
  await app.button("Undo").click();
  await expect(app.task("Buy milk")).toBeVisible();
  await app.page.reload();
  await expect(app.task("Buy milk")).toBeVisible();
  expect(await ann.tasks()).toMatchObject([{ id, version: 1 }]);
});

test("a delete makes the one before it final, whose Undo goes", async ({ ann }) => {
  for (const title of ["Buy milk", "Call Bob", "Buy bread"]) await ann.create({ title });
  const app = await ann.open();
  await app.delete("Buy milk");
  await app.delete("Call Bob");
  await expect.poll(() => ann.titles()).toEqual(["Call Bob", "Buy bread"]);
  await app.button("Undo").click();
  await expect.poll(() => app.titles()).toEqual(["Buy bread", "Call Bob"]);
  expect(await ann.titles()).toEqual(["Call Bob", "Buy bread"]);
});

test("a task deleted just before the page is left is deleted", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const app = await ann.open();
  await app.delete("Buy milk");
  await app.page.goto("about:blank");
  await expect.poll(() => ann.titles()).toEqual([]);
});

test("a task deleted just before signing out is deleted", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const app = await ann.open();
  const path = await ann.path();
  const headers = { Authorization: `Bearer ${await ann.token()}` };
  await app.delete("Buy milk");
  await app.button("Sign out").click();
  await expect(app.textbox("Email")).toBeVisible();
  const left = async () => (await ann.context.request.get(path, { headers })).json();
  await expect.poll(left).toEqual([]);
});

test("an edit that is cancelled changes nothing", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const app = await ann.open();
  await app.edit("Buy milk", { title: "Buy bread" });
  await app.textbox("Title").press("Escape");
  await expect(app.task("Buy milk")).toBeVisible();
  await app.edit("Buy milk", { title: "Buy bread" });
  await app.button("Cancel").click();
  await expect(app.task("Buy milk")).toBeVisible();
  expect(await ann.tasks()).toMatchObject([{ version: 1 }]);
});

test("the list is filtered and sorted", async ({ ann }) => {
  await ann.create({ title: "Banana", completed: true });
  await ann.create({ title: "Cherry" });
  await ann.create({ title: "Apple" });
  const app = await ann.open();
  const shown = (titles: string[]) => expect.poll(() => app.titles()).toEqual(titles);
  await shown(["Apple", "Cherry", "Banana"]);

  const sortBy = app.page.getByRole("combobox", { name: "Sort by" });
  await sortBy.selectOption("Oldest first");
  await shown(["Banana", "Cherry", "Apple"]);
  await sortBy.selectOption("Title A–Z");
  await shown(["Apple", "Banana", "Cherry"]);
  await sortBy.selectOption("Title Z–A");
  await shown(["Cherry", "Banana", "Apple"]);

  const show = app.page.getByRole("radiogroup", { name: "Show" });
  await show.getByRole("radio", { name: "Done" }).check();
  await shown(["Banana"]);
  await show.getByRole("radio", { name: "Open" }).check();
  await shown(["Cherry", "Apple"]);
  await show.getByRole("radio", { name: "All" }).check();
  await shown(["Cherry", "Banana", "Apple"]);
});

test("300 tasks scroll by without a gap", async ({ ann }) => {
  const titles = Array.from({ length: 300 }, (_, index) => `Task ${index + 1}`);
  for (const title of titles) await ann.create({ title });
  const app = await ann.open();
  await ann.create({ title: "Nobody waits for this one" });
  for (let shown = 0; shown < titles.length; shown = await app.items.count()) {
    await app.items.last().scrollIntoViewIfNeeded();
    await app.page.mouse.wheel(0, 1000);
    await expect.poll(() => app.items.count()).toBeGreaterThan(shown);
  }
  expect(await app.titles()).toEqual(titles.reverse());
});

/** Tabs on until something has the focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  const has = () => target.evaluate((element) => element === document.activeElement);
  for (let tabs = 0; tabs < 30 && !(await has()); tabs++) await page.keyboard.press("Tab");
  await expect(target).toBeFocused();
}

test("everything can be done with the keyboard alone", async ({ ann }) => {
  const app = await ann.open();
  const { keyboard } = app.page;
  await tabTo(app.page, app.newTask);
  await keyboard.type("Buy milk");
  await keyboard.press("Enter");
  await app.saved("Buy milk");
  await keyboard.type("Call Bob");
  await keyboard.press("Enter");
  await app.saved("Call Bob");

  await tabTo(app.page, app.task("Buy milk"));
  await keyboard.press("Space");
  await expect(app.task("Buy milk")).toBeChecked();

  await tabTo(app.page, app.button("Edit Buy milk"));
  await keyboard.press("Enter");
  await expect(app.textbox("Title")).toBeFocused();
  await keyboard.press("ControlOrMeta+a");
  await keyboard.type("Buy bread");
  await keyboard.press("Enter");
  await expect(app.button("Edit Buy bread")).toBeFocused();

  await tabTo(app.page, app.button("Delete Buy bread"));
  await keyboard.press("Enter");
  await expect(app.task("Buy bread")).toBeHidden();
  await expect(app.page.locator(":focus")).toBeVisible();
  await tabTo(app.page, app.button("Undo"));
  await keyboard.press("Enter");
  await expect(app.task("Buy bread")).toBeChecked();

  const open = app.page.getByRole("radio", { name: "Open" });
  await tabTo(app.page, app.page.getByRole("radio", { name: "All" }));
  await keyboard.press("ArrowRight");
  await expect(open).toBeChecked();
  await expect.poll(() => app.titles()).toEqual(["Call Bob"]);
});
