export {
  useCreateTask,
  useDeleteTask,
  useTask,
  useTasks,
  useToggleTask,
  useUpdateTask,
  useWrites,
  type FailedWrite,
} from "./hooks.js";
export type { ListQuery } from "./keys.js";
export { taskOptions, tasksOptions } from "./options.js";
export type { TaskItem, Unanswered } from "./overlay.js";
export { TasksProvider, useConnection } from "./provider.js";
export type { Write } from "./writes.js";
