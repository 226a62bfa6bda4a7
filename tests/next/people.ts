import { randomInt, randomUUID } from "node:crypto";

import { test as base, expect, type BrowserContext, type Locator, type Page } from "@playwright/test";

export { expect };

/** Where things are, as whoever started them says. */
export const { API_URL = "", PAGE_URL = "", RELAY_URL = "" } = process.env;
export const PASSWORD = "correct horse battery";
export const PATHS = ["/client", "/server", "/proxy"];

export interface Task {
  id: number;
  title: string;
  completed: boolean;
}

/** Somebody with an account, signed in, in a browser context of their own. */
export class User {
  readonly email = `${randomUUID()}@example.com`;
  // Better Auth limits how often an address may ask; these tests ask more often than people do.
  readonly #from = { "X-Forwarded-For": [10, ...[0, 0, 0].map(() => randomInt(256))].join(".") };

  constructor(
    readonly name: string,
    readonly context: BrowserContext,
  ) {}

  async signUp(): Promise<void> {
    const data = { name: this.name, email: this.email, password: PASSWORD };
    const headers = { Origin: PAGE_URL, ...this.#from };
    const answer = await this.context.request.post("/api/auth/sign-up/email", { data, headers });
    expect(answer.status()).toBe(200);
  }

  /** Opens one of the pages in a new tab. */
  async open(path: string): Promise<App> {
    const app = new App(await this.context.newPage());
    await app.page.goto(path);
    return app;
  }

  /** All tasks, asked of the API itself, oldest first. */
  async tasks(): Promise<Task[]> {
    const { url, headers } = await this.#access();
    const params = { sort: "created_at", limit: 500 };
    return (await this.context.request.get(url, { headers, params })).json();
  }

  /** Creates a task behind the page's back. */
  async create(task: Partial<Task>): Promise<Task> {
    const { url, headers } = await this.#access();
    return (await this.context.request.post(url, { headers, data: task })).json();
  }

  /** Changes a task behind the page's back. */
  async change({ id }: Task, change: Partial<Task>): Promise<void> {
    const { url, headers } = await this.#access();
    const answer = await this.context.request.put(`${url}/${id}`, { headers, data: change });
    expect(answer.status()).toBe(200);
  }

  /** Where the user's tasks are, and a new token to get at them. */
  async #access() {
    const answer = await this.context.request.get("/api/auth/token", { headers: this.#from });
    const { token } = (await answer.json()) as { token: string };
    const [, payload = ""] = token.split(".");
    const { sub } = JSON.parse(Buffer.from(payload, "base64url").toString());
    return { url: `${API_URL}/api/${sub}/tasks`, headers: { Authorization: `Bearer ${token}` } };
  }
}

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

/** Makes users; each is new. */
export const test = base.extend<{ person: (name: string) => Promise<User>; ann: User }>({
  person: async ({ browser }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (name) => {
      const context = await browser.newContext();
      contexts.push(context);
      const user = new User(name, context);
      await user.signUp();
      return user;
    });
    await Promise.all(contexts.map((context) => context.close()));
  },
  ann: async ({ person }, use) => use(await person("Ann")),
});
