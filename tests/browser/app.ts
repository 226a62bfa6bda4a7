import { expect, type Locator, type Page } from "@playwright/test";

/** The page, in the words of somebody who looks at it. */
export class App {
  readonly newTask: Locator;
  readonly list: Locator;
  readonly items: Locator;
  readonly alert: Locator;
  readonly status: Locator;
  readonly conflict: Locator;

  constructor(readonly page: Page) {
    this.newTask = page.getByRole("textbox", { name: "New task" });
    this.list = page.getByRole("list", { name: "Tasks" });
    this.items = this.list.getByRole("listitem");
    this.alert = page.getByRole("alert");
    this.status = page.getByRole("status");
    this.conflict = page.getByRole("group", { name: "Conflict" });
  }

  button(name: string): Locator {
    return this.page.getByRole("button", { name, exact: true });
  }

  textbox(name: string): Locator {
    return this.page.getByRole("textbox", { name, exact: true });
  }

  /** The checkbox of a task, which carries its title. */
  task(title: string): Locator {
    return this.list.getByRole("checkbox", { name: title, exact: true });
  }

  /** The titles that are shown, in their order. */
  titles(): Promise<string[]> {
    return this.items
      .getByRole("checkbox")
      .evaluateAll((boxes) =>
        boxes.map((box) => (box as HTMLInputElement).labels?.[0]?.innerText ?? ""),
      );
  }

  /** Waits until a task is there, and nothing is left to be saved. */
  async saved(title: string): Promise<void> {
    await expect(this.task(title)).toBeVisible();
    await expect(this.list.locator('[aria-busy="true"]')).toHaveCount(0);
    await expect(this.alert).toHaveCount(0);
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
