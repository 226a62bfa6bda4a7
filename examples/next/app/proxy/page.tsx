import type { Metadata } from "next";

import { requireUser } from "@/lib/session";

import { Tasks } from "./tasks";

export const metadata: Metadata = { title: "Proxy" };

export default async function Page() {
  const user = await requireUser();
  return (
    <>
      <h1>Through a route handler</h1>
      <p className="lead">
        The browser calls this application with its cookie, by plain <code>fetch</code>; a route handler adds the
        token. No CORS, and no token in the browser.
      </p>
      <Tasks key={user.id} />
    </>
  );
}
