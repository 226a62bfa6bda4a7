import "./dom.js";

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, renderHook, waitFor } from "@testing-library/react";
import { createElement, type ReactNode } from "react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import {
  Conflict,
  connect,
  createTask,
  deleteTask,
  getTask,
  listTasks,
  SignedOut,
  updateTask,
  type Task,
  type UserConnection,
} from "../src/index.js";
import {
  TasksProvider,
  tasksOptions,
  useConnection,
  useCreateTask,
  useDeleteTask,
  useTask,
  useTasks,
  useToggleTask,
  useUpdateTask,
  useWrites,
  type ListQuery,
  type WriteStorage,
} from "../src/react/index.js";
import { Proxy } from "./proxy.js";
import { API_URL, signUp } from "./users.js";

let proxy: Proxy;
let url: string;
let api: UserConnection;
let client: QueryClient;
let storage: WriteStorage | undefined;

beforeEach(async () => {
  proxy = new Proxy();
  url = await proxy.start(API_URL);
  api = await connection();
  client = new QueryClient();
  storage = undefined;
});

afterEach(async () => {
  cleanup();
  client.clear();
  await proxy.stop();
});

/** Whoever is signed in, or was. */
const owner = { isSignedIn: true, token: async (): Promise<string | undefined> => undefined };

async function connection(): Promise<UserConnection> {
  const fresh = await signUp();
  owner.isSignedIn = true;
  owner.token = async () => (owner.isSignedIn ? fresh() : undefined);
  const { token } = owner;
  return connect({ url, token, user: await connect({ url, token }).user() });
}

function localStorageOf(items: Map<string, string>): WriteStorage {
  return {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, item) => void items.set(name, item),
    removeItem: (name) => void items.delete(name),
    key: (index) => [...items.keys()][index] ?? null,
    get length() {
      return items.size;
    },
  };
}

const inside = ({ children }: { children: ReactNode }) =>
  createElement(
    QueryClientProvider,
    { client },
    createElement(TasksProvider, { api, storage }, children),
  );

function useAll(query: ListQuery) {
  return {
    list: useTasks(query),
    writes: useWrites(),
    create: useCreateTask(),
    update: useUpdateTask(),
    toggle: useToggleTask(),
    remove: useDeleteTask(),
  };
}

/** A page with a list, once it is loaded. */
async function page(query: ListQuery = {}) {
  const { result, rerender } = renderHook(useAll, { wrapper: inside, initialProps: query });
  await waitFor(() => expect(result.current.list.isSuccess).toBe(true));
  proxy.seen.length = 0;
  return {
    show: rerender,
    hooks: () => result.current,
    titles: () => result.current.list.tasks.map(({ title }) => title),
    first: () => result.current.list.tasks[0]!,
    answered: () =>
      waitFor(() => {
        expect(client.isMutating()).toBe(0);
        expect(result.current.writes.pending).toEqual([]);
      }),
  };
}

const requests = (method: string) => proxy.seen.filter((request) => request.method === method);

/** Keeps the responses of the API back until it is called. */
function holding(): () => void {
  let release = () => {};
  proxy.held = new Promise<void>((resolve) => (release = resolve));
  return release;
}

describe("the list", () => {
  it("follows the cursor", async () => {
    for (const title of ["a", "b", "c"]) await createTask(api, { title });
    const { hooks, titles } = await page({ sort: "title", limit: 2 });
    expect(titles()).toEqual(["a", "b"]);
    expect(hooks().list.hasNextPage).toBe(true);
    await act(() => hooks().list.fetchNextPage());
    await waitFor(() => expect(titles()).toEqual(["a", "b", "c"]));
    expect(hooks().list.hasNextPage).toBe(false);
  });

  it("keeps what is there until the new is there", async () => {
    await createTask(api, { title: "open" });
    await createTask(api, { title: "done", completed: true });
    const { show, titles } = await page({ sort: "title" });
    const release = holding();
    show({ sort: "title", completed: true });
    expect(titles()).toEqual(["done", "open"]);
    release();
    await waitFor(() => expect(titles()).toEqual(["done"]));
  });

  it("may be loaded before, on a server", async () => {
    await createTask(api, { title: "Buy milk" });
    await client.prefetchInfiniteQuery(tasksOptions(api));
    const { result } = renderHook(() => useTasks(), { wrapper: inside });
    expect(result.current.tasks).toMatchObject([{ title: "Buy milk" }]);
  });

  it("is another one for another user", async () => {
    await createTask(api, { title: "Ann's" });
    const { result, rerender } = renderHook(() => useTasks(), { wrapper: inside });
    await waitFor(() => expect(result.current.tasks).toHaveLength(1));
    api = await connection();
    rerender();
    expect(result.current.tasks).toEqual([]);
    await waitFor(() => expect(result.current.isSuccess).toBe(true));
    expect(result.current.tasks).toEqual([]);
  });
});

describe("what the user does", () => {
  it("is shown at once, and once only", async () => {
    const { hooks, titles, first, answered } = await page();
    const release = holding();
    act(() => hooks().create.mutate({ title: "Buy milk" }));
    await waitFor(() => expect(titles()).toEqual(["Buy milk"]));
    expect(first()).toMatchObject({ id: 0, pending: true, user_id: api.userId });
    const { key } = first();
    release();
    await answered();
    expect(first()).toMatchObject({ title: "Buy milk", version: 1, pending: false, key });
    expect(titles()).toEqual(["Buy milk"]);
  });

  it("is an update, a toggle and a delete", async () => {
    await createTask(api, { title: "Buy milk" });
    const { hooks, titles, first, answered } = await page();
    act(() => hooks().update.mutate({ task: first(), change: { title: "Buy bread" } }));
    await waitFor(() => expect(titles()).toEqual(["Buy bread"]));
    act(() => hooks().toggle.mutate(first()));
    await waitFor(() => expect(first().completed).toBe(true));
    await answered();
    expect(first()).toMatchObject({ title: "Buy bread", completed: true, version: 3 });
    expect(await getTask(api, first().id)).toMatchObject({ title: "Buy bread", completed: true });
    act(() => hooks().remove.mutate(first()));
    await waitFor(() => expect(titles()).toEqual([]));
    await answered();
    expect(titles()).toEqual([]);
    expect(await listTasks(api)).toEqual({ tasks: [] });
  });

  it("never conflicts with itself", async () => {
    await createTask(api, { title: "Buy milk" });
    const { hooks, first, answered } = await page();
    const release = holding();
    const seen = first();
    act(() => hooks().toggle.mutate(seen));
    act(() => hooks().toggle.mutate({ ...seen, completed: true }));
    act(() => hooks().update.mutate({ task: seen, change: { title: "Buy bread" } }));
    release();
    await answered();
    expect(hooks().writes.failed).toEqual([]);
    expect(first()).toMatchObject({ title: "Buy bread", completed: false, version: 4 });
  });

  it("may be to a task that is yet to be created", async () => {
    const { hooks, titles, first, answered } = await page();
    const release = holding();
    act(() => hooks().create.mutate({ title: "Buy milk" }));
    await waitFor(() => expect(titles()).toEqual(["Buy milk"]));
    act(() => hooks().toggle.mutate(first()));
    act(() => hooks().update.mutate({ task: first(), change: { title: "Buy bread" } }));
    await waitFor(() => expect(first()).toMatchObject({ title: "Buy bread", completed: true }));
    release();
    await answered();
    const { tasks } = await listTasks(api);
    expect(tasks).toMatchObject([{ title: "Buy bread", completed: true, version: 3 }]);
    act(() => hooks().remove.mutate(first()));
    await answered();
    expect(await listTasks(api)).toEqual({ tasks: [] });
    expect(titles()).toEqual([]);
  });

  it("reloads nothing that is shown", async () => {
    const { hooks, answered } = await page();
    act(() => hooks().create.mutate({ title: "Buy milk" }));
    await answered();
    expect(requests("GET")).toEqual([]);
    expect(hooks().list.isStale).toBe(true);
  });

  it("outlives a list that was read before it", async () => {
    const { hooks, titles, answered } = await page();
    const release = holding();
    act(() => void hooks().list.refetch());
    await waitFor(() => expect(requests("GET")).toHaveLength(1));
    proxy.held = undefined;
    act(() => hooks().create.mutate({ title: "Buy milk" }));
    await answered();
    release();
    await waitFor(() => expect(requests("GET")).toHaveLength(2));
    await waitFor(() => expect(hooks().list.isFetching).toBe(false));
    expect(titles()).toEqual(["Buy milk"]);
  });

  it("adds nothing to a list of others", async () => {
    const { hooks, titles, answered } = await page({ completed: true });
    act(() => hooks().create.mutate({ title: "Buy milk" }));
    await answered();
    expect(titles()).toEqual([]);
    act(() => hooks().create.mutate({ title: "Call Bob", completed: true }));
    await answered();
    expect(titles()).toEqual(["Call Bob"]);
  });

  it("arrives once, though its response is lost", async () => {
    const { hooks, answered } = await page();
    proxy.faults = ["lost", "cut"];
    act(() => hooks().create.mutate({ title: "Buy milk" }));
    await answered();
    expect((await listTasks(api)).tasks).toHaveLength(1);
  });
});

describe("what fails", () => {
  const REFUSED = { status: 500, body: "" };

  it("is rolled back, and kept to be sent again or discarded", async () => {
    await createTask(api, { title: "Buy milk" });
    const { hooks, titles, first, answered } = await page();
    proxy.faults = [REFUSED, REFUSED];
    act(() => hooks().update.mutate({ task: first(), change: { title: "Buy bread" } }));
    await waitFor(() => expect(hooks().writes.failed).toHaveLength(1));
    expect(titles()).toEqual(["Buy milk"]);
    expect(hooks().update.error).toMatchObject({ status: 500 });
    act(() => hooks().writes.failed[0]!.retry());
    await answered();
    await waitFor(() => expect(hooks().writes.failed).toHaveLength(1));
    act(() => hooks().writes.failed[0]!.retry());
    await answered();
    expect(titles()).toEqual(["Buy bread"]);
    expect(hooks().writes.failed).toEqual([]);

    proxy.faults = [REFUSED];
    act(() => hooks().remove.mutate(first()));
    await waitFor(() => expect(hooks().writes.failed).toHaveLength(1));
    expect(titles()).toEqual(["Buy bread"]);
    act(() => hooks().writes.failed[0]!.discard());
    await waitFor(() => expect(hooks().writes.failed).toEqual([]));
    expect(await listTasks(api)).toMatchObject({ tasks: [{ title: "Buy bread" }] });
  });

  it("says what is invalid", async () => {
    const { hooks, titles } = await page();
    await act(() => hooks().create.mutateAsync({ title: " " }).catch(() => undefined));
    await waitFor(() => expect(hooks().create.error).toMatchObject({ kind: "invalid-input" }));
    expect(titles()).toEqual([]);
  });

  it("takes along what was to follow a create", async () => {
    const { hooks, titles, first } = await page();
    const release = holding();
    proxy.faults = [REFUSED];
    act(() => hooks().create.mutate({ title: "Buy milk" }));
    await waitFor(() => expect(titles()).toEqual(["Buy milk"]));
    act(() => hooks().toggle.mutate(first()));
    release();
    await waitFor(() => expect(hooks().writes.failed).toHaveLength(2));
    expect(titles()).toEqual([]);
    act(() => hooks().writes.failed[0]!.retry());
    await waitFor(() => expect(titles()).toEqual(["Buy milk"]));
    act(() => hooks().writes.failed[0]!.retry());
    await waitFor(() => expect(first()).toMatchObject({ completed: true, version: 2 }));
  });
});

describe("what is kept in a storage", () => {
  /** Opens the page anew: nothing is left of the one before but the storage. */
  async function reload() {
    cleanup();
    client = new QueryClient();
    const user = api.userId;
    const { token } = owner;
    api = connect({ url, token, user });
    return page();
  }

  beforeEach(() => {
    storage = localStorageOf(new Map());
  });

  it("arrives once, though the page was left before it was answered", async () => {
    await createTask(api, { title: "Call Bob" });
    const { hooks, first } = await page();
    holding();
    act(() => hooks().toggle.mutate(first()));
    act(() => hooks().update.mutate({ task: first(), change: { title: "Call Ann" } }));
    act(() => hooks().create.mutate({ title: "Buy milk" }));
    await waitFor(() => expect(first().title).toBe("Buy milk"));
    act(() => hooks().toggle.mutate(first()));
    expect(hooks().writes.kept).toBe(true);
    proxy.held = undefined;

    const { answered, titles } = await reload();
    await answered();
    expect(titles()).toEqual(["Buy milk", "Call Ann"]);
    const { tasks } = await listTasks(api);
    expect(tasks).toMatchObject([
      { title: "Buy milk", completed: true, version: 2 },
      { title: "Call Ann", completed: true, version: 3 },
    ]);
    expect(storage!.length).toBe(0);
  });

  it("follows a create that was answered", async () => {
    const { hooks, first } = await page();
    const release = holding();
    act(() => hooks().create.mutate({ title: "Buy milk" }));
    await waitFor(() => expect(first().title).toBe("Buy milk"));
    proxy.held = undefined;
    await waitFor(() => expect(requests("POST")).toHaveLength(1));
    holding();
    act(() => hooks().toggle.mutate(first()));
    release();
    await waitFor(() => expect(requests("PATCH")).toHaveLength(1));
    proxy.held = undefined;

    const { answered } = await reload();
    await answered();
    expect((await listTasks(api)).tasks).toMatchObject([{ completed: true, version: 2 }]);
    expect(requests("POST")).toEqual([]);
  });

  it("is sent when the user is signed in again", async () => {
    const { hooks, titles, answered } = await page();
    owner.isSignedIn = false;
    api.forget();
    act(() => hooks().create.mutate({ title: "Buy milk" }));
    await waitFor(() => expect(hooks().writes.failed).toHaveLength(1));
    expect(hooks().writes.failed[0]!.error).toBeInstanceOf(SignedOut);
    owner.isSignedIn = true;
    cleanup();
    const { answered: answeredThen } = await page();
    await answered().catch(() => undefined);
    await answeredThen();
    expect((await listTasks(api)).tasks).toMatchObject([{ title: "Buy milk" }]);
    expect(titles()).toEqual([]);
  });

  it("may be refused by a storage that is full", async () => {
    const full = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    storage = { ...storage!, setItem: full };
    const { hooks } = await page();
    const release = holding();
    act(() => hooks().create.mutate({ title: "Buy milk" }));
    await waitFor(() => expect(hooks().writes).toMatchObject({ kept: false }));
    release();
    await waitFor(() => expect(hooks().writes).toMatchObject({ kept: true, pending: [] }));
  });

  it("goes with what is discarded", async () => {
    const { hooks } = await page();
    act(() => hooks().create.mutate({ title: " " }));
    await waitFor(() => expect(hooks().writes.failed).toHaveLength(1));
    expect(storage!.length).toBe(1);
    act(() => hooks().writes.failed[0]!.discard());
    expect(storage!.length).toBe(0);
  });
});

describe("a task that somebody else has changed", () => {
  let task: Task;

  beforeEach(async () => {
    task = await createTask(api, { title: "Buy milk" });
  });

  it("is shown as it is now, and changed on demand", async () => {
    const { hooks, titles, first, answered } = await page();
    const current = await updateTask(api, task, { title: "Buy bread" });
    act(() => hooks().toggle.mutate(first()));
    await waitFor(() => expect(hooks().toggle.error).toBeInstanceOf(Conflict));
    expect(hooks().toggle.error).toMatchObject({ current });
    expect(titles()).toEqual(["Buy bread"]);
    expect(first().completed).toBe(false);
    act(() => hooks().writes.failed[0]!.retry());
    await answered();
    expect(await getTask(api, task.id)).toMatchObject({ title: "Buy bread", completed: true });
  });

  it("is not changed by a version from before one's own last change", async () => {
    const { hooks, first, answered } = await page();
    const seen = first();
    act(() => hooks().toggle.mutate(seen));
    await answered();
    const current = await updateTask(api, first(), { title: "Buy bread" });
    act(() => hooks().update.mutate({ task: seen, change: { title: "Buy butter" } }));
    await waitFor(() => expect(hooks().update.error).toMatchObject({ current }));
  });
});

describe("one task", () => {
  it("is shown with what the user does", async () => {
    const { id } = await createTask(api, { title: "Buy milk" });
    const use = () => ({ ...useTask(id), toggle: useToggleTask(), api: useConnection() });
    const { result } = renderHook(use, { wrapper: inside });
    await waitFor(() => expect(result.current.task).toMatchObject({ title: "Buy milk" }));
    const release = holding();
    act(() => result.current.toggle.mutate(result.current.task!));
    await waitFor(() => expect(result.current.task).toMatchObject({ completed: true }));
    expect(result.current.data).toMatchObject({ completed: false });
    release();
    await waitFor(() => expect(result.current.data).toMatchObject({ completed: true }));
    expect(result.current.task).toMatchObject({ completed: true, pending: false });
    await deleteTask(result.current.api, result.current.data!);
    await act(() => result.current.refetch());
    await waitFor(() => expect(result.current.error).toMatchObject({ kind: "not-found" }));
  });
});

it("says what is missing", () => {
  const wrapper = ({ children }: { children: ReactNode }) =>
    createElement(QueryClientProvider, { client }, children);
  expect(() => renderHook(useConnection, { wrapper })).toThrow("TasksProvider");
});
