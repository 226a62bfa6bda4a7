import { useEffect, useRef } from "react";

import { wanted, type Entry } from "../entry.ts";
import { LIST, refocus } from "../focus.ts";
import type { State, TaskStore, View } from "../store.ts";
import { Alert } from "./Alert.tsx";
import { TaskItem } from "./TaskItem.tsx";

interface Props {
  store: TaskStore;
  state: State;
}

/** The tasks, page after page as they come into view. */
export function TaskList({ store, state }: Props) {
  const { entries, error, loaded, loading, next, undoable, view } = state;
  const visible = entries.filter((entry) => entry.key !== undoable && !wanted(entry).deleted);
  const loadAgain = () => refocus(store.loadAgain, LIST);
  return (
    <section
      id={LIST}
      tabIndex={-1}
      className="list"
      data-stale={(loading && !loaded) || undefined}
    >
      <ul aria-label="Tasks" aria-busy={loading}>
        {visible.map((entry) => (
          <TaskItem key={entry.key} entry={entry} store={store} />
        ))}
      </ul>
      {loading && visible.length === 0 && <Skeleton />}
      {error !== undefined && (
        <Alert what="The tasks could not be loaded." error={error} onRetry={loadAgain} />
      )}
      {loaded && visible.length === 0 && <Empty view={view} />}
      {next !== undefined && error === undefined && <More next={next} onMore={store.more} />}
      <p role="status" className="count">
        {loaded && count(visible, next !== undefined)}
      </p>
    </section>
  );
}

function count({ length }: Entry[], more: boolean): string {
  if (length === 0) return "";
  const tasks = length === 1 ? "1 task" : `${length} tasks`;
  return more ? `${tasks} shown, there are more` : `${tasks} shown, that is all`;
}

interface MoreProps {
  /** Where the next page begins. */
  next: string;
  onMore: () => void;
}

/** It need not be pressed: coming near is enough. */
function More({ next, onMore }: MoreProps) {
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    const observer = new IntersectionObserver(
      (changes) => changes.some(({ isIntersecting }) => isIntersecting) && onMore(),
      { rootMargin: "600px" },
    );
    observer.observe(button.current!);
    return () => observer.disconnect();
  }, [next, onMore]); // an observer says anew, for each page, that the button is near

  return (
    <button ref={button} type="button" className="more" onClick={onMore}>
      Load more
    </button>
  );
}

function Empty({ view: { completed } }: { view: View }) {
  if (completed === true) return <p className="empty">Nothing is done yet.</p>;
  if (completed === false) return <p className="empty">Nothing is open. Well done!</p>;
  return <p className="empty">Nothing here yet. What is the first thing to do?</p>;
}

function Skeleton() {
  return (
    <div className="skeleton" aria-hidden="true">
      <i />
      <i />
      <i />
    </div>
  );
}
