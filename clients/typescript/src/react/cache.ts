import type { InfiniteData, QueryClient } from "@tanstack/react-query";

import type { UserConnection } from "../connection.js";
import type { Page, Task } from "../tasks.js";
import { listsKey, taskKey, type ListQuery } from "./keys.js";
import { isListed } from "./overlay.js";

/**
 * Puts into the cache what a write was answered with: null where the task is deleted. The lists
 * are stale then, and loaded again when somebody comes back to them; a task stays where it is
 * until then, so that nothing moves away under a pointer.
 */
export async function remember(
  client: QueryClient,
  api: UserConnection,
  id: number,
  task: Task | null,
): Promise<void> {
  const queryKey = listsKey(api);
  // What is being loaded may have been read before the write.
  const loading = client.getQueryCache().findAll({ queryKey, fetchStatus: "fetching" });
  await client.cancelQueries({ queryKey });
  const queries = client.getQueriesData<InfiniteData<Page>>({ queryKey });
  for (const [key, data] of queries) {
    if (data) client.setQueryData(key, { ...data, pages: patched(data.pages, id, task, key[3]) });
  }
  if (task) client.setQueryData(taskKey(api, id), task);
  else client.removeQueries({ queryKey: taskKey(api, id) });
  await client.invalidateQueries({ queryKey, refetchType: "none" });
  for (const query of loading) query.fetch().catch(() => undefined); // it is in the query's state
}

function patched(pages: Page[], id: number, task: Task | null, query: unknown): Page[] {
  const isKnown = pages.some((page) => page.tasks.some((other) => other.id === id));
  if (!isKnown && task) {
    const [first, ...others] = pages;
    if (!first || task.version > 1 || !isListed(task, query as ListQuery)) return pages;
    return [{ ...first, tasks: [task, ...first.tasks] }, ...others];
  }
  const replaced = (other: Task) => (other.id === id ? (task ?? []) : other);
  return pages.map((page) => ({ ...page, tasks: page.tasks.flatMap(replaced) }));
}
