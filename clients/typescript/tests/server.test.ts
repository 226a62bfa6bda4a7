import { AsyncLocalStorage } from "node:async_hooks";

import { beforeEach, describe, expect, it } from "vitest";

import { connect, createTask, listTasks, SignedOut, type Connection } from "../src/index.js";
import { API_URL, signUp } from "./users.js";

/** A request that somebody has sent to a server, whose process serves others meanwhile. */
const request = new AsyncLocalStorage<{ token: () => Promise<string> }>();

const titles = async (api: Connection) => (await listTasks(api)).tasks.map(({ title }) => title);

describe("a connection of a server's module, which two users share", () => {
  let api: Connection;
  let calls: number;
  let as: Record<"ann" | "bob", <Result>(work: () => Promise<Result>) => Promise<Result>>;

  beforeEach(async () => {
    calls = 0;
    const token = () => (calls++, request.getStore()!.token());
    api = connect({ url: API_URL, token });
    const [ann, bob] = await Promise.all([signUp(), signUp()]);
    as = {
      ann: (work) => request.run({ token: ann }, work),
      bob: (work) => request.run({ token: bob }, work),
    };
  });

  it("shows each their own, one after the other", async () => {
    await as.ann(() => createTask(api, { title: "Ann's" }));
    expect(await as.bob(() => titles(api))).toEqual([]);
    await as.bob(() => createTask(api, { title: "Bob's" }));
    expect(await as.ann(() => titles(api))).toEqual(["Ann's"]);
    expect(await as.bob(() => titles(api))).toEqual(["Bob's"]);
  });

  it("shows each their own, at the same time", async () => {
    await Promise.all([
      as.ann(() => createTask(api, { title: "Ann's" })),
      as.bob(() => createTask(api, { title: "Bob's" })),
    ]);
    const visits = Array.from({ length: 10 }, () =>
      Promise.all([as.ann(() => titles(api)), as.bob(() => titles(api))]),
    );
    for (const visit of await Promise.all(visits)) expect(visit).toEqual([["Ann's"], ["Bob's"]]);
  });

  it("shows each their own by the paths, too", async () => {
    const list = async () => {
      const path = { user_id: await api.user() };
      return (await api.client.GET("/api/{user_id}/tasks", { params: { path } })).data;
    };
    await as.ann(() => createTask(api, { title: "Ann's" }));
    expect(await as.bob(list)).toEqual([]);
    expect(await as.ann(list)).toMatchObject([{ title: "Ann's" }]);
  });

  it("asks for one token an operation, and keeps none", async () => {
    await as.ann(() => listTasks(api));
    await as.ann(() => listTasks(api));
    expect(calls).toBe(2);
  });
});

describe("a connection of one user, made as such", () => {
  it("keeps its token", async () => {
    const token = await signUp();
    const user = await connect({ url: API_URL, token }).user();
    let calls = 0;
    const api = connect({ url: API_URL, user, token: () => (calls++, token()) });
    await createTask(api, { title: "Buy milk" });
    expect(await titles(api)).toEqual(["Buy milk"]);
    expect(calls).toBe(1);
  });

  it("never sends as somebody else", async () => {
    const user = await connect({ url: API_URL, token: await signUp() }).user();
    const api = connect({ url: API_URL, user, token: await signUp() });
    await expect(createTask(api, { title: "Buy milk" })).rejects.toThrow(SignedOut);
  });
});
