import { Conflict } from "task-api-client";
import { blankTask, type FailedWrite, type TaskItem, type Write } from "task-api-client/react";

import { textOf, type Draft, type TaskText } from "./drafts.ts";
import { isGone } from "./errors.ts";

/** A task in the list, with what is to be said about it. */
export interface Row {
  task: TaskItem;
  /** What its editor holds, while that is open. */
  draft?: Draft | undefined;
  /** What could not be done to it, in order. */
  failed: FailedWrite[];
  /** In a conflict, what the task is now; null if somebody has deleted it. */
  theirs?: TaskItem | null | undefined;
}

/**
 * The rows: the tasks that are listed, and before them those which are not, though the user is at
 * them: what could not be added, what is being edited, and what failed. `touched` are the tasks
 * that the user did something to.
 */
export function rowsOf(
  tasks: TaskItem[],
  drafts: ReadonlyMap<string, Draft>,
  failed: FailedWrite[],
  touched: ReadonlyMap<string, TaskItem>,
): Row[] {
  const failures = Map.groupBy(failed, ({ write }) => write.key);
  const others = new Map<string, TaskItem>();
  for (const [key, { seen }] of drafts) if (seen) others.set(key, seen);
  for (const [key, all] of failures) others.set(key, touched.get(key) ?? itemOf(all));
  for (const { key } of tasks) others.delete(key);
  return [...others.values(), ...tasks].map((task) =>
    rowOf(task, drafts.get(task.key), failures.get(task.key) ?? []),
  );
}

/** Whether the API has refused to add it: there is nothing to change. */
export function isRefused({ task, failed }: Row): boolean {
  return task.id === 0 && failed.length > 0;
}

function rowOf(task: TaskItem, draft: Draft | undefined, failed: FailedWrite[]): Row {
  const theirs = theirsOf(task, failed);
  const isOfText = failed.some(({ write }) => changesText(write));
  const again =
    isOfText && theirs === undefined ? { seen: task, text: wanted(task, failed) } : undefined;
  return { task, draft: draft ?? again, failed, theirs };
}

/** What a conflict is with. */
function theirsOf(task: TaskItem, failed: FailedWrite[]): TaskItem | null | undefined {
  for (const { error, write } of failed) {
    if (error instanceof Conflict) return { ...task, ...error.current };
    if (isGone(error) && write.action === "update") return null;
  }
  return undefined;
}

function changesText(write: Write): boolean {
  return write.action !== "delete" && ("title" in write.body || "description" in write.body);
}

/** The task as it would be if nothing had failed; null if it would be deleted. */
export function mine({ task, theirs, failed }: Row): TaskItem | null {
  if (failed.some(({ write }) => write.action === "delete")) return null;
  return Object.assign({ ...task, ...theirs }, ...failed.map(({ write }) => bodyOf(write)));
}

/** The text that was to be saved. */
export function wanted(task: TaskItem, failed: FailedWrite[]): TaskText {
  return textOf(Object.assign({ ...task }, ...failed.map(({ write }) => bodyOf(write))));
}

function bodyOf(write: Write): object {
  return write.action === "delete" ? {} : write.body;
}

/** A task that is not in the list, as far as what was to be done to it says. */
function itemOf(failed: FailedWrite[]): TaskItem {
  const [{ write } = {}] = failed;
  const unset = blankTask(write?.key ?? "");
  const { id, version } = write && write.action !== "create" ? write.task : unset;
  return Object.assign(unset, { id, version }, ...failed.map(({ write }) => bodyOf(write)));
}
