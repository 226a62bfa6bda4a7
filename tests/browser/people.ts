import { randomUUID } from "node:crypto";

import { test as base, expect, type BrowserContext, type Page } from "@playwright/test";

import { App } from "./app.js";

export { expect };

/** Where things are, as whoever started them says. */
export const { API_URL = "", DOCS_URL = "", PAGE_URL = "" } = process.env;
export const PASSWORD = "correct horse battery";

export interface Task {
  id: number;
  title: string;
  description: string | null;
  completed: boolean;
  version: number;
}

/** Somebody with an account, signed in, in a browser context of their own. */
export class User {
  readonly email = `${randomUUID()}@example.com`;

  constructor(
    readonly name: string,
    readonly context: BrowserContext,
  ) {}

  async signUp(): Promise<void> {
    const data = { name: this.name, email: this.email, password: PASSWORD };
    const headers = { Origin: PAGE_URL };
    const answer = await this.context.request.post("/api/auth/sign-up/email", { data, headers });
    expect(answer.status()).toBe(200);
  }

  /** Opens the page in a new tab, where the list is complete as far as it is shown. */
  async open(): Promise<App> {
    const app = new App(await this.context.newPage());
    await app.page.goto("/");
    await expect(app.newTask).toBeVisible();
    await expect(app.list).not.toHaveAttribute("aria-busy", "true");
    return app;
  }

  /** A new token. */
  async token(): Promise<string> {
    return (await (await this.context.request.get("/api/auth/token")).json()).token;
  }

  /** Where the user's tasks are. */
  async path(): Promise<string> {
    const [, payload = ""] = (await this.token()).split(".");
    return `${API_URL}/api/${JSON.parse(Buffer.from(payload, "base64url").toString()).sub}/tasks`;
  }

  /** All tasks, asked of the API itself, oldest first. */
  async tasks(): Promise<Task[]> {
    const headers = { Authorization: `Bearer ${await this.token()}` };
    const params = { sort: "created_at", limit: 500 };
    return (await this.context.request.get(await this.path(), { headers, params })).json();
  }

  async titles(): Promise<string[]> {
    return (await this.tasks()).map(({ title }) => title);
  }

  /** Creates a task behind the page's back. */
  async create(task: Partial<Task>): Promise<Task> {
    const headers = { Authorization: `Bearer ${await this.token()}` };
    return (await this.context.request.post(await this.path(), { headers, data: task })).json();
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
      const answer = await fetch(url, init);
      return {
        status: answer.status,
        headers: Object.fromEntries(answer.headers),
        text: await answer.text(),
      };
    },
    [url, init] as const,
  );
}
