"use client";

import {
  useInfiniteQuery,
  useMutation,
  useMutationState,
  useQuery,
  useQueryClient,
  type Mutation,
  type MutateOptions,
} from "@tanstack/react-query";
import { useMemo } from "react";

import { Conflict } from "../problems.js";
import type { Task, TaskCreate, TaskUpdate, Version } from "../tasks.js";
import { randomUUID } from "../uuid.js";
import { writesKey, type ListQuery } from "./keys.js";
import { taskOptions, tasksOptions } from "./options.js";
import { isListed, overlaid, type TaskItem, type Unanswered } from "./overlay.js";
import { useTasksContext } from "./provider.js";
import type { Write } from "./writes.js";

/**
 * The tasks, page after page: `fetchNextPage` follows the cursor. `tasks` has what the user did at
 * once; where that fails it is as if it had not been.
 */
export function useTasks(query: ListQuery = {}) {
  const { api, writer } = useTasksContext();
  const result = useInfiniteQuery(tasksOptions(api, query));
  const unanswered = useUnanswered();
  const { pages } = result.data ?? {};
  const { completed } = query;
  const tasks = useMemo(() => {
    const loaded = pages?.flatMap((page) => page.tasks) ?? [];
    const listed = unanswered.filter(
      ({ write }) =>
        write.action !== "create" || completed === undefined || isListed(write.body, { completed }),
    );
    return overlaid(loaded, listed, api.userId, writer.keyOf);
  }, [pages, unanswered, completed, api, writer]);
  return { ...result, tasks };
}

/** One task; `task` has what the user did at once. */
export function useTask(id: number) {
  const { api, writer } = useTasksContext();
  const result = useQuery(taskOptions(api, id));
  const unanswered = useUnanswered();
  const { data } = result;
  const task = useMemo(() => {
    const key = writer.keyOf(id);
    const own = unanswered.filter(({ write }) => write.key === key);
    return data && overlaid([data], own, api.userId, writer.keyOf)[0];
  }, [data, unanswered, id, api, writer]);
  return { ...result, task };
}

/** Which task, and which version of it the user saw. */
type Seen = Version & Pick<Partial<TaskItem>, "key">;

/** Adds a task. */
export function useCreateTask() {
  return useWrite<TaskCreate & { key?: string }>((body) => {
    const { key = randomUUID(), ...task } = body;
    return { action: "create", key, body: task };
  });
}

/** Sets the members of `change`. The error is a `Conflict` where the task is at another version. */
export function useUpdateTask() {
  const { writer } = useTasksContext();
  return useWrite<{ task: Seen; change: TaskUpdate }>(({ task, change }) => {
    return { action: "update", ...seen(task, writer.keyOf), body: change };
  });
}

/** Completes a task, or opens it again. The error may be a `Conflict`. */
export function useToggleTask() {
  const { writer } = useTasksContext();
  return useWrite<Seen & Pick<Task, "completed">>((task) => {
    return { action: "update", ...seen(task, writer.keyOf), body: { completed: !task.completed } };
  });
}

/** Deletes a task. The error may be a `Conflict`. */
export function useDeleteTask() {
  const { writer } = useTasksContext();
  return useWrite<Seen, null>((task) => ({ action: "delete", ...seen(task, writer.keyOf) }));
}

function seen({ key, id, version }: Seen, keyOf: (id: number) => string) {
  return { key: key ?? keyOf(id), task: { id, version } };
}

/** TanStack's mutation, with what `write` makes of the variables. */
function useWrite<Variables, Result = Task>(write: (variables: Variables) => Write) {
  const { api } = useTasksContext();
  const mutation = useMutation<Result, Error, Write>({ mutationKey: writesKey(api) });
  type Options = MutateOptions<Result, Error, Write>;
  return {
    ...mutation,
    mutate: (variables: Variables, options?: Options) =>
      mutation.mutate(write(variables), options),
    mutateAsync: (variables: Variables, options?: Options) =>
      mutation.mutateAsync(write(variables), options),
  };
}

type WriteMutation = Mutation<Task | null, Error, Write>;

/** A write that could not be done: the tasks show as if it had not been tried. */
export interface FailedWrite {
  write: Write;
  error: Error;
  /** Sends it again; in a conflict, on top of what the task is now. */
  retry(): void;
  discard(): void;
}

export interface Writes {
  /** What is on its way, in the order in which the user did it. */
  pending: Unanswered[];
  /** What waits for the user. */
  failed: FailedWrite[];
  /** Whether all of it outlives the page, in the provider's storage. */
  kept: boolean;
}

/** What is not done yet. */
export function useWrites(): Writes {
  const { api, writer } = useTasksContext();
  const cache = useQueryClient().getMutationCache();
  const pending = useUnanswered();
  const states = useMutationState({
    filters: { mutationKey: writesKey(api), status: "error" },
    select: ({ mutationId, state }) => ({ mutationId, state }),
  });
  const kept = [...pending, ...states].every(({ mutationId }) => writer.kept.has(mutationId));
  const failed = states.flatMap(({ mutationId, state }) => {
    const mutation = cache.getAll().find((each) => each.mutationId === mutationId);
    return mutation ? failedWrite(mutation as WriteMutation, state as WriteMutation["state"]) : [];
  });
  return { pending, failed, kept };

  function failedWrite(mutation: WriteMutation, state: WriteMutation["state"]): FailedWrite {
    const { variables: write, error } = state as { variables: Write; error: Error };
    const again =
      error instanceof Conflict && write.action !== "create"
        ? { ...write, task: error.current }
        : write;
    return {
      write,
      error,
      retry: () => void mutation.execute(again).catch(() => undefined), // it is in the state
      discard: () => cache.remove(mutation),
    };
  }
}

/** The writes that are on their way, in the order in which the user made them. */
function useUnanswered(): Unanswered[] {
  const { api } = useTasksContext();
  return useMutationState({
    filters: { mutationKey: writesKey(api), status: "pending" },
    select: ({ mutationId, state }): Unanswered => ({
      mutationId,
      write: state.variables as Write,
      at: state.submittedAt,
    }),
  });
}
