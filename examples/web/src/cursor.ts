import { useLayoutEffect, useRef, useState } from "react";
import { flushSync } from "react-dom";
import type { WindowVirtualizerHandle } from "virtua";

import { focusOn, focusOnTask, NEW_TASK } from "./focus.ts";

/** Which task the keys are for, and which tasks are selected. */
export type Cursor = ReturnType<typeof useCursor>;

const FRAMES = 30;
const NONE: ReadonlySet<string> = new Set();

/** Tries in the next frames until it works. */
function soon(attempt: () => boolean, frames: number): void {
  if (frames > 0) requestAnimationFrame(() => attempt() || soon(attempt, frames - 1));
}

/** A cursor on the tasks with these keys: the one tab stop of the list. */
export function useCursor(keys: string[]) {
  const [at, setAt] = useState({ key: "", index: 0 });
  const [anchor, setAnchor] = useState<string>();
  const [chosen, setChosen] = useState(NONE);
  const found = keys.indexOf(at.key);
  // Where its task went away, it is on the one that came in the place.
  const index = found >= 0 ? found : Math.min(at.index, keys.length - 1);
  const active = keys[index];
  const list = useRef<WindowVirtualizerHandle>(null);
  const latest = useRef({ active, index });
  useLayoutEffect(() => {
    latest.current = { active, index };
  });

  /** Gives the focus to the active task, which is not on the page yet if it is out of sight. */
  const focus = () => {
    const { active, index } = latest.current;
    if (active === undefined) return focusOn(NEW_TASK);
    if (focusOnTask(active)) return;
    list.current?.scrollToIndex(index, { align: "center" });
    soon(() => focusOnTask(active), FRAMES);
  };

  /** Puts it on a task, which has the focus. */
  const put = (key: string) => setAt({ key, index: keys.indexOf(key) });

  /** Selects everything from where the selection began, or the cursor is, to a task. */
  const select = (key: string) => {
    const from = (chosen.size > 0 ? anchor : active) ?? key;
    const [start = 0, end = 0] = [from, key]
      .map((each) => keys.indexOf(each))
      .sort((a, b) => a - b);
    setAnchor(from);
    setChosen(new Set(keys.slice(start, end + 1)));
    put(key);
  };

  const clear = () => setChosen(NONE);

  /** Changes the list, and goes on at a task, or at the one that comes in its place. */
  const after = (change: () => void, key = active) => {
    flushSync(() => {
      change();
      clear();
      if (key !== undefined) put(key);
    });
    focus();
  };

  /** Goes to the task that is so far away; Infinity leads to the last one. */
  const move = (far: number, isSelecting = false) => {
    const key = keys[Math.max(0, Math.min(index + far, keys.length - 1))];
    if (key === undefined) return;
    flushSync(() => {
      if (isSelecting) select(key);
      else clear();
      put(key);
    });
    focus();
  };

  const selected = keys.filter((key) => chosen.has(key));
  return { list, active, selected, put, select, clear, after, move };
}
