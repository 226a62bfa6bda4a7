import { useState } from "react";

import type { User } from "../auth.ts";
import { Alert } from "./Alert.tsx";
import { Logo } from "./icons.tsx";

interface Props {
  user: User;
  onHelp: () => void;
  onSignOut: () => Promise<void>;
}

export function Banner({ user, onHelp, onSignOut }: Props) {
  const [error, setError] = useState<unknown>();

  return (
    <header className="banner">
      <div className="banner-row">
        <Logo />
        <h1>Tasks</h1>
        <span className="user" dir="auto">
          {user.name}
        </span>
        <button
          type="button"
          className="quiet keys"
          aria-label="Keyboard shortcuts"
          onClick={onHelp}
        >
          ?
        </button>
        <button type="button" className="quiet" onClick={() => void onSignOut().catch(setError)}>
          Sign out
        </button>
      </div>
      {error !== undefined && <Alert what="You are still signed in." error={error} />}
    </header>
  );
}
