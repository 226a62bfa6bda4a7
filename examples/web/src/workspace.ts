import { dehydrate, hydrate, QueryClient } from "@tanstack/react-query";
import { del, get, set } from "idb-keyval";
import type { UserConnection } from "task-api-client";

import { connectAs } from "./auth.ts";
import { Drafts } from "./drafts.ts";

const EVERY_MINUTE = 60_000; // milliseconds, while the page is visible
const A_DAY = 86_400_000;
const SAVE_AFTER = 500;
const SETTLED_WITHIN = 3_000;

/** All that the page has of one user. */
export interface Workspace {
  api: UserConnection;
  client: QueryClient;
  drafts: Drafts;
  /** Waits until what was done is sent, but not for a server that does not answer. */
  settled: () => Promise<void>;
  /** Forgets the lists, in this browser, too. What is not sent yet stays. */
  forget: () => Promise<void>;
}

const workspaces = new Map<string, Promise<Workspace>>();

/** The user's workspace, with the lists that the page had when it was last open. */
export function workspaceOf(user: string): Promise<Workspace> {
  const workspace = workspaces.get(user) ?? open(user);
  workspaces.set(user, workspace);
  return workspace;
}

async function open(user: string): Promise<Workspace> {
  const client = new QueryClient({
    defaultOptions: { queries: { refetchInterval: EVERY_MINUTE, gcTime: A_DAY } },
  });
  const drafts = await Drafts.open(user);
  return { api: connectAs(user), client, drafts, settled, forget: await keepLists(client, user) };

  async function settled() {
    const end = Date.now() + SETTLED_WITHIN;
    while (client.isMutating() > 0 && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Shows the lists of the last time, and keeps them for the next. Returns what forgets them. */
async function keepLists(client: QueryClient, user: string): Promise<() => Promise<void>> {
  const name = `lists/${user}`;
  // A browser may forbid its database: then the page begins with nothing, and keeps no lists.
  const database = await get(name).then(
    (lists) => ({ lists }),
    () => undefined,
  );
  if (database?.lists) hydrate(client, database.lists);

  let timer: ReturnType<typeof setTimeout> | undefined;
  const save = () => {
    timer = undefined;
    void set(name, dehydrate(client, { shouldDehydrateMutation: () => false }));
  };
  client.getQueryCache().subscribe(({ type }) => {
    if (database && type === "updated") timer ??= setTimeout(save, SAVE_AFTER);
  });
  return async () => {
    await client.cancelQueries();
    client.removeQueries();
    clearTimeout(timer);
    timer = undefined;
    if (database) await del(name);
  };
}
