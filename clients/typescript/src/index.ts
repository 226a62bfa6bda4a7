export { connect, type Connection, type Options, type UserConnection } from "./connection.js";
export { Conflict, ProblemError, SignedOut, type Kind, type Problem } from "./problems.js";
export {
  allTasks,
  createTask,
  deleteTask,
  getTask,
  listTasks,
  setCompleted,
  updateTask,
  type Page,
  type Task,
  type TaskCreate,
  type TaskQuery,
  type TaskUpdate,
  type Version,
} from "./tasks.js";
export { randomUUID } from "./uuid.js";
