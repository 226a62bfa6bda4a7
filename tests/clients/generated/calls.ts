// Calls all operations with what `openapi-typescript` makes of the document; it compiles, or fails.
import assert from "node:assert/strict";

import createClient from "openapi-fetch";

import type { components, paths } from "./schema.js";

type Task = components["schemas"]["TaskPublic"];
type Problem = components["schemas"]["ProblemDetails"];

const TASKS = "/api/{user_id}/tasks";
const TASK = "/api/{user_id}/tasks/{id}";

const { API_URL = "", WITHOUT_DATABASE_URL = "", TOKEN = "", USER_ID: user_id = "" } = process.env;
const headers = { Authorization: `Bearer ${TOKEN}` };
const api = createClient<paths>({ baseUrl: API_URL, headers });
const signedOut = createClient<paths>({ baseUrl: API_URL });
const withoutDatabase = createClient<paths>({ baseUrl: WITHOUT_DATABASE_URL });

interface Result<Data> {
  data?: Data | undefined;
  error?: Problem | undefined;
  response: Response;
}

/** What was answered with this status. */
function succeeded<Data>({ data, error, response }: Result<Data>, status: number): Data {
  assert.equal(response.status, status, error?.detail);
  return data as Data;
}

/** The problem of this kind. */
function failed({ error }: Result<unknown>, kind: string): Problem {
  assert.equal(error?.type, `/problems/${kind}`);
  return error;
}

const path = { user_id };
const ofTask = (id: number) => ({ user_id, id });

async function create(): Promise<Task> {
  const body = { title: "Buy milk", description: null };
  const params = { path, header: { "Idempotency-Key": "milk" } };
  const created: Task = succeeded(await api.POST(TASKS, { params, body }), 201);
  const repeated = await api.POST(TASKS, { params, body });
  assert.deepEqual(succeeded(repeated, 201), created);
  assert.equal(repeated.response.headers.get("Idempotency-Replayed"), "true");
  const reused = await api.POST(TASKS, { params, body: { title: "Buy bread" } });
  failed(reused, "idempotency-key-reused");
  // @ts-expect-error: it is `title`
  const misspelt = await api.POST(TASKS, { params: { path }, body: { titel: "Buy bread" } });
  assert.equal(failed(misspelt, "invalid-input").errors?.[0]?.pointer, "/titel");
  return created;
}

async function get({ id, version }: Task): Promise<void> {
  const found = await api.GET(TASK, { params: { path: ofTask(id) } });
  assert.equal(succeeded(found, 200).description, null);
  const header = { "If-None-Match": `"${version}"` };
  succeeded(await api.GET(TASK, { params: { path: ofTask(id), header } }), 304);
  failed(await api.GET(TASK, { params: { path: ofTask(id + 1) } }), "not-found");
}

async function update(task: Task): Promise<Task> {
  const params = { path: ofTask(task.id), header: { "If-Match": `"${task.version}"` } };
  const body = { ...task, title: "Buy bread" }; // whole, as it was read
  const updated = succeeded(await api.PUT(TASK, { params, body }), 200);
  assert.equal(updated.title, "Buy bread");
  failed(await api.PUT(TASK, { params, body }), "precondition-failed");
  return updated;
}

async function toggle({ id }: Task): Promise<void> {
  const params = { path: ofTask(id) };
  assert.equal(succeeded(await api.PATCH(`${TASK}/complete`, { params }), 200).completed, true);
  const body = { completed: false };
  const set = await api.PATCH(`${TASK}/complete`, { params, body });
  assert.equal(succeeded(set, 200).completed, false);
  const nowhere = await api.PATCH(`${TASK}/complete`, { params: { path: ofTask(id + 1) } });
  failed(nowhere, "not-found");
}

async function list(): Promise<void> {
  for (const title of ["a", "b", "c", "d"]) {
    succeeded(await api.POST(TASKS, { params: { path }, body: { title } }), 201);
  }
  const titles: string[] = [];
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const query = { sort: "title", limit: 2, ...(cursor && { cursor }) } as const;
    const page = await api.GET(TASKS, { params: { path, query } });
    titles.push(...succeeded(page, 200).map((task) => task.title));
    cursor = /[?&]cursor=([^&>]+)/.exec(page.response.headers.get("Link") ?? "")?.[1];
  }
  assert.deepEqual(titles, ["a", "b", "Buy bread", "c", "d"]);
  const tooMany = await api.GET(TASKS, { params: { path, query: { limit: 501 } } });
  assert.equal(failed(tooMany, "invalid-input").errors?.[0]?.parameter, "limit");
}

async function remove({ id }: Task): Promise<void> {
  failed(await signedOut.DELETE(TASK, { params: { path: ofTask(id) } }), "unauthorized");
  succeeded(await api.DELETE(TASK, { params: { path: ofTask(id) } }), 204);
  failed(await api.DELETE(TASK, { params: { path: ofTask(id) } }), "not-found");
}

async function health(): Promise<void> {
  const status: "ok" = succeeded(await signedOut.GET("/health"), 200).status;
  assert.equal(status, "ok");
  failed(await withoutDatabase.GET("/health"), "unavailable");
}

const task = await create();
await get(task);
const updated = await update(task);
await toggle(updated);
await list();
await remove(updated);
await health();
