import { Conflict, ProblemError } from "task-api-client";

/** What to tell the user about an error of a call to the API. Throws what is no such error. */
export function explain(error: unknown): string {
  if (error instanceof Conflict) {
    const { title, completed } = error.current;
    return `Somebody changed this meanwhile. It is now “${title}”, ${completed ? "done" : "to do"}.`;
  }
  if (error instanceof ProblemError) return error.message;
  if (error instanceof TypeError) return "The API cannot be reached."; // as fetch says it
  throw error;
}
