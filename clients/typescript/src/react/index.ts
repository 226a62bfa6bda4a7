export {
  useCreateTask,
  useDeleteTask,
  useTask,
  useTasks,
  useToggleTask,
  useUpdateTask,
  useWrites,
  type FailedWrite,
  type Writes,
} from "./hooks.js";
export type { WriteStorage } from "./kept.js";
export type { ListQuery } from "./keys.js";
export { taskOptions, tasksOptions } from "./options.js";
export { blankTask, type TaskItem, type Unanswered } from "./overlay.js";
export { TasksProvider, useConnection } from "./provider.js";
export type { Write } from "./writes.js";
