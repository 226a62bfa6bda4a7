import { expect, test } from "./people.js";

test("a click on the title edits, only the box completes", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const app = await ann.open();
  await app.title("Buy milk").click();
  await expect(app.textbox("Title")).toBeFocused();
  await expect(app.textbox("Title")).toHaveValue("Buy milk");
  await app.page.keyboard.press("Escape");
  await app.task("Buy milk").click();
  await expect(app.task("Buy milk")).toBeChecked();
  await expect.poll(() => ann.tasks()).toMatchObject([{ completed: true, version: 2 }]);
});

test("Enter saves and opens the next, Escape reverts", async ({ ann }) => {
  for (const title of ["Cherry", "Banana", "Apple"]) await ann.create({ title });
  const app = await ann.open();
  const { keyboard } = app.page;
  await app.title("Apple").click();
  await keyboard.type(" pie");
  await keyboard.press("Enter");
  await expect(app.textbox("Title")).toHaveValue("Banana");
  await expect(app.textbox("Title")).toBeFocused();
  await keyboard.type(" split");
  await keyboard.press("Escape");
  await expect(app.textbox("Title")).toHaveCount(0);
  await expect(app.task("Banana")).toBeFocused();

  await keyboard.press("ArrowDown");
  await keyboard.press("e");
  await keyboard.type(" cake");
  await keyboard.press("Enter");
  await expect(app.task("Cherry cake")).toBeFocused();
  await expect.poll(() => ann.titles()).toEqual(["Cherry cake", "Banana", "Apple pie"]);
});

test("an editor in which nothing was typed closes when another opens", async ({ ann }) => {
  for (const title of ["Banana", "Apple"]) await ann.create({ title });
  const app = await ann.open();
  await app.title("Apple").click();
  await app.title("Banana").click();
  await expect(app.textbox("Title")).toHaveCount(1);
  await app.textbox("Title").fill("Banana split");
  await app.title("Apple").click();
  await expect(app.textbox("Title")).toHaveCount(2);
});

test("a task is added with a description, in a second line", async ({ ann }) => {
  const app = await ann.open();
  const { keyboard } = app.page;
  await app.newTask.click();
  const { height = 0 } = (await app.newTask.boundingBox()) ?? {};
  await keyboard.type("Buy milk");
  await keyboard.press("Shift+Enter");
  await keyboard.type("Two litres");
  await expect(async () => {
    expect((await app.newTask.boundingBox())?.height).toBeGreaterThan(height + 15);
  }).toPass();
  await keyboard.press("Enter");
  await app.saved("Buy milk");
  await expect(app.newTask).toHaveValue("");
  expect(await ann.tasks()).toMatchObject([{ title: "Buy milk", description: "Two litres" }]);
});

test("the field for the description grows with it", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const app = await ann.open();
  await app.title("Buy milk").click();
  const field = app.textbox("Description");
  const { height = 0 } = (await field.boundingBox()) ?? {};
  await field.fill("line\n".repeat(10));
  expect((await field.boundingBox())?.height).toBeGreaterThan(height + 100);
});

test("a title that is too long is named before it is sent", async ({ ann }) => {
  const app = await ann.open();
  await app.add("x".repeat(256));
  await expect(app.newTask).toHaveAccessibleDescription(/at most 255 characters/);
  await expect(app.newTask).toHaveValue("x".repeat(256));
  expect(await ann.titles()).toEqual([]);
});

test("text that is written from right to left is shown so", async ({ ann }) => {
  await ann.create({ title: "לקנות חלב", description: "שני ליטר" });
  const app = await ann.open();
  const direction = (text: string) =>
    app.list.getByText(text).evaluate((element) => getComputedStyle(element).direction);
  expect(await direction("לקנות חלב")).toBe("rtl");
  expect(await direction("שני ליטר")).toBe("rtl");
  await app.edit("לקנות חלב", {});
  for (const field of [app.textbox("Title"), app.textbox("Description")]) {
    expect(await field.evaluate((element) => getComputedStyle(element).direction)).toBe("rtl");
  }
  await app.newTask.fill("قائمة");
  await app.search.fill("قائمة");
  for (const field of [app.newTask, app.search]) {
    expect(await field.evaluate((element) => getComputedStyle(element).direction)).toBe("rtl");
  }
});
