import type { Locator, Page } from "@playwright/test";

import { type App } from "./app.js";
import { API_URL, expect, test, type User } from "./people.js";

const FRUIT = ["Cherry", "Banana", "Apple"]; // which are listed from Apple on

async function openWithFruit(user: User): Promise<App> {
  for (const title of FRUIT) await user.create({ title });
  const app = await user.open();
  await expect(app.items).toHaveCount(FRUIT.length);
  return app;
}

async function tabTo(page: Page, target: Locator): Promise<void> {
  const has = () => target.evaluate((element) => element === document.activeElement);
  for (let tabs = 0; tabs < 40 && !(await has()); tabs++) await page.keyboard.press("Tab");
  await expect(target).toBeFocused();
}

test("everything can be done with the keyboard alone", async ({ ann }) => {
  const app = await ann.open();
  const { keyboard } = app.page;
  for (const title of FRUIT) {
    await keyboard.press("n");
    await keyboard.type(title);
    await keyboard.press("Enter");
    await app.says(`Added “${title}”`);
    await keyboard.press("Escape");
  }
  await app.saved("Apple");

  await keyboard.press("ArrowDown");
  await keyboard.press("x");
  await app.says("Completed “Banana”");
  await keyboard.press("Space");
  await app.says("Reopened “Banana”");
  await expect(app.task("Banana")).toBeFocused();

  await keyboard.press("ArrowUp");
  await keyboard.press("e");
  await keyboard.type(" pie");
  await keyboard.press("ControlOrMeta+Enter");
  await app.says("Saved “Apple pie”");

  await keyboard.press("Escape");
  await keyboard.press("End");
  await expect(app.task("Cherry")).toBeFocused();
  await keyboard.press("Delete");
  await app.says("Deleted “Cherry”");
  await expect(app.task("Banana")).toBeFocused();
  await keyboard.press("ControlOrMeta+z");
  await app.says("Restored “Cherry”");
  await expect(app.task("Cherry")).toBeFocused();
  await keyboard.press("Delete");
  await app.says("Deleted “Cherry”");
  await tabTo(app.page, app.button("Undo"));
  await keyboard.press("Enter");
  await app.says("Restored “Cherry”");

  await keyboard.press("/");
  await expect(app.search).toBeFocused();
  await keyboard.type("pie");
  await expect.poll(() => app.titles()).toEqual(["Apple pie"]);
  await keyboard.press("Escape");
  await expect.poll(() => app.titles()).toEqual(["Apple pie", "Banana", "Cherry"]);
  await expect.poll(() => ann.titles()).toEqual(["Cherry", "Banana", "Apple pie"]);

  await app.task("Banana").focus();
  await keyboard.press("x");
  await tabTo(app.page, app.filter("All"));
  await keyboard.press("ArrowRight");
  await expect(app.filter("Open")).toBeChecked();
  await expect.poll(() => app.titles()).toEqual(["Apple pie", "Cherry"]);
});

test("the list is one tab stop", async ({ ann }) => {
  const app = await openWithFruit(ann);
  const { keyboard } = app.page;
  await app.sortBy.focus();
  await keyboard.press("Tab");
  await expect(app.task("Apple")).toBeFocused();
  await keyboard.press("ArrowDown");
  await keyboard.press("Tab");
  await expect(app.list.locator(":focus")).toHaveCount(0);
  await keyboard.press("Shift+Tab");
  await expect(app.task("Banana")).toBeFocused();
  await keyboard.press("Shift+Tab");
  await expect(app.sortBy).toBeFocused();
});

test("the keys are shown, and single ones can be turned off", async ({ ann }) => {
  const app = await openWithFruit(ann);
  const { keyboard } = app.page;
  const help = app.page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await keyboard.press("?");
  await expect(help).toContainText("Add a task");
  await help.getByRole("checkbox").uncheck();
  await keyboard.press("Escape");
  await expect(help).toBeHidden();
  await app.page.reload();
  await expect(app.items).toHaveCount(FRUIT.length);
  for (const key of ["n", "/", "?", "x"]) await keyboard.press(key);
  await expect(app.page.locator(":focus")).toHaveCount(0);
  await expect(help).toBeHidden();
  await keyboard.press("ArrowDown");
  await keyboard.press("x"); // on a task they are no accident
  await expect(app.task("Banana")).toBeChecked();
});

test("keys are text where one types", async ({ ann }) => {
  const app = await openWithFruit(ann);
  await app.newTask.click();
  await app.page.keyboard.type("next: /x?e");
  await expect(app.newTask).toHaveValue("next: /x?e");
});

/** What was sent to the API, and not asked. */
function writes({ page }: App): string[] {
  const seen: string[] = [];
  page.on("request", (request) => {
    if (request.url().startsWith(API_URL) && !["GET", "OPTIONS"].includes(request.method())) {
      seen.push(request.method());
    }
  });
  return seen;
}

test("several are selected with Shift, and each is completed singly", async ({ ann }) => {
  const app = await openWithFruit(ann);
  const sent = writes(app);
  const selection = app.page.getByRole("group", { name: "Selection" });
  await app.task("Apple").focus();
  await app.page.keyboard.press("Shift+ArrowDown");
  await expect(selection).toContainText("2 tasks selected");
  await expect(app.task("Banana")).toHaveAccessibleDescription("selected");
  await app.title("Cherry").click({ modifiers: ["Shift"] });
  await expect(selection).toContainText("3 tasks selected");
  await selection.getByRole("button", { name: "Complete" }).click();
  await app.says("Completed 3 tasks");
  await expect(selection).toBeHidden();
  await expect.poll(() => sent).toEqual(["PATCH", "PATCH", "PATCH"]);
  await app.button("Undo").click();
  for (const title of FRUIT) await expect(app.task(title)).not.toBeChecked();
  await expect
    .poll(() => ann.tasks())
    .toMatchObject(Array(3).fill({ completed: false, version: 3 }));
});

test("of several that are deleted, each says singly that it could not be", async ({ ann }) => {
  const app = await openWithFruit(ann);
  const [banana] = (await ann.tasks()).filter(({ title }) => title === "Banana");
  await ann.change(banana!, { title: "Banana split" });
  await select(app, app.title("Apple"), app.title("Cherry"));
  await app.page.keyboard.press("Delete");
  await app.says("Deleted 3 tasks");
  await expect(app.items).toHaveCount(0);
  await expect(app.conflict).toContainText("Banana split");
  await expect.poll(() => ann.titles()).toEqual(["Banana split"]);
  await app.button("Keep mine").click();
  await expect.poll(() => ann.titles()).toEqual([]);
});

/** Selects tasks from one to another; the first is no more than the beginning. */
async function select({ page }: App, first: Locator, last: Locator): Promise<void> {
  await first.click({ modifiers: ["Shift"] });
  await last.click({ modifiers: ["Shift"] });
  await expect(page.getByRole("group", { name: "Selection" })).toBeVisible();
}
