import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { cache } from "react";
import { connect } from "task-api-client";

import { auth } from "./auth";

/** Where the API is, for the browser and for this server. */
export const apiUrl = () => process.env.API_URL || "http://127.0.0.1:8000";

/** Who is signed in, if anybody is. */
export const currentUser = cache(async () => {
  const session = await auth.api.getSession({ headers: await headers() });
  return session?.user;
});

/** Who is signed in; else the browser is sent to sign in. */
export async function requireUser() {
  return (await currentUser()) ?? redirect("/sign-in");
}

/**
 * This request's connection to the API. All users share this process: whatever is kept at module
 * level is everybody's, so each request makes a connection of its own, with a token of its user.
 */
export const connection = cache(async () => {
  const user = await requireUser();
  const { token } = await auth.api.getToken({ headers: await headers() });
  return connect({ url: apiUrl(), user: user.id, token: () => token, retries: 1 });
});
