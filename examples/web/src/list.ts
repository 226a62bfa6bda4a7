import type { Task } from "task-api-client";

import { entryOf, isBusy, type Entry } from "./entry.ts";

/**
 * The list begun anew. What the user is at stays as it was, so that a save finds the conflict
 * instead of never seeing it; where it is not among the tasks it comes first.
 */
export function begun(entries: Entry[], tasks: Task[]): Entry[] {
  const known = new Map(entries.map((entry) => [entry.task.id, entry]));
  const ids = new Set(tasks.map(({ id }) => id));
  const elsewhere = entries.filter((entry) => isBusy(entry) && !ids.has(entry.task.id));
  const listed = tasks.map((task) => {
    const entry = known.get(task.id);
    return entry && (isBusy(entry) || entry.task.version > task.version) ? entry : entryOf(task);
  });
  return [...elsewhere, ...listed];
}

/** The list with one more page. What is there already, such as a task just added, stays there. */
export function extended(entries: Entry[], tasks: Task[]): Entry[] {
  const ids = new Set(entries.map(({ task }) => task.id));
  return [...entries, ...tasks.filter(({ id }) => !ids.has(id)).map(entryOf)];
}
