import { conflict, expect, test } from "./people.js";

test("the second of two tabs keeps its own text on demand", async ({ ann }) => {
  const app = await conflict(ann);
  await app.button("Keep mine").click();
  await expect(app.conflict).toBeHidden();
  await expect(app.task("Buy oat milk")).toBeVisible();
  await expect.poll(() => ann.titles()).toEqual(["Buy oat milk"]);
});

test("the second of two tabs takes the other's text on demand", async ({ ann }) => {
  const app = await conflict(ann);
  await app.button("Take theirs").click();
  await expect(app.conflict).toBeHidden();
  await expect(app.task("Buy bread")).toBeVisible();
  expect(await ann.titles()).toEqual(["Buy bread"]);
});

test("a tab that is behind completes nothing unseen", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const [first, second] = [await ann.open(), await ann.open()];
  await first.edit("Buy milk", { title: "Buy bread" });
  await first.button("Save").click();
  await expect.poll(() => ann.titles()).toEqual(["Buy bread"]);
  await second.task("Buy milk").click();
  await expect(second.conflict).toContainText("Buy bread");
  expect(await ann.tasks()).toMatchObject([{ completed: false }]);

  await second.button("Keep mine").click();
  await expect(second.task("Buy bread")).toBeChecked();
  await expect.poll(() => ann.tasks()).toMatchObject([{ title: "Buy bread", completed: true }]);
});

test("what was typed outlives that somebody deletes the task", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const [first, second] = [await ann.open(), await ann.open()];
  await second.edit("Buy milk", { title: "Buy oat milk" });
  await first.delete("Buy milk");
  await expect.poll(() => ann.titles()).toEqual([]);
  await second.button("Save").click();
  await expect(second.conflict).toContainText("Buy oat milk");
  await second.button("Keep mine").click();
  await expect.poll(() => ann.titles()).toEqual(["Buy oat milk"]);
});

test("quick changes of one task do not conflict with each other", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const app = await ann.open();
  for (let click = 0; click < 5; click++) await app.task("Buy milk").click();
  await expect(app.task("Buy milk")).toBeChecked();
  await expect
    .poll(async () => (await ann.tasks())[0])
    .toMatchObject({ completed: true, version: 6 });
  await expect(app.conflict).toBeHidden();
  await expect(app.alert).toBeHidden();
});
