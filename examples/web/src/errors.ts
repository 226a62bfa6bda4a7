import { ProblemError, SignedOut } from "task-api-client";

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
    const { message: text, requestId, status, kind } = error;
    const passing = status >= 500 || kind === "quota" || [401, 408, 409, 429].includes(status);
    return { text, requestId, passing };
  }
  return { text: textOf(error), passing: true };
}

function textOf(error: unknown): string {
  // What fetch throws when there is no response.
  if (!(error instanceof TypeError)) return "Something went wrong.";
  return navigator.onLine ? "The server cannot be reached." : "You are offline.";
}

/** Whether it seems that the user is not signed in any more. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof SignedOut || (error instanceof ProblemError && error.status === 401);
}

/** Whether the task is not there any more. */
export function isGone(error: unknown): boolean {
  return error instanceof ProblemError && error.kind === "not-found";
}

/** What is wrong with a member of the body that was sent. */
export function fieldError(error: unknown, member: string): string | undefined {
  if (!(error instanceof ProblemError)) return undefined;
  return error.errors.find(({ pointer }) => pointer === `/${member}`)?.detail;
}
