import { useEffect, useEffectEvent, useState } from "react";

import { nameOf, type Done } from "../actions.ts";

const UNDO_WITHIN = 6_000; // milliseconds

interface Props {
  /** What was done last. */
  last: Done;
  onUndo: () => void;
  /** Called when nothing can be undone any more. */
  onFinal: () => void;
}

/** Offers to take back what was done last; it stays while the pointer or the focus is on it. */
export function Undo({ last, onUndo, onFinal }: Props) {
  const [isHeld, setHeld] = useState(false);
  const onTime = useEffectEvent(onFinal);

  useEffect(() => {
    if (isHeld) return undefined;
    const timer = setTimeout(() => onTime(), UNDO_WITHIN);
    return () => clearTimeout(timer);
  }, [last, isHeld]);

  return (
    <div
      className="toast"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <span dir="auto">
        {last.what} {nameOf(last.tasks)}
      </span>
      <button type="button" aria-keyshortcuts="Control+Z" onClick={onUndo}>
        Undo
      </button>
    </div>
  );
}
