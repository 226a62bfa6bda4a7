import { ProblemError } from "task-api-client";

import { SessionEnded } from "./auth.ts";

/** What to say of an error. */
export interface Explanation {
  text: string;
  /** For the people who run the API. */
  requestId?: string;
  /** Whether it may work when it is tried again. */
  passing: boolean;
}

export function explain(error: unknown): Explanation {
  if (error instanceof ProblemError) {
    const { message: text, requestId, status } = error;
    return { text, requestId, passing: status >= 500 || [401, 408, 409, 429].includes(status) };
  }
  return { text: textOf(error), passing: true };
}

function textOf(error: unknown): string {
  if (error instanceof SessionEnded) return "You are not signed in any more.";
  // What fetch throws when there is no answer.
  if (!(error instanceof TypeError)) return "Something went wrong.";
  return navigator.onLine ? "The server cannot be reached." : "You are offline.";
}

/** What is wrong with a member of the body that was sent. */
export function fieldError(error: unknown, member: string): string | undefined {
  if (!(error instanceof ProblemError)) return undefined;
  return error.errors.find(({ pointer }) => pointer === `/${member}`)?.detail;
}
