import type { Locator, Page } from "@playwright/test";

import { DOCS_URL, expect, test } from "./people.js";

/** Opens what the documentation says of an operation. */
async function unfold(page: Page, name: string): Promise<Locator> {
  const operation = page.locator(`#operations-Tasks-${name}`);
  await operation.locator(".opblock-summary-control").click();
  return operation;
}

/** Tries an operation out as it is filled in; yields where the status is. */
async function execute(operation: Locator): Promise<Locator> {
  await operation.getByRole("button", { name: "Try it out" }).click();
  await operation.getByRole("button", { name: "Execute" }).click();
  return operation.locator(".live-responses-table .response-col_status").last();
}

/** A token that says whose it is and how long it lasts, and that no API accepts. */
function tokenOf(sub: string, minutes: number): string {
  const claims = { sub, exp: Date.now() / 1000 + minutes * 60 };
  return `x.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;
}

test.beforeEach(({ page }) => page.clock.install());

test("what the documentation offers to try works without typing", async ({ page }) => {
  await page.goto(`${DOCS_URL}/docs`);
  await expect(await execute(await unfold(page, "create_task"))).toHaveText(/^201/);
  const list = await unfold(page, "list_tasks");
  await expect(await execute(list)).toHaveText(/^200/);
  await expect(list.locator(".live-responses-table")).toContainText("Buy milk");
});

test("it fetches nothing from elsewhere", async ({ page }) => {
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).origin));
  await page.goto(`${DOCS_URL}/docs`);
  await unfold(page, "list_tasks");
  expect(new Set(asked)).toEqual(new Set([DOCS_URL]));
});

test("it says who is signed in and for how long", async ({ page }) => {
  const user = page.getByRole("status").first();
  await page.goto(`${DOCS_URL}/docs`);
  await expect(user).toHaveText(/^Signed in as demo\. .* another 1[12] h \d+ min\.$/);
  await page.clock.fastForward("11:00:00");
  await expect(user).toHaveText(/^Signed in as demo\. .* another (59 min|1 h 0 min)\.$/);
  await page.clock.fastForward("02:00:00");
  await expect(user).toHaveText("The token of demo has expired. Reload the page for a new one.");
});

test("it says whose token was typed, and for how long it is good", async ({ page }) => {
  const user = page.getByRole("status").first();
  const dialog = page.locator(".modal-ux");
  await page.goto(`${DOCS_URL}/docs`);
  await page.getByRole("button", { name: "Authorize" }).click();
  for (const [token, sentence] of [
    [tokenOf("ünï|☂", 31), /^Signed in as ünï\|☂\. The token is valid for another 3[01] min\.$/],
    [tokenOf("ann", -1), /^The token of ann has expired\./],
    ["a session token", "This token cannot be read."],
  ] as const) {
    await dialog.getByRole("button", { name: "Remove authorization" }).click();
    await expect(user).toHaveText("Not signed in: choose Authorize and paste a token.");
    await dialog.getByRole("textbox").fill(token);
    await dialog.getByRole("button", { name: "Apply credentials" }).click();
    await expect(user).toHaveText(sentence);
  }
});

test("it describes conditions, the day of a key, and paging step by step", async ({ page }) => {
  await page.goto(`${DOCS_URL}/docs`);
  const get = await unfold(page, "get_task");
  await expect(get).toContainText("If the task still has this tag, the response is 304");
  for (const name of ["update_task", "toggle_task", "delete_task"]) {
    const write = await unfold(page, name);
    await expect(write).toContainText("changed the task since, the response is 412");
  }
  const create = await unfold(page, "create_task");
  await expect(create).toContainText("For 24 hours, the same key with the same body gives the first");
  const steps = (await unfold(page, "list_tasks")).locator(".opblock-description ol > li");
  await expect(steps).toHaveText([/^Ask without a cursor/, /rel="next"/, /the last page/]);
});
