import { App } from "./app.js";
import { expect, PASSWORD, test } from "./people.js";

test("what another device does shows up when one comes back to the page", async ({ ann }) => {
  const app = await ann.open();
  await ann.create({ title: "Buy milk" });
  await app.page.evaluate(() => window.dispatchEvent(new Event("focus")));
  await expect(app.task("Buy milk")).toBeVisible();
});

test("what another device does shows up within a minute", async ({ ann }) => {
  const { page } = new App(await ann.context.newPage());
  await page.clock.install();
  const app = await ann.open(page);
  await ann.create({ title: "Buy milk" });
  await page.clock.fastForward("00:50");
  await expect(app.task("Buy milk")).toBeHidden();
  await page.clock.fastForward("00:11");
  await expect(app.task("Buy milk")).toBeVisible();
});

test("a sign-in and a sign-out in one tab reach the others", async ({ ann }) => {
  const [first, second] = [await ann.open(), await ann.open()];
  await first.button("Sign out").click();
  await expect(second.textbox("Email")).toBeVisible();
  await second.signIn(ann.email, PASSWORD);
  await expect(second.newTask).toBeFocused();
  await expect(first.newTask).toBeVisible();
});

test("half an edit belongs to its tab: another one shows the task as it is", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const first = await ann.open();
  await first.edit("Buy milk", { title: "Buy oat milk" });
  await first.newTask.fill("Call Bob");
  const second = await ann.open();
  await expect(second.task("Buy milk")).toBeVisible();
  await expect(second.textbox("Title")).toHaveCount(0);
  await expect(second.newTask).toHaveValue("");
});
