import { randomUUID, type TaskUpdate } from "task-api-client";
import type { TaskItem } from "task-api-client/react";

import { keep, kept, keptNames } from "./storage.ts";

/** What an editor holds. */
export interface TaskText {
  title: string;
  description: string;
}

/** Text that is not saved. */
export interface Draft {
  text: TaskText;
  /** The task as the user saw it; absent for a new one. */
  seen?: TaskItem | undefined;
  /** Whether it is from before the page was loaded. */
  restored?: boolean;
}

/** The most characters of a title and of a description. */
export const LONGEST = { title: 255, description: 1000 };

/** The key of the draft of a new task. */
export const NEW = "new";

/** One user's drafts on this page, by the task's key. They outlive the page. */
export class Drafts {
  readonly #prefix: string;
  readonly #listeners = new Set<() => void>();
  readonly #lost = new Set<string>();
  #all: ReadonlyMap<string, Draft> = new Map();

  private constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The drafts that pages which are gone have left. Those of other tabs stay theirs. */
  static async open(user: string): Promise<Drafts> {
    const prefix = `task-page/draft/${encodeURIComponent(user)}/`;
    const page = randomUUID();
    const others = await openPages(page);
    const drafts = new Drafts(`${prefix}${page}/`);
    for (const name of keptNames(prefix)) {
      const [owner = "", key = ""] = name.slice(prefix.length).split("/");
      const draft = kept<Draft>(name);
      if (!draft || others.has(owner) || drafts.all().has(key)) continue;
      drafts.set(key, { ...draft, restored: true });
      keep(name, undefined);
    }
    return drafts;
  }

  readonly all = () => this.#all;

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Whether all of them outlive the page. */
  get areKept(): boolean {
    return this.#lost.size === 0;
  }

  /** Keeps a draft, or drops it. */
  readonly set = (key: string, draft?: Draft): void => {
    const before = this.#all.get(key);
    // After a reload, a task is found by its id.
    const [old, name] = [before, draft].map((each) => String(each?.seen?.id || key));
    if (old !== name) keep(this.#prefix + old, undefined);
    const worth = draft && hasChanges(draft) ? draft : undefined;
    if (keep(this.#prefix + name, worth) || !worth) this.#lost.delete(key);
    else this.#lost.add(key);
    const all = new Map(this.#all);
    if (draft) all.set(key, draft);
    else all.delete(key);
    this.#all = all;
    for (const listener of this.#listeners) listener();
  };
}

/** The pages that are open. Each holds a lock of its name. */
async function openPages(page: string): Promise<Set<string | undefined>> {
  const locks = navigator.locks as LockManager | undefined; // missing without HTTPS
  void locks?.request(page, () => new Promise(() => {}));
  const { held = [] } = (await locks?.query()) ?? {};
  return new Set(held.map(({ name }) => name));
}

export function textOf({ title, description }: TaskItem): TaskText {
  return { title, description: description ?? "" };
}

const NOTHING = { title: "", description: "" };

export function hasChanges({ text, seen }: Draft): boolean {
  return !isSame(text, seen ? textOf(seen) : NOTHING);
}

export function isSame(one: TaskText, other: TaskText): boolean {
  return one.title === other.title && one.description === other.description;
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

/** A new task's text: the title in the first line, the description in the others. */
export function parsed(text: string): TaskText {
  const [title = "", ...lines] = text.trim().split("\n");
  return { title: title.trim(), description: lines.join("\n").trim() };
}
