import { headers } from "next/headers";

import { auth } from "@/lib/auth";
import { apiUrl } from "@/lib/session";

const SENT = ["Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"];
const ANSWERED = ["Content-Type", "ETag", "Link", "Retry-After", "X-Request-Id"];

/** Passes a request for `/api/tasks…` on to the API, as the user of the session cookie. */
async function forward(request: Request, { params }: RouteContext<"/api/tasks/[[...path]]">) {
  const { path = [] } = await params;
  const { origin, search } = new URL(request.url);
  const from = request.headers.get("Origin");
  // A cookie is sent for whatever page asks; only this application's pages may.
  if (from && from !== (process.env.BETTER_AUTH_URL ?? origin)) return new Response(null, { status: 403 });

  const session = await auth.api.getSession({ headers: await headers() });
  if (!session) return new Response(null, { status: 401 });
  const { token } = await auth.api.getToken({ headers: await headers() });

  const segments = ["api", session.user.id, "tasks", ...path].map(encodeURIComponent);
  const { method } = request;
  try {
    const response = await fetch(`${apiUrl()}/${segments.join("/")}${search}`, {
      method,
      headers: { ...only(SENT, request.headers), Authorization: `Bearer ${token}` },
      body: ["GET", "DELETE"].includes(method) ? null : await request.text(),
      cache: "no-store",
    });
    return new Response(response.body, { status: response.status, headers: only(ANSWERED, response.headers) });
  } catch {
    return new Response(null, { status: 502 });
  }
}

function only(names: string[], all: Headers) {
  return Object.fromEntries(names.flatMap((name) => (all.has(name) ? [[name, all.get(name)!]] : [])));
}

export { forward as DELETE, forward as GET, forward as PATCH, forward as POST, forward as PUT };
