import { useState, type RefObject } from "react";

import type { User } from "../auth.ts";
import { Alert } from "./Alert.tsx";
import { Logo } from "./icons.tsx";

interface Props {
  user: User;
  onSignOut: () => Promise<void>;
  heading: RefObject<HTMLHeadingElement | null>;
}

export function Banner({ user, onSignOut, heading }: Props) {
  const [error, setError] = useState<unknown>();

  return (
    <header className="banner">
      <div className="banner-row">
        <Logo />
        <h1 ref={heading} tabIndex={-1}>
          Tasks
        </h1>
        <span className="user">{user.name}</span>
        <button type="button" className="quiet" onClick={() => void onSignOut().catch(setError)}>
          Sign out
        </button>
      </div>
      {error !== undefined && <Alert what="You are still signed in." error={error} />}
    </header>
  );
}
