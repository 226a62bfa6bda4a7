import { useTasks, type TaskItem } from "task-api-client/react";

import { SHOWS, type View } from "./view.ts";

const LIMIT = 500;

interface Options {
  /** The keys of tasks that stay for now, whatever the filter. */
  held: ReadonlySet<string>;
  isDeleted: (task: TaskItem) => boolean;
}

/**
 * The tasks of a view. While all tasks are loaded they are filtered here, so that a filter shows
 * at once, without a network, too.
 */
export function useList({ show, sort }: View, { held, isDeleted }: Options) {
  const everything = useTasks({ sort, limit: LIMIT });
  const completed = SHOWS[show];
  const isPart = everything.hasNextPage && completed !== undefined;
  const list = useTasks({ sort, limit: LIMIT, ...(isPart && { completed }) });

  const tasks = list.tasks.filter(
    (task) => !isDeleted(task) && (held.has(task.key) || isShown(task, show)),
  );
  /** How many there are; with a plus as long as not all are loaded. */
  const count = (other: View["show"]) => {
    const { tasks: all, hasNextPage } = isPart && other === show ? list : everything;
    const { length } = all.filter((task) => !isDeleted(task) && isShown(task, other));
    return `${numeral(length)}${hasNextPage ? "+" : ""}`;
  };
  return { ...list, tasks, count };
}

function isShown({ completed }: TaskItem, show: View["show"]): boolean {
  return (SHOWS[show] ?? completed) === completed;
}

/** Whether the words that are searched for are in a task. */
export function isFound({ title, description }: TaskItem, query: string): boolean {
  const text = `${title} ${description ?? ""}`.toLocaleLowerCase();
  return query
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

export const numeral = (count: number): string => count.toLocaleString("en");

export function counted(count: number): string {
  return count === 1 ? "1 task" : `${numeral(count)} tasks`;
}
