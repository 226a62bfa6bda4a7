import {
  createTask,
  deleteTask,
  listTasks,
  ProblemError,
  setCompleted,
  updateTask,
  type Connection,
  type Task,
  type TaskCreate,
  type TaskQuery,
} from "task-api-client";

import { SessionEnded } from "./auth.ts";
import {
  answered,
  changed,
  closed,
  dismissed,
  failed,
  isBusy,
  isUnsent,
  newEntry,
  opened,
  retried,
  saved,
  sent,
  type Entry,
  type TaskText,
} from "./entry.ts";
import { begun, extended } from "./list.ts";

/** Which tasks, and in which order. */
export interface View {
  sort: NonNullable<TaskQuery["sort"]>;
  completed?: boolean | undefined;
}

export interface State {
  readonly view: View;
  readonly entries: Entry[];
  /** Whether a page is on its way. */
  readonly loading: boolean;
  /** Whether the first page of this view is there. */
  readonly loaded: boolean;
  /** Where the next page begins, if there is one. */
  readonly next?: string | undefined;
  /** Why a page could not be loaded. */
  readonly error?: unknown;
  /** The key of the task that was deleted last, as long as that can be undone. */
  readonly undoable?: string | undefined;
  /** What the eye sees and the ear should know. */
  readonly remark?: string | undefined;
}

const PAGE = 50;

/**
 * One user's tasks on the page. A change is shown at once and sent when the change before it is
 * answered, with the version of that answer: nobody gets into a conflict with themselves.
 */
export class TaskStore {
  #state: State = { view: { sort: "-created_at" }, entries: [], loading: true, loaded: false };
  readonly #api: Connection;
  readonly #userId: string;
  readonly #onDoubt: () => void;
  readonly #listeners = new Set<() => void>();
  readonly #writing = new Map<string, Promise<void>>();
  /** A page that was asked for before a delete may still have the task. */
  readonly #deleted = new Set<number>();
  #loading = new AbortController();

  /** `onDoubt` is called when it seems that the user is not signed in any more. */
  constructor(api: Connection, userId: string, onDoubt: () => void) {
    this.#api = api;
    this.#userId = userId;
    this.#onDoubt = onDoubt;
  }

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly state = () => this.#state;

  /** Begins the list; what it returns ends it, and keeps nothing but what is not saved yet. */
  open(): () => void {
    this.#begin();
    return () => {
      this.#loading.abort();
      this.commit();
      this.#set({ entries: this.#state.entries.filter(isBusy), loaded: false, next: undefined });
      void Promise.all(this.#writing.values()).then(() => this.#api.forget());
    };
  }

  show(view: View): void {
    this.#set({ view });
    this.#begin();
  }

  /** Loads the next page, if there is one and it is not on its way. */
  readonly more = (): void => {
    const { next, loading } = this.#state;
    if (next !== undefined && !loading) void this.#load(extended, next);
  };

  /** Loads again what could not be loaded. */
  readonly loadAgain = (): void => {
    if (this.#state.error === undefined) return;
    if (this.#state.loaded) this.more();
    else this.#begin();
  };

  /** Adds a task on top, whatever the order, where it stays until the list is loaded anew. */
  add(task: TaskCreate): void {
    const entry = newEntry(task);
    this.#set({ entries: [entry, ...this.#state.entries] });
    this.#write(entry.key);
  }

  /** Sets the status. The task stays where it is until the list is loaded anew. */
  toggle(key: string, completed: boolean): void {
    this.#replace(key, (entry) => changed(entry, { completed }));
    const leaves = (this.#state.view.completed ?? completed) !== completed;
    this.#set({ remark: leaves ? "It stays in this list until you choose another." : undefined });
    this.#write(key);
  }

  edit(key: string): void {
    this.#replace(key, opened);
  }

  save(key: string, text: TaskText): void {
    this.#replace(key, (entry) => saved(entry, text));
    this.#write(key);
  }

  cancel(key: string): void {
    this.#replace(key, closed);
  }

  /**
   * Hides a task. A delete is for good, so it is sent only when it cannot be undone any more: a
   * browser that crashes before has deleted nothing.
   */
  remove(key: string): void {
    this.commit();
    this.#set({ undoable: key });
  }

  undo(): void {
    this.#set({ undoable: undefined });
  }

  /** Sends the delete that could have been undone. */
  readonly commit = (): void => {
    const { undoable } = this.#state;
    if (undoable === undefined) return;
    this.#replace(undoable, (entry) => changed(entry, { deleted: true }));
    this.#set({ undoable: undefined });
    this.#write(undoable);
  };

  /** Tries again what failed; in a conflict, on top of what the task is now. */
  retry(key: string): void {
    const entry = this.#find(key);
    if (!entry) return;
    const again = retried(entry);
    this.#replace(key, () => again);
    this.#write(again.key);
  }

  /** Gives up what failed; in a conflict, for what the task is now. */
  dismiss(key: string): void {
    this.#replace(key, dismissed);
  }

  #begin(): void {
    this.commit();
    this.#set({ loaded: false, next: undefined });
    void this.#load(begun);
  }

  async #load(merge: typeof extended, cursor?: string): Promise<void> {
    this.#loading.abort();
    const { signal } = (this.#loading = new AbortController());
    this.#set({ loading: true, error: undefined });
    try {
      const query = this.#query(cursor);
      const { tasks, next } = await listTasks(await this.#connection(), query, { signal });
      if (signal.aborted) return;
      const entries = merge(
        this.#state.entries,
        tasks.filter(({ id }) => !this.#deleted.has(id)),
      );
      this.#set({ entries, next, loaded: true, loading: false });
    } catch (error) {
      if (signal.aborted) return;
      this.#doubt(error);
      const { loaded, entries } = this.#state;
      this.#set({ error, entries: loaded ? entries : entries.filter(isBusy), loading: false });
    }
  }

  #query(cursor: string | undefined): TaskQuery {
    const { sort, completed } = this.#state.view;
    return {
      sort,
      limit: PAGE,
      ...(completed !== undefined && { completed }),
      ...(cursor !== undefined && { cursor }),
    };
  }

  #write(key: string): void {
    if (this.#writing.has(key)) return;
    const writing = this.#writeAll(key).finally(() => this.#writing.delete(key));
    this.#writing.set(key, writing);
  }

  /** Sends what the user wants of a task, one write after the other. */
  async #writeAll(key: string): Promise<void> {
    for (let entry = this.#find(key); entry && isUnsent(entry); entry = this.#find(key)) {
      this.#replace(key, sent);
      try {
        await this.#send(entry);
      } catch (error) {
        this.#doubt(error);
        this.#replace(key, (now) => failed(now, error));
        return;
      }
    }
  }

  async #send(entry: Entry): Promise<void> {
    const answer = await write(await this.#connection(), entry);
    if (!answer) this.#deleted.add(entry.task.id);
    // A page may have brought a task before its creation was answered.
    const entries = this.#state.entries.filter(
      ({ key, task }) => key === entry.key || task.id !== answer?.id,
    );
    this.#set({ entries });
    this.#replace(entry.key, (now) => answer && answered(now, answer));
  }

  /** The way to the API, unless somebody else has signed in meanwhile, in another tab. */
  async #connection(): Promise<Connection> {
    if ((await this.#api.user()) === this.#userId) return this.#api;
    this.#api.forget();
    throw new SessionEnded();
  }

  #doubt(error: unknown): void {
    if (error instanceof SessionEnded || (error instanceof ProblemError && error.status === 401)) {
      this.#onDoubt();
    }
  }

  #find(key: string): Entry | undefined {
    return this.#state.entries.find((entry) => entry.key === key);
  }

  #replace(key: string, change: (entry: Entry) => Entry | undefined): void {
    const entries = this.#state.entries.flatMap((entry) =>
      entry.key === key ? (change(entry) ?? []) : entry,
    );
    this.#set({ entries });
  }

  #set(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

/** What the server makes of what waits first; nothing where it deletes the task. */
async function write(
  api: Connection,
  { key, task, waiting = {} }: Entry,
): Promise<Task | undefined> {
  const { title, description, completed, version } = task;
  if (version === 0) return createTask(api, { title, description, completed }, { key });
  if (waiting.deleted) return void (await deleteTask(api, task));
  return Object.keys(waiting).join() === "completed"
    ? setCompleted(api, task, waiting.completed === true)
    : updateTask(api, task, waiting);
}
