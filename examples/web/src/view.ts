import { useEffect, useState } from "react";
import type { ListQuery } from "task-api-client/react";

export const SHOWS = { all: undefined, open: false, done: true } as const;

export const SORTS = {
  "-created_at": "Newest first",
  created_at: "Oldest first",
  "-updated_at": "Recently changed",
  updated_at: "Least recently changed",
  title: "Title A–Z",
  "-title": "Title Z–A",
} as const satisfies Record<NonNullable<ListQuery["sort"]>, string>;

/** Which tasks, and in which order. */
export interface View {
  show: keyof typeof SHOWS;
  sort: keyof typeof SORTS;
}

/** The view that the address names; to change it makes an entry in the browser's history. */
export function useView(): [View, (view: View) => void] {
  const [view, setView] = useState(read);
  useEffect(() => {
    const go = () => setView(read());
    window.addEventListener("popstate", go);
    return () => window.removeEventListener("popstate", go);
  }, []);
  const show = (next: View) => {
    history.pushState(null, "", `?${new URLSearchParams({ ...next })}`);
    setView(next);
  };
  return [view, show];
}

function read(): View {
  const query = new URLSearchParams(location.search);
  return {
    show: oneOf(SHOWS, query.get("show")) ?? "all",
    sort: oneOf(SORTS, query.get("sort")) ?? "-created_at",
  };
}

function oneOf<T extends object>(names: T, name: string | null): keyof T | undefined {
  return name !== null && Object.hasOwn(names, name) ? (name as keyof T) : undefined;
}
