import type { Locator, Page } from "@playwright/test";

import { Account, expect, withUsers } from "../accounts.js";

export { API_URL, expect, PAGE_URL, PASSWORD } from "../accounts.js";

/** Where the way to the API is switched, as whoever started it says. */
export const { RELAY_URL = "" } = process.env;
export const PATHS = ["/client", "/server", "/proxy"];

/** A page, in the words of somebody who looks at it. */
export class App {
  readonly newTask: Locator;
  readonly items: Locator;
  readonly alert: Locator;

  constructor(readonly page: Page) {
    this.newTask = page.getByRole("textbox", { name: "New task" });
    this.items = page.getByRole("list", { name: "Tasks" }).getByRole("listitem");
    this.alert = page.getByRole("main").getByRole("alert");
  }

  item(title: string): Locator {
    return this.items.filter({ hasText: title });
  }

  async add(title: string): Promise<void> {
    await this.newTask.fill(title);
    await this.newTask.press("Enter");
    await expect(this.item(title)).toBeVisible();
  }

  /** Completes a task, or opens it again: with a checkbox, or a button where there is none. */
  async toggle(title: string): Promise<void> {
    const item = this.item(title);
    await item
      .getByRole("checkbox")
      .or(item.getByRole("button", { name: /^(Complete|Reopen) / }))
      .click();
  }

  async showsDone(title: string, done = true): Promise<void> {
    const item = this.item(title);
    const isDone = item.locator("input:checked, .done");
    await expect(isDone).toHaveCount(done ? 1 : 0);
  }

  async delete(title: string): Promise<void> {
    await this.page.getByRole("button", { name: `Delete ${title}` }).click();
  }

  button(name: string): Locator {
    return this.page.getByRole("main").getByRole("button", { name, exact: true });
  }
}

/** Somebody who uses the three pages. */
export class User extends Account {
  /** Opens one of the pages in a new tab. */
  async open(path: string): Promise<App> {
    const app = new App(await this.context.newPage());
    await app.page.goto(path);
    return app;
  }
}

export const test = withUsers(User);
