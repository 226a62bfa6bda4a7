import { useEffect, useRef, useState } from "react";

import { Banner } from "./components/Banner.tsx";
import { SignIn } from "./components/SignIn.tsx";
import { Tasks } from "./components/Tasks.tsx";
import { useSession } from "./session.ts";

/** The sign-in form or the user's tasks. */
export function App() {
  const { user, check, signOut } = useSession();
  const [owner, setOwner] = useState<string>();
  const heading = useRef<HTMLHeadingElement>(null);
  const signingIn = useRef(false);
  if (user && user.id !== owner) setOwner(user.id);

  useEffect(() => {
    if (user && signingIn.current) heading.current?.focus();
    signingIn.current = user === null;
  }, [user]);

  const leave = async () => {
    await signOut();
    setOwner(undefined);
  };

  return (
    <>
      {user && <Banner user={user} onSignOut={leave} heading={heading} />}
      {user === null && <SignIn ended={Boolean(owner)} />}
      {/* A session may end by itself: what was typed is there when the same user comes back. */}
      {owner && <Tasks key={owner} userId={owner} hidden={!user} onDoubt={check} />}
    </>
  );
}
