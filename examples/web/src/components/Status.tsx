import { useEffect, useState } from "react";
import type { Writes } from "task-api-client/react";

import type { Announcement } from "../announcer.ts";
import { useReach } from "../reach.ts";

const SLOW_AFTER = 1_000; // milliseconds

interface Props {
  writes: Writes;
  isLoading: boolean;
  /** Whether all that was typed outlives the page. */
  areDraftsKept: boolean;
  said: Announcement;
}

/** A line about saving and loading, and what screen readers announce. */
export function Status({ writes, isLoading, areDraftsKept, said }: Props) {
  const isReached = useReach();
  const isPending = writes.pending.length > 0;
  const isSlow = useStillTrue(isLoading || isPending, SLOW_AFTER);
  const isKept = areDraftsKept && writes.kept;
  useWarning(!isKept);

  return (
    <div role="status" className="status">
      {line()}
      <p key={said.number} className="visually-hidden">
        {said.message}
      </p>
    </div>
  );

  function line() {
    if (!isKept) return <p>This browser keeps nothing. Stay here until everything is saved.</p>;
    if (isPending && !isReached) return <p>Saved on this device, will be sent.</p>;
    if (!isReached)
      return (
        <p>
          {navigator.onLine ? "The server cannot be reached. Trying again…" : "You are offline."}
        </p>
      );
    return isSlow && <p>Still trying…</p>;
  }
}

/** Has the browser ask before it leaves the page. */
function useWarning(isNeeded: boolean): void {
  useEffect(() => {
    if (!isNeeded) return undefined;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, [isNeeded]);
}

/** Whether something has been true for some time. */
function useStillTrue(condition: boolean, milliseconds: number): boolean {
  const [still, setStill] = useState(false);
  useEffect(() => {
    if (!condition) return undefined;
    const timer = setTimeout(setStill, milliseconds, true);
    return () => {
      clearTimeout(timer);
      setStill(false);
    };
  }, [condition, milliseconds]);
  return still;
}
