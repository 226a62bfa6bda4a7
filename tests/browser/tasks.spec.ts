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

test("several things can be undone, the last first, until a delete is sent", async ({ ann }) => {
  for (const title of ["Buy milk", "Call Bob", "Buy bread"]) await ann.create({ title });
  const app = await ann.open();
  const tasks = await ann.tasks();
  await app.delete("Buy milk");
  await app.task("Call Bob").click();
  await app.delete("Buy bread");
  await expect(app.undone).toHaveText("Deleted “Buy bread”");
  await app.button("Undo").click();
  await expect(app.undone).toHaveText("Completed “Call Bob”");
  await app.page.keyboard.press("ControlOrMeta+z");
  await expect(app.task("Call Bob")).not.toBeChecked();
  await expect(app.undone).toHaveText("Deleted “Buy milk”");
  await app.button("Undo").click();
  await expect.poll(() => app.titles()).toEqual(["Buy bread", "Call Bob", "Buy milk"]);
  await expect(app.button("Undo")).toBeHidden();
  const ids = (all: { id: number }[]) => all.map(({ id }) => id);
  expect(ids(await ann.tasks())).toEqual(ids(tasks));

  await app.delete("Buy milk");
  await expect.poll(() => ann.titles()).toEqual(["Call Bob", "Buy bread"]);
  await expect(app.button("Undo")).toBeHidden();
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
