import { jwtClient } from "better-auth/client/plugins";
import { createAuthClient } from "better-auth/react";
import { connect, type UserConnection } from "task-api-client";

import { noting } from "./reach.ts";

export const auth = createAuthClient({
  plugins: [jwtClient()],
  fetchOptions: { customFetchImpl: (input, init) => noting(() => fetch(input, init)) },
});

/** Who is signed in. */
export interface User {
  id: string;
  name: string;
}

/** A user's way to the API. What fails for the moment is sent until it arrives. */
export function connectAs(user: string): UserConnection {
  return connect({ url: import.meta.env.API_URL, token, user, retries: Infinity, fetch: send });
}

async function token(): Promise<string | undefined> {
  const { data, error } = await auth.token();
  if (error && error.status !== 401) throw new Error(`Better Auth answered with ${error.status}`);
  return data?.token;
}

/** What is sent while the page goes away, such as the last delete, outlives it. */
function send(request: Request): Promise<Response> {
  const keepalive = document.visibilityState === "hidden";
  return noting(() => fetch(request, { keepalive }));
}
