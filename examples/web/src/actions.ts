import { useEffect, useEffectEvent, useState } from "react";
import { randomUUID } from "task-api-client";
import {
  useCreateTask,
  useDeleteTask,
  useToggleTask,
  useUpdateTask,
  type TaskItem,
} from "task-api-client/react";

import { difference, isSame, textOf, type Drafts, type TaskText } from "./drafts.ts";
import { counted } from "./list.ts";
import { mine, wanted, type Row } from "./rows.ts";

/** What can be undone. */
export interface Done {
  what: "Completed" | "Reopened" | "Deleted";
  tasks: TaskItem[];
}

interface Options {
  drafts: Drafts;
  /** Says something to the ear. */
  announce: (message: string) => void;
  /** Lets a task stay in the list, whatever the filter. */
  hold: (keys: string[]) => void;
}

/** What the user does to tasks. */
export type Actions = ReturnType<typeof useActions>;

export function useActions({ drafts, announce, hold }: Options) {
  const create = useCreateTask();
  const update = useUpdateTask();
  const toggled = useToggleTask();
  const deleted = useDeleteTask();
  const [done, setDone] = useState<Done[]>([]);
  const [touched] = useState(() => new Map<string, TaskItem>());

  const remember = (next: Done) => {
    for (const task of next.tasks) touched.set(task.key, task);
    setDone([...done, next]);
    announce(`${next.what} ${nameOf(next.tasks)}`);
  };

  const add = ({ title, description }: TaskText, completed = false) => {
    const key = randomUUID();
    hold([key]);
    create.mutate({
      key,
      title,
      ...(description && { description }),
      ...(completed && { completed }),
    });
    announce(`Added “${title}”`);
  };

  const deletions = done.flatMap(({ what, tasks }) => (what === "Deleted" ? tasks : []));
  const gone = new Set(deletions.map(({ key }) => key));

  /** Makes everything final. A delete is for good, so it is sent only now. */
  const commit = () => {
    for (const task of deletions) deleted.mutate(task);
    if (done.length > 0) setDone([]);
  };
  useWhenLeaving(commit);

  return {
    done,
    touched,
    add,
    commit,
    /** Whether it is to be deleted unless that is undone. */
    isDeleted: ({ key }: TaskItem) => gone.has(key),

    /** Opens an editor, and closes those in which nothing was typed. */
    edit(task: TaskItem) {
      closeIdle(drafts);
      drafts.set(task.key, { seen: task, text: textOf(task) });
    },

    /** Saves what was changed, if anything was; sends again what was refused as it is. */
    save({ task, draft, failed }: Row, text: TaskText) {
      drafts.set(task.key);
      const again = failed.length > 0 && isSame(text, wanted(task, failed));
      if (again) return failed.forEach((write) => write.retry());
      for (const write of failed) write.discard();
      if (failed.some(({ write }) => write.action === "create")) return add(text, task.completed);
      const seen = draft?.seen ?? task;
      const change = difference(textOf(seen), text);
      if (Object.keys(change).length === 0) return undefined;
      touched.set(task.key, task);
      // What else was changed in the task meanwhile does not matter to its text.
      update.mutate({ task: isSame(textOf(seen), textOf(task)) ? task : seen, change });
      return announce(`Saved “${text.title.trim()}”`);
    },

    /** Closes the editor; the task is as it was. */
    revert({ task, failed }: Row) {
      drafts.set(task.key);
      for (const write of failed) write.discard();
    },

    /** Settles a conflict: what the user did is done to the task as it is now, or to a new one. */
    keepMine(row: Row) {
      const task = mine(row);
      if (row.theirs) return row.failed.forEach((write) => write.retry());
      for (const write of row.failed) write.discard();
      if (task) add(textOf(task), task.completed);
    },

    /** Completes the tasks; reopens them where all are complete. */
    toggle(tasks: TaskItem[]) {
      const completed = !tasks.every((task) => task.completed);
      const changed = tasks.filter((task) => task.completed !== completed);
      hold(changed.map(({ key }) => key));
      for (const task of changed) toggled.mutate(task);
      remember({ what: completed ? "Completed" : "Reopened", tasks: changed });
    },

    /** Hides the tasks, which are deleted when that cannot be undone any more. */
    remove(tasks: TaskItem[]) {
      remember({ what: "Deleted", tasks });
    },

    /** Takes the last thing back. */
    undo() {
      const { what, tasks } = done.at(-1)!;
      if (what !== "Deleted") {
        for (const task of tasks) toggled.mutate({ ...task, completed: !task.completed });
      }
      setDone(done.slice(0, -1));
      announce(`Restored ${nameOf(tasks)}`);
    },
  };
}

function closeIdle(drafts: Drafts): void {
  for (const [key, { seen, text }] of drafts.all()) {
    if (seen && isSame(text, textOf(seen))) drafts.set(key);
  }
}

export function nameOf(tasks: TaskItem[]): string {
  return tasks.length === 1 ? `“${tasks[0]?.title}”` : counted(tasks.length);
}

/** Does something when the page goes away, or what is on it; a phone announces it by hiding it. */
function useWhenLeaving(leave: () => void): void {
  const onLeave = useEffectEvent(leave);
  useEffect(() => {
    const hide = () => {
      if (document.visibilityState === "hidden") onLeave();
    };
    document.addEventListener("visibilitychange", hide);
    return () => {
      document.removeEventListener("visibilitychange", hide);
      onLeave();
    };
  }, []);
}
