import { memo, type MouseEvent } from "react";

import { isNew, isPending, wanted, type Entry } from "../entry.ts";
import { checkboxOf, editButtonOf, NEW_TASK, refocus } from "../focus.ts";
import type { TaskStore } from "../store.ts";
import { Alert } from "./Alert.tsx";
import { Conflict } from "./Conflict.tsx";
import { Bin, Pencil } from "./icons.tsx";
import { TaskEditor } from "./TaskEditor.tsx";

interface Props {
  entry: Entry;
  store: TaskStore;
}

/** A task: to read, to edit, or in a conflict. */
export const TaskItem = memo(function TaskItem({ entry, store }: Props) {
  const { draft, trouble } = entry;
  const conflict = trouble?.theirs !== undefined;
  return (
    <li className="task" aria-busy={isPending(entry)}>
      {conflict && <Conflict entry={entry} store={store} />}
      {draft && <TaskEditor entry={entry} text={draft.text} hidden={conflict} store={store} />}
      {!draft && !conflict && <Row entry={entry} store={store} />}
      {!draft && !conflict && trouble && <Failure entry={entry} store={store} />}
    </li>
  );
});

function Row({ entry, store }: Props) {
  const { key } = entry;
  const { title, description, completed } = wanted(entry);
  const refused = isNew(entry) && entry.trouble !== undefined;

  const remove = ({ currentTarget }: MouseEvent) => {
    const item = currentTarget.closest("li");
    const near = item?.nextElementSibling ?? item?.previousElementSibling;
    const control = near?.querySelector<HTMLElement>("input, button");
    store.remove(key);
    (control ?? document.getElementById(NEW_TASK))?.focus();
  };

  return (
    <div className="row">
      <input
        type="checkbox"
        id={checkboxOf(key)}
        checked={completed}
        disabled={refused}
        onChange={() => store.toggle(key, !completed)}
      />
      <div className="text">
        <label htmlFor={checkboxOf(key)}>{title}</label>
        {description && <p>{description}</p>}
      </div>
      {!refused && (
        <div className="tools">
          <button
            type="button"
            id={editButtonOf(key)}
            aria-label={`Edit ${title}`}
            onClick={() => store.edit(key)}
          >
            <Pencil />
          </button>
          <button type="button" aria-label={`Delete ${title}`} onClick={remove}>
            <Bin />
          </button>
        </div>
      )}
    </div>
  );
}

/** What could not be done to the task, which shows as it was. */
function Failure({ entry, store }: Props) {
  const { key, trouble } = entry;
  const retry = () => refocus(() => store.retry(key), checkboxOf(key), NEW_TASK);
  const note = isNew(entry) ? "It may have arrived all the same: trying again adds it once." : "";
  const dismiss = () => refocus(() => store.dismiss(key), checkboxOf(key), NEW_TASK);
  return (
    <Alert what={failure(entry)} error={trouble?.error} note={note} onRetry={retry}>
      <button type="button" onClick={dismiss}>
        {isNew(entry) ? "Discard" : "Dismiss"}
      </button>
    </Alert>
  );
}

function failure(entry: Entry): string {
  if (isNew(entry)) return "Not added.";
  return entry.trouble?.change.deleted ? "Not deleted." : "Not saved.";
}
