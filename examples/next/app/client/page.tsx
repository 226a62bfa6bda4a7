import type { Metadata } from "next";

import { apiUrl, requireUser } from "@/lib/session";

import { Providers } from "./providers";
import { Tasks } from "./tasks";

export const metadata: Metadata = { title: "Client" };

export default async function Page() {
  const user = await requireUser();
  return (
    <>
      <h1>From the browser</h1>
      <p className="lead">
        A client component with the hooks of <code>task-api-client/react</code>. The browser calls the API
        itself, with a token that it keeps and renews.
      </p>
      <Providers key={user.id} user={user.id} url={apiUrl()}>
        <Tasks />
      </Providers>
    </>
  );
}
