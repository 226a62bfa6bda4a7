export { connect, type Connection, type Options, type UserConnection } from "./connection.js";
export { Conflict, ProblemError, SignedOut, type Kind, type Problem } from "./problems.js";
export * from "./tasks.js";
export { randomUUID } from "./uuid.js";
