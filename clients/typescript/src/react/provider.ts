"use client";

import { useQueryClient, type Mutation, type QueryClient } from "@tanstack/react-query";
import { createContext, createElement, useContext, useEffect, useMemo, type ReactNode } from "react";

import type { UserConnection } from "../connection.js";
import { Conflict, SignedOut } from "../problems.js";
import type { Task } from "../tasks.js";
import { remember } from "./cache.js";
import { keepWrites, type WriteStorage } from "./kept.js";
import { writesKey } from "./keys.js";
import { Writer, type Write } from "./writes.js";

interface Tasks {
  api: UserConnection;
  writer: Writer;
}

const TasksContext = createContext<Tasks | undefined>(undefined);

interface Props {
  /** The connection of the user who is signed in: `connect({ …, user })`. */
  api: UserConnection;
  /** Where what is not answered yet outlives the page, such as `localStorage`. */
  storage?: WriteStorage | undefined;
  children?: ReactNode;
}

/** Gives the hooks their connection, inside TanStack's `QueryClientProvider`. */
export function TasksProvider({ api, storage, children }: Props) {
  const client = useQueryClient();
  const value = useMemo(
    () => ({ api, writer: writerOf(client, api, storage) }),
    [client, api, storage],
  );
  useEffect(() => sendAgain(client, api), [client, api]);
  // Nothing that one user has typed is there for the next.
  return createElement(TasksContext.Provider, { key: api.userId, value }, children);
}

// The versions that a user has made are known as long as the cache that shows them.
const writers = new WeakMap<QueryClient, WeakMap<UserConnection, Writer>>();

function writerOf(client: QueryClient, api: UserConnection, storage?: WriteStorage): Writer {
  const known = writers.get(client) ?? new WeakMap<UserConnection, Writer>();
  writers.set(client, known);
  const writer = known.get(api) ?? writing(client, api, storage);
  known.set(api, writer);
  return writer;
}

/** Says how writes are sent, those that were kept while the page was away included. */
function writing(client: QueryClient, api: UserConnection, storage?: WriteStorage): Writer {
  const writer = new Writer(api);
  const cache = client.getMutationCache();
  const mutationKey = writesKey(api);
  client.setMutationDefaults(mutationKey, {
    mutationFn: writer.send,
    retry: false, // the connection does that
    gcTime: Infinity, // what has failed stays until it is sent again or discarded
    onSuccess: (task: Task | null, { key }: Write) => {
      for (const done of cache.findAll({ mutationKey, status: "success" })) cache.remove(done);
      return remember(client, api, writer.idOf(key), task);
    },
    onError: (error) =>
      error instanceof Conflict ? remember(client, api, error.current.id, error.current) : undefined,
  });
  if (storage) void keepWrites({ client, writer, mutationKey, userId: api.userId, storage });
  return writer;
}

/** Sends what could not be sent because the user was signed out. */
function sendAgain(client: QueryClient, api: UserConnection): void {
  const failed = client.getMutationCache().findAll({ mutationKey: writesKey(api), status: "error" });
  for (const mutation of failed as Mutation<unknown, Error, Write>[]) {
    if (mutation.state.error instanceof SignedOut) {
      mutation.execute(mutation.state.variables as Write).catch(() => undefined); // as before
    }
  }
}

export function useTasksContext(): Tasks {
  const tasks = useContext(TasksContext);
  if (!tasks) throw new Error("The hooks of task-api-client/react need a TasksProvider above them");
  return tasks;
}

/** The connection, for what there is no hook for. */
export function useConnection(): UserConnection {
  return useTasksContext().api;
}
