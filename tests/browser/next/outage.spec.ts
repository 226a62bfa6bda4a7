import { expect, PATHS, RELAY_URL, test } from "./people.js";

const say = (what: "up" | "down") => fetch(`${RELAY_URL}/${what}`, { method: "POST" });

test.beforeEach(() => say("up"));
test.afterEach(() => say("up"));

for (const path of PATHS) {
  test(`${path}: the API goes away and comes back`, async ({ ann }) => {
    await ann.create({ title: "Buy milk" });
    const app = await ann.open(path);
    await expect(app.item("Buy milk")).toBeVisible();

    await say("down");
    await app.toggle("Buy milk");
    if (path === "/client") await app.showsDone("Buy milk"); // at once, in good faith
    await expect(app.alert.first()).toContainText("The API cannot be reached.");

    await say("up");
    if (path === "/server") await app.page.reload();
    else await app.button("Try again").first().click();
    if (path !== "/client") {
      await app.showsDone("Buy milk", false); // it was not done
      await app.toggle("Buy milk");
    }
    await app.showsDone("Buy milk");
    await expect.poll(() => ann.tasks()).toMatchObject([{ completed: true }]);
    await expect(app.alert).toHaveCount(0);
  });

  test(`${path}: a page that is opened while the API is away says so`, async ({ ann }) => {
    await ann.create({ title: "Buy milk" });
    await say("down");
    const app = await ann.open(path);
    await expect(app.alert).toContainText("The API cannot be reached.");
    await say("up");
    if (path === "/server") await app.page.reload();
    else await app.button("Try again").click();
    await expect(app.item("Buy milk")).toBeVisible();
  });
}

test("/client: a change that failed is rolled back", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const app = await ann.open("/client");
  await expect(app.item("Buy milk")).toBeVisible();
  await say("down");
  await app.toggle("Buy milk");
  await app.showsDone("Buy milk");
  await expect(app.alert).toContainText("The API cannot be reached.");
  await app.showsDone("Buy milk", false);
  await app.button("Leave it").click();
  await say("up");
  await app.page.reload();
  await app.showsDone("Buy milk", false);
});
