import { useEffect, useEffectEvent } from "react";

import { takesKeys } from "./focus.ts";

/** What the keys do, for the user to read. */
export const SHORTCUTS = [
  { keys: ["N"], does: "Add a task" },
  { keys: ["/"], does: "Search" },
  { keys: ["↑", "↓"], does: "Move through the tasks" },
  { keys: ["X", "Space"], does: "Complete, or reopen" },
  { keys: ["E", "Enter"], does: "Edit" },
  { keys: ["Delete"], does: "Delete" },
  { keys: ["Shift ↑", "Shift ↓"], does: "Select several" },
  { keys: ["Ctrl Z"], does: "Undo" },
  { keys: ["Escape"], does: "Give up an edit, a selection or a search" },
  { keys: ["?"], does: "Show these keys" },
];

/** The name of a key as the handlers have it: `x`, `mod+z`, `shift+ArrowDown`. */
function nameOf({ key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): string {
  const modifiers = [(ctrlKey || metaKey) && "mod+", altKey && "alt+"];
  if (shiftKey && key.length > 1) modifiers.push("shift+"); // else it is in the character
  return [...modifiers, key].filter(Boolean).join("");
}

interface Shortcuts {
  /** For everywhere but where keys are text. */
  anywhere: Record<string, () => void>;
  /** For the list, and where nothing has the focus. */
  list: Record<string, () => void>;
  /** Whether keys are heard that stand for nothing but a character. */
  single: boolean;
}

export function useShortcuts({ anywhere, list, single }: Shortcuts): void {
  const press = useEffectEvent((event: KeyboardEvent) => {
    const { target } = event;
    if (event.defaultPrevented || event.isComposing || takesKeys(target)) return;
    if (document.querySelector("dialog[open]")) return;
    const name = nameOf(event);
    const isOnTask = target instanceof Element && target.matches(".row input");
    if (name.length === 1 && !single && !isOnTask) return;
    const isOnList = isOnTask || target === document.body;
    const act = (isOnList ? list[name] : undefined) ?? anywhere[name];
    if (!act) return;
    event.preventDefault();
    act();
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => press(event);
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
}
