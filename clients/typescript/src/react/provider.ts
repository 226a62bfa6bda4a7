"use client";

import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { createContext, createElement, useContext, useMemo, type ReactNode } from "react";

import type { UserConnection } from "../connection.js";
import { Conflict } from "../problems.js";
import type { Task } from "../tasks.js";
import { remember } from "./cache.js";
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
  children?: ReactNode;
}

/** Gives the hooks their connection, inside TanStack's `QueryClientProvider`. */
export function TasksProvider({ api, children }: Props) {
  const client = useQueryClient();
  const value = useMemo(() => ({ api, writer: writing(client, api) }), [client, api]);
  // Nothing that one user has typed is there for the next.
  return createElement(TasksContext.Provider, { key: api.userId, value }, children);
}

/** Says how writes are sent, those that were kept while the page was away included. */
function writing(client: QueryClient, api: UserConnection): Writer {
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
  return writer;
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
