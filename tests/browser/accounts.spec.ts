import { App } from "./app.js";
import { ask, expect, PASSWORD, test } from "./people.js";

test("an account is created, and its tasks are there after signing in again", async ({ page }) => {
  const app = new App(page);
  const email = `${crypto.randomUUID()}@example.com`;
  await page.goto("/");
  await expect(page.getByRole("heading", { level: 1, name: "Tasks" })).toBeVisible();

  await app.button("Create an account instead").click();
  await app.textbox("Name").fill("Ann");
  await app.textbox("Email").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await app.button("Create account").click();
  await expect(page.getByRole("banner")).toContainText("Ann");
  await app.add("Buy milk");
  await app.saved("Buy milk");

  await app.button("Sign out").click();
  await app.signIn(email, "not the password");
  await expect(app.alert).toBeVisible();
  await app.signIn(email, PASSWORD);
  await expect(app.task("Buy milk")).toBeVisible();
});

test("a session outlives a reload", async ({ ann }) => {
  const app = await ann.open();
  await app.page.reload();
  await expect(app.page.getByRole("banner")).toContainText("Ann");
});

test("two users never see each other's tasks", async ({ ann, person }) => {
  const bob = await person("Bob");
  const secret = await ann.create({ title: "Ann's secret" });
  await bob.create({ title: "Bob's secret" });
  const [hers, his] = [await ann.open(), await bob.open()];
  await expect(hers.task("Ann's secret")).toBeVisible();
  await expect(hers.items).toHaveCount(1);
  await expect(his.task("Bob's secret")).toBeVisible();
  await expect(his.items).toHaveCount(1);

  const headers = { Authorization: `Bearer ${await bob.token()}` };
  const status = async (url: string) => (await ask(his.page, url, { headers })).status;
  expect(await status(`${await ann.path()}/${secret.id}`)).toBe(403);
  expect(await status(await ann.path())).toBe(403);
  expect(await status(`${await bob.path()}/${secret.id}`)).toBe(404);
});

test("whoever signs in next sees nothing of the one before", async ({ ann, person }) => {
  const bob = await person("Bob");
  await ann.create({ title: "Ann's secret" });
  const app = await ann.open();
  await app.edit("Ann's secret", { title: "Ann's other secret" });

  await app.button("Sign out").click();
  await expect(app.textbox("Email")).toBeVisible();
  await app.page.evaluate(() => {
    new MutationObserver(() => {
      if (document.documentElement.innerHTML.includes("secret")) document.title = "A secret is out";
    }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  });
  await app.signIn(bob.email, PASSWORD);
  await expect(app.page.getByRole("banner")).toContainText("Bob");
  await app.add("Buy milk");
  await app.saved("Buy milk");
  await expect(app.items).toHaveCount(1);
  expect(await bob.titles()).toEqual(["Buy milk"]);
  await expect(app.page).not.toHaveTitle("A secret is out");
});

test("signing out in one tab is signing out in all of them", async ({ ann }) => {
  await ann.create({ title: "Ann's secret" });
  const [first, second] = [await ann.open(), await ann.open()];
  await expect(second.task("Ann's secret")).toBeVisible();
  await first.button("Sign out").click();
  await expect(second.textbox("Email")).toBeVisible();
  expect(await second.page.content()).not.toContain("secret");
});
