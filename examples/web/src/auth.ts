import { jwtClient } from "better-auth/client/plugins";
import { createAuthClient } from "better-auth/react";
import { connect, type Connection } from "task-api-client";

export const auth = createAuthClient({ plugins: [jwtClient()] });

export type User = typeof auth.$Infer.Session.user;

/** Nobody is signed in any more, or somebody else is. */
export class SessionEnded extends Error {
  override name = "SessionEnded";
}

/** A way to the API for whoever is signed in. */
export function connectToApi(): Connection {
  return connect({ url: import.meta.env.API_URL, token, fetch: send });
}

async function token(): Promise<string> {
  const { data, error } = await auth.token();
  if (data) return data.token;
  if (error.status === 401) throw new SessionEnded();
  throw new Error(`Better Auth answered with ${error.status}`);
}

/** What is sent while the page goes away, such as the last delete, outlives it. */
function send(request: Request): Promise<Response> {
  return fetch(request, { keepalive: document.visibilityState === "hidden" });
}
