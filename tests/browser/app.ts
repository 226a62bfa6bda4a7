import { expect, type Locator, type Page } from "@playwright/test";

/** The page, in the words of somebody who looks at it. */
export class App {
  readonly newTask: Locator;
  readonly list: Locator;
  readonly items: Locator;
  readonly alert: Locator;
  readonly status: Locator;
  readonly conflict: Locator;
  readonly search: Locator;
  readonly sortBy: Locator;
  /** What can be undone. */
  readonly undone: Locator;

  constructor(readonly page: Page) {
    this.newTask = page.getByRole("textbox", { name: "New task" });
    this.list = page.getByRole("list", { name: "Tasks" });
    this.items = this.list.getByRole("listitem");
    this.alert = page.getByRole("alert");
    this.status = page.getByRole("status");
    this.search = page.getByRole("searchbox", { name: "Search" });
    this.sortBy = page.getByRole("combobox", { name: "Sort by" });
    this.undone = page.locator(".toast span");
    this.conflict = page.getByRole("group", { name: "Conflict" });
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  filter(name: "All" | "Open" | "Done"): Locator {
    return this.page.getByRole("radiogroup", { name: "Show" }).getByRole("radio", { name });
  }

  textbox(name: string): Locator {
    return this.page.getByRole("textbox", { name, exact: true });
  }

  /** The checkbox of a task, which carries its title. */
  task(title: string | RegExp): Locator {
    return this.list.getByRole("checkbox", { name: title, exact: true });
  }

  /** A task's title. */
  title(title: string): Locator {
    return this.list.getByText(title, { exact: true });
  }

  /** The titles that are shown, in their order. */
  titles(): Promise<string[]> {
    return this.items.locator(".title").allInnerTexts();
  }

  /** Waits until a task is there, and nothing is left to be saved. */
  async saved(title: string): Promise<void> {
    await expect(this.task(title)).toBeVisible();
    await expect(this.list.locator('[aria-busy="true"]')).toHaveCount(0);
    await expect(this.alert).toHaveCount(0);
  }

  /** What the page says to those who do not see it. */
  async says(message: string): Promise<void> {
    await expect(this.page.locator(".status .visually-hidden")).toHaveText(message);
  }

  async signIn(email: string, password: string): Promise<void> {
    await this.textbox("Email").fill(email);
    await this.page.getByLabel("Password").fill(password);
    await this.button("Sign in").click();
  }

  async add(title: string): Promise<void> {
    await this.newTask.fill(title);
    await this.newTask.press("Enter");
  }

  async edit(title: string, change: { title?: string; description?: string }): Promise<void> {
    await this.button(`Edit ${title}`).click();
    if (change.title !== undefined) await this.textbox("Title").fill(change.title);
    if (change.description !== undefined)
      await this.textbox("Description").fill(change.description);
  }

  async delete(title: string): Promise<void> {
    await this.button(`Delete ${title}`).click();
  }
}
