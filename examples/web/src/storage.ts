/** The browser's storage; nothing where it is forbidden. */
export const storage = allowed(() => window.localStorage);

/** Keeps a value, or removes it. Returns whether it is as it should be: a storage may be full. */
export function keep(name: string, value: unknown): boolean {
  const isDone = allowed(() => {
    if (value === undefined) storage?.removeItem(name);
    else storage?.setItem(name, JSON.stringify(value));
    return storage !== undefined;
  });
  return isDone ?? false;
}

export function kept<T>(name: string): T | undefined {
  return JSON.parse(storage?.getItem(name) ?? "null") ?? undefined;
}

/** The names that begin with this. */
export function keptNames(prefix: string): string[] {
  return Object.keys(storage ?? {}).filter((name) => name.startsWith(prefix));
}

function allowed<T>(access: () => T): T | undefined {
  try {
    return access();
  } catch (error) {
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}
