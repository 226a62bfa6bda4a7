import { App } from "./app.js";
import { expect, PASSWORD, test } from "./people.js";

test.use({ serviceWorkers: "allow" });

/** Opens the page, and waits until its service worker keeps what it needs. */
async function install(app: App): Promise<void> {
  await app.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
}

test("it opens offline, with what it had, and sends later what is done then", async ({ ann }) => {
  await ann.create({ title: "Buy milk" });
  const app = await ann.open();
  await install(app);
  await expect(app.task("Buy milk")).toBeVisible();
  await app.page.waitForTimeout(1_000); // lists are kept in half a second
  await ann.context.setOffline(true);
  await app.page.reload();
  await expect(app.task("Buy milk")).toBeVisible();
  await expect(app.page.getByRole("banner")).toContainText("Ann");
  await app.add("Buy bread");
  await expect(app.status).toContainText([/^Saved on this device, will be sent\./]);
  await app.page.reload();
  await expect(app.task("Buy bread")).toBeVisible();

  await ann.context.setOffline(false);
  await app.saved("Buy bread");
  await expect.poll(() => ann.titles()).toEqual(["Buy milk", "Buy bread"]);
});

test("it can be installed", async ({ ann }) => {
  const app = await ann.open();
  await install(app);
  const devtools = await ann.context.newCDPSession(app.page);
  const { errors, url } = await devtools.send("Page.getAppManifest");
  expect(errors).toEqual([]);
  const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
  // A window without a history is what these tests run in.
  const found = installabilityErrors.map(({ errorId }) => errorId);
  expect(found.filter((id) => id !== "in-incognito")).toEqual([]);

  const manifest = await (await ann.context.request.get(url)).json();
  expect(manifest).toMatchObject({ name: "Tasks", display: "standalone" });
  for (const { src, sizes } of manifest.icons) {
    const icon = await ann.context.request.get(new URL(src, url).href);
    expect(icon.headers()["content-type"], `${src} ${sizes}`).toMatch(/^image\//);
  }
});

test("the page is silent in the console, signed out and in", async ({ ann, page }) => {
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  const app = new App(page);
  await page.goto("/");
  await expect(app.textbox("Email")).toBeVisible();
  await page.evaluate(() => window.dispatchEvent(new Event("focus")));
  await app.signIn(ann.email, PASSWORD);
  await app.add("Buy milk");
  await app.saved("Buy milk");
  await app.button("Sign out").click();
  await expect(app.textbox("Email")).toBeVisible();
  await page.evaluate(() => window.dispatchEvent(new Event("focus")));
  expect(said).toEqual([]);
});
