import type { Locator } from "@playwright/test";

import { DOCS_URL, expect, test } from "./people.js";

/** Tries an operation out as it is filled in; yields where the status is. */
async function execute(operation: Locator): Promise<Locator> {
  await operation.locator(".opblock-summary-control").click();
  await operation.getByRole("button", { name: "Try it out" }).click();
  await operation.getByRole("button", { name: "Execute" }).click();
  return operation.locator(".live-responses-table .response-col_status").last();
}

test("what the documentation offers to try works without typing", async ({ page }) => {
  await page.goto(`${DOCS_URL}/docs`);
  await expect(await execute(page.locator("#operations-Tasks-create_task"))).toHaveText(/^201/);
  const list = page.locator("#operations-Tasks-list_tasks");
  await expect(await execute(list)).toHaveText(/^200/);
  await expect(list.locator(".live-responses-table")).toContainText("Buy milk");
});
