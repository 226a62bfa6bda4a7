import type { Connection } from "../connection.js";
import {
  createTask,
  deleteTask,
  setCompleted,
  updateTask,
  type Task,
  type TaskCreate,
  type TaskUpdate,
  type Version,
} from "../tasks.js";

/**
 * What is done to a task, as plain data that can be kept and sent later. `key` names the task: it
 * is the idempotency key of the create until the page is left, and else the id.
 */
export type Write =
  | { action: "create"; key: string; body: TaskCreate }
  | { action: "update"; key: string; task: Version; body: TaskUpdate }
  | { action: "delete"; key: string; task: Version };

/** A run of our own writes: the version that it began with, and what the last one made. */
interface Run {
  since: number;
  task: Version;
}

/** Sends writes; those to one task one after the other. */
export class Writer {
  readonly #api: Connection;
  readonly #turns = new Map<string, Promise<void>>();
  readonly #runs = new Map<string, Run>();
  readonly #keys = new Map<number, string>();
  readonly #ids = new Map<string, number>();

  constructor(api: Connection) {
    this.#api = api;
  }

  /** The key of the task with this id. */
  readonly keyOf = (id: number): string => this.#keys.get(id) ?? String(id);

  /** The id of the task with this key, once it has one. */
  readonly idOf = (key: string): number => this.#ids.get(key) ?? Number(key);

  /** The mutations whose writes outlive the page. */
  readonly kept = new Set<number>();

  /** The write as it can be sent when the create of its task is forgotten. */
  alone(write: Write): Write {
    const task = this.#runs.get(write.key)?.task;
    if (write.action === "create" || write.task.id !== 0 || !task) return write;
    const { id, version } = task;
    return { ...write, key: String(id), task: { id, version } };
  }

  /** What the task is after the write; null where that deletes it. */
  readonly send = (write: Write): Promise<Task | null> => {
    const { key } = write;
    const before = this.#turns.get(key) ?? Promise.resolve();
    const sent = before.then(() => this.#send(write));
    const turn: Promise<void> = sent.then(ignore, ignore).then(() => {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    });
    this.#turns.set(key, turn);
    return sent;
  };

  async #send(write: Write): Promise<Task | null> {
    const { action, key } = write;
    if (action === "create") {
      const task = await createTask(this.#api, write.body, { key });
      this.#keys.set(task.id, key);
      this.#ids.set(key, task.id);
      this.#runs.set(key, { since: 0, task });
      return task;
    }
    const run = this.#runs.get(key);
    const base = run ? rebased(write.task, run) : write.task;
    if (base.id === 0) throw new Error("The task itself could not be added.");
    if (action === "delete") {
      await deleteTask(this.#api, base);
      this.#runs.delete(key);
      return null;
    }
    const task = await this.#change(base, write.body);
    this.#runs.set(key, { since: run?.task === base ? run.since : base.version, task });
    return task;
  }

  #change(base: Version, body: TaskUpdate): Promise<Task> {
    const { completed, ...others } = body;
    return completed !== undefined && Object.keys(others).length === 0
      ? setCompleted(this.#api, base, completed)
      : updateTask(this.#api, base, body);
  }
}

/**
 * The version to change, where the user saw that one. All changes since are the user's own, who saw
 * them at once, before the API had answered: they are no conflict.
 */
function rebased(seen: Version, { since, task }: Run): Version {
  return since <= seen.version && seen.version <= task.version ? task : seen;
}

function ignore(): void {}
