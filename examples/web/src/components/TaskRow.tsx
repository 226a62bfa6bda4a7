import type { MouseEvent } from "react";
import type { TaskItem } from "task-api-client/react";

import { ago, exactly } from "../dates.ts";
import { isRefused, type Row } from "../rows.ts";
import { Alert } from "./Alert.tsx";
import { Bin, Pencil } from "./icons.tsx";

interface Props {
  row: Row;
  /** Which of its dates is shown. */
  date: "created_at" | "updated_at" | undefined;
  isActive: boolean;
  isSelected: boolean;
  onFocus: () => void;
  /** Each does it to this task. */
  onToggle: () => void;
  onEdit: () => void;
  onRemove: () => void;
  onSelect: () => void;
  onRetry: () => void;
  onDismiss: () => void;
}

/** A task to read. Only the box completes it; a click anywhere else edits. */
export function TaskRow(props: Props) {
  const { row, date, isActive, isSelected, onFocus, onToggle, onEdit, onRemove, onSelect } = props;
  const { task } = row;
  const { key, title, description, completed } = task;
  const refused = isRefused(row);
  const [titleId, noteId] = [`title-${key}`, `selected-${key}`];

  // With Shift a click selects, wherever it comes down.
  const click = (event: MouseEvent, act: () => void) => {
    if (event.shiftKey) onSelect();
    else if (getSelection()?.isCollapsed) act();
  };

  return (
    <>
      <div className="row" data-selected={isSelected || undefined} onMouseDown={keepText}>
        <input
          type="checkbox"
          aria-labelledby={titleId}
          aria-describedby={isSelected ? noteId : undefined}
          aria-keyshortcuts="X E Delete"
          tabIndex={isActive ? 0 : -1}
          checked={completed}
          disabled={refused}
          onFocus={onFocus}
          onClick={(event) => event.shiftKey && event.preventDefault()}
          onClickCapture={(event) => event.shiftKey && onSelect()}
          onChange={onToggle}
        />
        <div className="text" onClick={(event) => !refused && click(event, onEdit)}>
          <p id={titleId} className="title" dir="auto">
            {title}
          </p>
          {description && (
            <p className="description" dir="auto">
              {description}
            </p>
          )}
          {isSelected && (
            <span id={noteId} className="visually-hidden">
              selected
            </span>
          )}
        </div>
        {date && <When date={task[date]} />}
        {!refused && <Tools task={task} onEdit={onEdit} onRemove={onRemove} />}
      </div>
      {row.failed.length > 0 && <Failure {...props} />}
    </>
  );
}

/** A click with Shift would else mark text. */
function keepText(event: MouseEvent): void {
  if (event.shiftKey) event.preventDefault();
}

function When({ date }: { date: string }) {
  return (
    <time dateTime={date} title={exactly(date)}>
      {ago(date)}
    </time>
  );
}

interface ToolsProps {
  task: TaskItem;
  onEdit: () => void;
  onRemove: () => void;
}

/** For the pointer: with the keyboard it is E and Delete, so that the list is one tab stop. */
function Tools({ task: { title }, onEdit, onRemove }: ToolsProps) {
  return (
    <div className="tools">
      <button type="button" tabIndex={-1} aria-label={`Edit ${title}`} onClick={onEdit}>
        <Pencil />
      </button>
      <button type="button" tabIndex={-1} aria-label={`Delete ${title}`} onClick={onRemove}>
        <Bin />
      </button>
    </div>
  );
}

/** What could not be done to the task, which shows as it was. */
function Failure({ row: { failed }, onRetry, onDismiss }: Props) {
  const { write, error } = failed[0]!;
  const what = { create: "Not added.", update: "Not saved.", delete: "Not deleted." }[write.action];
  return (
    <Alert what={what} error={error} onRetry={onRetry}>
      <button type="button" onClick={onDismiss}>
        {write.action === "create" ? "Discard" : "Dismiss"}
      </button>
    </Alert>
  );
}
