import {
  Conflict,
  ProblemError,
  type Task,
  type TaskCreate,
  type TaskUpdate,
} from "task-api-client";

/** What the user does to a task. */
export interface Change extends TaskUpdate {
  deleted?: true;
}

/** What an editor holds. */
export interface TaskText {
  title: string;
  description: string;
}

/** Why a change was not made, and which it was; the page shows the task without it. */
export interface Trouble {
  error: unknown;
  change: Change;
  /** In a conflict, what the task is now; null if somebody has deleted it. */
  theirs?: Task | null;
}

/** A task on the page: what the server last said, and what the user has done to it since. */
export interface Entry {
  /** Stays the same when the server gives the task its id. */
  readonly key: string;
  /** At version 0 the server has not said anything yet. */
  readonly task: Task;
  /** A change that is on its way, and what came after it. */
  readonly sending?: Change | undefined;
  readonly waiting?: Change | undefined;
  /** While the editor is open: what the user saw, and what the editor began with. */
  readonly draft?: { seen: TaskText; text: TaskText } | undefined;
  readonly trouble?: Trouble | undefined;
}

/** An entry for a task that the server has. */
export function entryOf(task: Task): Entry {
  return { key: String(task.id), task };
}

/** An entry for a task that the server is yet to create. */
export function newEntry({ title, description = null, completed = false }: TaskCreate): Entry {
  const now = new Date().toISOString();
  const servers = { id: 0, user_id: "", created_at: now, updated_at: now, version: 0 };
  return { key: crypto.randomUUID(), task: { title, description, completed, ...servers } };
}

/** The task as the user wants it. */
export function wanted({ task, sending, waiting }: Entry): Task & Change {
  return { ...task, ...sending, ...waiting };
}

export function isNew({ task }: Entry): boolean {
  return task.version === 0;
}

/** Whether there is something to send. */
export function isUnsent(entry: Entry): boolean {
  return isNew(entry) || entry.waiting !== undefined;
}

/** Whether something is yet to be sent or answered. */
export function isPending(entry: Entry): boolean {
  return !entry.trouble && (isUnsent(entry) || entry.sending !== undefined);
}

/** Whether the user is at it: then the server's news must not slip in unseen. */
export function isBusy(entry: Entry): boolean {
  return isPending(entry) || Boolean(entry.draft ?? entry.trouble);
}

export function textOf({ title, description }: Task): TaskText {
  return { title, description: description ?? "" };
}

/** What the user has changed in the text; nothing may be left. */
export function difference(seen: TaskText, text: TaskText): TaskUpdate {
  const title = text.title.trim();
  const description = text.description.trim() ? text.description : null;
  return {
    ...(title !== seen.title && { title }),
    ...((description ?? "") !== seen.description && { description }),
  };
}

/** The entry with its editor open. */
export function opened(entry: Entry): Entry {
  const text = textOf(wanted(entry));
  return { ...entry, draft: { seen: text, text }, trouble: undefined };
}

/** The entry with its editor closed. A task that could not be created is still not. */
export function closed(entry: Entry): Entry {
  return { ...entry, draft: undefined, trouble: isNew(entry) ? entry.trouble : undefined };
}

/** The entry with what its editor holds. A task that was refused is created from it. */
export function saved(entry: Entry, text: TaskText): Entry {
  const { draft, trouble, ...rest } = entry;
  const change = difference(draft?.seen ?? textOf(entry.task), text);
  return isNew(entry) && isInvalid(trouble?.error)
    ? { ...rest, task: { ...entry.task, ...change } }
    : changed(rest, change);
}

/** The entry with one more change to send; a trouble is over then. */
export function changed(entry: Entry, change: Change): Entry {
  const all = { ...entry.waiting, ...change };
  const waiting = Object.keys(all).length > 0 ? all : undefined;
  return { ...entry, waiting, trouble: undefined };
}

/** The entry when what waits is on its way. A task is created first, as it was typed. */
export function sent(entry: Entry): Entry {
  return isNew(entry) ? entry : { ...entry, sending: entry.waiting, waiting: undefined };
}

/** The entry when the server has answered. */
export function answered(entry: Entry, task: Task): Entry {
  return { ...entry, task, sending: undefined };
}

/**
 * The entry without what could not be done: nothing where a task that is gone was to be deleted.
 * Text comes back in an editor, so that it is not lost.
 */
export function failed(entry: Entry, error: unknown): Entry | undefined {
  const change = { ...entry.sending, ...entry.waiting };
  const rolledBack = { ...entry, sending: undefined, waiting: undefined };
  const theirs = theirsIn(error);
  if (theirs === undefined) {
    const draft = { seen: textOf(entry.task), text: textOf(wanted(entry)) };
    const reopened = entry.draft ?? (isText(change) || isInvalid(error) ? draft : undefined);
    return { ...rolledBack, draft: reopened, trouble: { error, change } };
  }
  if (theirs === null && change.deleted) return undefined;
  if (theirs && has(theirs, change)) return { ...rolledBack, task: theirs };
  return { ...rolledBack, trouble: { error, change, theirs } };
}

/** The entry with what failed to be sent again; where the task is gone, as a new one. */
export function retried({ draft, ...entry }: Entry): Entry {
  const { change = {}, theirs } = entry.trouble ?? {};
  if (theirs === null) return newEntry({ ...entry.task, ...change });
  return changed({ ...entry, draft, task: theirs ?? entry.task }, change);
}

/** The entry with the task as it is now; nothing where there is none. */
export function dismissed({ trouble, ...entry }: Entry): Entry | undefined {
  if (isNew(entry) || trouble?.theirs === null) return undefined;
  return { ...entry, task: trouble?.theirs ?? entry.task };
}

/** What a conflict is with: the task as it is, or null as it is gone. */
function theirsIn(error: unknown): Task | null | undefined {
  if (error instanceof Conflict) return error.current;
  return error instanceof ProblemError && error.status === 404 ? null : undefined;
}

function isText(change: Change): boolean {
  return "title" in change || "description" in change;
}

function isInvalid(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 422;
}

/** Whether somebody else has made the same change. */
function has(task: Task, change: Change): boolean {
  const current: Record<string, unknown> = { ...task };
  return Object.entries(change).every(([name, value]) => current[name] === value);
}
