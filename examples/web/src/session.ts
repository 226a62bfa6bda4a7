import { useEffect, useState } from "react";

import { auth, type User } from "./auth.ts";
import { keep, kept } from "./storage.ts";

const LAST_USER = "task-page/user";

/** Between tabs: each sends a message to the others when it signs in or out. */
const tabs = new BroadcastChannel("task-page/session");
export const tellOtherTabs = () => tabs.postMessage("changed");

export interface Session {
  /** Who is signed in; null if nobody is, undefined as long as that is not known. */
  user: User | null | undefined;
  /** Asks the server whether it still is so. */
  check: () => Promise<void>;
  signOut: () => Promise<void>;
}

export function useSession(): Session {
  const { data, error, isPending, refetch } = auth.useSession();
  const [user, setUser] = useState<User | null>();
  const [left, setLeft] = useState<string>();

  // While the server cannot be reached, the user stays signed in.
  const isUnknown = !data && error !== null && error.status !== 401;
  const known = data && data.session.id !== left ? data.user : null;
  const now = isUnknown ? (user ?? kept<User>(LAST_USER) ?? null) : known;
  if (!isPending && (user === undefined || now?.id !== user?.id)) setUser(now);

  useEffect(() => {
    if (user) keep(LAST_USER, { id: user.id, name: user.name });
    else if (user === null && !isUnknown) keep(LAST_USER, undefined);
  }, [user, isUnknown]);

  useEffect(() => {
    const check = () => void refetch();
    tabs.addEventListener("message", check);
    return () => tabs.removeEventListener("message", check);
  }, [refetch]);

  const signOut = async () => {
    const { error } = await auth.signOut();
    if (error) throw error;
    setLeft(data?.session.id); // `data` follows a moment later
    tellOtherTabs();
  };

  return { user, check: refetch, signOut };
}
