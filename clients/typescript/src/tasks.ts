import type { Connection } from "./connection.js";
import { Conflict, ProblemError } from "./problems.js";
import type { components, operations } from "./schema.js";
import { randomUUID } from "./uuid.js";

export type Task = components["schemas"]["TaskPublic"];
export type TaskCreate = components["schemas"]["TaskCreate"];
export type TaskUpdate = components["schemas"]["TaskUpdate"];
export type TaskQuery = NonNullable<operations["list_tasks"]["parameters"]["query"]>;

/** Which task, and which version of it. */
export type Version = Pick<Task, "id" | "version">;

export interface Page {
  tasks: Task[];
  /** The cursor of the next page; absent on the last one. */
  next?: string;
}

interface Call {
  signal?: AbortSignal;
}

const TASKS = "/api/{user_id}/tasks";
const TASK = "/api/{user_id}/tasks/{id}";
/** What the API sets: it takes it in an update and ignores it. */
const READ_ONLY = new Set(["id", "user_id", "created_at", "updated_at", "version"]);

/** A page of the caller's tasks. */
export async function listTasks(
  api: Connection,
  query: TaskQuery = {},
  call: Call = {},
): Promise<Page> {
  const { user, fetch } = await api.authorize();
  const params = { path: { user_id: user }, query };
  const result = await api.client.GET(TASKS, { params, fetch, ...call });
  const tasks = data(result);
  const next = nextCursor(result.response);
  return next === undefined ? { tasks } : { tasks, next };
}

/** All of the caller's tasks, page after page as they are asked for. */
export async function* allTasks(
  api: Connection,
  query: TaskQuery = {},
  call: Call = {},
): AsyncGenerator<Task, void> {
  let { tasks, next } = await listTasks(api, query, call);
  yield* tasks;
  while (next !== undefined) {
    ({ tasks, next } = await listTasks(api, { ...query, cursor: next }, call));
    yield* tasks;
  }
}

/** One task. */
export async function getTask(api: Connection, id: number, call: Call = {}): Promise<Task> {
  const { user, fetch } = await api.authorize();
  const params = { path: { user_id: user, id } };
  return data(await api.client.GET(TASK, { params, fetch, ...call }));
}

/** Creates a task: one, however often it is sent. A key of one's own makes it so across reloads. */
export async function createTask(
  api: Connection,
  body: TaskCreate,
  { key = randomUUID(), ...call }: Call & { key?: string } = {},
): Promise<Task> {
  const { user, fetch } = await api.authorize();
  const params = { path: { user_id: user }, header: { "Idempotency-Key": key } };
  return data(await api.client.POST(TASKS, { params, body, fetch, ...call }));
}

/** Sets the members that are given. Throws a `Conflict` where the task is at another version. */
export async function updateTask(
  api: Connection,
  task: Version,
  body: TaskUpdate,
  call: Call = {},
): Promise<Task> {
  const init = { ...(await onCondition(api, task)), ...call };
  return written(api, task, body, await api.client.PUT(TASK, { body, ...init }));
}

/** Sets the status. Throws a `Conflict` where the task is at another version. */
export async function setCompleted(
  api: Connection,
  task: Version,
  completed: boolean,
  call: Call = {},
): Promise<Task> {
  const init = { ...(await onCondition(api, task)), ...call };
  const body = { completed };
  const result = await api.client.PATCH(`${TASK}/complete`, { body, ...init });
  return written(api, task, body, result);
}

/** Deletes a task. Throws a `Conflict` where it is at another version; does nothing if it is gone. */
export async function deleteTask(
  api: Connection,
  task: Version,
  call: Call = {},
): Promise<void> {
  const init = { ...(await onCondition(api, task)), ...call };
  const result = await api.client.DELETE(TASK, init);
  const { response, error } = result;
  if (response.status === 412) throw new Conflict(response, error, await getTask(api, task.id));
  if (response.status !== 404) data(result);
}

interface Result<T> {
  data?: T | undefined;
  error?: unknown;
  response: Response;
}

/** What was answered, unless it is a problem. */
function data<T>({ data, error, response }: Result<T>): T {
  if (!response.ok) throw new ProblemError(response, error);
  return data as T;
}

/** The task that was written, now or by an earlier try of the same request. */
async function written(
  api: Connection,
  task: Version,
  change: TaskUpdate,
  result: Result<Task>,
): Promise<Task> {
  if (result.response.status !== 412) return data(result);
  const current = await getTask(api, task.id);
  if (current.version === task.version + 1 && has(current, change)) return current;
  throw new Conflict(result.response, result.error, current);
}

/** Whether a task has these values; the API takes away the white space around a title. */
function has(task: Task, change: TaskUpdate): boolean {
  return Object.entries(change).every(([name, value]) => {
    const wanted = name === "title" ? String(value).trim() : value;
    return READ_ONLY.has(name) || task[name as keyof Task] === wanted;
  });
}

/** Sends to a task as long as it is at this version. */
async function onCondition(api: Connection, { id, version }: Version) {
  const { user, fetch } = await api.authorize();
  const header = { "If-Match": `"${version}"` };
  return { params: { path: { user_id: user, id }, header }, fetch };
}

/** The cursor in the Link of the next page (RFC 8288). */
function nextCursor(response: Response): string | undefined {
  const link = /<([^>]*)>; *rel="next"/.exec(response.headers.get("Link") ?? "");
  const query = link?.[1]?.split("?")[1];
  return new URLSearchParams(query).get("cursor") ?? undefined;
}
