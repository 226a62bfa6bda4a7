import { guessPasswords } from "../accounts.js";
import { API_URL, App, expect, PAGE_URL, PASSWORD, PATHS, test } from "./people.js";

const BEYOND_EXPIRY = 13_000; // milliseconds: tokens live 2 s, and the API grants clocks 10 s

test("a frontend may send cookies, and the headers that libraries add", async ({ ann }) => {
  const { page } = await ann.open("/client");
  const headers = {
    Authorization: `Bearer ${await ann.token()}`,
    "Cache-Control": "no-cache",
    "X-Requested-With": "XMLHttpRequest",
  };
  const init: RequestInit = { credentials: "include", headers };
  const asked = [await ann.path(), init] as const;
  const status = await page.evaluate(async (asked) => (await fetch(...asked)).status, asked);
  expect(status).toBe(200);
});

for (const path of PATHS) {
  test.describe(path, () => {
    test("tasks are added, completed and deleted", async ({ ann }) => {
      const app = await ann.open(path);
      await app.add("Buy milk");
      await app.add("Call Bob");
      await app.toggle("Buy milk");
      await app.showsDone("Buy milk");
      await app.showsDone("Call Bob", false);
      await app.delete("Call Bob");
      await expect(app.item("Call Bob")).toHaveCount(0);
      await expect
        .poll(async () => (await ann.tasks()).map(({ title, completed }) => [title, completed]))
        .toEqual([["Buy milk", true]]);
    });

    test("a list longer than a page goes on along the cursor", async ({ ann }) => {
      const titles = Array.from({ length: 25 }, (_, index) => `Task ${index + 1}.`);
      for (const title of titles) await ann.create({ title });
      const app = await ann.open(path);
      await expect(app.items).toHaveCount(20);
      const more = app.page.getByText("Show more");
      await more.click();
      await expect(app.item("Task 1.")).toBeVisible();
      await expect(more).toHaveCount(0);
    });

    test("a change of what somebody else has changed is refused, and says what is there", async ({
      ann,
    }) => {
      const task = await ann.create({ title: "Buy milk" });
      const app = await ann.open(path);
      await expect(app.item("Buy milk")).toBeVisible();
      await ann.change(task, { title: "Buy bread" });
      await app.toggle("Buy milk");
      await expect(app.alert).toContainText(/changed/);
      await expect(app.item("Buy bread")).toBeVisible();
      await app.showsDone("Buy bread", false);
      expect(await ann.tasks()).toMatchObject([{ title: "Buy bread", completed: false }]);
    });

    test("a page that is open longer than its token lives goes on", async ({ ann }) => {
      await ann.create({ title: "Buy milk" });
      const app = await ann.open(path);
      await expect(app.item("Buy milk")).toBeVisible();
      const statuses: number[] = [];
      app.page.on("response", (response) => statuses.push(response.status()));
      await app.page.waitForTimeout(BEYOND_EXPIRY);
      await app.toggle("Buy milk");
      await app.showsDone("Buy milk");
      await expect.poll(() => ann.tasks()).toMatchObject([{ completed: true }]);
      await expect(app.alert).toHaveCount(0);
      // Only the browser keeps a token: it is refused once, and renewed.
      expect(statuses.filter((status) => status === 401)).toHaveLength(path === "/client" ? 1 : 0);
    });

    test("what the API refuses is said in its words, and the list is as before", async ({
      ann,
    }) => {
      const app = await ann.open(path);
      await expect(app.items).toHaveText(["Nothing to do."]);
      await app.newTask.fill("x".repeat(256));
      await app.newTask.press("Enter");
      await expect(app.alert).toContainText("at most 255 characters");
      await expect(app.items).toHaveText(["Nothing to do."]);
    });

    test("without a session it leads to the sign-in", async ({ page }) => {
      await page.goto(path);
      await expect(page).toHaveURL(/\/sign-in$/);
      await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
    });

    test("a session that ended elsewhere is noticed", async ({ ann }) => {
      await ann.create({ title: "Buy milk" });
      const app = await ann.open(path);
      await expect(app.item("Buy milk")).toBeVisible();
      await ann.context.clearCookies();
      if (path === "/client") await app.page.waitForTimeout(BEYOND_EXPIRY);
      await app.toggle("Buy milk");
      if (path === "/server") await expect(app.page).toHaveURL(/\/sign-in$/);
      else await expect(app.alert).toContainText("You are not signed in any more.");
    });

    test("nothing is fetched from elsewhere", async ({ ann }) => {
      const app = new App(await ann.context.newPage());
      const origins = new Set<string>();
      app.page.on("request", (request) => origins.add(new URL(request.url()).origin));
      await app.page.goto(path);
      await app.add("Buy milk");
      expect([PAGE_URL, API_URL]).toEqual(expect.arrayContaining([...origins]));
    });
  });
}

test("two users at once through one server see only their own", async ({ person }) => {
  const users = await Promise.all([person("Ann"), person("Bob")]);
  await Promise.all(
    users.map(async (user) => {
      await user.create({ title: `A task of ${user.name}` });
      for (let round = 0; round < 4; round++) {
        await Promise.all(
          PATHS.map(async (path) => {
            const app = await user.open(path);
            await expect(app.items).toHaveText([new RegExp(`A task of ${user.name}`)]);
            await expect(app.page.getByRole("banner")).toContainText(user.name);
            await app.page.close();
          }),
        );
      }
    }),
  );
});

test("two users who write at once write their own", async ({ person }) => {
  const users = await Promise.all([person("Ann"), person("Bob")]);
  const titles = (name: string) => PATHS.map((path) => `${name} by ${path}`);
  await Promise.all(
    users.flatMap((user) =>
      PATHS.map(async (path) => (await user.open(path)).add(`${user.name} by ${path}`)),
    ),
  );
  for (const user of users) {
    const found = (await user.tasks()).map(({ title }) => title);
    expect(found.sort()).toEqual(titles(user.name).sort());
  }
});

test("an account is made, signed out of and signed in to; the next user sees nothing of it", async ({
  ann,
  page,
}) => {
  await page.goto("/");
  await page.getByRole("button", { name: "I am new here" }).click();
  await page.getByLabel("Name").fill("Eve");
  await page.getByLabel("Email").fill(`new-${ann.email}`);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Create account" }).click();
  const app = new App(page);
  await app.add("A task of Eve");

  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/sign-in$/);
  for (const path of PATHS) {
    await page.goto(path);
    await expect(page).toHaveURL(/\/sign-in$/);
  }
  expect((await page.request.get("/api/tasks")).status()).toBe(401);

  await page.getByLabel("Email").fill(ann.email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(app.items).toHaveText(["Nothing to do."]);
  await page.goBack();
  await expect(page.getByText("A task of Eve")).toHaveCount(0);
});

test("the page of server actions works without JavaScript", async ({ ann, browser }) => {
  const context = await browser.newContext({
    javaScriptEnabled: false,
    storageState: await ann.context.storageState(),
  });
  const app = new App(await context.newPage());
  await app.page.goto("/server");
  await app.add("Buy milk");
  await app.toggle("Buy milk");
  await app.showsDone("Buy milk");
  await context.close();
});

test("the proxy passes nothing on for another site, nor to another path", async ({ ann }) => {
  const { request } = ann.context;
  const foreign = { headers: { Origin: "https://evil.example" }, data: { title: "x" } };
  expect((await request.post("/api/tasks", foreign)).status()).toBe(403);
  expect(await ann.tasks()).toEqual([]);
  for (const path of ["%2e%2e", "%2e%2e/%2e%2e/%2e%2e/health", "..%2f..%2f..%2fhealth"]) {
    expect((await request.get(`/api/tasks/${path}`)).ok()).toBe(false);
  }
});

test("no page is the browser's to keep", async ({ ann }) => {
  for (const path of PATHS) {
    const response = await ann.context.request.get(path);
    expect(response.headers()["cache-control"]).toMatch(/no-store/);
  }
});

test("passwords cannot be guessed as often as one likes, whatever address one claims", async ({ request }) => {
  await guessPasswords(request);
});
