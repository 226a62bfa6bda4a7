import type { Page } from "@playwright/test";

import { Account, expect, withUsers } from "./accounts.js";
import { App } from "./app.js";

export { Account, API_URL, expect, PAGE_URL, PASSWORD, type Task } from "./accounts.js";

/** Where the documentation and the browser are, as whoever started it says. */
export const { DOCS_URL = "", CHROMIUM = "" } = process.env;

/** Somebody who uses the page. */
export class User extends Account {
  /** Opens the page in a new tab, where the list is complete as far as it is shown. */
  async open(page?: Page): Promise<App> {
    const app = new App(page ?? (await this.context.newPage()));
    await app.page.goto("/");
    await expect(app.newTask).toBeVisible();
    await expect(app.list).not.toHaveAttribute("aria-busy", "true");
    return app;
  }
}

export const test = withUsers(User);

/** Two tabs change the same task; the second one says so. */
export async function conflict(user: User): Promise<App> {
  await user.create({ title: "Buy milk", description: "One litre" });
  const [first, second] = [await user.open(), await user.open()];
  await second.edit("Buy milk", { title: "Buy oat milk" });
  await first.edit("Buy milk", { title: "Buy bread" });
  await first.button("Save").click();
  await expect(first.task("Buy bread")).toBeVisible();
  await expect.poll(() => user.titles()).toEqual(["Buy bread"]);

  await second.button("Save").click();
  await expect(second.conflict).toContainText("Buy bread");
  await expect(second.conflict).toContainText("One litre");
  await expect(second.conflict).toContainText("Buy oat milk");
  expect(await user.titles()).toEqual(["Buy bread"]);
  return second;
}

/** What a page gets for a request of its own to the API: as much of it as the browser shows. */
export function ask(page: Page, url: string, init: RequestInit = {}) {
  return page.evaluate(
    async ([url, init]) => {
      const response = await fetch(url, init);
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        text: await response.text(),
      };
    },
    [url, init] as const,
  );
}
