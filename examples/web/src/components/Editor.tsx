import { useState, type FormEvent, type KeyboardEvent } from "react";

import { hasChanges, LONGEST, type Draft, type TaskText } from "../drafts.ts";
import { fieldError } from "../errors.ts";
import { useInheritedFocus } from "../focus.ts";
import type { Row } from "../rows.ts";
import { Alert } from "./Alert.tsx";
import { Field } from "./Field.tsx";

interface Props {
  row: Row;
  draft: Draft;
  onType: (text: TaskText) => void;
  onSave: (text: TaskText, goOn: boolean) => void;
  onRevert: () => void;
}

/** Edits a task in place: Enter saves and goes on, Escape reverts. */
export function Editor({ row, draft, onType, onSave, onRevert }: Props) {
  const { text } = draft;
  const [isBlank, setBlank] = useState(false);
  const titleInput = useInheritedFocus<HTMLTextAreaElement>();
  const error = row.failed[0]?.error;
  const titleError =
    isBlank && !text.title.trim() ? "A title is needed" : fieldError(error, "title");

  const save = (goOn: boolean) => {
    if (text.title.trim()) onSave(text, goOn);
    else setBlank(true);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save(false);
  };
  const press = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const isTitle = event.target instanceof HTMLTextAreaElement && event.target.name === "title";
    const isSave = event.key === "Enter" && (isTitle || event.ctrlKey || event.metaKey);
    if (event.key === "Escape") onRevert();
    if (!isSave) return;
    event.preventDefault();
    save(isTitle);
  };

  return (
    <form className="editor" onSubmit={submit} onKeyDown={press}>
      {draft.restored && hasChanges(draft) && (
        <p className="notice">You had not saved this when you left.</p>
      )}
      <Field label="Title" error={titleError}>
        {(control) => (
          <textarea
            {...control}
            ref={titleInput}
            name="title"
            value={text.title}
            onChange={({ target }) => onType({ ...text, title: target.value.replace(/\n/g, " ") })}
            maxLength={LONGEST.title}
            rows={1}
            dir="auto"
            onFocus={({ currentTarget }) => toEnd(currentTarget)}
            enterKeyHint="done"
          />
        )}
      </Field>
      <Field label="Description" error={fieldError(error, "description")}>
        {(control) => (
          <textarea
            {...control}
            value={text.description}
            onChange={({ target }) => onType({ ...text, description: target.value })}
            maxLength={LONGEST.description}
            rows={2}
            dir="auto"
          />
        )}
      </Field>
      {error && <Alert what="Not saved." error={error} onRetry={() => save(false)} />}
      <div className="actions">
        <button type="submit" className="primary">
          Save
        </button>
        <button type="button" onClick={onRevert}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function toEnd(field: HTMLTextAreaElement): void {
  field.setSelectionRange(field.value.length, field.value.length);
}
