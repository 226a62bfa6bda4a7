"use client";

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { connect } from "task-api-client";
import { TasksProvider } from "task-api-client/react";

import { authClient } from "@/lib/auth-client";

const token = async () => (await authClient.token()).data?.token;

/** One user's cache and connection. In the state, because a server renders this for all users. */
export function Providers({ user, url, children }: { user: string; url: string; children: ReactNode }) {
  const [client] = useState(() => new QueryClient());
  const [api] = useState(() => connect({ url, user, token }));
  return (
    <QueryClientProvider client={client}>
      <TasksProvider api={api}>{children}</TasksProvider>
    </QueryClientProvider>
  );
}
