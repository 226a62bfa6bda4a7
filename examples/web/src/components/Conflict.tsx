import type { Task } from "task-api-client";

import { useInheritedFocus } from "../focus.ts";
import { mine, type Row } from "../rows.ts";

interface Props {
  row: Row;
  onKeep: () => void;
  onTake: () => void;
}

/** Somebody else was faster: both sides, to choose from. Nothing is lost before that. */
export function Conflict({ row, onKeep, onTake }: Props) {
  const group = useInheritedFocus<HTMLDivElement>();
  const theirs = row.theirs ?? null;
  return (
    <div ref={group} role="group" aria-label="Conflict" tabIndex={-1} className="conflict">
      <p role="alert">
        {theirs ? "This task was changed elsewhere" : "This task was deleted elsewhere"} meanwhile.
      </p>
      <div className="sides">
        <Side name="Yours" task={mine(row)} />
        <Side name="On the server" task={theirs} />
      </div>
      <div className="actions">
        <button type="button" onClick={onKeep}>
          Keep mine
        </button>
        <button type="button" onClick={onTake}>
          Take theirs
        </button>
      </div>
    </div>
  );
}

function Side({ name, task }: { name: string; task: Task | null }) {
  return (
    <dl>
      <dt>{name}</dt>
      {task ? (
        <>
          <dd dir="auto">
            <strong>{task.title}</strong>
          </dd>
          <dd dir="auto">{task.description || "No description"}</dd>
          <dd>{task.completed ? "Done" : "Open"}</dd>
        </>
      ) : (
        <dd>Deleted</dd>
      )}
    </dl>
  );
}
