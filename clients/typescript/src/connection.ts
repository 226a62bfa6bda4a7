import createClient, { type Client } from "openapi-fetch";

import { SignedOut } from "./problems.js";
import { copy, retrying, type Send } from "./retry.js";
import type { paths } from "./schema.js";
import { keeping, subjectOf, type Tokens } from "./tokens.js";

export interface Options {
  /** Where the API is: its origin. */
  url: string;
  /** Yields a token of the user who is signed in, or nothing. It is called again after a 401. */
  token: () => Token | Promise<Token>;
  /** Whose connection this is. Where a token is another user's, `SignedOut` is thrown. */
  user?: string;
  /** How often a request is repeated that failed for the moment; 3 unless told. */
  retries?: number;
  fetch?: Send;
}

type Token = string | null | undefined;

/** A way to the API as whoever is signed in. */
export interface Connection {
  /** All operations as they are, typed by their paths. */
  readonly client: Client<paths>;
  /** The user of the token. */
  user(): Promise<string>;
  /** Begins an operation: as whom, and what sends it with a token of theirs. */
  authorize(): Promise<{ user: string; fetch: Send }>;
  /** Asks for a new token next time: for when another user has signed in. */
  forget(): void;
}

/** One user's way to the API. */
export interface UserConnection extends Connection {
  readonly userId: string;
}

/**
 * Opens a connection; nothing is sent before it is used.
 *
 * A browser has one user at a time, so their token is kept until it is refused. Without a `window`
 * many users share the process: each operation asks for a token of its own, unless the connection
 * is made for one `user`.
 */
export function connect(options: Options & { user: string }): UserConnection;
export function connect(options: Options): Connection;
export function connect({
  url,
  token,
  user,
  retries = 3,
  fetch = (request) => globalThis.fetch(request),
}: Options): Connection & { userId: string | undefined } {
  const ask = async () => {
    const found = await token();
    if (!found) throw new SignedOut();
    return found;
  };
  const isOneUsers = user !== undefined || typeof window !== "undefined";
  const kept = isOneUsers ? keeping(ask) : undefined;

  const authorize = async () => {
    const tokens = kept ?? keeping(ask);
    const subject = user ?? subjectOf(await tokens.get());
    return { user: subject, fetch: retrying(authorized(fetch, tokens, subject), retries) };
  };

  return {
    client: createClient<paths>({
      baseUrl: url,
      fetch: async (request) => (await authorize()).fetch(request),
    }),
    userId: user,
    user: async () => user ?? (await authorize()).user,
    authorize,
    forget: () => kept?.forget(),
  };
}

/** Sends with a token of this user; with a new one after a 401. */
function authorized(send: Send, { get, forget }: Tokens, user: string): Send {
  const sendWith = (request: Request, token: string) => {
    if (subjectOf(token) !== user) throw new SignedOut();
    const headers = new Headers(request.headers);
    headers.set("Authorization", `Bearer ${token}`);
    return send(copy(request, headers));
  };
  return async (request) => {
    const asked = get();
    const response = await sendWith(request, await asked);
    if (response.status !== 401) return response;
    forget(asked);
    return sendWith(request, await get());
  };
}
