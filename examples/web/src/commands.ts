import type { TaskItem } from "task-api-client/react";

import type { Actions } from "./actions.ts";
import type { Cursor } from "./cursor.ts";
import type { TaskText } from "./drafts.ts";
import { focusOn, NEW_TASK, SEARCH } from "./focus.ts";
import { isRefused, type Row } from "./rows.ts";
import { useShortcuts } from "./shortcuts.ts";

interface Options {
  rows: Row[];
  cursor: Cursor;
  actions: Actions;
  /** Whether single keys work everywhere. */
  single: boolean;
  onHelp: () => void;
}

/** What a click or a key does, and where the focus goes on. */
export function useCommands({ rows, cursor, actions, single, onHelp }: Options) {
  const rowOf = (key: string | undefined) => rows.find(({ task }) => task.key === key);

  /** What is selected, or else the active task; without those that are being edited. */
  const targets = (): TaskItem[] => {
    const keys = cursor.selected.length > 0 ? cursor.selected : [cursor.active];
    const found = keys.flatMap((key) => rowOf(key) ?? []);
    return found.filter(isReady).map(({ task }) => task);
  };
  const toggle = (tasks = targets()) => {
    if (tasks.length > 0) cursor.after(() => actions.toggle(tasks), tasks.at(-1)?.key);
  };
  const remove = (tasks = targets()) => {
    if (tasks.length > 0) cursor.after(() => actions.remove(tasks), tasks[0]?.key);
  };
  const edit = (row = rowOf(cursor.active)) => {
    if (row && isReady(row)) cursor.after(() => actions.edit(row.task), row.task.key);
  };
  const undo = () => {
    const last = actions.done.at(-1);
    if (last) cursor.after(actions.undo, last.tasks[0]?.key);
  };

  /** Saves; goes on with the task below, if that is wanted and there is one. */
  const save = (row: Row, text: TaskText, goOn: boolean) => {
    const below = goOn ? rows[rows.indexOf(row) + 1] : undefined;
    cursor.after(
      () => {
        actions.save(row, text);
        if (below && isReady(below)) actions.edit(below.task);
      },
      (below ?? row).task.key,
    );
  };
  const revert = (row: Row) => cursor.after(() => actions.revert(row), row.task.key);

  const move = (far: number, isSelecting?: boolean) => () => cursor.move(far, isSelecting);
  useShortcuts({
    single,
    anywhere: {
      n: () => focusOn(NEW_TASK),
      "/": () => focusOn(SEARCH),
      "?": onHelp,
      "mod+z": undo,
      Escape: cursor.clear,
    },
    list: {
      ArrowDown: move(1),
      ArrowUp: move(-1),
      Home: move(-Infinity),
      End: move(Infinity),
      "shift+ArrowDown": move(1, true),
      "shift+ArrowUp": move(-1, true),
      x: toggle,
      " ": toggle,
      e: edit,
      Enter: edit,
      Delete: remove,
    },
  });

  return { toggle, remove, edit, undo, save, revert };
}

/** Whether it can be changed: it is not being edited, in conflict or refused. */
function isReady(row: Row): boolean {
  return !row.draft && row.theirs === undefined && !isRefused(row);
}
