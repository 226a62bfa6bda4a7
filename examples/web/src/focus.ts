import { useEffect, useRef } from "react";

/** The id of the field for a new task. */
export const NEW_TASK = "new-task";

/** The id of the field to search in. */
export const SEARCH = "search";

/** The id of a task's place in the list. */
export const rowOf = (key: string) => `task-${key}`;

export function focusOn(id: string): void {
  document.getElementById(id)?.focus();
}

/**
 * Goes to what a task offers first: its checkbox, the title in its editor, or a button. Returns
 * whether it is there to have the focus.
 */
export function focusOnTask(key: string): boolean {
  const row = document.getElementById(rowOf(key));
  const control = row?.querySelector<HTMLElement>("input, textarea, button");
  control?.focus();
  return control !== undefined && control === document.activeElement;
}

/** For something that comes in the place of the focused control: takes the focus over. */
export function useInheritedFocus<T extends HTMLElement>() {
  const heir = useRef<T>(null);
  useEffect(() => {
    if (document.activeElement === document.body) heir.current?.focus({ preventScroll: true });
  }, []);
  return heir;
}

/** Whether keys are text there, or have a meaning of their own. */
export function takesKeys(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && target.type !== "checkbox")
  );
}
