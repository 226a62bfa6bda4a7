import { useState } from "react";

import { auth, type User } from "./auth.ts";

export interface Session {
  /** Who is signed in; null if nobody is, undefined as long as that is not known. */
  user: User | null | undefined;
  /** Asks the server whether it still is so. */
  check: () => Promise<void>;
  signOut: () => Promise<void>;
}

export function useSession(): Session {
  const { data, isPending, refetch } = auth.useSession();
  const [known, setKnown] = useState(false);
  const [left, setLeft] = useState<string>();
  if (!isPending && !known) setKnown(true);

  const signOut = async () => {
    const { error } = await auth.signOut();
    if (error) throw error;
    setLeft(data?.session.id); // the news of it comes a moment later
  };

  const user = data && data.session.id !== left ? data.user : null;
  return { user: known ? user : undefined, check: refetch, signOut };
}
