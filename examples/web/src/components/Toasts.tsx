import { useEffect, useState } from "react";

import { isPending, wanted } from "../entry.ts";
import { checkboxOf, NEW_TASK, refocus } from "../focus.ts";
import type { State, TaskStore } from "../store.ts";

const UNDO_WITHIN = 5_000; // milliseconds
const SLOW_AFTER = 1_000;

interface Props {
  store: TaskStore;
  state: State;
}

/** What happens beside the list, said without taking the focus. */
export function Toasts({ store, state }: Props) {
  const { entries, loading, remark, undoable } = state;
  const deleted = entries.find(({ key }) => key === undoable);
  const slow = useStillTrue(loading || entries.some(isPending), SLOW_AFTER);
  return (
    <div role="status" className="toasts">
      {slow && <p className="toast">Still trying…</p>}
      {remark && <p className="visually-hidden">{remark}</p>}
      {deleted && (
        <Undo key={deleted.key} title={wanted(deleted).title} store={store} id={deleted.key} />
      )}
    </div>
  );
}

interface UndoProps {
  store: TaskStore;
  id: string;
  title: string;
}

/** The delete is sent in a few seconds, but not while the user is about to undo it. */
function Undo({ store, id, title }: UndoProps) {
  const [held, setHeld] = useState(false);

  useEffect(() => {
    if (held) return undefined;
    const timer = setTimeout(store.commit, UNDO_WITHIN);
    return () => clearTimeout(timer);
  }, [held, store]);

  const undo = () => refocus(() => store.undo(), checkboxOf(id), NEW_TASK);

  useEffect(() => {
    // The page may go away for good; on a phone nothing else announces that.
    const hide = () => {
      if (document.visibilityState === "hidden") store.commit();
    };
    document.addEventListener("visibilitychange", hide);
    return () => document.removeEventListener("visibilitychange", hide);
  }, [store]);

  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const isUndo = event.key === "z" && (event.ctrlKey || event.metaKey);
      if (isUndo && !hasText(event.target)) undo();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  });

  return (
    <div
      className="toast"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <span>Deleted “{title}”</span>
      <button type="button" aria-keyshortcuts="Control+Z" onClick={undo}>
        Undo
      </button>
    </div>
  );
}

/** Whether it is a field with an undo of its own. */
function hasText(target: EventTarget | null): boolean {
  if (target instanceof HTMLTextAreaElement) return true;
  return target instanceof HTMLInputElement && target.type === "text" && target.value !== "";
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
