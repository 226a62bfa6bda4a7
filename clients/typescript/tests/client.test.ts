import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import {
  allTasks,
  Conflict,
  connect,
  createTask,
  deleteTask,
  getTask,
  listTasks,
  ProblemError,
  setCompleted,
  SignedOut,
  updateTask,
  type Connection,
  type Task,
} from "../src/index.js";
import { Proxy, type Fault } from "./proxy.js";
import { API_URL, forged, signUp } from "./users.js";

let proxy: Proxy;
let url: string;
let token: () => Promise<string>;
let api: Connection;

beforeEach(async () => {
  proxy = new Proxy();
  url = await proxy.start(API_URL);
  token = await signUp();
  api = connect({ url, token });
});

afterEach(() => proxy.stop());

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

async function all(tasks: AsyncIterable<Task>): Promise<Task[]> {
  const found = [];
  for await (const task of tasks) found.push(task);
  return found;
}

async function problemOf(promise: Promise<unknown>): Promise<ProblemError> {
  const error = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ProblemError);
  return error as ProblemError;
}

describe("a task", () => {
  it("is created, read, changed, completed and deleted", async () => {
    const created = await createTask(api, { title: "Buy milk" });
    expect(await getTask(api, created.id)).toEqual(created);
    const updated = await updateTask(api, created, { title: "Buy bread" });
    expect(updated).toMatchObject({ title: "Buy bread", version: 2 });
    const completed = await setCompleted(api, updated, true);
    expect(completed).toMatchObject({ completed: true, version: 3 });
    await deleteTask(api, completed);
    expect(await listTasks(api)).toEqual({ tasks: [] });
  });

  it("belongs to the user of the token", async () => {
    const task = await createTask(api, { title: "Buy milk" });
    expect(task.user_id).toBe(await api.user());
    const other = connect({ url, token: await signUp() });
    expect((await problemOf(getTask(other, task.id))).kind).toBe("not-found");
  });
});

describe("all tasks", () => {
  const titles = ["a", "b", "c", "d", "e"];

  beforeEach(async () => {
    for (const title of titles) await createTask(api, { title, completed: title > "c" });
    proxy.seen.length = 0;
  });

  it("are followed from page to page", async () => {
    const found = await all(allTasks(api, { sort: "title", limit: 2 }));
    expect(found.map((task) => task.title)).toEqual(titles);
    expect(proxy.seen).toHaveLength(3);
  });

  it("keep their filter", async () => {
    const found = await all(allTasks(api, { completed: false, sort: "-title", limit: 1 }));
    expect(found.map((task) => task.title)).toEqual(["c", "b", "a"]);
  });

  it("are asked for no sooner than they are needed", async () => {
    for await (const task of allTasks(api, { limit: 2 })) {
      expect(task.title).toBe("e");
      break;
    }
    expect(proxy.seen).toHaveLength(1);
  });
});

const MOMENTARY: [string, Fault][] = [
  ["is refused", "refused"],
  ["has its response lost", "lost"],
  ["has its response cut off", "cut"],
  ["is throttled", { status: 429, body: '{"message": "Too Many Requests"}' }],
  ["meets a gateway that is restarted", { status: 502 }],
  ["finds no database", { status: 503, headers: { "Retry-After": "0" } }],
  ["is still in flight", { status: 409 }],
];

describe.each(MOMENTARY)("a create that %s", (_, fault) => {
  it("is sent again with the same key, and makes one task", async () => {
    proxy.faults = [fault, fault];
    const task = await createTask(api, { title: "Buy milk" });
    expect(new Set(proxy.seen.map(({ headers }) => headers["idempotency-key"])).size).toBe(1);
    expect(proxy.seen).toHaveLength(3);
    expect((await listTasks(api)).tasks).toEqual([task]);
  });
});

describe("a request that is repeated", () => {
  it("waits as long as the API asks", async () => {
    proxy.faults = [{ status: 503, headers: { "Retry-After": "2" } }];
    const start = performance.now();
    await listTasks(api);
    expect(performance.now() - start).toBeGreaterThan(1_900);
  });

  it("is sent at once when the device is online again, or somebody is back", async () => {
    const page = new EventTarget();
    vi.stubGlobal("window", page);
    for (const wake of ["online", "focus"]) {
      proxy.seen.length = 0;
      proxy.faults = [{ status: 503, headers: { "Retry-After": "25" } }];
      const listed = listTasks(api);
      await vi.waitFor(() => expect(proxy.seen).toHaveLength(1));
      await vi.waitFor(async () => {
        page.dispatchEvent(new Event(wake));
        expect(proxy.seen).toHaveLength(2);
      });
      expect(await listed).toEqual({ tasks: [] });
    }
    vi.unstubAllGlobals();
  });

  it("is given up in the end", async () => {
    proxy.faults = Array<Fault>(9).fill({ status: 503 });
    expect((await problemOf(listTasks(connect({ url, token, retries: 2 })))).status).toBe(503);
    expect(proxy.seen).toHaveLength(3);
  });

  it("is given up with the network's error", async () => {
    proxy.faults = ["refused", "refused"];
    await expect(listTasks(connect({ url, token, retries: 1 }))).rejects.toThrow(TypeError);
  });

  it("does not make anybody wait for minutes", async () => {
    const inTenMinutes = new Date(Date.now() + 600_000).toUTCString();
    proxy.faults = [{ status: 429, headers: { "Retry-After": inTenMinutes } }];
    const problem = await problemOf(listTasks(api));
    expect(problem).toMatchObject({ status: 429, kind: "about:blank" });
    expect(proxy.seen).toHaveLength(1);
  });

  it("ends when it is aborted", async () => {
    proxy.faults = [{ status: 503, headers: { "Retry-After": "20" } }];
    const controller = new AbortController();
    const listed = listTasks(api, {}, { signal: controller.signal });
    await vi.waitFor(() => expect(proxy.seen).toHaveLength(1));
    await setTimeout(100);
    collectGarbage();
    controller.abort(new Error("enough"));
    await expect(listed).rejects.toThrow("enough");
    expect(proxy.seen).toHaveLength(1);
  });

  it("is not sent again once it is aborted", async () => {
    const controller = new AbortController();
    let sent = 0;
    const abandoned = connect({
      url,
      token,
      fetch: (request) => {
        sent++;
        controller.abort(new Error("enough"));
        return fetch(request);
      },
    });
    const { signal } = controller;
    await expect(listTasks(abandoned, {}, { signal })).rejects.toThrow("enough");
    expect(sent).toBe(1);
  });

  it("is one that is safe to repeat", async () => {
    const task = await createTask(api, { title: "Buy milk" });
    const user_id = await api.user();
    const [path, body] = [{ user_id, id: task.id }, { title: "Buy bread" }];
    proxy.faults = ["lost"];
    await expect(
      api.client.POST("/api/{user_id}/tasks", { params: { path }, body }),
    ).rejects.toThrow(TypeError);
    proxy.faults = ["lost"];
    await expect(
      api.client.PATCH("/api/{user_id}/tasks/{id}/complete", { params: { path } }),
    ).rejects.toThrow(TypeError);
    expect(proxy.seen).toHaveLength(3);
  });
});

describe("a token", () => {
  beforeEach(() => vi.stubGlobal("window", new EventTarget()));
  afterEach(() => vi.unstubAllGlobals());

  /** Yields these, then good ones, and counts. */
  function yielding(...first: string[]) {
    const calls = { count: 0 };
    const next = async () => {
      calls.count++;
      return first.shift() ?? (await token());
    };
    return { calls, api: connect({ url, token: next }) };
  }

  it("is kept for as long as it is good", async () => {
    const { calls, api } = yielding();
    await createTask(api, { title: "Buy milk" });
    await listTasks(api);
    expect(calls.count).toBe(1);
  });

  it("is refreshed unseen", async () => {
    const { calls, api } = yielding(forged(await token()));
    await createTask(api, { title: "Buy milk" });
    expect(calls.count).toBe(2);
  });

  it("is refreshed once for all who wait for it", async () => {
    const { calls, api } = yielding(forged(await token()));
    await Promise.all(Array.from({ length: 5 }, () => listTasks(api)));
    expect(calls.count).toBe(2);
  });

  it("is not refreshed for ever", async () => {
    const bad = forged(await token());
    const { calls, api } = yielding(bad, bad, bad);
    expect(await problemOf(listTasks(api))).toMatchObject({ status: 401, kind: "unauthorized" });
    expect(calls.count).toBe(2);
  });

  it("of another user does not serve for a request of the one before", async () => {
    const { api } = yielding(forged(await (await signUp())()));
    await expect(createTask(api, { title: "Buy milk" })).rejects.toThrow(SignedOut);
    expect((await listTasks(connect({ url, token }))).tasks).toEqual([]);
  });

  it("is asked for again once it is forgotten", async () => {
    const { api } = yielding(await (await signUp())());
    const before = await api.user();
    api.forget();
    expect(await api.user()).not.toBe(before);
  });

  it("that could not be had is asked for again", async () => {
    let down = true;
    const api = connect({
      url,
      token: () => (down ? Promise.reject(new Error("down")) : token()),
    });
    await expect(listTasks(api)).rejects.toThrow("down");
    down = false;
    expect(await listTasks(api)).toEqual({ tasks: [] });
  });

  it("of a known user is asked for again unseen", async () => {
    const user = await connect({ url, token }).user();
    const failures = [new TypeError("Failed to fetch")];
    const flaky = async () => {
      const failure = failures.pop();
      if (failure) throw failure;
      return token();
    };
    expect(await listTasks(connect({ url, user, token: flaky }))).toEqual({ tasks: [] });
  });

  it.each([undefined, null, ""])("that is %j means that nobody is signed in", async (none) => {
    await expect(listTasks(connect({ url, token: () => none }))).rejects.toThrow(SignedOut);
    const api = connect({ url, user: "ann", token: () => none });
    await expect(listTasks(api)).rejects.toThrow(SignedOut);
    expect(proxy.seen).toHaveLength(0);
  });

  it("may have any letters in its subject", async () => {
    const payload = Buffer.from(JSON.stringify({ sub: "ünï|☂" })).toString("base64url");
    expect(await connect({ url, token: () => `x.${payload}.x` }).user()).toBe("ünï|☂");
  });

  it("that is none is refused before it is sent", async () => {
    await expect(listTasks(connect({ url, token: () => "session" }))).rejects.toThrow("not a JWT");
    const api = connect({ url, user: "ann", token: () => "session" });
    await expect(listTasks(api)).rejects.toThrow("not a JWT");
    expect(proxy.seen).toHaveLength(0);
  });
});

describe("a task that somebody else has changed", () => {
  let task: Task;
  let current: Task;

  beforeEach(async () => {
    task = await createTask(api, { title: "Buy milk" });
    current = await updateTask(api, task, { title: "Buy bread" });
  });

  it.each<[string, () => Promise<unknown>]>([
    ["updated", () => updateTask(api, task, { title: "Buy butter" })],
    ["completed", () => setCompleted(api, task, true)],
    ["deleted", () => deleteTask(api, task)],
  ])("is not %s, and shown as it is", async (_, change) => {
    const conflict = await problemOf(change());
    expect(conflict).toBeInstanceOf(Conflict);
    expect(conflict).toMatchObject({ status: 412, kind: "precondition-failed", current });
    expect(await getTask(api, task.id)).toEqual(current);
  });
});

describe.each<[string, Fault]>([
  ["lost", "lost"],
  ["cut off", "cut"],
])("a change with a response that is %s", (_, fault) => {
  let task: Task;

  beforeEach(async () => {
    task = await createTask(api, { title: "Buy milk" });
    proxy.faults = [fault];
  });

  it("of values is no conflict with itself", async () => {
    const change = { title: " Buy bread ", description: null };
    const updated = await updateTask(api, task, change);
    expect(updated).toMatchObject({ title: "Buy bread", version: 2 });
  });

  it("of the status is no conflict with itself", async () => {
    const completed = await setCompleted(api, task, true);
    expect(completed).toMatchObject({ completed: true, version: 2 });
  });

  it("by a delete has nothing left to delete", async () => {
    await deleteTask(api, task);
    expect((await listTasks(api)).tasks).toEqual([]);
  });
});

describe("a problem", () => {
  it("says what is invalid", async () => {
    const problem = await problemOf(createTask(api, { title: "" }));
    expect(problem).toMatchObject({ status: 422, kind: "invalid-input" });
    expect(problem.errors).toMatchObject([{ pointer: "/title" }]);
    expect(problem.message).toBe(problem.problem.detail);
    expect(problem.requestId).not.toBe("");
  });

  it("tells of a task that is not there", async () => {
    const problem = await problemOf(updateTask(api, { id: 1, version: 1 }, { title: "x" }));
    expect(problem).toMatchObject({ status: 404, kind: "not-found", errors: [] });
  });

  it("is of a kind that the API knows, or does not compile", async () => {
    const problem = await problemOf(getTask(api, 1));
    expect(problem.kind === "not-found").toBe(true);
    // @ts-expect-error: it is "not-found"
    expect(problem.kind === "not-fund").toBe(false);
  });

  it("may be the gateway's own", async () => {
    proxy.faults = [{ status: 500, headers: { "X-Request-Id": "abc" }, body: "<html>" }];
    const problem = await problemOf(listTasks(api));
    expect(problem).toMatchObject({ status: 500, kind: "about:blank", requestId: "abc" });
  });
});
