import { randomUUID } from "node:crypto";

import { test as base, expect, type APIRequestContext, type BrowserContext } from "@playwright/test";

export { expect };

/** Where things are, as whoever started them says. */
export const { API_URL = "", PAGE_URL = "" } = process.env;
export const PASSWORD = "correct horse battery";

export interface Task {
  id: number;
  title: string;
  description: string | null;
  completed: boolean;
  version: number;
}

/** Somebody with an account, signed in, in a browser context of their own. */
export class Account {
  readonly email = `${randomUUID()}@example.com`;

  constructor(
    readonly name: string,
    readonly context: BrowserContext,
  ) {}

  async signUp(): Promise<void> {
    const data = { name: this.name, email: this.email, password: PASSWORD };
    const headers = { Origin: PAGE_URL };
    const response = await this.context.request.post("/api/auth/sign-up/email", { data, headers });
    expect(response.status()).toBe(200);
  }

  /** A new token. */
  async token(): Promise<string> {
    const response = await this.context.request.get("/api/auth/token");
    return (await response.json()).token;
  }

  /** Where the user's tasks are. */
  async path(): Promise<string> {
    const [, payload = ""] = (await this.token()).split(".");
    return `${API_URL}/api/${JSON.parse(Buffer.from(payload, "base64url").toString()).sub}/tasks`;
  }

  /** All tasks, asked of the API itself, oldest first. */
  async tasks(): Promise<Task[]> {
    const params = { sort: "created_at", limit: 500 };
    const headers = await this.#authorization();
    return (await this.context.request.get(await this.path(), { headers, params })).json();
  }

  async titles(): Promise<string[]> {
    return (await this.tasks()).map(({ title }) => title);
  }

  /** Creates a task behind the page's back. */
  async create(task: Partial<Task>): Promise<Task> {
    const headers = await this.#authorization();
    return (await this.context.request.post(await this.path(), { headers, data: task })).json();
  }

  /** Creates many tasks; their titles, oldest first. */
  async createMany(count: number): Promise<string[]> {
    const titles = Array.from({ length: count }, (_, index) => `Task ${index + 1}`);
    const url = await this.path();
    let headers = {};
    for (const [index, title] of titles.entries()) {
      if (index % 100 === 0) headers = await this.#authorization(); // good for some seconds
      expect((await this.context.request.post(url, { headers, data: { title } })).status()).toBe(
        201,
      );
    }
    return titles;
  }

  /** Changes a task behind the page's back. */
  async change({ id }: Task, change: Partial<Task>): Promise<void> {
    const [headers, url] = [await this.#authorization(), `${await this.path()}/${id}`];
    const response = await this.context.request.put(url, { headers, data: change });
    expect(response.status()).toBe(200);
  }

  async #authorization() {
    return { Authorization: `Bearer ${await this.token()}` };
  }
}

/** A test with users of a kind; each is new. */
export const withUsers = <User extends Account>(
  kind: new (name: string, context: BrowserContext) => User,
) =>
  base.extend<{ person: (name: string) => Promise<User>; ann: User }>({
    person: async ({ browser }, use) => {
      const contexts: BrowserContext[] = [];
      await use(async (name) => {
        const context = await browser.newContext();
        contexts.push(context);
        const user = new kind(name, context);
        await user.signUp();
        return user;
      });
      await Promise.all(contexts.map((context) => context.close()));
    },
    ann: async ({ person }, use) => use(await person("Ann")),
  });

const LIMIT = 200; // attempts, which the suites let Better Auth allow

/** Tries to sign in until Better Auth limits it, although each attempt claims an address of its own. */
export async function guessPasswords(request: APIRequestContext): Promise<void> {
  const attempt = async (count: number) => {
    const headers = { "X-Forwarded-For": `10.1.2.${count}` };
    return (await request.post("/api/auth/sign-in/nothing", { data: {}, headers })).status();
  };
  for (let count = 0; count < LIMIT; count++) expect(await attempt(count)).not.toBe(429);
  expect(await attempt(LIMIT)).toBe(429);
}
