import type { Task } from "task-api-client";

import type { Change, Entry } from "../entry.ts";
import { checkboxOf, editButtonOf, NEW_TASK, refocus, useInheritedFocus } from "../focus.ts";
import type { TaskStore } from "../store.ts";

interface Props {
  entry: Entry;
  store: TaskStore;
}

/** Somebody else was faster: both sides, to choose from. Nothing is lost before that. */
export function Conflict({ entry: { key, task, trouble }, store }: Props) {
  const group = useInheritedFocus<HTMLDivElement>();
  const theirs = trouble?.theirs ?? null;
  const mine = { ...(theirs ?? task), ...trouble?.change };
  const settle = (choice: () => void) =>
    refocus(choice, editButtonOf(key), checkboxOf(key), NEW_TASK);
  return (
    <div ref={group} role="group" aria-label="Conflict" tabIndex={-1} className="conflict">
      <p role="alert">
        {theirs ? "This task was changed elsewhere" : "This task was deleted elsewhere"} meanwhile.
      </p>
      <div className="sides">
        <Side name="Yours" task={mine} />
        <Side name="On the server" task={theirs} />
      </div>
      <div className="actions">
        <button type="button" onClick={() => settle(() => store.retry(key))}>
          Keep mine
        </button>
        <button type="button" onClick={() => settle(() => store.dismiss(key))}>
          Take theirs
        </button>
      </div>
    </div>
  );
}

function Side({ name, task }: { name: string; task: (Task & Change) | null }) {
  return (
    <dl>
      <dt>{name}</dt>
      {!task || task.deleted ? (
        <dd>Deleted</dd>
      ) : (
        <>
          <dd>
            <strong>{task.title}</strong>
          </dd>
          <dd>{task.description || "No description"}</dd>
          <dd>{task.completed ? "Done" : "Open"}</dd>
        </>
      )}
    </dl>
  );
}
