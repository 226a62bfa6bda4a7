import { useEffect, useRef } from "react";
import { flushSync } from "react-dom";

/** The id of the field for a new task. */
export const NEW_TASK = "new-task";

/** The id of the part of the page with the list. */
export const LIST = "list";

/** The id of a task's checkbox. */
export const checkboxOf = (key: string) => `completed-${key}`;

/** The id of a task's button to edit it. */
export const editButtonOf = (key: string) => `edit-${key}`;

/** Changes the page in a way that takes the focused control away, and goes on at another one. */
export function refocus(change: () => void, ...ids: string[]): void {
  flushSync(change);
  ids
    .map((id) => document.getElementById(id))
    .find((control) => control)
    ?.focus();
}

/** For something that comes in the place of the focused control: takes the focus over. */
export function useInheritedFocus<T extends HTMLElement>() {
  const heir = useRef<T>(null);
  useEffect(() => {
    if (document.activeElement === document.body) heir.current?.focus({ preventScroll: true });
  }, []);
  return heir;
}
