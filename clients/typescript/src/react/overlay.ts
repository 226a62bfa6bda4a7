import type { Task } from "../tasks.js";
import type { ListQuery } from "./keys.js";
import type { Write } from "./writes.js";

/** A task as the user wants it: what the API last said, with what is on its way to it. */
export interface TaskItem extends Task {
  /** Names the task from the moment it was added; the id is 0 until the API has given one. */
  key: string;
  /** Whether something of it is still to be answered. */
  pending: boolean;
}

/** A write that is not answered yet. */
export interface Unanswered {
  mutationId: number;
  write: Write;
  /** When the user did it, in milliseconds since 1970. */
  at: number;
}

/** The tasks with the writes that are on their way, new tasks on top. */
export function overlaid(
  tasks: Task[],
  unanswered: Unanswered[],
  userId: string,
  keyOf: (id: number) => string,
): TaskItem[] {
  const items = new Map<string, TaskItem>();
  const added = unanswered.filter(({ write }) => write.action === "create").reverse();
  for (const each of added) items.set(each.write.key, newItem(each, userId));
  for (const task of tasks) {
    const key = keyOf(task.id);
    items.set(key, { ...task, key, pending: false });
  }
  for (const { write } of unanswered) {
    const item = items.get(write.key);
    if (write.action === "delete") items.delete(write.key);
    else if (item) items.set(write.key, { ...item, ...write.body, pending: true } as TaskItem);
  }
  return [...items.values()];
}

/** Whether a new task is one of those that are listed. */
export function isListed({ completed = false }: { completed?: boolean }, query: ListQuery) {
  return (query.completed ?? completed) === completed;
}

function newItem({ write, at }: Unanswered, userId: string): TaskItem {
  return { ...blankTask(write.key, new Date(at)), user_id: userId, pending: true };
}

/** A task that says nothing yet. */
export function blankTask(key: string, at = new Date()): TaskItem {
  const now = at.toISOString();
  return {
    id: 0,
    user_id: "",
    title: "",
    description: null,
    completed: false,
    created_at: now,
    updated_at: now,
    version: 0,
    key,
    pending: false,
  };
}
