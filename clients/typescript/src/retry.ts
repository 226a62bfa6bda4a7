/** What sends a request. */
export type Send = (request: Request) => Promise<Response>;

/** A request to send. A mere clone would not notice an abort once Node has collected garbage. */
export function copy(request: Request, headers = request.headers): Request {
  return new Request(request.clone(), { headers, signal: request.signal });
}

const FIRST_PAUSE = 200; // milliseconds; each pause is about twice the one before
const LONGEST_PAUSE = 30_000;

/**
 * Sends a request again after a network error, a 429 or a 503, and a create that is still in
 * flight, if it is safe to repeat.
 */
export function retrying(send: Send, retries: number): Send {
  return async (request) => {
    for (let attempt = 0; ; attempt++) {
      const last = attempt === retries || !isRepeatable(request);
      let pause = FIRST_PAUSE * 2 ** attempt * (0.5 + Math.random());
      try {
        const answer = await whole(await send(copy(request)));
        pause = Math.max(pause, retryAfter(answer));
        if (last || !isPassing(answer, request) || pause > LONGEST_PAUSE) return answer;
      } catch (error) {
        if (last || request.signal.aborted) throw error;
      }
      await sleep(pause, request.signal);
    }
  };
}

/** Whether it does the same once and twice: not a create without a key, nor a flip of a status. */
function isRepeatable({ method, headers }: Request): boolean {
  if (method === "POST") return headers.has("Idempotency-Key");
  return method !== "PATCH" || headers.has("Content-Type");
}

/** The answer with all of its body, which may be cut off as well. */
async function whole(answer: Response): Promise<Response> {
  return new Response((await answer.text()) || null, answer);
}

function isPassing({ status }: Response, request: Request): boolean {
  return status === 429 || status === 503 || (status === 409 && request.method === "POST");
}

/** Milliseconds, of seconds or a date (RFC 9110, section 10.2.3). */
function retryAfter(answer: Response): number {
  const value = answer.headers.get("Retry-After") ?? "0";
  return (/^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()) || 0;
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", abort, { once: true });
  });
}
