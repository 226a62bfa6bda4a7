import type { components } from "./schema.js";
import type { Task } from "./tasks.js";

type Details = components["schemas"]["ProblemDetails"];
type KindIn<Type> = Type extends `/problems/${infer Name}` ? Name : never;

/** The kinds of problem that the API has; `about:blank` is the gateway's own. */
export type Kind = KindIn<Details["type"]> | "about:blank";

/** The body of every error (RFC 9457). */
export type Problem = Omit<Details, "type"> & { type: Details["type"] | "about:blank" };

/** Nobody is signed in any more, or somebody else is: the request was not sent as them. */
export class SignedOut extends Error {
  override name = "SignedOut";

  constructor(message = "You are not signed in any more.") {
    super(message);
  }
}

/** An error that the API, or the gateway in front of it, answered with. */
export class ProblemError extends Error {
  override name = "ProblemError";
  readonly problem: Problem;

  constructor(response: Response, body: unknown) {
    const problem = isProblem(body) ? body : fromGateway(response);
    super(problem.detail);
    this.problem = problem;
  }

  get status(): number {
    return this.problem.status;
  }

  /** The kind of problem, such as `not-found`. An API that is newer may know others. */
  get kind(): Kind {
    return this.problem.type.replace("/problems/", "") as Kind;
  }

  /** What is invalid: a JSON pointer into the body, or a parameter's name, each with a detail. */
  get errors(): NonNullable<Problem["errors"]> {
    return this.problem.errors ?? [];
  }

  /** What to tell the people who run the API. */
  get requestId(): string {
    return this.problem.request_id;
  }
}

/** The task is not at the version that was changed any more; nothing was done. */
export class Conflict extends ProblemError {
  override name = "Conflict";

  constructor(
    response: Response,
    body: unknown,
    /** The task as it is now. */
    readonly current: Task,
  ) {
    super(response, body);
  }
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "type" in body && "detail" in body;
}

function fromGateway(response: Response): Problem {
  return {
    type: "about:blank",
    title: response.statusText,
    status: response.status,
    detail: `The gateway answered with ${response.status}.`,
    instance: "",
    request_id: response.headers.get("X-Request-Id") ?? "",
  };
}
