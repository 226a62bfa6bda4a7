import type { Mutation, QueryClient } from "@tanstack/react-query";

import { randomUUID } from "../uuid.js";
import type { Write, Writer } from "./writes.js";

/** Where writes are kept that are not answered yet: `localStorage`, or something like it. */
export type WriteStorage = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

type WriteMutation = Mutation<unknown, Error, Write>;

interface Keeping {
  client: QueryClient;
  writer: Writer;
  mutationKey: readonly unknown[];
  userId: string;
  storage: WriteStorage;
}

/**
 * Keeps each write in the storage until it is answered or discarded, and sends what was left there
 * by pages that are gone. A create has its idempotency key there, and a change its version: each
 * arrives once, whatever was sent of it before.
 */
export async function keepWrites({ client, writer, mutationKey, userId, storage }: Keeping) {
  const cache = client.getMutationCache();
  const prefix = `task-api-client/${encodeURIComponent(userId)}/`;
  const page = randomUUID();
  const nameOf = (id: number) => `${prefix}${page}/${String(id).padStart(9, "0")}`;

  const save = ({ mutationId, state: { status, variables } }: WriteMutation) => {
    const name = nameOf(mutationId);
    if (variables && (status === "pending" || status === "error")) {
      const isKept = keep(storage, name, writer.alone(variables));
      if (isKept) writer.kept.add(mutationId);
    } else remove(name, mutationId);
  };
  const remove = (name: string, mutationId: number) => {
    storage.removeItem(name);
    writer.kept.delete(mutationId);
  };
  cache.subscribe(({ type, mutation }) => {
    if (mutation?.options.mutationKey?.join() !== mutationKey.join()) return;
    if (type === "removed") remove(nameOf(mutation.mutationId), mutation.mutationId);
    // What follows a create that is answered has the task's id from now on.
    else if (type === "updated") {
      for (const each of cache.findAll({ mutationKey })) save(each as WriteMutation);
    }
  });

  const left = names(storage, prefix);
  const open = await openPages(page);
  for (const name of left) {
    if (open.has(name.slice(prefix.length, -10))) continue;
    const write = JSON.parse(storage.getItem(name) ?? "null") as Write | null;
    if (!write) continue; // another page was faster
    const sent = cache.build(client, { mutationKey: [...mutationKey] }).execute(write);
    storage.removeItem(name);
    sent.catch(() => undefined); // it is in the mutation's state
  }
}

/** Whether it could be kept: a storage may be full, or forbidden. */
function keep(storage: WriteStorage, name: string, write: Write): boolean {
  try {
    storage.setItem(name, JSON.stringify(write));
    return true;
  } catch (error) {
    if (error instanceof DOMException) return false;
    throw error;
  }
}

/** The names that begin with this, in the order in which the writes were made. */
function names(storage: WriteStorage, prefix: string): string[] {
  const all = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
  return all.filter((name) => name.startsWith(prefix)).sort();
}

/** The pages that send what they keep themselves. Each holds a lock as long as it is open. */
async function openPages(page: string): Promise<Set<string | undefined>> {
  // Without a secure context there are no locks: what two pages send is done once all the same.
  const locks = typeof navigator === "undefined" ? undefined : navigator.locks;
  if (!locks) return new Set();
  void locks.request(page, () => new Promise(() => {}));
  const { held = [] } = await locks.query();
  return new Set(held.map(({ name }) => name));
}
