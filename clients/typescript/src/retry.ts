import { SignedOut } from "./problems.js";

/** What sends a request. */
export type Send = (request: Request) => Promise<Response>;

/** A request to send. A mere clone would not notice an abort once Node has collected garbage. */
export function copy(request: Request, headers = request.headers): Request {
  return new Request(request.clone(), { headers, signal: request.signal });
}

const FIRST_PAUSE = 200; // milliseconds; each pause is about twice the one before
const LONGEST_PAUSE = 20_000;
const LONGEST_ASKED = 30_000;

/**
 * Sends a request again after a network error, a 429, 502, 503 or 504, and a create that is still
 * in flight, if it is safe to repeat.
 */
export function retrying(send: Send, retries: number): Send {
  return async (request) => {
    for (let attempt = 0; ; attempt++) {
      const last = attempt === retries || !isRepeatable(request);
      let pause = Math.min(FIRST_PAUSE * 2 ** attempt, LONGEST_PAUSE) * (0.5 + Math.random());
      try {
        const response = await whole(await send(copy(request)));
        pause = Math.max(pause, retryAfter(response));
        if (last || !isPassing(response, request) || pause > LONGEST_ASKED) return response;
      } catch (error) {
        if (last || request.signal.aborted || isFinal(error)) throw error;
      }
      await sleep(pause, request.signal);
    }
  };
}

/** Whether it is not for the moment only: there is no user, or what token() yields is no token. */
function isFinal(error: unknown): boolean {
  return error instanceof SignedOut || error instanceof SyntaxError;
}

/** Whether it does the same once and twice: not a create without a key, nor a flip of a status. */
function isRepeatable({ method, headers }: Request): boolean {
  if (method === "POST") return headers.has("Idempotency-Key");
  return method !== "PATCH" || headers.has("Content-Type");
}

/** The response with all of its body, which may be cut off as well. */
async function whole(response: Response): Promise<Response> {
  return new Response((await response.text()) || null, response);
}

function isPassing({ status }: Response, request: Request): boolean {
  return [429, 502, 503, 504].includes(status) || (status === 409 && request.method === "POST");
}

/** Milliseconds, of seconds or a date (RFC 9110, section 10.2.3). */
function retryAfter(response: Response): number {
  const value = response.headers.get("Retry-After") ?? "0";
  return (/^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()) || 0;
}

const WAKES = ["online", "focus"];

/** Waits; no longer than until the device is online again, or somebody comes back to the page. */
function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  const page = typeof window === "undefined" ? undefined : window;
  return new Promise<void>((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      for (const wake of WAKES) page?.removeEventListener(wake, end);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
    for (const wake of WAKES) page?.addEventListener(wake, end);
  });
}
