import type { UserConnection } from "../connection.js";
import type { TaskQuery } from "../tasks.js";

/** Which tasks, and in which order; the hooks follow the cursor. */
export type ListQuery = Omit<TaskQuery, "cursor">;

// The user is part of every key: nothing of one user is ever shown to another.
export const listsKey = ({ userId }: UserConnection) => ["tasks", userId, "list"] as const;
export const listKey = (api: UserConnection, query: ListQuery) =>
  [...listsKey(api), query] as const;
export const taskKey = ({ userId }: UserConnection, id: number) =>
  ["tasks", userId, "task", id] as const;
export const writesKey = ({ userId }: UserConnection) => ["tasks", userId, "write"] as const;
