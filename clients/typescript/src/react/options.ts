import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";

import type { UserConnection } from "../connection.js";
import { getTask, listTasks } from "../tasks.js";
import { listKey, taskKey, type ListQuery } from "./keys.js";

// The connection repeats what failed for the moment.
const retry = false;

/** What `useTasks` asks for: to load it before, on a server, too. */
export function tasksOptions(api: UserConnection, query: ListQuery = {}) {
  return infiniteQueryOptions({
    queryKey: listKey(api, query),
    queryFn: ({ pageParam: cursor, signal }) =>
      listTasks(api, cursor === undefined ? query : { ...query, cursor }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    retry,
  });
}

/** What `useTask` asks for. */
export function taskOptions(api: UserConnection, id: number) {
  return queryOptions({
    queryKey: taskKey(api, id),
    queryFn: ({ signal }) => getTask(api, id, { signal }),
    retry,
  });
}
