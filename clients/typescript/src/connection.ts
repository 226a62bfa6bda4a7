import createClient, { type Client } from "openapi-fetch";

import { copy, retrying, type Send } from "./retry.js";
import type { paths } from "./schema.js";

export interface Options {
  /** Where the API is: its origin. */
  url: string;
  /** Yields a token of the user who is signed in. It is called once, and again after a 401. */
  token: () => string | Promise<string>;
  /** How often a request is repeated that failed for the moment; 3 unless told. */
  retries?: number;
  fetch?: Send;
}

/** One user's way to the API. */
export interface Connection {
  readonly client: Client<paths>;
  /** The user of the token. */
  user(): Promise<string>;
  /** Asks for a new token next time: for when another user has signed in. */
  forget(): void;
}

/** Opens a connection; nothing is sent before it is used. */
export function connect({
  url,
  token,
  retries = 3,
  fetch = (request) => globalThis.fetch(request),
}: Options): Connection {
  const send = retrying(fetch, retries);
  let current: Promise<string> | undefined;

  /** The token; whoever asks meanwhile waits for the same one. */
  const get = () => {
    const asked = (current ??= Promise.resolve().then(token));
    asked.catch(() => forget(asked));
    return asked;
  };
  const forget = (old = current) => {
    if (current === old) current = undefined;
  };

  const authorized: Send = async (request) => {
    const asked = get();
    const answer = await send(withToken(request, await asked));
    if (answer.status !== 401) return answer;
    forget(asked);
    const fresh = await get();
    // Somebody else's tasks are not what this request is about.
    return subject(fresh) === subject(await asked) ? send(withToken(request, fresh)) : answer;
  };

  return {
    client: createClient<paths>({ baseUrl: url, fetch: authorized }),
    user: async () => subject(await get()),
    forget: () => forget(),
  };
}

function withToken(request: Request, token: string): Request {
  const headers = new Headers(request.headers);
  headers.set("Authorization", `Bearer ${token}`);
  return copy(request, headers);
}

/** The `sub` of a JWT (RFC 7519). It is not verified: the API does that. */
function subject(token: string): string {
  const [, payload, signature] = token.split(".");
  if (!payload || !signature) throw new Error("What token() yields is not a JWT");
  const base64 = payload.replace(/-/g, "+").replace(/_/g, "/");
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)).sub;
}
